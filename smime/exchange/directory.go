package exchange

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// A PublishedCertificate is what a person has published in a directory.
// Nothing vouches for it: pass the certificates to smime.NewRecipient.
type PublishedCertificate struct {
	// Encryption is the certificate that the value marks for encryption, else
	// nil: choose one of All as [ChooseEncryption] does.
	Encryption *x509.Certificate
	Signing    *x509.Certificate // the signer's, or the one that the value marks; may be nil
	All        []*x509.Certificate
	// Capabilities is nil unless the value is signed by Signing: unsigned ones
	// could be anybody's.
	Capabilities smime.Capabilities
}

// ParseUserSMIMECertificate reads a value of the directory attribute
// userSMIMECertificate (RFC 2798 section 2.8) or of PidTagUserX509Certificate
// (MS-OXOABK 2.2.4.36), in either of the forms in use: a SignedData, or a list
// of tagged properties. The certificates are unverified. The error wraps
// [ErrMalformed].
func ParseUserSMIMECertificate(value []byte) (*PublishedCertificate, error) {
	if len(value) == 0 {
		return nil, fmt.Errorf("%w: empty value", ErrMalformed)
	}
	if value[0] == 0x30 {
		return parseSigned(value)
	}
	return parseTagged(value)
}

// ParseUserCertificate reads a value of the directory attribute
// userCertificate: one DER certificate. The error wraps [ErrMalformed].
func ParseUserCertificate(value []byte) (*PublishedCertificate, error) {
	c, err := x509.ParseCertificate(value)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return &PublishedCertificate{All: []*x509.Certificate{c}}, nil
}

// parseSigned reads the form of RFC 2798. The content, if any, means nothing.
func parseSigned(value []byte) (*PublishedCertificate, error) {
	certs, _, err := pkcs7.ReadCertificates(bytes.NewReader(value), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	p := &PublishedCertificate{}
	for _, der := range certs {
		if c, err := x509.ParseCertificate(der); err == nil {
			p.All = append(p.All, c)
		}
	}
	s := verifiedSigner(value, p)
	if s == nil {
		return p, nil
	}
	for _, a := range s.Signed() {
		switch oid.FromX509(a.Type) {
		case oid.AttrSMIMECapabilities:
			if len(a.Values) == 1 {
				if caps, err := smime.ParseCapabilities(a.Values[0]); err == nil {
					p.Capabilities = caps
				}
			}
		case oid.AttrEncryptionKeyPreference, oid.AttrMicrosoftKeyPreference:
			if len(a.Values) == 1 && p.Encryption == nil {
				p.Encryption = preferred(a.Values[0], p.All)
			}
		}
	}
	return p, nil
}

// verifiedSigner returns the one signer of value if its signature holds for a
// certificate in it, and notes that certificate.
func verifiedSigner(value []byte, p *PublishedCertificate) *pkcs7.SignerInfo {
	for _, detached := range []*bytes.Reader{nil, bytes.NewReader(nil)} {
		var r *pkcs7.SignedReader
		var err error
		if detached == nil {
			r, err = pkcs7.NewSignedReader(bytes.NewReader(value), nil, nil)
		} else {
			r, err = pkcs7.NewSignedReader(bytes.NewReader(value), detached, nil)
		}
		if err != nil {
			continue
		}
		var content bytes.Buffer
		if _, err := content.ReadFrom(r); err != nil {
			continue
		}
		signers, err := r.Signers()
		if err != nil || len(signers) != 1 {
			continue
		}
		for _, c := range p.All {
			if signers[0].ID().Matches(c) && signers[0].CheckSignature(c) == nil {
				p.Signing = c
				return signers[0]
			}
		}
	}
	return nil
}

// preferred returns the certificate that an encryption key preference names:
// SMIMEEncryptionKeyPreference of RFC 8551 section 2.5.3, or the bare
// IssuerAndSerialNumber of Microsoft's attribute.
//
//	SMIMEEncryptionKeyPreference ::= CHOICE {
//	    issuerAndSerialNumber   [0] IssuerAndSerialNumber,
//	    recipientKeyId          [1] RecipientKeyIdentifier,
//	    subjectAltKeyIdentifier [2] SubjectKeyIdentifier }
func preferred(der []byte, certs []*x509.Certificate) *x509.Certificate {
	in := cryptobyte.String(der)
	var body cryptobyte.String
	var tag asn1.Tag
	if !in.ReadAnyASN1(&body, &tag) || !in.Empty() {
		return nil
	}
	var issuer, serial, keyID cryptobyte.String
	switch tag {
	case asn1.SEQUENCE, asn1.Tag(0).ContextSpecific().Constructed():
		if !body.ReadASN1Element(&issuer, asn1.SEQUENCE) || !body.ReadASN1(&serial, asn1.INTEGER) {
			return nil
		}
	case asn1.Tag(1).ContextSpecific().Constructed():
		if !body.ReadASN1(&keyID, asn1.OCTET_STRING) {
			return nil
		}
	case asn1.Tag(2).ContextSpecific():
		keyID = body
	default:
		return nil
	}
	for _, c := range certs {
		if keyID != nil && bytes.Equal(c.SubjectKeyId, keyID) {
			return c
		}
		if issuer != nil && bytes.Equal(c.RawIssuer, issuer) && c.SerialNumber.Cmp(signedInt(serial)) == 0 {
			return c
		}
	}
	return nil
}

// The tags of PidTagUserX509Certificate that matter here.
const (
	tagCapabilities = 0x0002
	tagEncryption   = 0x0003
	tagSigning      = 0x0008
)

// maxTags bounds the list; a dozen are known.
const maxTags = 256

// parseTagged reads the list of MS-OXOABK 2.2.4.36: a tag and a length of two
// octets each, little-endian, the length with these four octets.
func parseTagged(value []byte) (*PublishedCertificate, error) {
	p := &PublishedCertificate{}
	for n := 0; len(value) > 0; n++ {
		if len(value) < 4 || n == maxTags {
			return nil, fmt.Errorf("%w: property %d", ErrMalformed, n)
		}
		tag, length := binary.LittleEndian.Uint16(value), int(binary.LittleEndian.Uint16(value[2:]))
		if length < 4 || length > len(value) {
			return nil, fmt.Errorf("%w: length of property %d", ErrMalformed, n)
		}
		data := value[4:length]
		value = value[length:]
		if tag != tagEncryption && tag != tagSigning {
			continue
		}
		c, err := x509.ParseCertificate(data)
		if err != nil {
			return nil, fmt.Errorf("%w: certificate in property %d: %w", ErrMalformed, n, err)
		}
		p.All = append(p.All, c)
		if tag == tagEncryption {
			p.Encryption = c
		} else {
			p.Signing = c
		}
	}
	if len(p.All) == 0 {
		return nil, fmt.Errorf("%w: no certificate", ErrMalformed)
	}
	return p, nil
}

// ChooseEncryption returns the certificates to try for encryption, best first,
// in the order of Outlook: what a userSMIMECertificate marks, then the others
// that may encrypt mail, those of userSMIMECertificate before those of
// userCertificate. Whether one is trusted, smime.NewRecipient says.
func ChooseEncryption(smimeValues, plainValues []*PublishedCertificate) []*x509.Certificate {
	var list []*x509.Certificate
	add := func(c *x509.Certificate) {
		if c == nil || !mayEncrypt(c) {
			return
		}
		for _, have := range list {
			if have.Equal(c) {
				return
			}
		}
		list = append(list, c)
	}
	for _, p := range smimeValues {
		add(p.Encryption)
	}
	for _, p := range append(append([]*PublishedCertificate{}, smimeValues...), plainValues...) {
		for _, c := range p.All {
			add(c)
		}
	}
	return list
}

// mayEncrypt is the cheap test that Outlook makes: extended key usage for mail
// and a key usage that fits.
func mayEncrypt(c *x509.Certificate) bool {
	if c.IsCA {
		return false
	}
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageKeyEncipherment|x509.KeyUsageKeyAgreement) == 0 {
		return false
	}
	if len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 {
		return true
	}
	for _, u := range c.ExtKeyUsage {
		if u == x509.ExtKeyUsageEmailProtection || u == x509.ExtKeyUsageAny {
			return true
		}
	}
	return false
}

// NewUserSMIMECertificate makes a value of userSMIMECertificate: a SignedData
// without content, signed by id, with the chain, the capabilities of this
// module and the certificate to encrypt to, which is id's own if encryption is
// nil.
func NewUserSMIMECertificate(ctx context.Context, id *smime.Identity, encryption *x509.Certificate) ([]byte, error) {
	key, err := id.SigningKey()
	if err != nil {
		return nil, err
	}
	if encryption == nil {
		encryption = id.Certificate()
	} else {
		key.Chain = append(append([]*x509.Certificate{}, key.Chain...), encryption)
	}
	caps, err := smime.OwnCapabilities(encryption).MarshalBinary()
	if err != nil {
		return nil, err
	}
	bare, tagged, err := preference(encryption)
	if err != nil {
		return nil, err
	}
	key.Attributes = append(key.Attributes,
		pkcs7.Attribute{Type: oid.AttrSMIMECapabilities.X509(), Values: [][]byte{caps}},
		pkcs7.Attribute{Type: oid.AttrEncryptionKeyPreference.X509(), Values: [][]byte{tagged}},
		pkcs7.Attribute{Type: oid.AttrMicrosoftKeyPreference.X509(), Values: [][]byte{bare}})
	var out bytes.Buffer
	if err := pkcs7.SignDetached(ctx, &out, bytes.NewReader(nil), []pkcs7.SigningKey{key}, nil); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// preference returns the IssuerAndSerialNumber of c bare and under tag [0].
func preference(c *x509.Certificate) (bare, tagged []byte, err error) {
	if c.SerialNumber == nil || len(c.RawIssuer) == 0 {
		return nil, nil, errors.Join(ErrMalformed, errors.New("the certificate has no issuer or serial number"))
	}
	body := func(b *cryptobyte.Builder) {
		b.AddBytes(c.RawIssuer)
		b.AddASN1BigInt(c.SerialNumber)
	}
	var one, two cryptobyte.Builder
	one.AddASN1(asn1.SEQUENCE, body)
	two.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), body)
	if bare, err = one.Bytes(); err != nil {
		return nil, nil, err
	}
	tagged, err = two.Bytes()
	return bare, tagged, err
}

// signedInt returns the value of the content octets of a DER INTEGER.
func signedInt(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	return n
}
