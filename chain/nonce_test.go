package chain_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/oid"
)

// A nonceTeller is a Fetcher that answers each request by what reply makes of
// its nonce, the value of the extension; nil: there was none.
type nonceTeller struct {
	t     testing.TB
	reply func(nonce []byte) response
	asked [][]byte
}

func (f *nonceTeller) Fetch(_ context.Context, kind chain.Kind, _ string, request []byte) ([][]byte, error) {
	if kind != chain.KindOCSPResponse {
		return nil, errors.New("nothing there")
	}
	nonce := requestNonce(f.t, request)
	f.asked = append(f.asked, nonce)
	return [][]byte{f.reply(nonce).der(f.t)}, nil
}

// requestNonce returns the value of the only extension of an OCSPRequest.
func requestNonce(t testing.TB, request []byte) []byte {
	t.Helper()
	var outer, tbs, exts, list, ext, id, value cryptobyte.String
	s := cryptobyte.String(request)
	if !s.ReadASN1(&outer, asn1.SEQUENCE) || !s.Empty() || !outer.ReadASN1(&tbs, asn1.SEQUENCE) || !outer.Empty() || !tbs.SkipASN1(asn1.SEQUENCE) {
		t.Fatalf("request %x", request)
	}
	if tbs.Empty() {
		return nil
	}
	if !tbs.ReadASN1(&exts, asn1.Tag(2).ContextSpecific().Constructed()) || !exts.ReadASN1(&list, asn1.SEQUENCE) ||
		!list.ReadASN1(&ext, asn1.SEQUENCE) || !list.Empty() || !ext.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) ||
		oid.OID(id) != oid.OCSPNonce || !ext.ReadASN1(&value, asn1.OCTET_STRING) || !ext.Empty() {
		t.Fatalf("request %x", request)
	}
	return value
}

// TestOCSPNonce holds Options.RequireOCSPNonce to its doc and RFC 9654.
func TestOCSPNonce(t *testing.T) {
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, alice, until(time.Now().AddDate(1, 0, 0)), func(c *x509.Certificate) { c.OCSPServer = []string{"http://o/"} })
	good := response{by: root, answers: []reply{{cert: leaf, issuer: root, this: -day, next: day}}}
	gone := response{by: root, answers: []reply{{cert: leaf, issuer: root, this: -day, next: day, state: "revoked", date: -2 * day, reason: 4}}}
	with := func(r response, nonce []byte) response { r.nonce = nonce; return r }
	octets := func(n int) []byte {
		return build(func(b *cryptobyte.Builder) { b.AddASN1OctetString(bytes.Repeat([]byte{7}, n)) })
	}
	crl := list{by: root, number: 1, this: -day, next: day}
	for _, c := range []struct {
		name    string
		require bool
		reply   func([]byte) response
		stored  [][]byte
		want    string
	}{
		{"not asked for, none", false, func([]byte) response { return good }, nil, "good"},
		{"not asked for, one", false, func([]byte) response { return with(good, octets(128)) }, nil, "good"},
		{"repeated", true, func(n []byte) response { return with(good, n) }, nil, "good"},
		{"none", true, func([]byte) response { return good }, nil, "unknown"},
		{"another", true, func([]byte) response { return with(good, octets(32)) }, nil, "unknown"},
		{"cut", true, func(n []byte) response { return with(good, append([]byte{4, 16}, n[2:18]...)) }, nil, "unknown"},
		{"not wrapped", true, func(n []byte) response { return with(good, n[2:]) }, nil, "unknown"},
		{"empty", true, func([]byte) response { return with(good, octets(0)) }, nil, "unknown"},
		{"none, revoked", true, func([]byte) response { return gone }, nil, "revoked"},
		{"repeated, revoked", true, func(n []byte) response { return with(gone, n) }, nil, "revoked"},
		{"at hand without", true, func(n []byte) response { return with(good, n) }, [][]byte{good.der(t)}, "good"},
		{"at hand without, and none", true, func([]byte) response { return good }, [][]byte{with(good, octets(32)).der(t)}, "unknown"},
		{"a CRL at hand", true, func([]byte) response { return gone }, [][]byte{crl.der(t)}, "good"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &nonceTeller{t: t, reply: c.reply}
			var seen [][]byte
			for range 2 {
				f.asked = nil
				got, _ := outcome(t, root, leaf, func(p *chain.Policy) { p.Fetcher, p.RequireOCSPNonce = f, c.require }, nil, c.stored...)
				if got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
				for _, n := range f.asked {
					if (n != nil) != c.require || c.require && (len(n) != 34 || n[0] != 4 || n[1] != 32) {
						t.Errorf("the nonce of the request is %x", n)
					}
				}
				seen = append(seen, f.asked...)
			}
			if c.require && len(seen) > 1 && bytes.Equal(seen[0], seen[len(seen)-1]) {
				t.Error("two verifications have the same nonce")
			}
		})
	}
}
