package chain

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"slices"

	"github.com/gosmime/gosmime/internal/x509der"
)

// A Query selects entries. Every set field must match.
type Query struct {
	Kind    Kind     // required
	Subject []byte   // DER Name
	Issuer  []byte   // DER Name
	Serial  *big.Int // with Issuer; of an OCSP response without it
	KeyID   []byte   // subject key identifier, or issuer key identifier of a CRL
	Mailbox string   // an rfc822Name or SmtpUTF8Mailbox of the certificate
}

// A Source supplies entries. It may return more than was asked for, in any
// order, though not more than [Limits.Candidates] that don't match: a Collection
// re-checks every entry against the query and treats all of it as untrusted
// input. It must be safe for concurrent use.
type Source interface {
	Find(ctx context.Context, q Query) iter.Seq2[*Entry, error]
}

// A SourceFunc is a function that is a [Source].
type SourceFunc func(ctx context.Context, q Query) iter.Seq2[*Entry, error]

// Find calls f. Of a nil f there are no entries.
func (f SourceFunc) Find(ctx context.Context, q Query) iter.Seq2[*Entry, error] {
	if f == nil {
		return func(func(*Entry, error) bool) {}
	}
	return f(ctx, q)
}

// Certs is a [Source] that holds the given certificates in memory. Of an
// *x509.Certificate only Raw is read; one without Raw is ErrMalformed.
func Certs(certs ...*x509.Certificate) Source {
	m := &memory{entries: make([]*Entry, 0, len(certs))}
	for _, c := range certs {
		if c == nil || len(c.Raw) == 0 {
			m.err = &Error{Reason: ErrMalformed, Detail: "a certificate without Raw"}
			continue
		}
		m.entries = append(m.entries, NewEntry(KindCertificate, c.Raw, "", nil))
	}
	return m
}

// DER is a [Source] that holds DER certificates, CRLs and OCSP responses in
// memory, unparsed. The elements must not be changed afterwards.
func DER(elements ...[]byte) Source {
	m := &memory{entries: make([]*Entry, len(elements))}
	for i, der := range elements {
		m.entries[i] = NewEntry(kindOf(der), der, "", nil)
	}
	return m
}

// Entries is a [Source] that holds the given entries in memory.
func Entries(entries ...*Entry) Source {
	return &memory{entries: slices.DeleteFunc(slices.Clone(entries), func(e *Entry) bool { return e == nil || e.element == nil })}
}

// PEM is a [Source] that holds every CERTIFICATE and X509 CRL block of text.
// Unlike [x509.CertPool.AppendCertsFromPEM] it fails on a block it can't use, as
// [Entry.Err] says, on one of PKCS #7, which may hold CRLs, and on a text
// without any certificate or CRL, such as DER: the error is an [*Error] for
// [ErrMalformed]. Blocks of other types and those that are commented out are
// passed over, and so is a byte order mark before the first. UTF-16 with such a
// mark is read, too.
func PEM(text []byte) (Source, error) {
	m := &memory{}
	decoded := 0
	for block := range x509der.Blocks(text) {
		decoded++
		e, err := pemEntry(block)
		if err != nil {
			return nil, err
		}
		if e != nil {
			m.entries = append(m.entries, e)
		}
	}
	if begun := x509der.BlocksBegun(text); decoded != begun {
		return nil, &Error{Reason: ErrMalformed, Detail: fmt.Sprintf("of %d PEM blocks %d can't be decoded", begun, begun-decoded)}
	}
	if len(m.entries) == 0 {
		return nil, &Error{Reason: ErrMalformed, Detail: "no certificate and no CRL in PEM"}
	}
	return m, nil
}

func pemEntry(block *pem.Block) (*Entry, error) {
	var e *Entry
	switch block.Type {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
		e = NewEntry(KindCertificate, block.Bytes, "", nil)
	case "X509 CRL", "CRL":
		e = NewEntry(KindCRL, block.Bytes, "", nil)
	case "PKCS7", "CMS", "PKCS #7 SIGNED DATA":
		return nil, &Error{Reason: ErrMalformed, Detail: "PEM block of type " + quote(block.Type) + ", which is not read here"}
	default:
		return nil, nil
	}
	if err := e.Err(); err != nil {
		return nil, &Error{Reason: ErrMalformed, Detail: "PEM block of type " + quote(block.Type), Err: err}
	}
	return e, nil
}

// Constrain returns src with c added to the constraints of each of its entries.
func Constrain(src Source, c Constraints) Source {
	c = c.clone()
	if m, ok := src.(*memory); ok {
		n := &memory{err: m.err, entries: make([]*Entry, len(m.entries))}
		for i, e := range m.entries {
			n.entries[i] = e.with(&c)
		}
		return n
	}
	return constrained{src, &c}
}

type constrained struct {
	src Source
	c   *Constraints
}

func (s constrained) Find(ctx context.Context, q Query) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		for e, err := range s.src.Find(ctx, q) {
			if e != nil {
				e = e.with(s.c)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// errSource wraps what a Source reports.
func errSource(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Reason: ErrSource, Err: err}
}
