package chain

import (
	"crypto/x509"
	"slices"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/oid"
)

// checkLeaf holds the leaf to what it is asked for: 6.1.5 and beyond.
func (s *validation) checkLeaf() {
	leaf := s.path[0]
	switch s.v.role {
	case roleCRL:
		d := leaf.details()
		if d.hasKeyUsage && d.keyUsage&x509.KeyUsageCRLSign == 0 {
			s.failed(fail(ErrWrongPurpose, leaf, "certificate %s: keyUsage is %s and lacks cRLSign", leaf.title(), keyUsageText(d.keyUsage)), progressLeafPurpose)
		}
		return
	case roleOCSP:
		if !leaf.details().allows(oid.EKUOCSPSigning) {
			s.failed(fail(ErrWrongPurpose, leaf, "certificate %s: extendedKeyUsage is %s and lacks OCSPSigning", leaf.title(), leaf.details().ekuText()), progressLeafPurpose)
		}
		return
	}
	s.failed(checkPurpose(leaf, s.v.policy.Purpose), progressLeafPurpose)
	if want := s.v.policy.Mailbox; want != "" {
		s.failed(matchMailbox(leaf, want), progressMailbox)
	}
}

// checkPurpose holds key usages to the purpose (RFC 8550 sections 4.4.2 and
// 4.4.4, RFC 5652 section 6.2, RFC 3161 section 2.3). Both extensions must
// agree where both are there (RFC 5280 section 4.2.1.12).
func checkPurpose(c *certificate, p Purpose) *Error {
	if p == InsecureAnyPurpose {
		return nil
	}
	d := c.details()
	key, err := c.key()
	if err != nil {
		e := fail(ErrWrongPurpose, c, "certificate %s: its key can't be used for %v", c.title(), p)
		e.Err = err
		return e
	}
	need, names := neededKeyUsage(key.Kind, p)
	if names == "" {
		return fail(ErrWrongPurpose, c, "certificate %s: its key is not one for %v", c.title(), p)
	}
	if d.hasKeyUsage && d.keyUsage&need == 0 {
		return fail(ErrWrongPurpose, c, "certificate %s: keyUsage is %s; %v needs %s", c.title(), keyUsageText(d.keyUsage), p, names)
	}
	if p == TimeStamping {
		if len(d.eku) != 1 || d.eku[0] != oid.EKUTimeStamping || !d.criticalEKU {
			return fail(ErrWrongPurpose, c, "certificate %s: extendedKeyUsage is %s; it must be critical and timeStamping alone", c.title(), d.ekuText())
		}
		return nil
	}
	if d.hasEKU && !d.allows(oid.EKUEmailProtection, oid.AnyExtendedKeyUsage) {
		return fail(ErrWrongPurpose, c, "certificate %s: extendedKeyUsage is %s; %v needs emailProtection", c.title(), d.ekuText(), p)
	}
	return nil
}

// neededKeyUsage returns the bits of which one must be set. names is empty if
// a key of that kind can't serve the purpose at all.
func neededKeyUsage(kind alg.KeyKind, p Purpose) (bits x509.KeyUsage, names string) {
	if p == EmailEncryption {
		if bits = kind.EncryptionUsage(); bits == 0 {
			return 0, ""
		}
		return bits, keyUsageText(bits)
	}
	if !kind.Signs() {
		return 0, ""
	}
	return x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, "digitalSignature or nonRepudiation"
}

// checkCAPurpose takes the extended key usages of a CA as a restriction on
// what it may issue for.
//
// DEVIATION: RFC 5280 section 4.2.1.12 knows nothing of that; the programs of
// the browsers and Windows all do, and the Baseline Requirements build on it.
func (s *validation) checkCAPurpose(c *certificate) *Error {
	if s.v.role != roleSubject {
		return nil
	}
	d := c.details()
	var need oid.OID
	switch s.v.policy.Purpose {
	case EmailSigning, EmailEncryption:
		need = oid.EKUEmailProtection
	case TimeStamping:
		need = oid.EKUTimeStamping
	default:
		return nil
	}
	if d.hasEKU && !d.allows(need, oid.AnyExtendedKeyUsage) {
		return fail(ErrWrongPurpose, c, "CA certificate %s may not issue for %v: its extendedKeyUsage is %s", c.title(), s.v.policy.Purpose, d.ekuText())
	}
	return nil
}

// checkAnchor holds the path to the constraints that the administrator put on
// the anchor.
func (s *validation) checkAnchor() *Error {
	if s.v.role != roleSubject {
		return nil
	}
	for i := range s.anchor.constraints {
		if e := s.checkConstraints(&s.anchor.constraints[i]); e != nil {
			return e
		}
	}
	return nil
}

func (s *validation) checkConstraints(k *Constraints) *Error {
	p := &s.v.policy
	leaf, anchor := s.path[0], s.path[len(s.path)-1]
	if !k.AnyPurpose && !slices.Contains(k.Purposes, p.Purpose) {
		return fail(ErrAnchorConstraint, anchor, "anchor %s is not trusted for %v", anchor.title(), p.Purpose)
	}
	if !k.TrustedUntil.IsZero() && s.v.at.After(k.TrustedUntil) {
		return fail(ErrAnchorConstraint, anchor, "anchor %s was trusted until %s, judged at %s", anchor.title(), day(k.TrustedUntil), day(s.v.at))
	}
	if !k.IssuedBefore.IsZero() && !leaf.NotBefore.Before(k.IssuedBefore) &&
		(k.IssuedBeforeFor == nil || slices.Contains(k.IssuedBeforeFor, p.Purpose)) {
		return fail(ErrAnchorConstraint, anchor, "anchor %s is trusted for certificates issued before %s; notBefore of %s is %s",
			anchor.title(), day(k.IssuedBefore), leaf.title(), day(leaf.NotBefore))
	}
	if k.AnyMailbox {
		return nil
	}
	for _, address := range vouchedFor(leaf, p) {
		if !k.admits(address) {
			return fail(ErrAnchorConstraint, anchor, "anchor %s is not trusted for mailbox %s", anchor.title(), quote(address))
		}
	}
	return nil
}

// vouchedFor returns the addresses that the anchor must be trusted for: the one
// asked about, or, if the caller will compare names itself, all of them.
func vouchedFor(leaf *certificate, p *Policy) []string {
	if p.Mailbox != "" {
		return []string{p.Mailbox}
	}
	if p.Purpose == TimeStamping {
		return nil
	}
	list, err := leaf.mailboxes()
	if err != nil || len(list) == 0 {
		return []string{""} // none: that of a name is not trusted either
	}
	out := make([]string, len(list))
	for i, m := range list {
		out[i] = m.Address
	}
	return out
}

// admits reports whether the address lies in one of Mailboxes. Local parts are
// compared as in MatchMailbox.
func (k *Constraints) admits(address string) bool {
	a, err := mailbox.Parse(address)
	if err != nil {
		return false
	}
	for _, m := range k.Mailboxes {
		e, ok := parseEmailConstraint(m)
		if !ok || m == "" {
			continue
		}
		if e.local == "" {
			if e.matches(a, false, false) {
				return true
			}
		} else if equal, _ := mailbox.Equal(a, mailbox.Address{Local: e.local, Domain: e.domain}, false); equal {
			return true
		}
	}
	return false
}
