package chain_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/oid"
)

// outcome verifies leaf with that evidence in RevocationRequireLeaf and says
// in one word what came out: good, revoked, unknown or the error.
func outcome(t testing.TB, root, leaf *party, edit func(*chain.Policy), others []*party, evidence ...[]byte) (string, *chain.Path) {
	t.Helper()
	trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(others...)), chain.Untrusted(chain.DER(evidence...)))
	p := signing()
	p.Revocation = chain.RevocationRequireLeaf
	if edit != nil {
		edit(&p)
	}
	path, err := trust.Verify(t.Context(), leaf.Certificate, p)
	switch {
	case err == nil && path.Revocation(0).Status == chain.StatusGood:
		return "good", path
	case err == nil:
		return "passed", path
	case errors.Is(err, chain.ErrRevoked):
		return "revoked", nil
	case errors.Is(err, chain.ErrRevocationUnknown):
		return "unknown", nil
	}
	return err.Error(), nil
}

func ago(d time.Duration) *time.Duration { d = -d; return &d }

// TestCRLRules has one case for each rule of the doc of chain.Revocation and
// of RFC 5280 section 6.3.3 on complete CRLs.
func TestCRLRules(t *testing.T) {
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, alice)
	other := root.newLeaf(t, alice)
	current := list{by: root, number: 5, this: -day, next: day}
	with := func(l list, edit func(*list)) list { edit(&l); return l }
	lists := func(l list, e listed) list {
		e.cert = leaf
		l.entries = []listed{{cert: other, date: -day}, e}
		return l
	}
	old := with(current, func(l *list) { l.number, l.this, l.next = 4, -9*day, -2*day })
	openssl := newOracle(t)
	future := with(current, func(l *list) { l.number, l.this, l.next = 6, 2*day, 9*day })
	for _, c := range []struct {
		name string
		crls []list
		want string
	}{
		{"none", nil, "unknown"},
		{"current, not listed", []list{current}, "good"},
		{"listed without reason", []list{lists(current, listed{date: -2 * day})}, "revoked"},
		{"stale, not listed", []list{old}, "unknown"},
		{"stale, listed", []list{lists(old, listed{date: -10 * day})}, "revoked"},
		{"no nextUpdate, not listed", []list{with(current, func(l *list) { l.endless = true })}, "unknown"},
		{"no nextUpdate, listed", []list{lists(with(current, func(l *list) { l.endless = true }), listed{date: -2 * day})}, "revoked"},
		{"nextUpdate is now", []list{with(current, func(l *list) { l.next = 0 })}, "unknown"},
		{"nextUpdate in a second", []list{with(current, func(l *list) { l.next = time.Second })}, "good"},
		{"thisUpdate is now", []list{with(current, func(l *list) { l.this = 0 })}, "good"},
		{"thisUpdate ahead by less than the skew", []list{with(current, func(l *list) { l.this = time.Minute })}, "good"},
		{"thisUpdate ahead", []list{future}, "unknown"},
		{"version 1, not listed", []list{with(current, func(l *list) { l.v1 = true })}, "good"},
		{"version 1, listed", []list{with(current, func(l *list) { l.v1, l.entries = true, []listed{{cert: leaf, date: -day}} })}, "revoked"},
		{"no CRL number", []list{with(current, func(l *list) { l.number = 0 })}, "good"},
		{"bad signature", []list{with(current, func(l *list) { l.breakIt = true })}, "unknown"},
		{"bad signature, listed", []list{current, lists(with(current, func(l *list) { l.breakIt = true }), listed{date: -day})}, "good"},
		{"unknown critical extension", []list{with(current, func(l *list) { l.unknown = true })}, "unknown"},
		{"unknown critical extension of another's entry", []list{with(current, func(l *list) { l.entries = []listed{{cert: other, date: -day, unknown: true}} })}, "unknown"},
		// RFC 5280 sections 5.2 and 5.3: neither for nor against anybody.
		{"unknown critical extension, listed", []list{lists(with(current, func(l *list) { l.unknown = true }), listed{date: -2 * day})}, "unknown"},
		{"unknown critical extension of its entry", []list{lists(current, listed{date: -2 * day, unknown: true})}, "unknown"},
		{"unknown critical extension, listed, beside one that is understood", []list{current, lists(with(current, func(l *list) { l.number, l.unknown = 4, true }), listed{date: -2 * day})}, "good"},
		// CRT-23: a CRL in the message that is older must not win.
		{"older one not listing, newer one listing", []list{current, lists(with(current, func(l *list) { l.number, l.this = 6, -time.Hour }), listed{date: -2 * time.Hour})}, "revoked"},
		{"newer one not listing, older one listing", []list{current, lists(old, listed{date: -10 * day})}, "revoked"},
		// Past times.
		{"revoked later", []list{current, lists(future, listed{date: day, reason: 4})}, "good"},
		{"revoked later, no CRL of the time", []list{lists(future, listed{date: day, reason: 4})}, "unknown"},
		{"revoked later, key compromised", []list{current, lists(future, listed{date: day, reason: 1})}, "revoked"},
		{"revoked later, CA compromised", []list{current, lists(future, listed{date: day, reason: 2})}, "revoked"},
		{"revoked later, invalid before", []list{current, lists(future, listed{date: day, reason: 4, invalidity: ago(day)})}, "revoked"},
		{"revoked later, invalid later", []list{current, lists(future, listed{date: 2 * day, reason: 4, invalidity: ago(-day)})}, "good"},
		{"revoked now", []list{lists(current, listed{date: 0, reason: 4})}, "revoked"},
		// Holds.
		{"on hold", []list{lists(current, listed{date: -2 * day, reason: 6})}, "revoked"},
		{"on hold, lifted since", []list{lists(old, listed{date: -10 * day, reason: 6}), current}, "good"},
		{"on hold after the last CRL without", []list{current, lists(with(current, func(l *list) { l.number, l.this = 6, -time.Hour }), listed{date: -2 * time.Hour, reason: 6})}, "revoked"},
		{"hold not lifted by a stale CRL", []list{lists(with(old, func(l *list) { l.this = -20 * day }), listed{date: -21 * day, reason: 6}), old}, "revoked"},
		{"hold not lifted by a forged CRL", []list{lists(old, listed{date: -10 * day, reason: 6}), with(current, func(l *list) { l.breakIt = true })}, "revoked"},
		{"removed from a complete CRL", []list{lists(current, listed{date: -2 * day, reason: 8})}, "good"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var evidence [][]byte
			for _, l := range c.crls {
				evidence = append(evidence, l.der(t))
			}
			openssl.compare(t, c.name, c.want, root, leaf, nil, evidence)
			for range 2 {
				got, path := outcome(t, root, leaf, nil, nil, evidence...)
				if got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
				if got == "good" && c.name == "revoked later" {
					if at := path.Revocation(0).RevokedAt; !at.Equal(judged.Add(day)) {
						t.Errorf("RevokedAt is %v", at)
					}
				}
				slices.Reverse(evidence)
			}
		})
	}
}

// TestModes holds who is asked about in each mode.
func TestModes(t *testing.T) {
	root := newRoot(t, "Root")
	sub := root.newCA(t, "Sub")
	leaf := sub.newLeaf(t, alice)
	rootCRL, subCRL := list{by: root, number: 1, this: -day, next: day}, list{by: sub, number: 1, this: -day, next: day}
	badLeaf := subCRL
	badLeaf.entries = []listed{{cert: leaf, date: -2 * day}}
	badSub := rootCRL
	badSub.entries = []listed{{cert: sub, date: -2 * day}}
	for _, c := range []struct {
		mode chain.Revocation
		crls []list
		want string
	}{
		{chain.RevocationWhereKnown, nil, "passed"},
		{chain.RevocationWhereKnown, []list{subCRL}, "good"},
		{chain.RevocationWhereKnown, []list{badSub}, "revoked"},
		{chain.RevocationRequireLeaf, []list{subCRL}, "good"},
		{chain.RevocationRequireLeaf, []list{rootCRL}, "unknown"},
		{chain.RevocationRequireLeaf, []list{subCRL, badSub}, "revoked"},
		{chain.RevocationRequireAll, []list{subCRL}, "unknown"},
		{chain.RevocationRequireAll, []list{badLeaf}, "revoked"}, // though nothing is known of the CA
		{chain.RevocationRequireAll, []list{subCRL, rootCRL}, "good"},
		{chain.InsecureSkipRevocation, []list{badSub}, "passed"},
	} {
		t.Run(fmt.Sprintf("mode %d with %d CRLs, %s", c.mode, len(c.crls), c.want), func(t *testing.T) {
			var evidence [][]byte
			for _, l := range c.crls {
				evidence = append(evidence, l.der(t))
			}
			got, _ := outcome(t, root, leaf, func(p *chain.Policy) { p.Revocation = c.mode }, []*party{sub}, evidence...)
			if got != c.want {
				t.Errorf("mode %d with %d CRLs: %s, want %s", c.mode, len(c.crls), got, c.want)
			}
		})
	}
}

// TestDeltas holds delta CRLs to RFC 5280 section 5.2.4.
func TestDeltas(t *testing.T) {
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, alice, extension([]int{2, 5, 29, 46}, false, sequence(sequence(point("http://example.com/d.crl")))))
	base := list{by: root, number: 10, this: -2 * day, next: day}
	delta := list{by: root, number: 12, base: 10, this: -time.Hour, next: time.Hour}
	edit := func(l list, f func(*list)) list { f(&l); return l }
	lists := func(l list, reason int) list {
		l.entries = []listed{{cert: leaf, date: -3 * day, reason: reason}}
		return l
	}
	stale := edit(base, func(l *list) { l.next = -day })
	openssl := newOracle(t)
	idp := sequence(tagged(1, []byte{0xff})) // onlyContainsUserCerts
	for _, c := range []struct {
		name string
		crls []list
		want string
	}{
		{"nothing listed", []list{base, delta}, "good"},
		{"delta alone", []list{delta}, "unknown"},
		{"delta alone, listed", []list{lists(delta, 4)}, "revoked"},
		{"listed in the delta", []list{base, lists(delta, 4)}, "revoked"},
		{"hold in the base, removed in the delta", []list{lists(base, 6), lists(delta, 8)}, "good"},
		{"hold in the base, not in the delta", []list{lists(base, 6), delta}, "revoked"},
		{"revoked in the base, removed in the delta", []list{lists(base, 4), lists(delta, 8)}, "revoked"},
		{"stale base, current delta", []list{stale, delta}, "good"},
		{"stale base, stale delta", []list{stale, edit(delta, func(l *list) { l.next = -time.Minute })}, "unknown"},
		{"current base, stale delta", []list{base, edit(delta, func(l *list) { l.next = -time.Minute })}, "good"},
		{"base too old for the delta", []list{stale, edit(delta, func(l *list) { l.base = 11 })}, "unknown"},
		{"base newer than the delta's", []list{stale, edit(delta, func(l *list) { l.base = 3 })}, "good"},
		{"delta not newer than the base", []list{stale, edit(delta, func(l *list) { l.number, l.base = 10, 9 })}, "unknown"},
		{"delta without number", []list{stale, edit(delta, func(l *list) { l.number = 0 })}, "unknown"},
		{"base without number", []list{edit(stale, func(l *list) { l.number = 0 }), delta}, "unknown"},
		{"delta of another scope", []list{stale, edit(delta, func(l *list) { l.idp = idp })}, "unknown"},
		{"base of another scope", []list{edit(stale, func(l *list) { l.idp = idp }), delta}, "unknown"},
		{"both of that scope", []list{edit(stale, func(l *list) { l.idp = idp }), edit(delta, func(l *list) { l.idp = idp })}, "good"},
		{"delta without key identifier", []list{stale, edit(delta, func(l *list) { l.noKeyID = true })}, "unknown"},
		{"forged delta", []list{base, edit(lists(delta, 4), func(l *list) { l.breakIt = true })}, "good"},
		{"forged delta does not lift", []list{lists(base, 6), edit(lists(delta, 8), func(l *list) { l.breakIt = true })}, "revoked"},
		{"a forged delta that is newer hides none", []list{lists(base, 6), lists(delta, 8), edit(delta, func(l *list) { l.number, l.breakIt = 99, true })}, "good"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var evidence [][]byte
			for _, l := range c.crls {
				evidence = append(evidence, l.der(t))
			}
			if got, _ := outcome(t, root, leaf, nil, nil, evidence...); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			openssl.compare(t, c.name, c.want, root, leaf, nil, evidence)
		})
	}
}

// TestScope holds distribution points and issuing distribution points to each
// other.
func TestScope(t *testing.T) {
	root := newRoot(t, "Root")
	dp := func(points ...[]byte) template {
		return extension([]int{2, 5, 29, 31}, false, sequence(points...))
	}
	const url, other = "http://example.com/a.crl", "http://example.com/b.crl"
	plain := root.newLeaf(t, alice)
	pointed := root.newLeaf(t, alice, dp(sequence(point(url))))
	split := root.newLeaf(t, alice, dp(
		sequence(point(url), flags(1, 1, 2)), sequence(point(other), flags(1, 3, 4, 5, 6, 7, 8))))
	crl := func(idp ...[]byte) []byte {
		l := list{by: root, number: 1, this: -day, next: day}
		if idp != nil {
			l.idp = sequence(idp...)
		}
		return l.der(t)
	}
	yes := []byte{0xff}
	openssl := newOracle(t)
	for _, c := range []struct {
		name string
		leaf *party
		crls [][]byte
		want string
	}{
		{"no scope", pointed, [][]byte{crl()}, "good"},
		{"the same point", pointed, [][]byte{crl(point(url))}, "good"},
		{"the same point in other case", pointed, [][]byte{crl(point("HTTP://Example.COM/a.crl"))}, "good"},
		{"a point whose path has other case", pointed, [][]byte{crl(point("http://example.com/A.crl"))}, "unknown"},
		{"another point", pointed, [][]byte{crl(point(other))}, "unknown"},
		{"a point that the certificate lacks", plain, [][]byte{crl(point(url))}, "unknown"},
		{"user certificates", plain, [][]byte{crl(tagged(1, yes))}, "good"},
		{"CA certificates", plain, [][]byte{crl(tagged(2, yes))}, "unknown"},
		{"attribute certificates", plain, [][]byte{crl(tagged(5, yes))}, "unknown"},
		{"user and CA certificates", plain, [][]byte{crl(tagged(1, yes), tagged(2, yes))}, "unknown"},
		{"empty scope", plain, [][]byte{list{by: root, number: 1, this: -day, next: day, idp: sequence()}.der(t)}, "unknown"},
		{"some reasons", plain, [][]byte{crl(flags(3, 1, 2))}, "unknown"},
		{"all reasons in two", plain, [][]byte{crl(flags(3, 1, 2, 3)), crl(flags(3, 4, 5, 6, 7, 8))}, "good"},
		{"all reasons but one in two", plain, [][]byte{crl(flags(3, 1, 2, 3)), crl(flags(3, 4, 5, 7, 8))}, "unknown"},
		{"all reasons at two points", split, [][]byte{crl(point(url)), crl(point(other))}, "good"},
		{"some reasons at one of two points", split, [][]byte{crl(point(url))}, "unknown"},
		{"reasons that miss those of the point", split, [][]byte{crl(point(url), flags(3, 3)), crl(point(other))}, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := outcome(t, root, c.leaf, nil, nil, c.crls...); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			openssl.compare(t, c.name, c.want, root, c.leaf, nil, c.crls)
		})
	}
	// Two that tell all together are as good as the older and the shorter.
	first := list{by: root, number: 1, this: -2 * day, next: 3 * day, idp: sequence(flags(3, 1, 2, 3, 4))}
	second := list{by: root, number: 2, this: -day, next: day, idp: sequence(flags(3, 5, 6, 7, 8))}
	got, path := outcome(t, root, plain, nil, nil, first.der(t), second.der(t))
	if got != "good" || !path.Revocation(0).ThisUpdate.Equal(judged.Add(-2*day)) || !path.Revocation(0).NextUpdate.Equal(judged.Add(day)) {
		t.Errorf("two partial CRLs: %s", got)
	}
}

// TestCRLIssuers holds who may sign: indirect CRLs, other keys of the issuer's
// name, and the rules for them.
func TestCRLIssuers(t *testing.T) {
	root, elsewhere := newRoot(t, "Root"), newRoot(t, "Elsewhere")
	sub := root.newCA(t, "Sub")
	crlSign := func(c *x509.Certificate) { c.KeyUsage, c.SubjectKeyId = x509.KeyUsageCRLSign, []byte{7} }
	service := makeCert(t, root, newKey(t), "Service", crlSign)
	foreign := makeCert(t, elsewhere, newKey(t), "Service", crlSign)
	unfit := makeCert(t, root, newKey(t), "Service", func(c *x509.Certificate) { c.KeyUsage, c.SubjectKeyId = x509.KeyUsageDigitalSignature, []byte{8} })
	silent := makeCert(t, root, newKey(t), "Service", func(c *x509.Certificate) { c.SubjectKeyId = []byte{9} })
	expired := makeCert(t, root, newKey(t), "Service", crlSign, until(judged.Add(-day)))
	second := makeCert(t, root, newKey(t), "Sub", crlSign) // another key of the same name
	linked := makeCert(t, sub, newKey(t), "Sub", crlSign)  // and one that the issuer's key signed
	dp := func(issuer *party) template {
		return extension([]int{2, 5, 29, 31}, false, sequence(sequence(
			point("http://example.com/i.crl"), explicit(2, explicit(4, issuer.RawSubject)))))
	}
	leaf := sub.newLeaf(t, alice, dp(service))
	named := sub.newLeaf(t, alice, dp(second))
	plain := sub.newLeaf(t, alice)
	namesake := root.newLeaf(t, alice)
	namesake.SerialNumber = leaf.SerialNumber // of another issuer
	indirect := sequence(point("http://example.com/i.crl"), tagged(4, []byte{0xff}))
	mk := func(by *party, idp []byte, entries ...listed) []byte {
		return list{by: by, number: 1, this: -2 * day, next: day, idp: idp, entries: entries}.der(t)
	}
	gone := listed{cert: leaf, date: -3 * day, issuer: sub}
	openssl := newOracle(t)
	for _, c := range []struct {
		name  string
		leaf  *party
		extra []*party
		crl   []byte
		want  string
	}{
		{"indirect, not listed", leaf, []*party{service}, mk(service, indirect), "good"},
		{"indirect, listed", leaf, []*party{service}, mk(service, indirect, gone), "revoked"},
		{"listed for the issuer named before", leaf, []*party{service}, mk(service, indirect, listed{cert: plain, date: -3 * day, issuer: sub}, listed{cert: leaf, date: -3 * day}), "revoked"},
		{"listed for the CRL issuer itself", leaf, []*party{service}, mk(service, indirect, listed{cert: leaf, date: -3 * day}), "good"},
		{"listed for another issuer", leaf, []*party{service}, mk(service, indirect, listed{cert: namesake, date: -3 * day, issuer: root}), "good"},
		{"listed after a change back", leaf, []*party{service}, mk(service, indirect, listed{cert: plain, date: -3 * day, issuer: sub}, listed{cert: namesake, date: -3 * day, issuer: root}), "good"},
		{"not marked indirect", leaf, []*party{service}, mk(service, sequence(point("http://example.com/i.crl"))), "unknown"},
		{"not named by the certificate", plain, []*party{service}, mk(service, indirect), "unknown"},
		{"of another anchor", leaf, []*party{foreign}, mk(foreign, indirect), "unknown"},
		{"of another anchor, listed", leaf, []*party{foreign}, mk(foreign, indirect, gone), "unknown"},
		{"without cRLSign", leaf, []*party{unfit}, mk(unfit, indirect), "unknown"},
		{"without key usage", leaf, []*party{silent}, mk(silent, indirect), "unknown"},
		{"expired, not listed", leaf, []*party{expired}, mk(expired, indirect), "unknown"},
		{"expired, listed", leaf, []*party{expired}, mk(expired, indirect, gone), "revoked"},
		{"certificate not at hand", leaf, nil, mk(service, indirect), "unknown"},
		{"another key of the same name", plain, []*party{second}, mk(second, nil), "unknown"},
		{"another key of the same name, linked by the issuer", plain, []*party{linked}, mk(linked, nil), "good"},
		{"another key of the same name, named as indirect", named, []*party{second}, mk(second, indirect), "good"},
		{"another key of the same name, not named as indirect", plain, []*party{second}, mk(second, sequence(tagged(4, []byte{0xff}))), "unknown"},
		{"another key of the same name, listed", plain, []*party{second}, mk(second, nil, listed{cert: plain, date: -3 * day}), "revoked"},
		{"an unknown key of the same name", plain, nil, mk(second, nil), "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			others := append([]*party{sub}, c.extra...)
			openssl.compare(t, c.name, c.want, root, c.leaf, others, [][]byte{c.crl})
			got, _ := outcome(t, root, c.leaf, nil, others, c.crl)
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	// That its issuer was good when one CRL was made does not help another.
	evidence := [][]byte{
		list{by: expired, number: 2, this: -2 * day, next: day, idp: indirect, entries: []listed{{cert: leaf, date: day, reason: 4, issuer: sub}}}.der(t),
		list{by: expired, number: 1, this: -3 * day, next: day, idp: indirect}.der(t),
	}
	if got, _ := outcome(t, root, leaf, nil, []*party{sub, expired}, evidence...); got != "unknown" {
		t.Errorf("two CRLs of an expired issuer: %s", got)
	}
	// The other anchor being trusted too changes nothing (RFC 5280 section 6.3.3 (f)).
	trust := chain.NewCollection(chain.Anchors(certs(root, elsewhere)), chain.Untrusted(certs(sub, foreign)),
		chain.Untrusted(chain.DER(mk(foreign, indirect, gone))))
	p := signing()
	if _, err := trust.Verify(t.Context(), leaf.Certificate, p); err != nil {
		t.Errorf("a CRL of another anchor's issuer was believed: %v", err)
	}
}

// TestForgedEvidence holds that any number of forged CRLs and OCSP responses in
// a message neither makes a good certificate fail nor hides a revocation that
// the Collection knows of.
func TestForgedEvidence(t *testing.T) {
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, alice)
	crl := list{by: root, number: 1, this: -2 * day, next: day}
	var decoys [][]byte
	for i := range 150 {
		l := crl
		l.number, l.this, l.breakIt = int64(i+2), -day, true
		if i%2 == 0 {
			l.entries = []listed{{cert: leaf, date: -day}}
		}
		decoys = append(decoys, l.der(t), response{by: root, breakIt: true, answers: []reply{
			{cert: leaf, issuer: root, state: "revoked", date: -day, this: -day, next: day}}}.der(t))
	}
	listing := crl
	listing.entries = []listed{{cert: leaf, date: -day}}
	for _, c := range []struct {
		own  [][]byte
		want chain.Reason
	}{
		{[][]byte{crl.der(t)}, 0},
		{[][]byte{listing.der(t)}, chain.ErrRevoked},
		{[][]byte{response{by: root, produced: -day, answers: []reply{{cert: leaf, issuer: root, this: -day, next: day}}}.der(t)}, 0},
		{nil, chain.ErrLimit},
	} {
		t.Run(fmt.Sprint(len(c.own), c.want), func(t *testing.T) {
			trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(chain.DER(c.own...)))
			p := signing()
			p.Revocation = chain.RevocationRequireLeaf
			_, err := trust.With(chain.Untrusted(chain.DER(decoys...))).Verify(t.Context(), leaf.Certificate, p)
			wantReason(t, err, c.want)
		})
	}
}

// TestNoKeyUsage holds RFC 10007 section 4: an issuer without key usage can't
// make CRLs that acquit; what it says against its own certificates is believed.
func TestNoKeyUsage(t *testing.T) {
	root := newRoot(t, "Root")
	for _, c := range []struct {
		usage        x509.KeyUsage
		good, listed string
	}{
		{x509.KeyUsageCertSign | x509.KeyUsageCRLSign, "good", "revoked"},
		{x509.KeyUsageCertSign, "unknown", "unknown"},
		{0, "unknown", "revoked"},
	} {
		t.Run(fmt.Sprintf("usage %x", int(c.usage)), func(t *testing.T) {
			sub := root.newCA(t, "Sub", usages(c.usage))
			leaf := sub.newLeaf(t, alice)
			crl := list{by: sub, number: 1, this: -day, next: day}
			if got, _ := outcome(t, root, leaf, nil, []*party{sub}, crl.der(t)); got != c.good {
				t.Errorf("usage %d: %s, want %s", c.usage, got, c.good)
			}
			crl.entries = []listed{{cert: leaf, date: -day}}
			if got, _ := outcome(t, root, leaf, nil, []*party{sub}, crl.der(t)); got != c.listed {
				t.Errorf("usage %d, listed: %s, want %s", c.usage, got, c.listed)
			}
		})
	}
}

// TestNoRevAvail holds RFC 9608: of a clean end-entity certificate nothing has
// to be known; ocsp-nocheck says nothing for mail. A list that has the
// certificate still condemns it.
func TestNoRevAvail(t *testing.T) {
	root := newRoot(t, "Root")
	id := []int{2, 5, 29, 56}
	null := []byte{5, 0}
	crl := list{by: root, number: 1, this: -day, next: day}
	for _, c := range []struct {
		name string
		edit []template
		want string // with no evidence at hand
	}{
		{"plain", []template{extension(id, false, null)}, "passed"},
		{"with a distribution point", []template{extension(id, false, null), func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://example.com"} }}, "unknown"},
		{"with a responder", []template{extension(id, false, null), func(c *x509.Certificate) { c.OCSPServer = []string{"http://example.com"} }}, "unknown"},
		{"with another value", []template{extension(id, false, []byte{4, 0})}, "unknown"},
		{"nocheck", []template{extension([]int{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, false, null)}, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			leaf := root.newLeaf(t, alice, c.edit...)
			l := crl
			l.entries = []listed{{cert: leaf, date: -day}}
			if got, _ := outcome(t, root, leaf, nil, nil); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if got, _ := outcome(t, root, leaf, nil, nil, l.der(t)); got != "revoked" {
				t.Errorf("listed: %s", got)
			}
		})
	}
}

// TestNoRevAvailOfCA: a CA must not say that there is no such information (RFC
// 9608 section 2), and is not believed.
func TestNoRevAvailOfCA(t *testing.T) {
	root := newRoot(t, "Root")
	sub := root.newCA(t, "Sub", extension([]int{2, 5, 29, 56}, false, []byte{5, 0}))
	crl := list{by: sub, number: 1, this: -day, next: day}
	all := func(p *chain.Policy) { p.Revocation = chain.RevocationRequireAll }
	if got, _ := outcome(t, root, sub.newLeaf(t, alice), all, []*party{sub}, crl.der(t)); got != "unknown" {
		t.Error(got)
	}
}

// TestResponses has one case for each rule of RFC 6960 section 3.2.
func TestResponses(t *testing.T) {
	root := newRoot(t, "Root")
	sub := root.newCA(t, "Sub")
	sister := root.newCA(t, "Sub") // the same name, another key
	leaf := sub.newLeaf(t, alice)
	next := sub.newLeaf(t, alice)
	next.SerialNumber = new(big.Int).Add(leaf.SerialNumber, big.NewInt(1))
	signer := func(by *party, edit ...template) *party {
		return makeCert(t, by, newKey(t), "Responder", append([]template{
			usages(x509.KeyUsageDigitalSignature, x509.ExtKeyUsageOCSPSigning)}, edit...)...)
	}
	delegate := signer(sub)
	nocheck := signer(sub, extension([]int{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, false, []byte{5, 0}))
	namesake := makeCert(t, sub, newKey(t), "Sub", usages(x509.KeyUsageDigitalSignature, x509.ExtKeyUsageOCSPSigning))
	good := reply{cert: leaf, issuer: sub, this: -day, next: day}
	revoked := good
	revoked.state, revoked.date, revoked.reason = "revoked", -2*day, 4
	one := func(r reply) response { return response{by: sub, produced: -day, answers: []reply{r}} }
	by := func(p *party, r reply, certs ...*party) response {
		return response{by: p, produced: -day, answers: []reply{r}, certs: certs}
	}
	edit := func(r reply, f func(*reply)) reply { f(&r); return r }
	subCRL := list{by: sub, number: 1, this: -day, next: -time.Hour, entries: []listed{{cert: delegate, date: -2 * day, reason: 1}, {cert: nocheck, date: -2 * day, reason: 1}}}
	for _, c := range []struct {
		name  string
		r     response
		extra [][]byte
		want  string
	}{
		{"good", one(good), nil, "good"},
		{"revoked", one(revoked), nil, "revoked"},
		{"unknown", one(edit(good, func(r *reply) { r.state = "unknown" })), nil, "unknown"},
		{"stale", one(edit(good, func(r *reply) { r.this, r.next = -9*day, -2*day })), nil, "unknown"},
		{"stale, revoked", one(edit(revoked, func(r *reply) { r.this, r.next = -9*day, -2*day })), nil, "revoked"},
		{"future", one(edit(good, func(r *reply) { r.this, r.next = 2*day, 9*day })), nil, "unknown"},
		{"no nextUpdate", one(edit(good, func(r *reply) { r.endless = true })), nil, "good"},
		{"no nextUpdate, old", one(edit(good, func(r *reply) { r.endless, r.this = true, -8*day })), nil, "unknown"},
		{"SHA-1", one(edit(good, func(r *reply) { r.hash = oid.SHA1 })), nil, "good"},
		{"SHA-384", one(edit(good, func(r *reply) { r.hash = oid.SHA384 })), nil, "good"},
		{"SHA-512", one(edit(good, func(r *reply) { r.hash = oid.SHA512 })), nil, "good"},
		{"another digest than it says", one(edit(good, func(r *reply) { r.hash = oid.SHA3_256 })), nil, "unknown"},
		{"another issuer's name", one(edit(good, func(r *reply) { r.spoil = 1 })), nil, "unknown"},
		{"another issuer's key", one(edit(good, func(r *reply) { r.spoil = 2 })), nil, "unknown"},
		{"another serial number", one(edit(good, func(r *reply) { r.spoil = 3 })), nil, "unknown"},
		{"the same serial number of the CA's namesake", one(edit(good, func(r *reply) { r.issuer = sister })), nil, "unknown"},
		{"critical extension", response{by: sub, unknown: true, answers: []reply{good}}, nil, "unknown"},
		{"critical extension of the answer", one(edit(good, func(r *reply) { r.unknown = true })), nil, "unknown"},
		{"a nonce that nobody sent", response{by: sub, produced: -day, nonce: []byte{4, 1, 1}, answers: []reply{good}}, nil, "good"},
		{"bad signature", response{by: sub, breakIt: true, answers: []reply{good}}, nil, "unknown"},
		{"error status", response{by: sub, status: 3, answers: []reply{good}}, nil, "unknown"},
		{"several answers", response{by: sub, produced: -day, answers: []reply{edit(revoked, func(r *reply) { r.cert = next }), good}}, nil, "good"},
		{"contradiction", response{by: sub, produced: -day, answers: []reply{good, revoked}}, nil, "revoked"},
		{"good and unknown", response{by: sub, produced: -day, answers: []reply{good, edit(good, func(r *reply) { r.state = "unknown" })}}, nil, "unknown"},
		{"no answer", response{by: sub}, nil, "unknown"},
		{"produced before the certificate", response{by: sub, produced: -3 * 365 * day, answers: []reply{good}}, nil, "unknown"},
		{"named by key", response{by: sub, byKey: true, produced: -day, answers: []reply{good}}, nil, "good"},
		{"signed by another than named", response{by: delegate, named: sub, produced: -day, answers: []reply{good}, certs: []*party{delegate}}, nil, "unknown"},

		{"delegate", by(delegate, good, delegate), nil, "good"},
		{"delegate at hand", by(delegate, good), [][]byte{delegate.Raw}, "good"},
		{"delegate not at hand", by(delegate, good), nil, "unknown"},
		{"delegate named by key", response{by: delegate, byKey: true, produced: -day, answers: []reply{good}, certs: []*party{leaf, delegate}}, nil, "good"},
		{"delegate of the CA's own name", by(namesake, good, namesake), nil, "good"},
		{"delegate, revoked", by(delegate, revoked, delegate), nil, "revoked"},
		{"delegate that is revoked", by(delegate, good, delegate), [][]byte{subCRL.der(t)}, "unknown"},
		{"delegate that is revoked but not to be checked", by(nocheck, good, nocheck), [][]byte{subCRL.der(t)}, "good"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := outcome(t, root, leaf, nil, []*party{sub}, append([][]byte{c.r.der(t)}, c.extra...)...)
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	for name, bad := range map[string]*party{
		"no extended key usage":      makeCert(t, sub, newKey(t), "R", usages(x509.KeyUsageDigitalSignature)),
		"another extended key usage": makeCert(t, sub, newKey(t), "R", usages(x509.KeyUsageDigitalSignature, x509.ExtKeyUsageEmailProtection)),
		"any extended key usage":     makeCert(t, sub, newKey(t), "R", usages(x509.KeyUsageDigitalSignature, x509.ExtKeyUsageAny)),
		"another key usage":          makeCert(t, sub, newKey(t), "R", usages(x509.KeyUsageKeyAgreement, x509.ExtKeyUsageOCSPSigning)),
		"of the root":                signer(root),
		"of the CA's namesake":       signer(sister),
		"a delegate's delegate":      signer(delegate),
		"expired":                    signer(sub, until(judged.Add(-2*time.Hour))),
	} {
		t.Run(name, func(t *testing.T) {
			r := by(bad, good, bad, delegate)
			if got, _ := outcome(t, root, leaf, nil, []*party{sub, sister}, r.der(t)); got != "unknown" {
				t.Errorf("responder with %s: %s", name, got)
			}
		})
	}
	gone := signer(sub, until(judged.Add(-2*time.Hour)))
	if got, _ := outcome(t, root, leaf, nil, []*party{sub}, by(gone, revoked, gone).der(t)); got != "revoked" {
		t.Errorf("a responder's word from before it expired: %s", got)
	}
}
