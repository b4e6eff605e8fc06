package pkcs7

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
)

// readSigned returns the reader of a message that was read to its end.
func readSigned(t testing.TB, msg []byte, detached io.Reader) *SignedReader {
	t.Helper()
	r, err := NewSignedReader(bytes.NewReader(msg), detached, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	return r
}

func signersOf(t testing.TB, msg []byte, detached io.Reader) []*SignerInfo {
	t.Helper()
	signers, err := readSigned(t, msg, detached).Signers()
	if err != nil {
		t.Fatal(err)
	}
	return signers
}

func TestAddSigner(t *testing.T) {
	t.Parallel()
	first, second := newSigner(t, "p256"), newSigner(t, "ed25519")
	label := Attribute{Type: oid.AttrSecurityLabel.X509(), Values: [][]byte{{0x31, 3, 6, 1, 42}}}
	first.Attributes = []Attribute{label}
	for _, content := range []string{text, strings.Repeat(text, 3000)} {
		t.Run(content, func(t *testing.T) {
			for _, detached := range []bool{false, true} {
				opts := &SignOptions{ByKeyID: true}
				var msg []byte
				reader := func() io.Reader { return nil }
				if detached {
					msg = signDetached(t, content, nil, first)
					reader = func() io.Reader { return strings.NewReader(content) }
					opts.Detached = reader()
				} else {
					msg = sign(t, content, nil, first)
				}
				var out bytes.Buffer
				if err := AddSigner(context.Background(), &out, bytes.NewReader(msg), second, opts); err != nil {
					t.Fatal(err)
				}
				got, certs, err := verify(out.Bytes(), reader(), nil)
				if err != nil || got != content || len(certs) != 2 {
					t.Fatalf("%d octets, %d signers, %v", len(got), len(certs), err)
				}
				before, after := signersOf(t, msg, reader()), signersOf(t, out.Bytes(), reader())
				kept := 0
				for _, s := range after {
					if bytes.Equal(s.raw, before[0].raw) {
						kept++
					}
					if v, ok := s.signed.single(oid.AttrSecurityLabel); !ok || !bytes.Equal(v, label.Values[0]) {
						t.Error("a signer lacks the security label")
					}
				}
				if kept != 1 {
					t.Error("the signature that was there has changed")
				}
			}
		})
	}
}

func TestAddSignerNeedsContent(t *testing.T) {
	t.Parallel()
	msg := signDetached(t, text, nil, newSigner(t, "p256"))
	err := AddSigner(context.Background(), io.Discard, bytes.NewReader(msg), newSigner(t, "p256"), nil)
	if !errors.Is(err, ErrNotRead) {
		t.Error(err)
	}
}

func TestAddUnsigned(t *testing.T) {
	t.Parallel()
	a, b := newSigner(t, "p256"), newSigner(t, "ed25519")
	msg := sign(t, text, nil, a, b)
	unsigned := func(n byte) Attribute {
		return Attribute{Type: oid.AttrTimestampToken.X509(), Values: [][]byte{{4, 1, n}}}
	}
	before := signersOf(t, msg, nil)
	index := 0
	for i, s := range before {
		if s.ID().Matches(a.Certificate) {
			index = i
		}
	}
	for n := byte(1); n < 4; n++ {
		var out bytes.Buffer
		if err := AddUnsigned(&out, bytes.NewReader(msg), index, unsigned(n)); err != nil {
			t.Fatal(err)
		}
		msg = out.Bytes()
		if _, _, err := verify(msg, nil, nil); err != nil {
			t.Fatal(err)
		}
		for _, s := range signersOf(t, msg, nil) {
			same := false
			for _, old := range before {
				same = same || bytes.Equal(old.raw, s.raw)
			}
			isA := s.ID().Matches(a.Certificate)
			if same == isA || isA && len(s.Unsigned()) != int(n) {
				t.Errorf("round %d: unchanged %v, attributes %d", n, same, len(s.Unsigned()))
			}
		}
	}
	for _, index := range []int{-1, 2} {
		if err := AddUnsigned(io.Discard, bytes.NewReader(msg), index, unsigned(0)); !errors.Is(err, ErrNoSigner) {
			t.Errorf("index %d: %v", index, err)
		}
	}
	if err := AddUnsigned(io.Discard, bytes.NewReader(msg), 0, Attribute{}); !errors.Is(err, ErrSyntax) {
		t.Errorf("empty attribute: %v", err)
	}
}

func TestCountersign(t *testing.T) {
	t.Parallel()
	author, notary, second := newSigner(t, "p256"), newSigner(t, "ed25519"), newSigner(t, "p384")
	msg := sign(t, text, nil, author)
	s := signersOf(t, msg, nil)[0]
	attr, err := s.Countersign(context.Background(), notary, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := AddUnsigned(&out, bytes.NewReader(msg), 0, attr); err != nil {
		t.Fatal(err)
	}
	s = signersOf(t, out.Bytes(), nil)[0]
	counters, err := s.Countersigners()
	if err != nil || len(counters) != 1 {
		t.Fatal(len(counters), err)
	}
	if err := counters[0].CheckSignature(notary.Certificate); err != nil {
		t.Error(err)
	}
	if err := counters[0].CheckSignature(second.Certificate); !errors.Is(err, ErrSignature) {
		t.Errorf("another certificate: %v", err)
	}
	if _, ok := counters[0].ClaimedTime(); !ok {
		t.Error("no time")
	}
	// Over another signature it is worth nothing.
	other := sign(t, text, nil, author)
	out.Reset()
	if err := AddUnsigned(&out, bytes.NewReader(other), 0, attr); err != nil {
		t.Fatal(err)
	}
	counters, err = signersOf(t, out.Bytes(), nil)[0].Countersigners()
	if err != nil || len(counters) != 1 {
		t.Fatal(len(counters), err)
	}
	if err := counters[0].CheckSignature(notary.Certificate); !errors.Is(err, ErrDigest) {
		t.Errorf("of another signature: %v", err)
	}
}

func TestGoldensCountersigned(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return strings.HasPrefix(g.Case, "countersigned") })
	if len(rows) != 2 {
		t.Errorf("%d cases", len(rows))
	}
	names := map[string][]string{"countersigned": {"p256"}, "countersigned-twice": {"rsa3072", "ed25519"}}
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			cms, _ := cmsOf(t, g)
			s := signersOf(t, cms, nil)[0]
			counters, err := s.Countersigners()
			if err != nil || len(counters) != len(names[g.Case]) {
				t.Fatal(g.File, len(counters), err)
			}
			for _, name := range names[g.Case] {
				cert := goldenCert(t, name)
				found := false
				for _, c := range counters {
					if c.ID().Matches(cert) {
						found = true
						if err := c.CheckSignature(cert); err != nil {
							t.Errorf("%s: %s: %v", g.File, name, err)
						}
					}
				}
				if !found {
					t.Errorf("%s: no countersignature of %s", g.File, name)
				}
			}
		})
	}
}

func TestAddElements(t *testing.T) {
	t.Parallel()
	key, other := newSigner(t, "p256"), newSigner(t, "ed25519")
	for _, content := range []string{text, strings.Repeat(text, 3000)} {
		t.Run(content, func(t *testing.T) {
			msg := sign(t, content, nil, key)
			response := []byte{0x30, 3, 0x0a, 1, 0}
			var out bytes.Buffer
			if err := AddElements(&out, bytes.NewReader(msg), other.Certificate.Raw, response, key.Certificate.Raw); err != nil {
				t.Fatal(err)
			}
			if got, _, err := verify(out.Bytes(), nil, nil); err != nil || got != content {
				t.Errorf("%d octets, %v", len(got), err)
			}
			r := readSigned(t, out.Bytes(), nil)
			elements, err := r.UnverifiedElements()
			if err != nil || len(elements) != 3 || !bytes.Equal(elements[2], response) || r.version != 5 {
				t.Errorf("%d elements, version %d, %v", len(elements), r.version, err)
			}
			if !bytes.Equal(r.signers[0].raw, signersOf(t, msg, nil)[0].raw) {
				t.Error("the signature has changed")
			}
		})
	}
	for _, bad := range [][]byte{nil, {5, 0}, {0x30, 0}, {0x30, 2, 5, 0}} {
		if err := AddElements(io.Discard, bytes.NewReader(sign(t, text, nil, key)), bad); !errors.Is(err, ErrSyntax) {
			t.Errorf("%x: %v", bad, err)
		}
	}
}
