package chain_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	mathrand "math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
)

// A world is a small PKI made by chance: a few CAs that certify one another,
// some of them wrongly, and one leaf.
type world struct {
	r        *mathrand.Rand
	seed     uint64
	keys     []ed25519.PrivateKey
	anchors  []*party
	bag      []*party
	leaf     *party
	policy   chain.Policy
	asked    []string // policies asked for
	plain    bool     // nothing that crypto/x509 knows not or judges otherwise
	any      bool     // an extended key usage is anyExtendedKeyUsage
	strayID  bool     // an authorityKeyIdentifier names no key
	guess    bool     // a self-issued CA has no authorityKeyIdentifier
	bareRoot bool     // an anchor has no basicConstraints
}

// An entity is who issues: a name with a key.
type entity struct {
	name string
	key  int
}

const testPolicies = 3

func policyOID(n int) x509.OID {
	o, err := x509.OIDFromInts([]uint64{1, 3, 6, 1, 4, 1, 99999, uint64(n)})
	if err != nil {
		panic(err)
	}
	return o
}

func (w *world) chance(percent int) bool { return w.r.IntN(100) < percent }

func newWorld(t testing.TB, seed uint64, plain bool) *world {
	t.Helper()
	w := &world{r: mathrand.New(mathrand.NewPCG(seed, 1)), seed: seed, plain: plain, policy: signing()}
	for i := range 8 {
		s := make([]byte, ed25519.SeedSize)
		s[0], s[1], s[2] = byte(i), byte(seed), byte(seed>>8)
		w.keys = append(w.keys, ed25519.NewKeyFromSeed(s))
	}
	roots := []entity{{"Root 0", 0}, {"Root 1", 1}}
	cas := []entity{{"CA 0", 2}, {"CA 1", 3}, {"CA 2", 4}, {"CA 0", 5}, {"CA 1", 6}}
	w.anchors = append(w.anchors, w.ca(t, roots[0], roots[0]))
	if w.chance(30) {
		w.anchors = append(w.anchors, w.ca(t, roots[1], roots[1]))
	}
	// A way that may be good, and then anything.
	way := w.r.Perm(len(cas))[:1+w.r.IntN(3)]
	above := roots[0]
	for _, i := range way {
		if plain && cas[i].name == above.name {
			break
		}
		w.bag = append(w.bag, w.ca(t, cas[i], above))
		above = cas[i]
	}
	for range w.r.IntN(4) {
		all := append(roots, cas...)
		who, by := cas[w.r.IntN(len(cas))], all[w.r.IntN(len(all))]
		if !plain || who.name != by.name {
			w.bag = append(w.bag, w.ca(t, who, by))
		}
	}
	w.r.Shuffle(len(w.bag), func(i, j int) { w.bag[i], w.bag[j] = w.bag[j], w.bag[i] })
	w.leaf = w.endEntity(t, above)
	if !plain && w.chance(15) {
		w.policy.RequireExplicitPolicy = w.chance(50)
		w.policy.InhibitAnyPolicy = w.chance(30)
		w.policy.InhibitPolicyMapping = w.chance(30)
	}
	if w.chance(10) {
		for i := range testPolicies {
			if w.chance(50) {
				w.policy.Policies = append(w.policy.Policies, policyOID(i))
				w.asked = append(w.asked, policyOID(i).String())
			}
		}
	}
	return w
}

// sign makes a certificate for who by the key of by, with a wrong signature now
// and then.
func (w *world) sign(t testing.TB, who, by entity, c *x509.Certificate) *party {
	t.Helper()
	c.SerialNumber = big.NewInt(1 + w.r.Int64N(1<<40))
	c.Subject = pkix.Name{Organization: []string{"World"}, CommonName: who.name, ExtraNames: c.Subject.ExtraNames}
	c.NotBefore, c.NotAfter = judged.AddDate(-1, 0, 0), judged.AddDate(1, 0, 0)
	switch w.r.IntN(80) {
	case 0:
		c.NotAfter = judged.AddDate(0, 0, -1)
	case 1:
		c.NotBefore = judged.AddDate(0, 0, 1)
	}
	parent := &x509.Certificate{Subject: pkix.Name{Organization: []string{"World"}, CommonName: by.name}}
	if !w.chance(15) {
		parent.SubjectKeyId = []byte{1, byte(by.key)}
	} else if who.name == by.name && who.key != by.key {
		w.guess = true
	}
	if w.chance(5) {
		parent.SubjectKeyId, w.strayID = []byte{9, 9}, true
	}
	if w.chance(2) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
	}
	c.AuthorityKeyId = parent.SubjectKeyId
	der, err := x509.CreateCertificate(rand.Reader, c, parent, w.keys[who.key].Public(), w.keys[by.key])
	if err != nil {
		t.Fatal(err)
	}
	if w.chance(2) {
		der[len(der)-1] ^= 1
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &party{cert, w.keys[who.key]}
}

func (w *world) ca(t testing.TB, who, by entity) *party {
	t.Helper()
	c := &x509.Certificate{BasicConstraintsValid: true, IsCA: !w.chance(2), MaxPathLen: -1, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	if c.IsCA && w.chance(12) {
		c.MaxPathLen = w.r.IntN(3)
		c.MaxPathLenZero = c.MaxPathLen == 0
	}
	switch w.r.IntN(60) {
	case 0:
		c.KeyUsage = x509.KeyUsageDigitalSignature
	case 1:
		c.KeyUsage = 0
	case 2:
		c.BasicConstraintsValid, w.bareRoot = false, w.bareRoot || who == by
	}
	c.SubjectKeyId = []byte{1, byte(who.key)}
	if w.chance(5) {
		c.SubjectKeyId, w.strayID = []byte{8, 8}, true
	}
	w.usages(c, 20)
	w.policies(c, true)
	if !c.IsCA || !c.BasicConstraintsValid || w.plain {
		return w.sign(t, who, by, c)
	}
	if w.chance(8) {
		forms := []string{alice, "bob@example.com", "example.com", ".example.com", ".com", "other.example"}
		for range 1 + w.r.IntN(3) {
			if f := forms[w.r.IntN(len(forms))]; w.chance(70) {
				c.PermittedEmailAddresses = append(c.PermittedEmailAddresses, f)
			} else {
				c.ExcludedEmailAddresses = append(c.ExcludedEmailAddresses, f)
			}
		}
		c.PermittedDNSDomainsCritical = w.chance(70)
	} else if w.chance(5) {
		base := pkix.Name{Organization: []string{"World"}}
		if w.chance(30) {
			base.Organization[0] = "Underworld"
		}
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{2, 5, 29, 30}, Critical: true,
			Value: sequence(explicit(uint8(w.r.IntN(2)), sequence(explicit(4, rdns(t, base)))))})
	}
	return w.sign(t, who, by, c)
}

func rdns(t testing.TB, n pkix.Name) []byte {
	return makeCert(t, nil, newKey(t), "", func(c *x509.Certificate) { c.Subject = n }).RawSubject
}

func (w *world) usages(c *x509.Certificate, percent int) {
	if !w.chance(percent) {
		return
	}
	lists := [][]x509.ExtKeyUsage{
		{x509.ExtKeyUsageEmailProtection}, {x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageEmailProtection}, {x509.ExtKeyUsageEmailProtection},
		{x509.ExtKeyUsageEmailProtection}, {x509.ExtKeyUsageEmailProtection}, {x509.ExtKeyUsageServerAuth}, {x509.ExtKeyUsageAny},
	}
	c.ExtKeyUsage = lists[w.r.IntN(len(lists))]
	w.any = w.any || c.ExtKeyUsage[0] == x509.ExtKeyUsageAny
}

func (w *world) policies(c *x509.Certificate, ca bool) {
	if w.chance(30) {
		return
	}
	for i := range testPolicies {
		if w.chance(60) {
			c.Policies = append(c.Policies, policyOID(i))
		}
	}
	if ca && w.chance(30) || w.chance(5) {
		c.Policies = append(c.Policies, oidOf(oid.AnyPolicy))
	}
	if !ca {
		return
	}
	if w.chance(15) {
		c.PolicyMappings = append(c.PolicyMappings, x509.PolicyMapping{IssuerDomainPolicy: policyOID(w.r.IntN(testPolicies)), SubjectDomainPolicy: policyOID(w.r.IntN(testPolicies))})
	}
	if w.chance(7) {
		c.RequireExplicitPolicy = w.r.IntN(3)
		c.RequireExplicitPolicyZero = c.RequireExplicitPolicy == 0
	}
	if w.chance(10) {
		c.InhibitPolicyMapping = w.r.IntN(3)
		c.InhibitPolicyMappingZero = c.InhibitPolicyMapping == 0
	}
	if w.chance(10) {
		c.InhibitAnyPolicy = w.r.IntN(3)
		c.InhibitAnyPolicyZero = c.InhibitAnyPolicy == 0
	}
}

func oidOf(o oid.OID) x509.OID {
	var out x509.OID
	if err := out.UnmarshalBinary([]byte(o)); err != nil {
		panic(err)
	}
	return out
}

func (w *world) endEntity(t testing.TB, by entity) *party {
	c := &x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, EmailAddresses: []string{alice}}
	switch w.r.IntN(20) {
	case 0:
		c.EmailAddresses = []string{"bob@example.com"}
	case 1:
		c.EmailAddresses = []string{"bob@other.example", alice}
	case 2:
		c.EmailAddresses = nil
		ia5Subject(c, alice)
	case 3:
		ia5Subject(c, "bob@example.com")
	case 4:
		c.KeyUsage = 0
	case 5:
		if !w.plain {
			c.KeyUsage = x509.KeyUsageKeyAgreement
		}
	}
	w.usages(c, 50)
	w.policies(c, false)
	return w.sign(t, entity{"Leaf", 7}, by, c)
}

// ia5Subject adds an emailAddress in the form that PKCS #9 has for it.
func ia5Subject(c *x509.Certificate, address string) {
	c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{
		Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(address)}})
}

// rounds is how many worlds a test looks at: few, or as many as the variable
// GOSMIME_ORACLE says.
func rounds(few int) int {
	if n, err := strconv.Atoi(os.Getenv("GOSMIME_ORACLE")); err == nil {
		return n
	}
	if runtime.GOARCH == "wasm" { // which is slow
		return few / 4
	}
	return few
}

func (w *world) verify(t testing.TB) (*chain.Path, error) {
	return chain.NewCollection(chain.Anchors(certs(w.anchors...)), chain.Untrusted(certs(w.bag...))).
		Verify(t.Context(), w.leaf.Certificate, w.policy)
}

// TestRandomAgainstStandardLibrary holds that crypto/x509 accepts each path that
// is accepted here, and finds none where none is found here. It is not asked
// about what it doesn't know or judges by other rules: the keyUsage of a leaf,
// names of the subject, all of the initial inputs of policies, constraints on
// hosts of mail, and pathLenConstraint above self-issued certificates.
func TestRandomAgainstStandardLibrary(t *testing.T) {
	n := rounds(600)
	var good, bad int
	for seed := range uint64(n) {
		w := newWorld(t, seed, true)
		w.policy.Mailbox, w.policy.InsecureAnyMailbox = "", true
		path, err := w.verify(t)
		opts := x509.VerifyOptions{CurrentTime: judged, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, CertificatePolicies: w.policy.Policies}
		opts.Roots, opts.Intermediates = x509.NewCertPool(), x509.NewCertPool()
		if err == nil { // the path alone
			opts.Roots.AddCert(path.Anchor())
			for _, c := range path.Certificates() {
				opts.Intermediates.AddCert(c)
			}
		} else {
			for _, p := range w.anchors {
				opts.Roots.AddCert(p.Certificate)
			}
			for _, p := range w.bag {
				opts.Intermediates.AddCert(p.Certificate)
			}
		}
		_, theirs := w.leaf.Verify(opts)
		switch {
		case (err == nil) != (theirs == nil):
			t.Errorf("world %d: %v; crypto/x509: %v", seed, err, theirs)
		case err == nil:
			good++
		default:
			bad++
		}
	}
	t.Logf("%d good, %d bad", good, bad)
	if good < n/4 || bad < n/4 {
		t.Errorf("%d good, %d bad: the worlds tell too little", good, bad)
	}
}

// TestRandomAgainstOpenSSL is the same with openssl verify, which also knows
// policies with all inputs, constraints on directory names and mailboxes.
func TestRandomAgainstOpenSSL(t *testing.T) {
	o := &oracle{tool: suites.Tool(t, "openssl"), dir: t.TempDir()}
	n := rounds(120)
	var good, bad, explained int
	for seed := range uint64(n) {
		w := newWorld(t, seed, false)
		path, err := w.verify(t)
		roots, others := w.anchors, w.bag
		if err == nil {
			roots, others = []*party{{Certificate: path.Anchor()}}, nil
			for _, c := range path.Certificates()[1:] {
				others = append(others, &party{Certificate: c})
			}
		}
		args := []string{"verify", "-no-CApath", "-no-CAstore", "-purpose", "smimesign", "-verify_email", alice, "-policy_check",
			"-attime", strconv.FormatInt(judged.Unix(), 10), "-CAfile", o.file(t, "CERTIFICATE", raws(roots)...)}
		for _, flag := range []struct {
			name string
			on   bool
		}{{"-explicit_policy", w.policy.RequireExplicitPolicy}, {"-inhibit_any", w.policy.InhibitAnyPolicy}, {"-inhibit_map", w.policy.InhibitPolicyMapping}} {
			if flag.on {
				args = append(args, flag.name)
			}
		}
		for _, p := range w.asked {
			args = append(args, "-policy", p)
		}
		if len(w.asked) == 0 {
			args = append(args, "-policy", "2.5.29.32.0") // else it takes none where one is required
		}
		if len(others) > 0 {
			args = append(args, "-untrusted", o.file(t, "CERTIFICATE", raws(others)...))
		}
		out, theirs := suites.Command(t, o.tool, append(args, o.file(t, "CERTIFICATE", w.leaf.Raw))...).CombinedOutput()
		switch {
		case w.opensslDiffers(err) != "":
			explained++
		case (err == nil) != (theirs == nil):
			t.Errorf("world %d: %v; openssl: %s", w.seed, err, out)
		case err == nil:
			good++
		default:
			bad++
		}
	}
	t.Logf("%d good, %d bad, %d differ for known reasons", good, bad, explained)
	if good < n/8 || bad < n/4 {
		t.Errorf("%d good, %d bad: the worlds tell too little", good, bad)
	}
}

// opensslDiffers says why openssl may come to another end.
func (w *world) opensslDiffers(err error) string {
	switch {
	case w.any:
		return "its purposes don't take anyExtendedKeyUsage for e-mail"
	case err == nil && w.strayID:
		return "it takes key identifiers for more than hints"
	case err == nil && w.guess:
		return "it takes every self-issued certificate without key identifier for a self-signed one"
	case w.bareRoot:
		return "it takes a root of version 3 by its keyUsage alone"
	}
	return ""
}

// TestRandomAgainstEveryPath holds that a path is found if there is one: each
// way from the leaf to an anchor is also verified by itself.
func TestRandomAgainstEveryPath(t *testing.T) {
	n := rounds(400)
	found, hidden := 0, 0
	for seed := range uint64(n) {
		w := newWorld(t, seed+7_000_000, false)
		_, err := w.verify(t)
		paths, good := 0, false
		var walk func(way []*party)
		walk = func(way []*party) {
			top := way[len(way)-1]
			for _, a := range w.anchors {
				if !good && bytes.Equal(a.RawSubject, top.RawIssuer) {
					paths++
					alone := *w
					alone.anchors, alone.bag = []*party{a}, way[1:]
					_, err := alone.verify(t)
					good = err == nil
				}
			}
			for _, ca := range w.bag {
				if !good && len(way) < 7 && bytes.Equal(ca.RawSubject, top.RawIssuer) && !slices.Contains(way, ca) {
					walk(append(way[:len(way):len(way)], ca))
				}
			}
		}
		walk([]*party{w.leaf})
		if good != (err == nil) {
			t.Errorf("world %d: of %d paths one is good: %v; all together: %v", seed, paths, good, err)
		}
		if good {
			found++
			if paths > 1 {
				hidden++
			}
		}
	}
	t.Logf("%d have a good path, %d of them not the first", found, hidden)
	if found < n/5 || hidden < n/50 {
		t.Errorf("%d have a good path, %d of them not the first", found, hidden)
	}
}

func raws(list []*party) (out [][]byte) {
	for _, p := range list {
		out = append(out, p.Raw)
	}
	return out
}
