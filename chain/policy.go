package chain

import (
	"context"
	"crypto/x509"
	"time"
)

// Purpose is what a certificate is asked to do.
type Purpose uint8

const (
	_ Purpose = iota // the zero Purpose is refused: there is no default
	EmailSigning
	EmailEncryption
	TimeStamping
	InsecureAnyPurpose // accepts a certificate whatever its key usages say
)

// String returns the purpose in words.
func (p Purpose) String() string {
	switch p {
	case EmailSigning:
		return "e-mail signing"
	case EmailEncryption:
		return "e-mail encryption"
	case TimeStamping:
		return "time stamping"
	case InsecureAnyPurpose:
		return "any purpose"
	}
	return "no purpose"
}

// Revocation says how much must be known about revocation. In every mode but
// InsecureSkipRevocation a certificate that is known to be revoked is refused: at
// time t it is if any genuine CRL or OCSP response, of any age up to now, says
// so with a revocation or invalidity date not after t, or with the reason
// keyCompromise or cACompromise. Evidence past its next update can still do
// that, but no longer show that a certificate is good. A hold ends with newer
// evidence that could show that the certificate is good. Nothing is asked about
// an anchor. Where a limit kept evidence that did not come by [Collection.With]
// from being looked at, the answer is [ErrLimit].
//
// What was added by [Collection.With] was chosen by whoever sent it. It can
// condemn like all other evidence, and shows that a certificate is good only
// where neither a [Source] nor [Options.Fetcher] has anything newer: with a
// Fetcher it never spares the question. Neither does an OCSP response without
// next update, nor a complete CRL that names delta CRLs which are not at hand.
//
// A CRL is about the certificates that one key of its issuer signed. One signed
// by another key of the same name can show that a certificate is good only if
// the issuing key can't sign CRLs, if the certificate names it as indirect CRL,
// or if a self-issued certificate joins both keys. Where the CA numbers its keys
// as those of Microsoft do, a CRL of another number says nothing.
//
// That is for evidence of the time in question: from its this-update, less five
// minutes since clocks differ, to its next update. An OCSP response without
// next update counts for seven days, a CRL without one is never known to be
// current. For a time up to a day ago, evidence of now counts as well. What was
// made after a certificate expired never shows that it is good.
//
// A CRL with a critical extension that this package doesn't know, its own or
// that of any entry, counts neither for nor against any certificate: RFC 5280
// sections 5.2 and 5.3 forbid its use. So it is with an OCSP response, or an
// answer in one, that has such an extension.
type Revocation uint8

const (
	// RevocationWhereKnown uses the evidence at hand. What it could not find out
	// is reported by [Path.Revocation] as [StatusUnknown].
	RevocationWhereKnown Revocation = iota
	// RevocationRequireLeaf also refuses a leaf whose status is unknown, but for
	// one that says that there is no such information (noRevAvail, RFC 9608).
	RevocationRequireLeaf
	// RevocationRequireAll also refuses an intermediate whose status is unknown.
	RevocationRequireAll
	InsecureSkipRevocation
)

// A Policy is what [Collection.Verify] must establish. The zero Policy is
// refused with [ErrPolicy].
type Policy struct {
	// Purpose is required.
	Purpose Purpose
	// Mailbox is the address the certificate must name. It is required for
	// the email purposes unless InsecureAnyMailbox is set.
	Mailbox string
	// InsecureAnyMailbox drops the Mailbox requirement. The caller must then
	// compare names itself: any holder of any trusted certificate passes.
	InsecureAnyMailbox bool
	Options
}

// Options are the part of a [Policy] that does not depend on who is asked
// about. Package smime takes them; nil-able and usable when zero.
type Options struct {
	// At is the time to judge by; zero means now. A time that the message
	// itself claims is not evidence.
	At time.Time
	// Revocation is how much must be known; zero is RevocationWhereKnown.
	Revocation Revocation
	// Limits bound the work; each zero field has a documented default.
	Limits Limits
	// Policies is the user-initial-policy-set of RFC 5280 section 6.1.1; nil
	// means any valid policy. The three flags are the initial values of the same section.
	Policies              []x509.OID
	RequireExplicitPolicy bool
	InhibitPolicyMapping  bool
	InhibitAnyPolicy      bool
	// Fetcher, if set, may be asked for issuers, CRLs and OCSP responses that
	// the Collection lacks. nil: nothing leaves the process. Package
	// chain/fetch has one for HTTP.
	Fetcher Fetcher
	// Check, if set, is called with every path that passed everything else.
	// It can refuse the path but can't save one that failed.
	Check func(*Path) error

	// RequireOCSPNonce sends a nonce of 32 octets with OCSP requests (RFC 9654)
	// and lets no response without it show that a certificate is good: neither
	// one that is at hand, nor one replayed, nor one prepared beforehand, which is
	// what most public responders give. Any response can still condemn.
	RequireOCSPNonce bool
	// FetchTimeout bounds all fetches of one validation, those of issuers by
	// half of it; zero: 10 s.
	FetchTimeout time.Duration
	// InsecureSHA1 accepts SHA-1 in the signatures of the path, of CRLs and of
	// OCSP responses.
	InsecureSHA1 bool
	// InsecureShortKeys accepts RSA keys from 1024 bits on, and P-224.
	InsecureShortKeys bool
}

// A Fetcher gets what a certificate points at: its issuer (AIA caIssuers), the
// CRL of a distribution point, or the OCSP response about it. It is asked only
// about certificates whose signature was already checked up to an anchor, save
// for issuers, and its answers are untrusted input like those of a [Source]. It
// must be safe for concurrent use.
type Fetcher interface {
	Fetch(ctx context.Context, kind Kind, url string, request []byte) (elements [][]byte, err error)
}

// A Keeper is a [Fetcher] that keeps answers. Whoever is in the network between
// can change an answer, so that one is worth to keep only after
// [Collection.Verify] found it to be genuine: it then calls Keep, with the
// arguments and the result of Fetch, where a certificate became part of a path
// whose signatures are good, or a CRL or OCSP response by its proper issuer
// said something about the certificate. Elements must not be changed.
type Keeper interface {
	Fetcher
	Keep(kind Kind, url string, request []byte, elements [][]byte)
}

// Limits bound the work that one call of [Collection.Verify] may do.
type Limits struct {
	Depth           int // certificates in a path; default 8
	Signatures      int // signature checks, those known from before apart, each counted by the size of its RSA key as in pkcs7.Limits; default 300
	NameComparisons int // name constraint comparisons; default 250 000
	Candidates      int // entries taken from sources; default 1000
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, n int) {
		if *v == 0 {
			*v = n
		}
	}
	set(&l.Depth, 8)
	set(&l.Signatures, 300)
	set(&l.NameComparisons, 250000)
	set(&l.Candidates, 1000)
	return l
}

// unusable says why nothing can be decided by p.
func (p *Policy) unusable() string {
	switch {
	case p.Purpose == 0 || p.Purpose > InsecureAnyPurpose:
		return "Purpose is not set"
	case p.Revocation > InsecureSkipRevocation:
		return "Revocation is not one of the constants"
	case p.Mailbox == "" && !p.InsecureAnyMailbox && (p.Purpose == EmailSigning || p.Purpose == EmailEncryption):
		return "Mailbox is not set"
	case p.Limits.Depth < 0 || p.Limits.Signatures < 0 || p.Limits.NameComparisons < 0 || p.Limits.Candidates < 0:
		return "a limit is negative"
	}
	return ""
}
