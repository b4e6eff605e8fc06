package exchange

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

// CertificateRetrieval says which certificates a [ResolveRecipientsRequest]
// wants.
type CertificateRetrieval int

const (
	RetrieveNone CertificateRetrieval = 1
	RetrieveFull CertificateRetrieval = 2
	// RetrieveMini asks for mini-certificates.
	//
	// DEVIATION: full certificates are returned in their place, because the
	// form of a mini-certificate is not published.
	RetrieveMini CertificateRetrieval = 3
)

// A ResolveRecipientsRequest is a request of the ActiveSync command
// ResolveRecipients (MS-ASCMD 2.2.1.15), as far as it is about certificates. It
// is an xml.Marshaler and xml.Unmarshaler.
type ResolveRecipientsRequest struct {
	To              []string // addresses
	Retrieval       CertificateRetrieval
	MaxCertificates int // of the whole response, 0 to 9999; 0: 9999
}

// A ResolveRecipientsResponse is the response to a [ResolveRecipientsRequest].
type ResolveRecipientsResponse struct {
	Status    int                 // of the command: 1 is success, 5 a protocol error, 6 a server error
	Responses []RecipientResponse // one for each address of the request
}

// A RecipientResponse says what one address was resolved to.
type RecipientResponse struct {
	To         string
	Status     int // 1 resolved, 2 ambiguous, 4 not resolved
	Recipients []ResolvedRecipient
}

// A ResolvedRecipient is one person with the certificate to encrypt to.
type ResolvedRecipient struct {
	Type         int // 1 a contact, 2 an entry of the global address list
	DisplayName  string
	EmailAddress string
	// CertificateStatus is 1 if the certificate is returned, 7 if there is no
	// valid one and 8 if MaxCertificates was reached; 0: none was asked for.
	CertificateStatus int
	Certificates      [][]byte // DER
	NotReturned       int      // with status 8: how many certificates were left out
}

// Answer resolves each address in the directory and finds a certificate that is
// valid for it under trust, by its proxy addresses too. opts may be nil. The
// status of the whole is 6 if a certificate could not be looked for. The error
// is a [*SettingError] for a request or directory that is missing, or that of
// ctx.
func (q *ResolveRecipientsRequest) Answer(ctx context.Context, d *Directory, trust *chain.Collection, opts *smime.RecipientOptions) (*ResolveRecipientsResponse, error) {
	switch {
	case q == nil || len(q.To) == 0:
		return nil, &SettingError{Name: "ResolveRecipients", Reason: "has no address"}
	case len(q.To) > maxItems:
		return nil, &SettingError{Name: "ResolveRecipients", Reason: "has too many addresses"}
	case d == nil:
		return nil, &SettingError{Name: "ResolveRecipients", Reason: "has no directory"}
	case q.Retrieval < 0 || q.Retrieval > RetrieveMini || q.MaxCertificates < 0 || q.MaxCertificates > 9999:
		return &ResolveRecipientsResponse{Status: 5}, nil
	}
	left := q.MaxCertificates
	if left == 0 {
		left = 9999
	}
	trust = trust.With(chain.Untrusted(d.Source()))
	response := &ResolveRecipientsResponse{Status: 1}
	for _, to := range q.To {
		r := RecipientResponse{To: to, Status: 4}
		entries := d.by[strings.ToLower(to)]
		switch {
		case len(entries) == 1:
			r.Status = 1
		case len(entries) > 1:
			r.Status = 2
		}
		for _, e := range entries {
			p := ResolvedRecipient{Type: 2, DisplayName: e.Mailbox, EmailAddress: e.Mailbox}
			if r.Status == 1 && (q.Retrieval == RetrieveFull || q.Retrieval == RetrieveMini) {
				found, err := FindRecipients(ctx, []Person{d.Person(to)}, trust, opts)
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				status, ok := ResolveStatus(err)
				if !ok {
					return &ResolveRecipientsResponse{Status: 6}, nil
				}
				p.CertificateStatus = status
				switch {
				case status == 1 && left == 0:
					p.CertificateStatus, p.NotReturned = 8, 1
				case status == 1:
					left--
					p.Certificates = [][]byte{found[0].Certificate().Raw}
				}
			}
			r.Recipients = append(r.Recipients, p)
		}
		response.Responses = append(response.Responses, r)
	}
	return response, nil
}

// resolveRecipients has the elements of the request.
type resolveRecipients struct {
	To      []string
	Options *resolveOptions
}

type resolveOptions struct {
	CertificateRetrieval *int
	MaxCertificates      *int
}

// resolveResponse has those of the response.
type resolveResponse struct {
	Status   int
	Response []resolvedAddress
}

type resolvedAddress struct {
	To             string
	Status         int
	RecipientCount int
	Recipient      []resolvedPerson
}

type resolvedPerson struct {
	Type         int
	DisplayName  string
	EmailAddress string
	Certificates *resolvedCertificates
}

type resolvedCertificates struct {
	Status           int
	CertificateCount int
	RecipientCount   int
	Certificate      []base64Text
}

const resolveCommand = "ResolveRecipients"

// MarshalXML writes the request.
func (q ResolveRecipientsRequest) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	v := resolveRecipients{To: q.To}
	if q.Retrieval != 0 || q.MaxCertificates != 0 {
		v.Options = new(resolveOptions)
		if q.Retrieval != 0 {
			v.Options.CertificateRetrieval = new(int(q.Retrieval))
		}
		if q.MaxCertificates != 0 {
			v.Options.MaxCertificates = &q.MaxCertificates
		}
	}
	return e.EncodeElement(v, root(resolveCommand))
}

// UnmarshalXML reads the request. The error wraps [ErrMalformed] if the document
// is another or has more than 1000 addresses.
func (q *ResolveRecipientsRequest) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	var v resolveRecipients
	if err := decodeCommand(d, start, resolveCommand, &v); err != nil {
		return err
	}
	if len(v.To) > maxItems {
		return fmt.Errorf("%w: too many addresses", ErrMalformed)
	}
	*q = ResolveRecipientsRequest{To: v.To}
	if o := v.Options; o != nil {
		if o.CertificateRetrieval != nil {
			q.Retrieval = CertificateRetrieval(*o.CertificateRetrieval)
		}
		if o.MaxCertificates != nil {
			q.MaxCertificates = *o.MaxCertificates
		}
	}
	return nil
}

// MarshalXML writes the response.
func (p ResolveRecipientsResponse) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	v := resolveResponse{Status: p.Status}
	for _, r := range p.Responses {
		a := resolvedAddress{To: r.To, Status: r.Status, RecipientCount: len(r.Recipients)}
		for _, x := range r.Recipients {
			person := resolvedPerson{Type: x.Type, DisplayName: x.DisplayName, EmailAddress: x.EmailAddress}
			if x.CertificateStatus != 0 {
				person.Certificates = &resolvedCertificates{Status: x.CertificateStatus, CertificateCount: len(x.Certificates) + x.NotReturned, RecipientCount: 1}
				for _, der := range x.Certificates {
					person.Certificates.Certificate = append(person.Certificates.Certificate, der)
				}
			}
			a.Recipient = append(a.Recipient, person)
		}
		v.Response = append(v.Response, a)
	}
	return e.EncodeElement(v, root(resolveCommand))
}

// UnmarshalXML reads the response.
func (p *ResolveRecipientsResponse) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	var v resolveResponse
	if err := decodeCommand(d, start, resolveCommand, &v); err != nil {
		return err
	}
	*p = ResolveRecipientsResponse{Status: v.Status}
	for _, a := range v.Response {
		r := RecipientResponse{To: a.To, Status: a.Status}
		for _, x := range a.Recipient {
			person := ResolvedRecipient{Type: x.Type, DisplayName: x.DisplayName, EmailAddress: x.EmailAddress}
			if c := x.Certificates; c != nil {
				person.CertificateStatus = c.Status
				for _, der := range c.Certificate {
					person.Certificates = append(person.Certificates, der)
				}
				person.NotReturned = max(c.CertificateCount-len(c.Certificate), 0)
			}
			r.Recipients = append(r.Recipients, person)
		}
		p.Responses = append(p.Responses, r)
	}
	return nil
}
