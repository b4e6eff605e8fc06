package chain_test

import (
	"crypto/x509"
	"errors"
	mathrand "math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
)

// A record is the lists that one CA has published, by chance: complete ones and
// their deltas, some of them split by reasons or by who they are for, some
// stale, forged or with what nobody knows. What the CA once said it keeps to,
// but for holds.
type record struct {
	lists []list
	odd   bool // one is forged or has what nobody knows
	held  bool // one has a hold
}

func newRecord(r *mathrand.Rand, by, cert *party) record {
	chance := func(percent int) bool { return r.IntN(100) < percent }
	var out record
	reason := []int{0, 1, 3, 4, 5, 6, 9}[r.IntN(7)]
	since := time.Duration(-1-r.IntN(20)) * day
	revoked := chance(35)
	number := int64(1)
	for _, age := range []time.Duration{-15 * day, -8 * day, -day} {
		if !chance(60) {
			number += 2
			continue
		}
		l := list{by: by, number: number, this: age, next: age + 10*day}
		if chance(20) {
			l.next = age + 5*day
		}
		if revoked && since <= age {
			l.entries = []listed{{cert: cert, date: since, reason: reason}}
			out.held = out.held || reason == 6
			revoked = reason != 6 || chance(50) // else the hold is lifted
		}
		switch r.IntN(16) {
		case 0:
			l.breakIt, out.odd = true, true
		case 1:
			l.unknown, out.odd = true, true
		case 2:
			l.idp = sequence(tagged(1, []byte{0xff})) // user certificates
		case 3:
			l.idp = sequence(tagged(2, []byte{0xff})) // CA certificates
		case 4:
			l.idp = sequence(flags(3, 1, 2, 3))
		}
		out.lists = append(out.lists, l)
		if chance(25) && l.idp == nil {
			out.lists = append(out.lists, list{by: by, number: number + 1, base: number, this: l.this + time.Hour, next: l.next, entries: l.entries})
		}
		number += 2
	}
	return out
}

// expected says by the rules of chain.Revocation, in other words than the code,
// what is known of the certificate: any usable list condemns, holds end with a
// later usable and current one, and only a current one for all reasons acquits.
func (rec record) expected(ca bool) string {
	good, hold, lifted := false, time.Duration(-1000*day), time.Duration(-1000*day)
	held := false
	for _, l := range rec.lists {
		user, cas := l.idp != nil && l.idp[2] == 0x81, l.idp != nil && l.idp[2] == 0x82
		if l.breakIt || l.unknown || user && ca || cas && !ca {
			continue
		}
		some := l.idp != nil && !user && !cas
		current := l.next > 0
		for _, e := range l.entries {
			if e.reason != 6 {
				return "revoked"
			}
			held, hold = true, max(hold, l.this)
		}
		if current && len(l.entries) == 0 && !some && l.base == 0 {
			good, lifted = true, max(lifted, l.this)
		}
	}
	switch {
	case held && lifted <= hold:
		return "revoked"
	case good:
		return "good"
	}
	return "unknown"
}

// TestRandomRevocation holds what comes out of lists that were made by chance
// against the rules in other words, and some of it against openssl verify: what
// is good there must be good here, where no hold stands in a list that it passes
// over for another, and the reverse where no list is one that it fails at when it
// could take another.
func TestRandomRevocation(t *testing.T) {
	o := newOracle(t)
	root := newRoot(t, "Root")
	sub := root.newCA(t, "Sub")
	leaf := sub.newLeaf(t, alice)
	n := rounds(400)
	asked := min(n, max(60, n/4))
	count := map[string]int{}
	for seed := range uint64(n) {
		r := mathrand.New(mathrand.NewPCG(seed, 2))
		ofLeaf, ofSub := newRecord(r, sub, leaf), newRecord(r, root, sub)
		want := ofLeaf.expected(false)
		if ca := ofSub.expected(true); ca == "revoked" || ca == "unknown" && want == "good" {
			want = ca
		}
		var evidence [][]byte
		for _, l := range append(ofLeaf.lists, ofSub.lists...) {
			evidence = append(evidence, l.der(t))
		}
		r.Shuffle(len(evidence), func(i, j int) { evidence[i], evidence[j] = evidence[j], evidence[i] })
		got, _ := outcome(t, root, leaf, func(p *chain.Policy) { p.Revocation = chain.RevocationRequireAll }, []*party{sub}, evidence...)
		if got != want {
			t.Errorf("%d: %s, want %s", seed, got, want)
		}
		count[got]++
		if o == nil || seed >= uint64(asked) {
			continue
		}
		args := []string{"verify", "-crl_check_all", "-extended_crl", "-attime", strconv.FormatInt(judged.Unix(), 10),
			"-CAfile", o.file(t, "CERTIFICATE", root.Raw), "-untrusted", o.file(t, "CERTIFICATE", sub.Raw)}
		if len(evidence) > 0 {
			args = append(args, "-CRLfile", o.file(t, "X509 CRL", evidence...))
		}
		out, err := suites.Command(t, o.tool, append(args, o.file(t, "CERTIFICATE", leaf.Raw))...).CombinedOutput()
		if err == nil && got != "good" && !ofLeaf.held && !ofSub.held || err != nil && got == "good" && !ofLeaf.odd && !ofSub.odd {
			t.Errorf("%d: %s; openssl: %s", seed, got, out)
		}
	}
	t.Log(count)
	for _, kind := range []string{"good", "revoked", "unknown"} {
		if count[kind] < n/10 {
			t.Errorf("only %d are %s", count[kind], kind)
		}
	}
}

// TestRandomAnchors has two roots that vouch for one CA and, by chance, for those
// who sign its lists: what comes out with both is the best of what comes out with
// each, but for a revocation, which nothing outweighs.
func TestRandomAnchors(t *testing.T) {
	count := map[string]int{}
	n := rounds(200)
	for seed := range uint64(n) {
		r := mathrand.New(mathrand.NewPCG(seed, 3))
		roots := []*party{newRoot(t, "One"), newRoot(t, "Two")}
		key := newKey(t)
		var subs []*party
		for _, by := range roots {
			subs = append(subs, makeCert(t, by, key, "Sub", asCA))
		}
		crlSign := func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }
		service := makeCert(t, roots[r.IntN(2)], newKey(t), "Service", crlSign)
		second := makeCert(t, roots[r.IntN(2)], newKey(t), "Sub", crlSign)
		dp := extension([]int{2, 5, 29, 31}, false, sequence(sequence(point("http://example.com/i.crl"), explicit(2, explicit(4, service.RawSubject)))))
		leaf := subs[0].newLeaf(t, alice, dp)
		var evidence [][]byte
		revoked := r.IntN(3) == 0
		for i, by := range []*party{service, second, {subs[0].Certificate, key}} {
			if r.IntN(3) != 0 {
				continue
			}
			l := list{by: by, number: int64(i + 1), this: -day, next: day}
			if r.IntN(3) == 0 {
				l.next = -day / 2
			}
			if revoked && r.IntN(2) == 0 {
				l.entries = []listed{{cert: leaf, date: -2 * day}}
				if i == 0 {
					l.entries[0].issuer = subs[0]
				}
			}
			if i == 0 {
				l.idp = sequence(point("http://example.com/i.crl"), tagged(4, []byte{0xff}))
			}
			evidence = append(evidence, l.der(t))
		}
		p := signing()
		p.Revocation = []chain.Revocation{chain.RevocationWhereKnown, chain.RevocationRequireLeaf}[r.IntN(2)]
		bag := []*party{subs[0], subs[1], service, second}
		r.Shuffle(len(bag), func(i, j int) { bag[i], bag[j] = bag[j], bag[i] })
		verify := func(anchors ...*party) string {
			path, err := chain.NewCollection(chain.Anchors(certs(anchors...)), chain.Untrusted(certs(bag...)), chain.Untrusted(chain.DER(evidence...))).Verify(t.Context(), leaf.Certificate, p)
			switch {
			case err == nil && path.Revocation(0).Status == chain.StatusGood:
				return "good"
			case err == nil:
				return "passed"
			case errors.Is(err, chain.ErrRevoked):
				return "revoked"
			case errors.Is(err, chain.ErrRevocationUnknown):
				return "unknown"
			}
			return err.Error()
		}
		a, b, all := verify(roots[0]), verify(roots[1]), verify(roots...)
		want := "unknown"
		for _, s := range []string{"passed", "good", "revoked"} {
			if a == s || b == s {
				want = s
			}
		}
		if all != want {
			t.Errorf("%d: %s and %s, together %s", seed, a, b, all)
		}
		count[all]++
	}
	t.Log(count)
	for _, kind := range []string{"good", "passed", "revoked", "unknown"} {
		if count[kind] < n/20 {
			t.Errorf("only %d are %s", count[kind], kind)
		}
	}
}
