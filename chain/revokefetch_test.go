package chain_test

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
)

// A teller is a Fetcher that answers from a map and notes what it was asked.
type teller struct {
	answers map[string][]byte
	asked   []string
}

func (f *teller) Fetch(_ context.Context, kind chain.Kind, url string, _ []byte) ([][]byte, error) {
	f.asked = append(f.asked, url)
	if der := f.answers[url]; der != nil {
		return [][]byte{der}, nil
	}
	return nil, errors.New("nothing there")
}

func TestFetching(t *testing.T) {
	root := newRoot(t, "Root")
	freshest := extension([]int{2, 5, 29, 46}, false, sequence(sequence(point("http://d/"))))
	leaf := root.newLeaf(t, alice, until(time.Now().AddDate(1, 0, 0)), func(c *x509.Certificate) {
		c.OCSPServer = []string{"http://o/"}
		c.CRLDistributionPoints = []string{"http://c/"}
	}, freshest)
	crl := list{by: root, number: 1, this: -day, next: day}
	delta := list{by: root, number: 2, base: 1, this: -time.Hour, next: day, entries: []listed{{cert: leaf, date: -2 * time.Hour}}}
	clean := delta
	clean.entries = nil
	ocsp := response{by: root, answers: []reply{{cert: leaf, issuer: root, this: -day, next: day}}}
	names := func(urls ...string) (list []byte) {
		for _, u := range urls {
			list = append(list, tagged(6, []byte(u))...)
		}
		return list
	}
	// RFC 5280 section 4.2.1.13: the names of one point are alternatives.
	several := root.newLeaf(t, alice, until(time.Now().AddDate(1, 0, 0)), extension([]int{2, 5, 29, 31}, false, sequence(
		sequence(explicit(0, explicit(0, names("ldap://l/", "file:///f", "http://none/", "http://c/", "http://never/")))))))
	alternatives := &teller{answers: map[string][]byte{"http://c/": crl.der(t)}}
	if got, _ := outcome(t, root, several, func(p *chain.Policy) { p.Fetcher = alternatives }, nil); got != "good" ||
		!slices.Equal(alternatives.asked, []string{"http://none/", "http://c/"}) {
		t.Errorf("alternatives: %s after %q", got, alternatives.asked)
	}
	for _, c := range []struct {
		name    string
		answers map[string][]byte
		stored  [][]byte
		want    string
		asked   []string
	}{
		{"known already, but for the delta", nil, [][]byte{crl.der(t)}, "good", []string{"http://d/"}},
		{"known already", nil, [][]byte{crl.der(t), clean.der(t)}, "good", nil},
		{"delta of the CRL at hand", map[string][]byte{"http://d/": delta.der(t)}, [][]byte{crl.der(t)}, "revoked", []string{"http://d/"}},
		{"OCSP", map[string][]byte{"http://o/": ocsp.der(t)}, nil, "good", []string{"http://o/"}},
		{"CRL", map[string][]byte{"http://c/": crl.der(t)}, nil, "good", []string{"http://o/", "http://o/", "http://c/", "http://d/"}},
		{"delta", map[string][]byte{"http://c/": crl.der(t), "http://d/": delta.der(t)}, nil, "revoked", []string{"http://o/", "http://o/", "http://c/", "http://d/"}},
		{"nothing", nil, nil, "unknown", []string{"http://o/", "http://o/", "http://c/", "http://d/"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &teller{answers: c.answers}
			got, _ := outcome(t, root, leaf, func(p *chain.Policy) { p.Fetcher = f }, nil, c.stored...)
			if got != c.want || !slices.Equal(f.asked, c.asked) {
				t.Errorf("%s after %q, want %s after %q", got, f.asked, c.want, c.asked)
			}
		})
	}
	// A CRL points at its delta; a forged one at nobody.
	pointing := crl
	pointing.next, pointing.freshest = -time.Hour, sequence(sequence(point("http://p/")))
	simple := root.newLeaf(t, alice, until(time.Now().AddDate(1, 0, 0)))
	for _, forged := range []bool{false, true} {
		pointing.breakIt = forged
		delta.entries = []listed{{cert: simple, date: -2 * time.Hour}}
		f := &teller{answers: map[string][]byte{"http://p/": delta.der(t)}}
		got, _ := outcome(t, root, simple, func(p *chain.Policy) { p.Fetcher = f }, nil, pointing.der(t))
		if want := map[bool]string{false: "revoked", true: "unknown"}[forged]; got != want || (len(f.asked) > 0) == forged {
			t.Errorf("forged %v: %s after %q", forged, got, f.asked)
		}
	}
	f := &teller{}
	expired := root.newLeaf(t, alice, until(judged.Add(day)), func(c *x509.Certificate) { c.OCSPServer = []string{"http://o/"} })
	if got, _ := outcome(t, root, expired, func(p *chain.Policy) { p.Fetcher = f }, nil); got != "unknown" || f.asked != nil {
		t.Errorf("%s, asked %q about an expired certificate", got, f.asked)
	}
}
