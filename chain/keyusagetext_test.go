package chain_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// checkOffline checks a chain with CRLs from a directory, with no network.
func checkOffline(ctx context.Context, w io.Writer, cert *x509.Certificate, mailbox string, trust *chain.Collection, crlDir string) error {
	names, err := filepath.Glob(filepath.Join(crlDir, "*.crl"))
	if err != nil {
		return err
	}
	var crls [][]byte
	for _, name := range names {
		der, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		crls = append(crls, der)
	}
	path, err := trust.With(chain.Untrusted(chain.DER(crls...))).Verify(ctx, cert, chain.Policy{
		Purpose: chain.EmailSigning,
		Mailbox: mailbox,
		Options: chain.Options{At: time.Now(), Revocation: chain.RevocationRequireAll},
	})
	if e, ok := errors.AsType[*chain.Error](err); ok {
		for _, try := range e.Tried {
			fmt.Fprintln(w, "tried:", try)
		}
	}
	if err != nil {
		return err
	}
	for i, c := range path.Certificates() {
		fmt.Fprintln(w, c.Subject, path.Revocation(i).Status == chain.StatusGood)
	}
	return nil
}

func TestUsageOffline(t *testing.T) {
	ca := smimetest.NewCA(t)
	good, revoked := ca.Identity("alice@example.com").Certificate(), ca.Identity("alice@example.com")
	ca.Revoke(revoked)
	trust := chain.NewCollection(chain.Anchors(chain.Certs(ca.Root())), chain.Untrusted(chain.Certs(ca.Issuing())))
	empty, dir := t.TempDir(), t.TempDir()
	for i, der := range ca.CRLs() {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i, ".crl")), der, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, mailbox, dir string
		cert               *x509.Certificate
		want               error
		tells              string
	}{
		{"good", "alice@example.com", dir, good, nil, " true\n"},
		{"revoked", "alice@example.com", dir, revoked.Certificate(), chain.ErrRevoked, "tried: "},
		{"no lists", "alice@example.com", empty, good, chain.ErrRevocationUnknown, "tried: "},
		{"somebody else", "bob@example.com", dir, good, chain.ErrWrongMailbox, "tried: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			err := checkOffline(t.Context(), &out, tt.cert, tt.mailbox, trust, tt.dir)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if !bytes.Contains(out.Bytes(), []byte(tt.tells)) {
				t.Errorf("printed %q", out.String())
			}
		})
	}
}
