// Cluster is one of several processes behind one listener that verify mail and
// share CRLs, OCSP responses and certificates through Redis.
//
// Every process inherits the listener as file descriptor 3, as a supervisor
// passes it:
//
//	cluster -redis 127.0.0.1:6379 -roots roots.pem 3<&socket
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/chain/fetch"
)

func main() {
	addr := flag.String("redis", "127.0.0.1:6379", "`ADDRESS` of Redis, or the path of its socket")
	roots := flag.String("roots", "", "PEM `FILE` with trusted roots")
	private := flag.Bool("private", false, "CRLs are published at private addresses")
	patience := flag.Duration("patience", 10*time.Second, "`TIME` for all look-ups of one message, in Redis and elsewhere")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *roots, *private, *patience); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr, roots string, private bool, patience time.Duration) error {
	text, err := os.ReadFile(roots)
	if err != nil {
		return err
	}
	anchors, err := chain.PEM(text)
	if err != nil {
		return err
	}
	l, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	shared := redis.NewClient(&redis.Options{Addr: addr, DialTimeout: patience / 10, ReadTimeout: patience / 10, MaxRetries: -1})
	defer shared.Close()
	g := &Gateway{
		Trust: chain.NewCollection(chain.Anchors(anchors), chain.Untrusted(&SharedDirectory{shared})),
		Fetcher: &SharedFetcher{Redis: shared, Next: &fetch.Client{InsecurePrivateAddresses: private, Timeout: patience},
			TTL: time.Hour, Wait: patience / 2},
		FetchTimeout: patience,
	}
	return g.Serve(ctx, l)
}
