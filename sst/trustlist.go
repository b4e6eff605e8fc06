package sst

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// A TrustList is a certificate trust list (CTL), the content of an .stl file or of a CTL
// element. What it says of its subjects depends on its usage: the list of
// banned certificates is one, too.
type TrustList struct {
	Usage            []asn1.ObjectIdentifier
	ListIdentifier   []byte
	SequenceNumber   *big.Int // nil if absent
	ThisUpdate       time.Time
	NextUpdate       time.Time             // zero if absent
	SubjectAlgorithm asn1.ObjectIdentifier // of the identifiers, such as SHA-1
	Subjects         []TrustListSubject
	Extensions       []pkix.Extension
}

// A TrustListSubject names one certificate by the digest that the list uses and
// carries the properties that Windows would give it.
type TrustListSubject struct {
	Identifier []byte
	Properties []Property
	Attributes [][]byte // DER of the attributes that are not properties
}

const (
	maxTrustList = 64 << 20
	maxSubjects  = 1_000_000
	// maxAttributes bounds those of all subjects.
	maxAttributes = 4_000_000
)

// ParseTrustList reads an .stl file. Its signature is not checked;
// [VerifyTrustList] does that. The error is an [*Error] for [ErrTrustList] or
// [ErrLimit].
func ParseTrustList(der []byte) (*TrustList, error) {
	list, err := openTrustList(der)
	if err != nil {
		return nil, err
	}
	return list.parse()
}

// VerifyTrustList reads an .stl file and returns the list only if all of its
// signatures are good and trust accepts their signers, whom it returns. Of a
// purpose trust has to judge itself: the list of Windows Update is signed for
// 1.3.6.1.4.1.311.10.3.9. Errors are those of pkcs7.Verify, [ParseTrustList]
// and r.
func VerifyTrustList(ctx context.Context, r io.Reader, trust pkcs7.TrustFunc, opts *pkcs7.ReadOptions) (*TrustList, []*x509.Certificate, error) {
	file, err := readAll(r, maxTrustList)
	if err != nil {
		return nil, nil, err
	}
	list, err := openTrustList(file)
	if err != nil {
		return nil, nil, err
	}
	var o pkcs7.ReadOptions
	if opts != nil {
		o = *opts
	}
	o.PKCS7Content = true
	var content bytes.Buffer
	signers, err := pkcs7.Verify(ctx, &content, bytes.NewReader(file), nil, trust, &o)
	if err != nil {
		return nil, nil, err
	}
	// RFC 5652 section 5.2.1: signed are the contents octets, without the header.
	if !bytes.Equal(content.Bytes(), list.body) {
		return nil, nil, list.fail(list.body, "what is signed is not the list")
	}
	certs := make([]*x509.Certificate, len(signers))
	for i, s := range signers {
		certs[i] = s.Certificate()
	}
	l, err := list.parse()
	return l, certs, err
}

// A listReader parses the DER of a list that lies at an offset of a file.
type listReader struct {
	body   cryptobyte.String // contents octets of the CTL
	end    int64             // offset of its end in the file
	budget int               // of attributes
}

// openTrustList finds the list in a SignedData of PKCS #7 1.5, whose content is the
// SEQUENCE itself and not an OCTET STRING with it.
//
//	ContentInfo ::= SEQUENCE { contentType signedData, content [0] EXPLICIT SignedData }
//	SignedData  ::= SEQUENCE { version, digestAlgorithms,
//	    contentInfo SEQUENCE { contentType szOID_CTL, content [0] EXPLICIT CertificateTrustList },
//	    certificates [0] OPTIONAL, crls [1] OPTIONAL, signerInfos SET }
func openTrustList(file []byte) (*listReader, error) {
	r := ber.NewReader(bytes.NewReader(file), ber.Limits{Bytes: maxTrustList})
	list, err := findTrustList(r)
	if err == nil {
		return list, nil
	}
	e := &Error{Problem: ErrTrustList, Offset: r.Offset(), Element: -1, Reason: "not a PKCS #7 file with a certificate trust list", err: err}
	switch b := err.(type) {
	case *ber.SyntaxError:
		e.Offset = b.Offset
	case *ber.LimitError:
		e.Problem, e.Offset = ErrLimit, b.Offset
	}
	return nil, e
}

type wrongType string

func (w wrongType) Error() string { return string(w) }

func findTrustList(r *ber.Reader) (*listReader, error) {
	steps := ber.Context(0)
	if err := enterType(r, oid.SignedData); err != nil {
		return nil, err
	}
	if err := r.Enter(steps); err != nil {
		return nil, err
	}
	if err := r.Enter(ber.Sequence); err != nil {
		return nil, err
	}
	if _, err := r.Contents(ber.Integer, 8); err != nil {
		return nil, err
	}
	if err := skipAll(r, ber.Set); err != nil {
		return nil, err
	}
	if err := enterType(r, oid.MicrosoftCTL); err != nil {
		return nil, err
	}
	if err := r.Enter(steps); err != nil {
		return nil, err
	}
	raw, err := r.Raw(maxTrustList)
	if err != nil {
		return nil, err
	}
	list := &listReader{end: r.Offset(), budget: maxAttributes}
	whole := cryptobyte.String(raw)
	if !whole.ReadASN1(&list.body, cbasn1.SEQUENCE) || !whole.Empty() {
		return nil, wrongType("the list is not a DER SEQUENCE")
	}
	for range 2 { // [0] EXPLICIT and the inner ContentInfo
		if err := r.Leave(); err != nil {
			return nil, err
		}
	}
	for tag := range uint32(2) {
		if e, err := r.Next(); err == nil && e.Tag == ber.Context(tag) {
			if err := r.Skip(); err != nil {
				return nil, err
			}
		}
	}
	if err := skipAll(r, ber.Set); err != nil {
		return nil, err
	}
	for range 3 { // SignedData, [0] EXPLICIT, ContentInfo
		if err := r.Leave(); err != nil {
			return nil, err
		}
	}
	return list, r.End()
}

// enterType enters a ContentInfo of that type, up to its type.
func enterType(r *ber.Reader, want oid.OID) error {
	if err := r.Enter(ber.Sequence); err != nil {
		return err
	}
	got, err := r.Contents(ber.OID, 64)
	if err != nil {
		return err
	}
	if oid.OID(got) != want {
		return wrongType(fmt.Sprintf("content type %v instead of %v", oid.OID(got), want))
	}
	return nil
}

// skipAll consumes a constructed element and all in it.
func skipAll(r *ber.Reader, tag ber.Tag) error {
	if err := r.Enter(tag); err != nil {
		return err
	}
	for {
		switch _, err := r.Next(); err {
		case nil:
			if err := r.Skip(); err != nil {
				return err
			}
		case io.EOF:
			return r.Leave()
		default:
			return err
		}
	}
}

// fail is the error of what begins where rest does.
func (r *listReader) fail(rest []byte, reason string) *Error {
	// All that is read ends with the same memory as the list.
	return &Error{Problem: ErrTrustList, Offset: r.end - int64(cap(rest)) + int64(cap(r.body)-len(r.body)), Element: -1, Reason: reason}
}

// parse reads
//
//	CertificateTrustList ::= SEQUENCE {
//	    version            INTEGER DEFAULT v1,
//	    subjectUsage       SEQUENCE OF OBJECT IDENTIFIER,
//	    listIdentifier     OCTET STRING OPTIONAL,
//	    sequenceNumber     INTEGER OPTIONAL,
//	    ctlThisUpdate      Time,
//	    ctlNextUpdate      Time OPTIONAL,
//	    subjectAlgorithm   AlgorithmIdentifier,
//	    trustedSubjects    SEQUENCE OF TrustedSubject OPTIONAL,
//	    ctlExtensions  [0] EXPLICIT Extensions OPTIONAL }
func (r *listReader) parse() (*TrustList, error) {
	s, l := r.body, &TrustList{}
	var usage cryptobyte.String
	if s.PeekASN1Tag(cbasn1.INTEGER) && !s.SkipASN1(cbasn1.INTEGER) {
		return nil, r.fail(s, "bad version")
	}
	if !s.ReadASN1(&usage, cbasn1.SEQUENCE) {
		return nil, r.fail(s, "no subjectUsage")
	}
	for !usage.Empty() {
		var o asn1.ObjectIdentifier
		if !usage.ReadASN1ObjectIdentifier(&o) {
			return nil, r.fail(usage, "bad subjectUsage")
		}
		l.Usage = append(l.Usage, o)
	}
	if s.PeekASN1Tag(cbasn1.OCTET_STRING) && !s.ReadASN1Bytes(&l.ListIdentifier, cbasn1.OCTET_STRING) {
		return nil, r.fail(s, "bad listIdentifier")
	}
	if s.PeekASN1Tag(cbasn1.INTEGER) {
		if l.SequenceNumber = new(big.Int); !s.ReadASN1Integer(l.SequenceNumber) {
			return nil, r.fail(s, "bad sequenceNumber")
		}
	}
	if !x509der.ReadTime(&s, &l.ThisUpdate) {
		return nil, r.fail(s, "bad ctlThisUpdate")
	}
	if (s.PeekASN1Tag(cbasn1.UTCTime) || s.PeekASN1Tag(cbasn1.GeneralizedTime)) && !x509der.ReadTime(&s, &l.NextUpdate) {
		return nil, r.fail(s, "bad ctlNextUpdate")
	}
	var algorithm cryptobyte.String
	if !s.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&l.SubjectAlgorithm) {
		return nil, r.fail(s, "bad subjectAlgorithm")
	}
	if err := r.subjects(&s, l); err != nil {
		return nil, err
	}
	if err := r.extensions(&s, l); err != nil {
		return nil, err
	}
	if !s.Empty() {
		return nil, r.fail(s, "unexpected element")
	}
	return l, nil
}

// subjects reads
//
//	TrustedSubject ::= SEQUENCE { subjectIdentifier OCTET STRING,
//	    subjectAttributes SET OF Attribute OPTIONAL }
func (r *listReader) subjects(s *cryptobyte.String, l *TrustList) error {
	if !s.PeekASN1Tag(cbasn1.SEQUENCE) {
		return nil
	}
	var list cryptobyte.String
	if !s.ReadASN1(&list, cbasn1.SEQUENCE) {
		return r.fail(*s, "bad trustedSubjects")
	}
	for !list.Empty() {
		at := list
		var subject, attributes cryptobyte.String
		var t TrustListSubject
		var present bool
		if !list.ReadASN1(&subject, cbasn1.SEQUENCE) || !subject.ReadASN1((*cryptobyte.String)(&t.Identifier), cbasn1.OCTET_STRING) ||
			!subject.ReadOptionalASN1(&attributes, &present, cbasn1.SET) || !subject.Empty() {
			return r.fail(at, "bad subject")
		}
		for !attributes.Empty() {
			if err := r.attribute(&attributes, &t); err != nil {
				return err
			}
		}
		if len(l.Subjects) >= maxSubjects {
			return &Error{Problem: ErrLimit, Offset: r.fail(at, "").Offset, Element: -1, Reason: "too many subjects"}
		}
		l.Subjects = append(l.Subjects, t)
	}
	return nil
}

// propertyArc is szOID_CERT_PROP_ID_PREFIX, 1.3.6.1.4.1.311.10.11, which is
// followed by the identifier of a property.
const propertyArc oid.OID = "\x2b\x06\x01\x04\x01\x82\x37\x0a\x0b"

// attribute reads
//
//	Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }
//
// The SET OF one OCTET STRING of a property holds the value of the property.
func (r *listReader) attribute(s *cryptobyte.String, t *TrustListSubject) error {
	at := *s
	var whole, body, values, value cryptobyte.String
	var id oid.OID
	if !s.ReadASN1Element(&whole, cbasn1.SEQUENCE) {
		return r.fail(at, "bad attribute")
	}
	if r.budget--; r.budget < 0 {
		return &Error{Problem: ErrLimit, Offset: r.fail(at, "").Offset, Element: -1, Reason: "too many attributes"}
	}
	if element := whole; !element.ReadASN1(&body, cbasn1.SEQUENCE) || !oid.Read(&body, &id) || !body.ReadASN1(&values, cbasn1.SET) || !body.Empty() {
		return r.fail(at, "bad attribute")
	}
	if !id.Child(propertyArc) {
		t.Attributes = append(t.Attributes, whole)
		return nil
	}
	n, ok := propertyOf(id)
	if !ok || !values.ReadASN1(&value, cbasn1.OCTET_STRING) || !values.Empty() {
		return r.fail(at, "bad property")
	}
	t.Properties = append(t.Properties, Property{ID: n, Encoding: x509ASN, Value: value})
	return nil
}

// propertyOf returns the identifier that follows the arc, which a store must be
// able to hold.
func propertyOf(id oid.OID) (PropertyID, bool) {
	var n PropertyID
	rest := id[len(propertyArc):]
	for i := range len(rest) {
		n = n<<7 | PropertyID(rest[i]&0x7f)
		if last := rest[i]&0x80 == 0; last != (i == len(rest)-1) || n > 0xffff {
			return 0, false
		}
	}
	return n, n != 0 && !isContext(uint32(n))
}

// extensions reads what may, other than in a certificate, have the same
// extension more than once: a catalogue has one for each name and value.
func (r *listReader) extensions(s *cryptobyte.String, l *TrustList) error {
	tag := cbasn1.Tag(0).Constructed().ContextSpecific()
	if !s.PeekASN1Tag(tag) {
		return nil
	}
	var explicit, list cryptobyte.String
	if !s.ReadASN1(&explicit, tag) {
		return r.fail(*s, "bad ctlExtensions")
	}
	if at := explicit; !explicit.ReadASN1(&list, cbasn1.SEQUENCE) || !explicit.Empty() || list.Empty() {
		return r.fail(at, "bad ctlExtensions")
	}
	for !list.Empty() {
		at := list
		var x x509der.Extension
		if !x509der.ReadExtension(&list, &x) {
			return r.fail(at, "bad extension")
		}
		if r.budget--; r.budget < 0 {
			return &Error{Problem: ErrLimit, Offset: r.fail(at, "").Offset, Element: -1, Reason: "too many extensions"}
		}
		var id asn1.ObjectIdentifier
		der := cryptobyte.String(ber.Append(nil, ber.OID, false, []byte(x.ID)))
		if !der.ReadASN1ObjectIdentifier(&id) {
			return r.fail(at, "bad extension identifier")
		}
		l.Extensions = append(l.Extensions, pkix.Extension{Id: id, Critical: x.Critical, Value: x.Value})
	}
	return nil
}
