package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gosmime/gosmime/chain"
)

// A SharedFetcher is a chain.Keeper that keeps in Redis what was fetched and
// proved something, so that one of many processes asks and all of them know. What
// Redis returns is as untrusted as what the network does: CRLs and OCSP responses
// are signed, and package chain checks them. Where Redis is lost every process
// asks for itself. Where Redis holds what proves nothing, see
// [SharedFetcher.Afresh].
type SharedFetcher struct {
	Redis *redis.Client
	Next  chain.Fetcher
	TTL   time.Duration // of what is kept
	Wait  time.Duration // for another process that fetches the same
}

// Fetch implements chain.Fetcher.
func (f *SharedFetcher) Fetch(ctx context.Context, kind chain.Kind, url string, request []byte) ([][]byte, error) {
	key := fetchKey(kind, url, request)
	waiting, cancel := context.WithTimeout(ctx, f.Wait)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	owner := rand.Text()
	for {
		packed, err := f.Redis.Get(waiting, key).Bytes()
		if err == nil {
			if elements, err := unpack(packed); err == nil && len(elements) > 0 {
				return elements, nil
			}
			break // not ours: somebody else wrote it
		}
		if !errors.Is(err, redis.Nil) {
			break // Redis is lost
		}
		mine, err := f.Redis.SetNX(waiting, key+":lock", owner, f.Wait).Result()
		if err != nil || mine {
			break
		}
		select {
		case <-waiting.Done():
		case <-tick.C:
			continue
		}
		break
	}
	elements, err := f.Next.Fetch(ctx, kind, url, request)
	if err != nil {
		f.release(ctx, key+":lock", owner)
	}
	return elements, err
}

// Keep implements chain.Keeper: it shares what proved something.
func (f *SharedFetcher) Keep(kind chain.Kind, url string, request []byte, elements [][]byte) {
	if next, ok := f.Next.(chain.Keeper); ok {
		next.Keep(kind, url, request, elements)
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.Wait)
	defer cancel()
	// Failing to share is no failure: the evidence is here.
	_ = f.Redis.Set(ctx, fetchKey(kind, url, request), pack(elements), f.TTL).Err()
}

// Afresh returns a fetcher that asks the network, whatever Redis holds, and
// replaces that by what proves something. It is for a second look where the first could not find out:
// who can write into Redis can't keep evidence from being found.
func (f *SharedFetcher) Afresh() chain.Fetcher { return afresh{f} }

// An afresh is a SharedFetcher that never reads.
type afresh struct{ *SharedFetcher }

var _ = []chain.Keeper{(*SharedFetcher)(nil), afresh{}}

func (f afresh) Fetch(ctx context.Context, kind chain.Kind, url string, request []byte) ([][]byte, error) {
	return f.Next.Fetch(ctx, kind, url, request)
}

// release lets others fetch what owner could not. A lock that stays ends by
// itself.
func (f *SharedFetcher) release(ctx context.Context, lock, owner string) {
	script := redis.NewScript(`if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end`)
	script.Run(ctx, f.Redis, []string{lock}, owner)
}

func fetchKey(kind chain.Kind, url string, request []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %q ", kind, url)
	h.Write(request)
	return "gosmime:fetch:" + hex.EncodeToString(h.Sum(nil))
}

// pack writes each element after its length in four octets.
func pack(elements [][]byte) []byte {
	var b []byte
	for _, e := range elements {
		b = binary.BigEndian.AppendUint32(b, uint32(len(e)))
		b = append(b, e...)
	}
	return b
}

// maxElements bounds what one entry may hold.
const maxElements = 100

func unpack(b []byte) ([][]byte, error) {
	var elements [][]byte
	for len(b) > 0 {
		if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) || len(elements) == maxElements {
			return nil, errors.New("cluster: not a list of elements")
		}
		n := binary.BigEndian.Uint32(b)
		elements = append(elements, bytes.Clone(b[4:4+n]))
		b = b[4+n:]
	}
	return elements, nil
}

// A SharedDirectory is a chain.Source of certificates by address in Redis, for
// chain.Untrusted. If Redis is lost it knows nobody.
type SharedDirectory struct{ Redis *redis.Client }

// person is the key of a mailbox. That the certificate names the mailbox is for
// the chain package to judge, so the fold of upper case costs nothing here.
func person(mailbox string) string { return "gosmime:people:" + strings.ToLower(mailbox) }

// Publish adds a certificate for a mailbox.
func (d *SharedDirectory) Publish(ctx context.Context, mailbox string, der []byte) error {
	return d.Redis.SAdd(ctx, person(mailbox), der).Err()
}

// Find implements chain.Source.
func (d *SharedDirectory) Find(ctx context.Context, q chain.Query) iter.Seq2[*chain.Entry, error] {
	return func(yield func(*chain.Entry, error) bool) {
		if q.Kind != chain.KindCertificate || q.Mailbox == "" {
			return
		}
		values, err := d.Redis.SRandMemberN(ctx, person(q.Mailbox), maxElements).Result()
		if err != nil {
			return // the local sources may know more
		}
		for _, der := range values {
			if !yield(chain.NewEntry(chain.KindCertificate, []byte(der), "redis", nil), nil) {
				return
			}
		}
	}
}
