package exchange

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/gosmime/gosmime/chain"
)

// maxItems bounds the certificates or recipients of one ActiveSync command.
const maxItems = 1000

// A ValidateCertRequest is a request of the ActiveSync command ValidateCert
// (MS-ASCMD 2.2.1.22). It is an xml.Marshaler and xml.Unmarshaler; WBXML, its
// form in transit, is for the server to decode. Certificates are in DER.
type ValidateCertRequest struct {
	Chain        [][]byte // of CAs, to build paths with; they vouch for nobody
	Certificates [][]byte // to validate
	CheckCRL     bool     // fail where revocation can't be found out
}

// A ValidateCertResponse is the response to a [ValidateCertRequest].
type ValidateCertResponse struct {
	Status       int   // of the command: 1 is success
	Certificates []int // the status of each certificate, in the order of the request
}

// Answer validates each certificate for signing mail and returns the response.
// The addresses are not compared, because the request has none. Where the
// request has CheckCRL, revocation must be known for each certificate of a path;
// else opts decides. The error is a [*SettingError] for a request that asks for
// nothing or too much, or that of ctx.
func (q *ValidateCertRequest) Answer(ctx context.Context, trust *chain.Collection, opts chain.Options) (*ValidateCertResponse, error) {
	if q == nil || len(q.Certificates) == 0 {
		return nil, &SettingError{Name: "ValidateCert", Reason: "has no certificate"}
	}
	if len(q.Certificates)+len(q.Chain) > maxItems {
		return nil, &SettingError{Name: "ValidateCert", Reason: "has too many certificates"}
	}
	if q.CheckCRL {
		opts.Revocation = chain.RevocationRequireAll
	}
	var helpers []*chain.Entry
	for _, der := range q.Chain {
		helpers = append(helpers, chain.NewEntry(chain.KindCertificate, der, "CertificateChain", nil))
	}
	known := trust != nil
	trust = trust.With(chain.Untrusted(chain.Entries(helpers...)))
	response := &ValidateCertResponse{Status: 1}
	for _, der := range q.Certificates {
		cert, err := parseCertificate(der)
		if err != nil {
			response.Certificates = append(response.Certificates, 10)
			continue
		}
		if known {
			_, err = trust.Verify(ctx, cert, chain.Policy{Purpose: chain.EmailSigning, InsecureAnyMailbox: true, Options: opts})
		} else {
			err = ErrNoCollection
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		response.Certificates = append(response.Certificates, ValidateCertStatus(cert, err))
	}
	return response, nil
}

// base64Text is the content of an element in base64, which may be folded.
type base64Text []byte

func (b base64Text) MarshalText() ([]byte, error) {
	return []byte(base64.StdEncoding.EncodeToString(b)), nil
}

func (b *base64Text) UnmarshalText(text []byte) (err error) {
	if *b, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(text)), "")); err != nil {
		return fmt.Errorf("%w: a certificate that is no base64", ErrMalformed)
	}
	return nil
}

// certificateList is an element with certificates in it.
type certificateList struct {
	Certificate []base64Text
}

func listOf(ders [][]byte) *certificateList {
	if ders == nil {
		return nil
	}
	l := new(certificateList)
	for _, der := range ders {
		l.Certificate = append(l.Certificate, der)
	}
	return l
}

func (l *certificateList) ders() [][]byte {
	if l == nil {
		return nil
	}
	var ders [][]byte
	for _, c := range l.Certificate {
		ders = append(ders, c)
	}
	return ders
}

// validateCert has the elements of both documents.
type validateCert struct {
	Status           *int
	CertificateChain *certificateList
	Certificates     *certificateList
	CheckCRL         *int
	Certificate      []certificateStatus
}

type certificateStatus struct{ Status int }

// checkRoot returns an error unless the document is that of the command.
func checkRoot(start xml.StartElement, command string) error {
	space := strings.TrimSuffix(start.Name.Space, ":")
	if start.Name.Local != command || space != "" && space != command {
		return fmt.Errorf("%w: the document is not of the command %s", ErrMalformed, command)
	}
	return nil
}

func root(command string) xml.StartElement {
	return xml.StartElement{Name: xml.Name{Space: command, Local: command}}
}

// MarshalXML writes the request.
func (q ValidateCertRequest) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	v := validateCert{CertificateChain: listOf(q.Chain), Certificates: listOf(q.Certificates)}
	if q.CheckCRL {
		v.CheckCRL = new(1)
	}
	return e.EncodeElement(v, root("ValidateCert"))
}

// UnmarshalXML reads the request. The error wraps [ErrMalformed] if the document
// is another or has more than 1000 certificates.
func (q *ValidateCertRequest) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	var v validateCert
	if err := decodeCommand(d, start, "ValidateCert", &v); err != nil {
		return err
	}
	*q = ValidateCertRequest{Chain: v.CertificateChain.ders(), Certificates: v.Certificates.ders(), CheckCRL: v.CheckCRL != nil && *v.CheckCRL != 0}
	if len(q.Chain)+len(q.Certificates) > maxItems {
		return fmt.Errorf("%w: too many certificates", ErrMalformed)
	}
	return nil
}

// MarshalXML writes the response.
func (p ValidateCertResponse) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	v := validateCert{Status: &p.Status}
	for _, s := range p.Certificates {
		v.Certificate = append(v.Certificate, certificateStatus{s})
	}
	return e.EncodeElement(v, root("ValidateCert"))
}

// UnmarshalXML reads the response.
func (p *ValidateCertResponse) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	var v validateCert
	if err := decodeCommand(d, start, "ValidateCert", &v); err != nil {
		return err
	}
	if v.Status == nil {
		return fmt.Errorf("%w: no status", ErrMalformed)
	}
	*p = ValidateCertResponse{Status: *v.Status}
	for _, c := range v.Certificate {
		p.Certificates = append(p.Certificates, c.Status)
	}
	return nil
}

func decodeCommand(d *xml.Decoder, start xml.StartElement, command string, v any) error {
	if err := checkRoot(start, command); err != nil {
		return err
	}
	return d.DecodeElement(v, &start)
}
