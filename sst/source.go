package sst

import (
	"crypto/sha256"
	"iter"
	"slices"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Source offers the store's certificates and CRLs to a chain.Collection. The
// properties that limit what Windows trusts a certificate for become
// chain.Constraints: enhanced key usages, disallowed usages, not-before and
// disallowed times, name constraints. One of these that can't be read, or says
// what Constraints can't, makes the certificate unusable as an anchor, not
// unlimited; so do policies of the root program that can't be read, and the
// mark of an archived certificate. Of a certificate that is in the store twice
// both sets of properties apply.
//
// Constraints narrow what an anchor is trusted for. They lift no ban: all
// certificates of the store are found, also in the role of chain.Disallowed.
func (s *Store) Source() chain.Source {
	limits := make(map[[sha256.Size]byte]*limit)
	order := make([]*limit, len(s.Elements))
	for i := range s.Elements {
		e := &s.Elements[i]
		if e.Kind != Certificate {
			continue
		}
		sum := sha256.Sum256(e.DER)
		if limits[sum] == nil {
			limits[sum] = &limit{purposes: allPurposes}
		}
		limits[sum].add(e)
		order[i] = limits[sum]
	}
	entries := make([]*chain.Entry, 0, len(s.Elements))
	for i := range s.Elements {
		e := &s.Elements[i]
		switch e.Kind {
		case Certificate:
			entries = append(entries, chain.NewEntry(chain.KindCertificate, e.DER, e.FriendlyName(), order[i].constraints()))
		case CRL:
			entries = append(entries, chain.NewEntry(chain.KindCRL, e.DER, e.FriendlyName(), nil))
		}
	}
	return chain.Entries(entries...)
}

// Trusted returns the store as a member of a chain.Collection for a caller who
// trusts the file that it was read from. A serialized store and a PKCS #7 file
// hold roots and intermediates without labels, so they become
// [chain.RootsAndIntermediates]; of PEM and DER every certificate is one of
// [chain.Anchors], an intermediate or an end entity too. Where a file is not to
// be trusted, use chain.Untrusted(s.Source()).
func (s *Store) Trusted() chain.Member {
	if s.explicit {
		return chain.Anchors(s.Source())
	}
	return chain.RootsAndIntermediates(s.Source())
}

// A set of purposes. otherPurpose stands for all that chain has no name for.
type purposes uint8

const (
	emailSigning purposes = 1 << iota
	emailEncryption
	timeStamping
	otherPurpose
	allPurposes = emailSigning | emailEncryption | timeStamping | otherPurpose
)

func (p purposes) list() []chain.Purpose {
	l := []chain.Purpose{}
	if p&emailSigning != 0 {
		l = append(l, chain.EmailSigning)
	}
	if p&emailEncryption != 0 {
		l = append(l, chain.EmailEncryption)
	}
	if p&timeStamping != 0 {
		l = append(l, chain.TimeStamping)
	}
	return l
}

// A limit is what the properties of a certificate leave.
type limit struct {
	unusable bool
	purposes purposes
	until    time.Time // zero: no limit
	before   time.Time // zero: no limit
	// beforeFor is what before applies to.
	beforeFor  purposes
	mailboxes  []string
	restricted bool // to mailboxes
}

// add narrows l by the properties of e.
func (l *limit) add(e *Element) {
	var notBefore []time.Time
	var notBeforeFor purposes
	for _, p := range e.Properties {
		var err error
		switch p.ID {
		case PropArchived:
			l.unusable = true
		case PropEnhKeyUsage, PropDisallowedUsage, PropNotBeforeKeyUsage:
			var set purposes
			if set, err = p.purposes(); err != nil {
				break
			}
			switch p.ID {
			case PropEnhKeyUsage:
				l.purposes &= set
			case PropDisallowedUsage:
				l.purposes &^= set | otherPurpose
			default:
				notBeforeFor |= set
			}
		case PropDisallowedTime:
			var t time.Time
			if t, err = p.Time(); t.IsZero() {
				l.purposes = 0
			} else {
				l.until = earlier(l.until, t)
			}
		case PropNotBeforeTime:
			var t time.Time
			t, err = p.Time()
			notBefore = append(notBefore, t)
		case PropRootNameConstraints:
			l.names(p)
		case PropRootPolicies: // they limit nothing here, but must be what they should
			_, err = p.RootPolicies()
		case PropChainPolicies:
			_, err = p.purposes()
		}
		if err != nil {
			l.unusable = true
		}
	}
	if _, ok := e.Lookup(PropNotBeforeKeyUsage); !ok {
		notBeforeFor = allPurposes
	}
	for _, t := range notBefore {
		switch {
		case t.IsZero(): // nothing was ever issued early enough
			l.purposes &^= notBeforeFor
		case notBeforeFor&^otherPurpose != 0:
			l.before = earlier(l.before, t)
			l.beforeFor |= notBeforeFor
		}
	}
}

// earlier returns the earlier of two times; the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// purposes reads a list of extended key usages. Those that chain has no purpose
// for are other ones.
func (p Property) purposes() (set purposes, err error) {
	s := cryptobyte.String(p.Value)
	var list cryptobyte.String
	if !s.ReadASN1(&list, asn1.SEQUENCE) || !s.Empty() {
		return 0, p.bad("not a list of object identifiers")
	}
	for !list.Empty() {
		var o oid.OID
		if !oid.Read(&list, &o) {
			return 0, p.bad("bad object identifier")
		}
		switch o {
		case oid.AnyExtendedKeyUsage:
			set |= allPurposes
		case oid.EKUEmailProtection:
			set |= emailSigning | emailEncryption
		case oid.EKUTimeStamping:
			set |= timeStamping
		}
	}
	return set, nil
}

// names reads
//
//	NameConstraints ::= SEQUENCE {
//	    permittedSubtrees  [0] GeneralSubtrees OPTIONAL,
//	    excludedSubtrees   [1] GeneralSubtrees OPTIONAL }
//	GeneralSubtree  ::= SEQUENCE { base GeneralName, minimum [0] DEFAULT 0, maximum [1] OPTIONAL }
//
// Permitted mail addresses can be said in Constraints. Names that no mail
// certificate is judged by are passed over; whatever else there is makes the
// certificate unusable.
func (l *limit) names(p Property) {
	s := cryptobyte.String(p.Value)
	var body, permitted, excluded cryptobyte.String
	var hasPermitted, hasExcluded bool
	tag := asn1.Tag(0).Constructed().ContextSpecific()
	if l.restricted || !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() || !body.ReadOptionalASN1(&permitted, &hasPermitted, tag) ||
		!body.ReadOptionalASN1(&excluded, &hasExcluded, tag|1) || !body.Empty() {
		l.unusable = true
		return
	}
	for tree := range subtrees(permitted) {
		switch {
		case tree.Kind == x509der.RFC822Name:
			l.restricted = true
			l.mailboxes = append(l.mailboxes, string(tree.Value))
		case !harmless(tree.Kind):
			l.unusable = true
		}
	}
	for tree := range subtrees(excluded) {
		if !harmless(tree.Kind) {
			l.unusable = true
		}
	}
}

// constraints says the same in the words of chain.
func (l *limit) constraints() *chain.Constraints {
	if l.unusable {
		return &chain.Constraints{}
	}
	c := &chain.Constraints{AnyMailbox: !l.restricted, Mailboxes: l.mailboxes, TrustedUntil: l.until, IssuedBefore: l.before}
	if l.purposes == allPurposes {
		c.AnyPurpose = true
	} else {
		c.Purposes = l.purposes.list()
	}
	if l.beforeFor != 0 && l.beforeFor != allPurposes {
		c.IssuedBeforeFor = slices.Clip(l.beforeFor.list())
	}
	return c
}

// subtrees yields the bases of GeneralSubtrees; what can't be read as one is no
// harmless name.
func subtrees(list cryptobyte.String) iter.Seq[x509der.GeneralName] {
	return func(yield func(x509der.GeneralName) bool) {
		for !list.Empty() {
			var tree cryptobyte.String
			var name x509der.GeneralName
			if !list.ReadASN1(&tree, asn1.SEQUENCE) || !x509der.ReadGeneralName(&tree, &name) || !tree.Empty() {
				yield(x509der.GeneralName{Kind: 0xff})
				return
			}
			if !yield(name) {
				return
			}
		}
	}
}

// harmless reports whether a constraint on names of that kind can't concern a
// mail certificate.
func harmless(k x509der.NameKind) bool {
	return k == x509der.DNSName || k == x509der.URI || k == x509der.IPAddress
}
