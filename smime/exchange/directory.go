package exchange

import (
	"bytes"
	"context"
	"crypto/sha1" // thumbprints are SHA-1 by definition
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/chain"
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
	c, err := parseCertificate(value)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return &PublishedCertificate{All: []*x509.Certificate{c}}, nil
}

// parseCertificate reads what package chain reads, so that nobody's certificate
// is missing here that would be accepted there.
func parseCertificate(der []byte) (*x509.Certificate, error) {
	return chain.NewEntry(chain.KindCertificate, bytes.Clone(der), "", nil).Certificate()
}

// parseSigned reads the form of RFC 2798. The content, if any, means nothing.
func parseSigned(value []byte) (*PublishedCertificate, error) {
	certs, _, err := pkcs7.ReadCertificates(bytes.NewReader(value), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	p := &PublishedCertificate{}
	for _, der := range certs {
		// One that can't be read never hides the others.
		if c, err := parseCertificate(der); err == nil {
			p.All = append(p.All, c)
		}
	}
	if len(p.All) == 0 {
		return nil, fmt.Errorf("%w: no certificate", ErrMalformed)
	}
	// The content is inside, or absent and then empty.
	for _, detached := range []io.Reader{nil, bytes.NewReader(nil)} {
		if s := signer(value, detached); s != nil && p.signedBy(s) {
			p.readAttributes(s)
			break
		}
	}
	return p, nil
}

// signer returns the only signer of value, or nil.
func signer(value []byte, detached io.Reader) *pkcs7.SignerInfo {
	r, err := pkcs7.NewSignedReader(bytes.NewReader(value), detached, &pkcs7.ReadOptions{InsecureHistoric: true})
	if err != nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return nil
	}
	if signers, err := r.Signers(); err == nil && len(signers) == 1 {
		return signers[0]
	}
	return nil
}

// signedBy notes the certificate that the signature holds for, if any.
func (p *PublishedCertificate) signedBy(s *pkcs7.SignerInfo) bool {
	for _, c := range p.All {
		if s.ID().Matches(c) && s.CheckSignature(c) == nil {
			p.Signing = c
			return true
		}
	}
	return false
}

// readAttributes takes what Signing signed. A signature with SHA-1, as older
// versions of Outlook made it, may tell a certificate from the others, each of
// which is verified before it is used, but no capabilities.
func (p *PublishedCertificate) readAttributes(s *pkcs7.SignerInfo) {
	strong := s.Strength(p.Signing) == nil
	for _, a := range s.Signed() {
		if len(a.Values) != 1 {
			continue
		}
		switch oid.FromX509(a.Type) {
		case oid.AttrSMIMECapabilities:
			if caps, err := smime.ParseCapabilities(a.Values[0]); err == nil && strong {
				p.Capabilities = caps
			}
		case oid.AttrEncryptionKeyPreference, oid.AttrMicrosoftKeyPreference:
			if p.Encryption == nil {
				p.Encryption = preferred(a.Values[0], p.All)
			}
		}
	}
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

// The tags of PidTagUserX509Certificate that matter here. The digests are SHA-1.
const (
	tagEncryption       = 0x0003
	tagSigning          = 0x0008
	tagSigningDigest    = 0x0009
	tagEncryptionDigest = 0x0022
)

// maxTags bounds the list; a dozen are known.
const maxTags = 256

// parseTagged reads the list of MS-OXOABK 2.2.4.36: a tag and a length of two
// octets each, little-endian, the length with these four octets. Unknown tags
// are ignored, and none may stand there twice. A certificate is there itself or
// by its digest; one that can't be read hides no other.
func parseTagged(value []byte) (*PublishedCertificate, error) {
	tags, err := readTags(value)
	if err != nil {
		return nil, err
	}
	p := &PublishedCertificate{}
	var bad error
	certificate := func(tag uint16) *x509.Certificate {
		data, ok := tags[tag]
		if !ok {
			return nil
		}
		c, err := parseCertificate(data)
		if err != nil {
			bad = errors.Join(bad, fmt.Errorf("certificate in property %#x: %w", tag, err))
			return nil
		}
		p.add(c)
		return c
	}
	p.Encryption, p.Signing = certificate(tagEncryption), certificate(tagSigning)
	if len(p.All) == 0 {
		return nil, errors.Join(fmt.Errorf("%w: no certificate", ErrMalformed), bad)
	}
	if _, there := tags[tagSigning]; !there {
		p.Signing = p.withDigest(tags[tagSigningDigest])
	}
	if _, there := tags[tagEncryption]; !there {
		p.Encryption = p.withDigest(tags[tagEncryptionDigest])
	}
	return p, nil
}

func readTags(value []byte) (map[uint16][]byte, error) {
	tags := make(map[uint16][]byte)
	for n := 0; len(value) > 0; n++ {
		if len(value) < 4 || n == maxTags {
			return nil, fmt.Errorf("%w: property %d", ErrMalformed, n)
		}
		tag, length := binary.LittleEndian.Uint16(value), int(binary.LittleEndian.Uint16(value[2:]))
		if length < 4 || length > len(value) {
			return nil, fmt.Errorf("%w: length of property %d", ErrMalformed, n)
		}
		if _, seen := tags[tag]; seen {
			return nil, fmt.Errorf("%w: property %d stands there before", ErrMalformed, n)
		}
		tags[tag] = value[4:length]
		value = value[length:]
	}
	return tags, nil
}

// withDigest returns the certificate of the value with that SHA-1 digest.
func (p *PublishedCertificate) withDigest(digest []byte) *x509.Certificate {
	for _, c := range p.All {
		if sum := sha1.Sum(c.Raw); bytes.Equal(sum[:], digest) {
			return c
		}
	}
	return nil
}

// add adds a certificate that is not there yet.
func (p *PublishedCertificate) add(c *x509.Certificate) {
	if !slices.ContainsFunc(p.All, c.Equal) {
		p.All = append(p.All, c)
	}
}

// NewUserSMIMECertificate makes a value of userSMIMECertificate: a SignedData
// without content, signed by id, with the chain, the capabilities of this
// module and the certificate to encrypt to, which is id's own if encryption is
// nil.
//
// It refuses what nobody could use: the error is a [*chain.Error] for
// chain.ErrExpired or chain.ErrNotYetValid of either certificate, for
// chain.ErrWrongPurpose if one is not for its part, for chain.ErrWrongMailbox if
// both name no address in common, or what smime.Encrypt says of the key.
func NewUserSMIMECertificate(ctx context.Context, id *smime.Identity, encryption *x509.Certificate) ([]byte, error) {
	if id == nil {
		return nil, fmt.Errorf("%w: nobody to sign", ErrNoSigner)
	}
	key, err := id.SigningKey()
	if err != nil {
		return nil, err
	}
	if encryption == nil {
		encryption = id.Certificate()
	} else if !encryption.Equal(id.Certificate()) {
		key.Chain = append(slices.Clip(key.Chain), encryption)
	}
	if err := publishable(ctx, id, encryption, time.Now()); err != nil {
		return nil, err
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
