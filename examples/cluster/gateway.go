package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

// A Gateway answers one question a connection: is this message, which the
// client writes and ends by closing its side, signed by its author? The answer
// is a line: "good", "revoked", "unknown" or "bad", and more words.
type Gateway struct {
	Trust        *chain.Collection
	Fetcher      *SharedFetcher
	FetchTimeout time.Duration // for all look-ups of one verification; a message has two at most
	Patience     time.Duration // with a client that sends or reads nothing; zero: a minute
}

// maxMail bounds a message, which is kept for a second look.
const maxMail = 32 << 20

// Serve accepts until the listener is closed.
func (g *Gateway) Serve(ctx context.Context, l net.Listener) error {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			conn := &patient{conn, cmp.Or(g.Patience, time.Minute)}
			if _, err := fmt.Fprintln(conn, g.judge(ctx, conn)); err != nil {
				return // the client has gone
			}
		}()
	}
}

// A patient connection fails when its client lets the time pass.
type patient struct {
	net.Conn
	timeout time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(time.Now().Add(p.timeout)); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

func (p *patient) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(p.timeout)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}

func (g *Gateway) judge(ctx context.Context, r io.Reader) string {
	mail, err := io.ReadAll(io.LimitReader(r, maxMail+1))
	if err != nil || len(mail) > maxMail {
		return "bad message: not whole, or too large"
	}
	signer, err := g.verify(ctx, mail, g.Fetcher)
	if errors.Is(err, chain.ErrRevocationUnknown) {
		signer, err = g.verify(ctx, mail, g.Fetcher.Afresh())
	}
	switch {
	case err == nil:
		return "good " + signer.Mailbox()
	case errors.Is(err, chain.ErrRevoked):
		return "revoked"
	case errors.Is(err, chain.ErrRevocationUnknown):
		return "unknown"
	}
	return "bad " + strings.ReplaceAll(err.Error(), "\n", " ")
}

func (g *Gateway) verify(ctx context.Context, mail []byte, fetcher chain.Fetcher) (*smime.Signer, error) {
	return smime.Verify(ctx, io.Discard, bytes.NewReader(mail), g.Trust, &smime.VerifyOptions{Chain: chain.Options{
		Fetcher:      fetcher,
		FetchTimeout: g.FetchTimeout,
		Revocation:   chain.RevocationRequireLeaf,
	}})
}
