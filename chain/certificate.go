package chain

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"sync"
	"sync/atomic"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/crl"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
)

// A certificate is a parsed certificate with its extensions and key decoded on
// first use. It is immutable; equal encodings need not be the same pointer.
type certificate struct {
	*x509der.Certificate

	subjectOnce, issuerOnce sync.Once
	subjectKey, issuerKey   string // x509der.NormalName

	sumOnce sync.Once
	hash    [sha256.Size]byte

	detailsOnce sync.Once
	decoded     details

	signOnce sync.Once
	signedBy *alg.Signature
	signErr  error

	keyOnce   sync.Once
	publicKey *alg.PublicKey
	keyErr    error

	x509Once sync.Once
	std      *x509.Certificate

	// signers has the keys (SPKI) that this certificate's signature was found
	// good under. That is a fact about bytes which nothing can make false.
	signers atomic.Pointer[[]string]
}

func parseCertificate(der []byte) (*certificate, error) {
	c, err := x509der.Parse(der)
	if err != nil {
		return nil, err
	}
	return &certificate{Certificate: c}, nil
}

// x509 returns the certificate in the form that callers get; one that
// crypto/x509 can't read has only what this package knows.
func (c *certificate) x509() *x509.Certificate {
	c.x509Once.Do(func() {
		std, err := x509.ParseCertificate(c.Raw)
		if err != nil {
			std = c.known()
		}
		c.std = std
	})
	return c.std
}

// key returns the public key.
func (c *certificate) key() (*alg.PublicKey, error) {
	c.keyOnce.Do(func() { c.publicKey, c.keyErr = alg.ParsePublicKey(c.SPKI) })
	return c.publicKey, c.keyErr
}

// keyID returns what is equal for equal public keys, however the two are
// encoded: a point may be compressed, and RSA has several identifiers.
func (c *certificate) keyID() string {
	key, err := c.key()
	if err == nil {
		switch k := key.Key.(type) {
		case *rsa.PublicKey:
			return "RSA" + string(k.N.Bytes())
		case *ecdsa.PublicKey:
			if point, err := k.Bytes(); err == nil {
				return k.Params().Name + string(point)
			}
		}
	}
	if bits := c.KeyBits(); len(bits) > 0 {
		return string(bits)
	}
	return string(c.SPKI)
}

// signature returns the algorithm that the certificate is signed with.
func (c *certificate) signature() (*alg.Signature, error) {
	c.signOnce.Do(func() { c.signedBy, c.signErr = signatureAlgorithm(c.SignatureAlgorithm) })
	return c.signedBy, c.signErr
}

// keyUsage returns the bits of the extension; present is false where there is none.
func (c *certificate) keyUsage() (bits x509.KeyUsage, present bool) {
	d := c.details()
	return d.keyUsage, d.hasKeyUsage
}

// isCA reports whether basicConstraints has cA.
func (c *certificate) isCA() bool { return c.details().ca }

// selfIssued reports whether subject and issuer are the same name.
func (c *certificate) selfIssued() bool {
	return bytes.Equal(c.Subject, c.Issuer) || c.subject() == c.issuer()
}

// subject returns a key that is equal for names equal by RFC 5280 section 7.1.
func (c *certificate) subject() string {
	c.subjectOnce.Do(func() { c.subjectKey = x509der.NormalName(c.Subject) })
	return c.subjectKey
}

func (c *certificate) issuer() string {
	c.issuerOnce.Do(func() { c.issuerKey = x509der.NormalName(c.Issuer) })
	return c.issuerKey
}

func (c *certificate) details() *details {
	c.detailsOnce.Do(func() { c.decoded = decodeExtensions(c.Certificate) })
	return &c.decoded
}

// equal reports whether the two are the same certificate, octet by octet. Many
// large ones can be compared with one another, so each is hashed once instead.
func (c *certificate) equal(d *certificate) bool {
	return c == d || len(c.Raw) == len(d.Raw) && c.sum() == d.sum()
}

func (c *certificate) sum() [sha256.Size]byte {
	c.sumOnce.Do(func() { c.hash = sha256.Sum256(c.Raw) })
	return c.hash
}

// sameEntity reports whether name and key are the same: a path that has both
// is a loop, whatever else the two certificates say.
func (c *certificate) sameEntity(d *certificate) bool {
	return c == d || bytes.Equal(c.SPKI, d.SPKI) && c.subject() == d.subject()
}

// knownSigner reports whether the signature is known to be good under key.
func (c *certificate) knownSigner(spki []byte) bool {
	known := c.signers.Load()
	if known == nil {
		return false
	}
	for _, k := range *known {
		if k == string(spki) {
			return true
		}
	}
	return false
}

// noteSigner remembers a good signature. More than a few keys per certificate
// means somebody plays games; they are not remembered.
func (c *certificate) noteSigner(spki []byte) {
	for {
		old := c.signers.Load()
		var keys []string
		if old != nil {
			keys = *old
		}
		if len(keys) >= 4 {
			return
		}
		next := append(append([]string(nil), keys...), string(spki))
		if c.signers.CompareAndSwap(old, &next) {
			return
		}
	}
}

// selfSigned reports whether the certificate is signed by its own key.
func (c *certificate) selfSigned() bool {
	if !c.selfIssued() {
		return false
	}
	if c.knownSigner(c.SPKI) {
		return true
	}
	if verifySignature(c, c.SignatureAlgorithm, c.TBS, c.Signature) != nil {
		return false
	}
	c.noteSigner(c.SPKI)
	return true
}

// verifySignature checks a signature, not its strength.
func verifySignature(signer *certificate, algorithm, signed, signature []byte) error {
	key, err := signer.key()
	if err != nil {
		return err
	}
	s, err := signatureAlgorithm(algorithm)
	if err != nil {
		return err
	}
	return s.VerifyMessage(key, signed, signature)
}

// pkixName returns the name in the form of crypto/x509, zero if it is none.
func pkixName(der []byte) pkix.Name {
	var name pkix.Name
	if rdns, ok := rdnSequence(der); ok {
		name.FillFromRDNSequence(&rdns)
	}
	return name
}

func rdnSequence(der []byte) (pkix.RDNSequence, bool) {
	rdns, ok := x509der.NameText(der)
	var out pkix.RDNSequence
	for _, rdn := range rdns {
		var set pkix.RelativeDistinguishedNameSET
		for _, a := range rdn {
			set = append(set, pkix.AttributeTypeAndValue{Type: objectIdentifier(a.Type), Value: a.Value})
		}
		out = append(out, set)
	}
	return out, ok
}

// mailboxes returns the addresses that the certificate names.
func (c *certificate) mailboxes() ([]x509der.Mailbox, error) { return c.Certificate.Mailboxes() }

// allows reports whether the extended key usages include one of ids.
func (d *details) allows(ids ...oid.OID) bool {
	for _, have := range d.eku {
		for _, id := range ids {
			if have == id {
				return true
			}
		}
	}
	return false
}

// keyIndex returns the number that a Microsoft CA gave to its key, -1 if none.
func (c *certificate) keyIndex() int {
	e := c.Extension(oid.ExtCAVersion)
	if e == nil {
		return -1
	}
	return crl.ReadKeyIndex(e.Value)
}
