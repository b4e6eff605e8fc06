package chain_test

import (
	"crypto/x509"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
)

// TestRandomSigners has signers and relays who put whatever exists beside a
// signature, in any order: CRLs and OCSP responses of before the revocation,
// those of other keys of the CA's name, forged ones, certificates of namesakes.
// What the servers of the CA say decides, as if nothing lay there.
func TestRandomSigners(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	n := rounds(300)
	for seed := range uint64(n) {
		r := mathrand.New(mathrand.NewPCG(seed, 7))
		root := newRoot(t, "Root", lasting)
		numbered := func(cert, key int64) template {
			if seed%2 == 0 {
				return func(*x509.Certificate) {}
			}
			return extension(caVersionID, false, caVersion(cert, key))
		}
		ca := root.newCA(t, "CA", lasting, numbered(0, 0))
		renewed := root.newCA(t, "CA", lasting, numbered(1, 1))
		namesake := newRoot(t, "CA", lasting)
		link := makeCert(t, ca, renewed.key, "CA", asCA, lasting)
		leaf := ca.newLeaf(t, alice, lasting, func(c *x509.Certificate) {
			c.OCSPServer, c.CRLDistributionPoints = []string{"http://o/"}, []string{"http://c/"}
		})
		f := &teller{answers: map[string][]byte{}}
		truth := []string{"good", "revoked"}[r.IntN(2)]
		now := list{by: ca, number: 9, this: -time.Hour, next: day}
		answer := reply{cert: leaf, issuer: ca, this: -time.Hour, next: day}
		if truth == "revoked" {
			now.entries = []listed{{cert: leaf, date: -2 * time.Hour}}
			answer.state, answer.date = "revoked", -2*time.Hour
		}
		delta := now
		delta.number, delta.base, delta.this = 10, 1, -time.Minute
		switch r.IntN(4) {
		case 0:
			f.answers["http://o/"] = response{by: ca, answers: []reply{answer}}.der(t)
		case 1:
			f.answers["http://c/"] = now.der(t)
		case 2: // revoked since the base CRL
			base := list{by: ca, number: 1, this: -3 * day, next: day, freshest: sequence(sequence(point("http://d/")))}
			f.answers["http://c/"], f.answers["http://d/"] = base.der(t), delta.der(t)
		case 3:
			f.answers["http://o/"], f.answers["http://c/"] = response{by: ca, answers: []reply{answer}}.der(t), now.der(t)
		}
		var beside [][]byte
		for range r.IntN(12) {
			by := []*party{ca, renewed, namesake}[r.IntN(3)]
			old := list{by: by, number: int64(1 + r.IntN(8)), this: -time.Duration(1+r.IntN(6)) * day, next: day, breakIt: r.IntN(4) == 0}
			if by == renewed && seed%2 == 1 {
				old.version = caVersion(1, 1)
			}
			stapled := response{by: by, produced: -6 * day, breakIt: r.IntN(4) == 0,
				answers: []reply{{cert: leaf, issuer: ca, this: -6 * day, next: day, endless: r.IntN(2) == 0}}}
			beside = append(beside, [][]byte{old.der(t), stapled.der(t), link.Raw, renewed.Raw, namesake.Raw, f.answers["http://c/"]}[r.IntN(6)])
		}
		beside = append(beside, ca.Raw)
		r.Shuffle(len(beside), func(i, j int) { beside[i], beside[j] = beside[j], beside[i] })
		own := [][]byte(nil)
		if r.IntN(3) == 0 {
			own = append(own, ca.Raw)
		}
		got := statusBeside(t, root, leaf, own, beside, func(p *chain.Policy) { p.Fetcher = f })
		if got != truth {
			t.Errorf("%d: %s, want %s, asked %q", seed, got, truth, f.asked)
		}
		count[got]++
		// Without servers what lies there can condemn, and shows nothing good
		// that the CA did not say.
		offline := statusBeside(t, root, leaf, own, beside, func(*chain.Policy) {})
		if offline != "good" && offline != "unknown" && offline != "revoked" {
			t.Errorf("%d: %s offline", seed, offline)
		}
		if offline == "revoked" && truth == "good" {
			t.Errorf("%d: revoked by nobody", seed)
		}
	}
	t.Log(count)
	for _, kind := range []string{"good", "revoked"} {
		if count[kind] < n/4 {
			t.Errorf("only %d are %s", count[kind], kind)
		}
	}
}
