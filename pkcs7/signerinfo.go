package pkcs7

import (
	"bytes"
	"crypto/x509"
	"slices"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A SignerInfo is one signature.
type SignerInfo struct {
	raw       []byte // as received
	offset    int64
	field     string
	version   int
	id        CertID
	digestID  alg.Identifier
	sigID     alg.Identifier
	hash      alg.Hash       // zero: unknown
	algorithm *alg.Signature // nil: see fault
	signature []byte
	signedDER []byte   // the SET OF that was signed; nil: there is none
	asSent    [][]byte // the same in the forms it came in, if they are not DER
	signed    attributes
	unsigned  attributes
	fault     error // what is wrong with this signer alone

	over   *SignedReader // whose content is signed
	parent *SignerInfo   // of a countersignature: whose signature is signed
}

// Signed returns the signed attributes. What they say counts if
// [SignerInfo.CheckSignature] finds no fault.
func (s *SignerInfo) Signed() []Attribute { return s.signed.exported() }

// SignedAttribute returns the signed attribute of that type. What it says counts if
// [SignerInfo.CheckSignature] finds no fault.
func (s *SignerInfo) SignedAttribute(typ x509.OID) (a Attribute, ok bool) { return s.signed.find(typ) }

// UnsignedAttribute returns the unsigned attribute of that type, with the values
// of all such attributes. Anyone may have added it.
func (s *SignerInfo) UnsignedAttribute(typ x509.OID) (a Attribute, ok bool) {
	return s.unsigned.find(typ)
}

// Unsigned returns the attributes that anyone may have added: they prove nothing.
func (s *SignerInfo) Unsigned() []Attribute { return s.unsigned.exported() }

// Scheme returns the signature algorithm, zero if it is unknown.
func (s *SignerInfo) Scheme() Scheme {
	if s.algorithm == nil {
		return 0
	}
	return Scheme(s.algorithm.Scheme())
}

// ID names the signer's certificate.
func (s *SignerInfo) ID() CertID { return s.id.clone() }

// Signature returns the signature value, which timestamps and countersignatures
// are made over.
func (s *SignerInfo) Signature() []byte { return bytes.Clone(s.signature) }

// DigestAlgorithm returns the digest algorithm.
func (s *SignerInfo) DigestAlgorithm() x509.OID { return s.digestID.OID.X509() }

// AttributesDigest returns the digest of the signed attributes, which receipts
// quote (RFC 2634 section 2.4); nil if there are none.
func (s *SignerInfo) AttributesDigest() []byte {
	if s.signedDER == nil || s.hash == 0 {
		return nil
	}
	h := s.hash.New()
	h.Write(s.signedDER)
	return h.Sum(nil)
}

// ClaimedTime returns the signing time that the signer put under the
// signature, if any. The signer chose it freely.
func (s *SignerInfo) ClaimedTime() (t time.Time, ok bool) {
	v, single := s.signed.single(oid.AttrSigningTime)
	if v == nil || !single {
		return time.Time{}, false
	}
	return parseTime(v)
}

// CheckSignature checks that the key of cert made this signature over the
// content that was read, and that the signed attributes are those of such a
// signature. It does not look at anything else in cert.
func (s *SignerInfo) CheckSignature(cert *x509.Certificate) error {
	c, err := parseCertificate(cert)
	if err != nil {
		return err
	}
	return s.check(c)
}

// Strength returns nil, or an error that wraps [ErrWeak] if the digest, the
// signature algorithm or the size of the key of cert is below the floor.
// [SignerInfo.CheckSignature] fails for the same reasons unless InsecureHistoric is set.
func (s *SignerInfo) Strength(cert *x509.Certificate) error {
	c, err := parseCertificate(cert)
	if err != nil {
		return err
	}
	if s.over == nil {
		return ErrNotRead
	}
	if s.fault != nil {
		return s.fault
	}
	pub, err := alg.ParsePublicKey(c.SPKI)
	if err != nil {
		return algError(err, s.field+" certificate")
	}
	return s.strength(pub)
}

// parseSignerInfo reads one SignerInfo that began at offset. Only what is not
// a SignerInfo at all is an error: algorithms and attributes that this package
// can't make sense of are the fault of this one signer.
//
//	SignerInfo ::= SEQUENCE {
//	    version CMSVersion,
//	    sid SignerIdentifier,
//	    digestAlgorithm DigestAlgorithmIdentifier,
//	    signedAttrs [0] IMPLICIT SignedAttributes OPTIONAL,
//	    signatureAlgorithm SignatureAlgorithmIdentifier,
//	    signature SignatureValue,
//	    unsignedAttrs [1] IMPLICIT UnsignedAttributes OPTIONAL }
func parseSignerInfo(raw []byte, offset int64, field string) (*SignerInfo, error) {
	der, err := toDER(raw, offset, field)
	if err != nil {
		return nil, err
	}
	s := &SignerInfo{raw: raw, offset: offset, field: field}
	in := cryptobyte.String(der)
	var seq, version, sid, sig, signed, unsigned cryptobyte.String
	var tag asn1.Tag
	var hasSigned, hasUnsigned bool
	ok := false
	switch {
	case !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty():
	case !seq.ReadASN1(&version, asn1.INTEGER):
		field += ".version"
	case !seq.ReadAnyASN1Element(&sid, &tag):
		field += ".sid"
	case !alg.ReadIdentifier(&seq, &s.digestID):
		field += ".digestAlgorithm"
	case !optionalElement(&seq, &signed, &hasSigned, 0):
		field += ".signedAttrs"
	case !alg.ReadIdentifier(&seq, &s.sigID):
		field += ".signatureAlgorithm"
	case !seq.ReadASN1(&sig, asn1.OCTET_STRING):
		field += ".signature"
	case !optionalElement(&seq, &unsigned, &hasUnsigned, 1) || !seq.Empty():
		field += ".unsignedAttrs"
	default:
		ok = true
	}
	if !ok {
		return nil, &SyntaxError{Offset: offset, Field: field, Reason: "missing or not what it must be"}
	}
	if s.version, ok = versionOf(version); !ok {
		return nil, s.syntax("version", "not a version number")
	}
	if s.id, ok = parseCertID(sid); !ok {
		return nil, s.syntax("sid", "names no certificate")
	}
	s.signature = sig
	if hasSigned {
		if err := s.parseSigned(signed); err != nil {
			return nil, err
		}
		if len(der) != len(raw) || &der[0] != &raw[0] {
			s.noteEncoding(signed)
		}
	}
	if hasUnsigned {
		// Nothing depends on them: what can't be read is as if it were not there.
		s.unsigned, _ = parseAttributes(unsigned, offset, s.field+".unsignedAttrs")
	}
	s.fault = s.findFault()
	return s, nil
}

// optionalElement reads the element with the context-specific constructed tag
// n, header included, if it is next.
func optionalElement(s, out *cryptobyte.String, present *bool, n uint8) bool {
	tag := asn1.Tag(n).ContextSpecific().Constructed()
	if *present = s.PeekASN1Tag(tag); !*present {
		return true
	}
	return s.ReadASN1Element(out, tag)
}

func (s *SignerInfo) syntax(field, reason string) error {
	return &SyntaxError{Offset: s.offset, Field: s.field + "." + field, Reason: reason}
}

// parseSigned reads signedAttrs into what the signature is over: a SET, in DER
// (RFC 5652 section 5.4). set has DER lengths already.
//
// DEVIATION: RFC 5652 section 5.3 wants signedAttrs to be sent in DER. Some
// signers sort only what they sign, as section 5.4 amounts to, and others sign
// unsorted, or in BER, what they send; other programs read the latter. Both are
// tried: the attributes are the same, whatever their order and lengths.
func (s *SignerInfo) parseSigned(set []byte) (err error) {
	field := s.field + ".signedAttrs"
	if s.signed, err = parseAttributes(set, s.offset, field); err != nil {
		return err
	}
	s.signedDER = slices.Clone(set)
	s.signedDER[0] = byte(asn1.SET)
	if isSorted(s.signedDER) {
		return nil
	}
	s.asSent = append(s.asSent, s.signedDER)
	s.signedDER = sortAttributes(s.signed)
	return nil
}

// noteEncoding keeps signedAttrs as they came if they are not der, which they
// were converted to.
func (s *SignerInfo) noteEncoding(der []byte) {
	const place = 3 // after version, sid and digestAlgorithm
	fields, err := members(s.raw)
	if err != nil || len(fields) <= place || bytes.Equal(fields[place], der) {
		return
	}
	sent := slices.Clone(fields[place])
	sent[0] = byte(asn1.SET)
	s.asSent = append(s.asSent, sent)
}

// isSorted reports whether the SET of attributes and each SET of values are in
// the order of DER (X.690 clause 11.6). What is inside of the values is theirs.
func isSorted(set []byte) bool {
	return sortedSet(set, func(attr []byte) bool {
		var seq, id cryptobyte.String
		s := cryptobyte.String(attr)
		return s.ReadASN1(&seq, asn1.SEQUENCE) && seq.ReadASN1Element(&id, asn1.OBJECT_IDENTIFIER) && sortedSet(seq, nil)
	})
}

func sortedSet(set []byte, each func([]byte) bool) bool {
	var members, last cryptobyte.String
	s := cryptobyte.String(set)
	if !s.ReadASN1(&members, asn1.SET) {
		return false
	}
	for !members.Empty() {
		var m cryptobyte.String
		var tag asn1.Tag
		if !members.ReadAnyASN1Element(&m, &tag) || bytes.Compare(last, m) > 0 {
			return false
		}
		if each != nil && !each(m) {
			return false
		}
		last = m
	}
	return true
}

func sortAttributes(list attributes) []byte {
	encoded := make([][]byte, len(list))
	for i := range list {
		encoded[i] = list[i].encode()
	}
	return encodeSet(ber.Set, encoded)
}

// withUnsigned returns the SignerInfo with more unsigned attributes, in place of
// those of the same types if replace is set. What else it has stays as it came.
func (s *SignerInfo) withUnsigned(more []Attribute, replace bool) ([]byte, error) {
	list := importAttributes(more)
	replaced := func(id oid.OID) bool { return replace && list.has(id) }
	added := slices.DeleteFunc(slices.Clone(list), func(a attribute) bool { return replace && len(a.values) == 0 })
	encoded := make([][]byte, len(added))
	if _, err := added.encode(); err != nil {
		return nil, err
	}
	for i := range added {
		encoded[i] = added[i].encode()
	}
	// The elements as they came: BER where they were BER.
	fields, err := members(s.raw)
	if err != nil {
		return nil, err
	}
	var kept [][]byte
	if last := fields[len(fields)-1]; last[0] == 0xa1 {
		old, err := members(last)
		if err != nil {
			return nil, err
		}
		for _, attr := range old {
			parts, err := members(attr)
			if err != nil {
				return nil, err
			}
			var id oid.OID
			if len(parts) > 0 {
				in := cryptobyte.String(parts[0])
				oid.Read(&in, &id) // what has no type is no attribute to replace
			}
			if !replaced(id) {
				kept = append(kept, attr)
			}
		}
		fields = fields[:len(fields)-1]
	}
	if len(kept)+len(encoded) > 0 {
		fields = append(fields, addTo(ber.Context(1), true, kept, encoded))
	}
	return ber.Append(nil, ber.Sequence, true, fields...), nil
}

// Deviations returns what was tolerated of this signer.
func (s *SignerInfo) Deviations() []Deviation {
	var list []Deviation
	if s.over != nil && s.parent == nil && !s.over.announces(s.digestID) {
		list = append(list, DigestNotAnnounced)
	}
	if s.over != nil && s.parent == nil && s.over.emptied {
		list = append(list, EmptyContent)
	}
	if len(s.asSent) > 0 {
		list = append(list, AttributesNotDER)
	}
	if s.algorithm != nil && s.algorithm.KeyIdentifier() {
		list = append(list, SignatureNamesKey)
	}
	if _, deviates, _ := alg.DigestOf(s.digestID); deviates {
		list = append(list, DigestNamesSignature)
	}
	return list
}
