package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

// A Gateway answers one question a connection: is this message, which the
// client writes and ends by closing its side, signed by its author? The answer
// is a line: "good", "revoked", "unknown" or "bad", and more words.
type Gateway struct {
	Trust   *chain.Collection
	Fetcher chain.Fetcher
}

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
			if _, err := fmt.Fprintln(conn, g.judge(ctx, conn)); err != nil {
				return // the client has gone
			}
		}()
	}
}

func (g *Gateway) judge(ctx context.Context, r io.Reader) string {
	var content bytes.Buffer
	signer, err := smime.Verify(ctx, &content, r, g.Trust, &smime.VerifyOptions{Chain: chain.Options{
		Fetcher:    g.Fetcher,
		Revocation: chain.RevocationRequireLeaf,
	}})
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
