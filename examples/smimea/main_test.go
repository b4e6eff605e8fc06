package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// RFC 8162 section 3 has this name.
func TestName(t *testing.T) {
	got, err := Name("hugh@example.com")
	if err != nil || got != "c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6._smimecert.example.com." {
		t.Errorf("%s, %v", got, err)
	}
	// Quotes are no part of the name, and what is quoted inside is.
	for quoted, plain := range map[string]string{`"hugh"@example.com`: "hugh@example.com", `"h\ugh"@example.com`: "hugh@example.com", `"a\""@example.com`: `a"@example.com`, `"a\\"@example.com`: `a\@example.com`} {
		one, err := Name(quoted)
		two, plainErr := Name(plain)
		if err != nil || plainErr != nil || one != two {
			t.Errorf("%s: %s, %s: %s, %v", quoted, one, plain, two, errors.Join(err, plainErr))
		}
	}
	for _, bad := range []string{"", "@example.com", "hugh", `"hugh@example.com`, `"hu"gh"@example.com`, `"hugh\"@example.com`} {
		if _, err := Name(bad); err == nil {
			t.Errorf("%q has a name", bad)
		}
	}
}

// TestSilentResolver asks a server that accepts and never answers: a cancelled
// look-up ends at once, and any other one with the time-out.
func TestSilentResolver(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		if _, err := (&Resolver{Server: l.Addr().String(), Timeout: time.Hour}).Lookup(ctx, "bob@example.com"); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
	t.Run("time-out", func(t *testing.T) {
		_, err := (&Resolver{Server: l.Addr().String(), Timeout: 100 * time.Millisecond}).Lookup(t.Context(), "bob@example.com")
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestSignedZone(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob, carol := ca.Identity("bob@signed.test"), ca.Identity("carol@signed.test")
	stranger := smimetest.NewCA(t).Identity("carol@signed.test")
	sum := sha256.Sum256(carol.Certificate().Raw)
	records := []string{
		record(t, "bob@signed.test", 3, 0, 0, bob.Certificate().Raw),
		record(t, "carol@signed.test", 1, 0, 1, sum[:]),
	}
	// Somebody on the way writes another digest into the record of mallory.
	digest := sha256.Sum256([]byte("mallory"))
	records = append(records, record(t, "mallory@signed.test", 3, 0, 1, digest[:]))
	r := startDNS(t, records, hex.EncodeToString(digest[:8]))
	mail := smimetest.Mail("alice@example.com", "bob@signed.test", "found in the DNS")

	var sealed, content bytes.Buffer
	if err := run(t.Context(), r, []string{"bob@signed.test"}, bytes.NewReader(mail), &sealed); err != nil {
		t.Fatal(err)
	}
	if _, err := smime.Decrypt(t.Context(), &content, &sealed, smime.Identities{bob}, nil); err != nil {
		t.Error(err)
	}
	if !strings.Contains(content.String(), "found in the DNS") {
		t.Error("another content")
	}

	t.Run("a digest confirms", func(t *testing.T) {
		got, err := r.Lookup(t.Context(), "carol@signed.test")
		if err != nil || len(got) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		policy := chain.Policy{Purpose: chain.EmailEncryption, Mailbox: "carol@signed.test", Options: chain.Options{Check: Check(got)}}
		if _, err := ca.Trust().Verify(t.Context(), carol.Certificate(), policy); err != nil {
			t.Error(err)
		}
		policy.Check = Check(nil)
		if _, err := ca.Trust().Verify(t.Context(), carol.Certificate(), policy); !errors.Is(err, chain.ErrCheck) {
			t.Errorf("without records: %v", err)
		}
		if got[0].Matches(stranger.Certificate()) {
			t.Error("another certificate matches")
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		var out bytes.Buffer
		err := run(t.Context(), r, []string{"dave@signed.test"}, bytes.NewReader(mail), &out)
		if _, ok := errors.AsType[smime.RecipientErrors](err); !ok || out.Len() > 0 {
			t.Errorf("%v", err)
		}
	})
	t.Run("forged record", func(t *testing.T) {
		if got, err := r.Lookup(t.Context(), "mallory@signed.test"); err == nil {
			t.Errorf("%d records", len(got))
		}
	})
	t.Run("unsigned zone", func(t *testing.T) {
		if _, err := r.Lookup(t.Context(), "bob@unsigned.test"); !errors.Is(err, ErrInsecure) {
			t.Errorf("%v", err)
		}
	})
}

// TestMatching tries every selector and matching type.
func TestMatching(t *testing.T) {
	id := smimetest.NewCA(t).Identity("bob@example.com")
	other := smimetest.NewCA(t).Identity("bob@example.com")
	n := 0
	for selector := range uint8(2) {
		for matching := range uint8(3) {
			rec := Record{Usage: DomainIssued, Selector: selector, Matching: matching, Data: data(t, id.Certificate(), selector, matching)}
			if !rec.Matches(id.Certificate()) || rec.Matches(other.Certificate()) {
				t.Errorf("selector %d, matching %d", selector, matching)
			}
			n++
		}
	}
	if n != 6 {
		t.Errorf("%d combinations", n)
	}
}

// record returns a line of a zone file.
func record(t *testing.T, mailbox string, usage, selector, matching int, data []byte) string {
	t.Helper()
	name, err := Name(mailbox)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s 300 IN SMIMEA %d %d %d %s", name, usage, selector, matching, hex.EncodeToString(data))
}
