package chain_test

import (
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
)

// TestExpiredSince has mail of some hours ago whose certificate expired in the
// meantime: a CRL of after that does not list it any more, and shows nothing.
func TestExpiredSince(t *testing.T) {
	shift := time.Since(judged) // evidence is made relative to judged
	now := judged.Add(shift)
	root := newRoot(t, "Root", until(now.AddDate(1, 0, 0)))
	leaf := root.newLeaf(t, alice, until(now.Add(-5*time.Hour)))
	crl := func(this time.Duration, edit func(*list)) []byte {
		l := list{by: root, number: int64(100 + this/time.Hour), this: shift + this, next: shift + day}
		if edit != nil {
			edit(&l)
		}
		return l.der(t)
	}
	hold := func(l *list) { l.entries = []listed{{cert: leaf, date: shift - 20*time.Hour, reason: 6}} }
	lift := func(l *list) { l.base, l.entries = 80, []listed{{cert: leaf, date: shift - 20*time.Hour, reason: 8}} }
	for _, c := range []struct {
		name string
		crls [][]byte
		want string
	}{
		{"of before it expired", [][]byte{crl(-6*time.Hour, nil)}, "good"},
		{"of after it expired", [][]byte{crl(-4*time.Hour, nil)}, "unknown"},
		{"a hold that a later list lacks", [][]byte{crl(-15*time.Hour, hold), crl(-4*time.Hour, nil)}, "revoked"},
		{"a hold that was lifted in time", [][]byte{crl(-15*time.Hour, hold), crl(-6*time.Hour, nil)}, "good"},
		{"a hold removed since it expired", [][]byte{crl(-15*time.Hour, hold), crl(-4*time.Hour, lift)}, "revoked"},
		{"a hold removed in time", [][]byte{crl(-15*time.Hour, hold), crl(-6*time.Hour, lift)}, "good"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := outcome(t, root, leaf, func(p *chain.Policy) { p.At = now.Add(-10 * time.Hour) }, nil, c.crls...)
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
