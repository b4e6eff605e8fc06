package sst

import (
	"bytes"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Kind is the kind of an [Element].
type Kind uint32

const (
	Certificate Kind = 0x20
	CRL         Kind = 0x21
	CTL         Kind = 0x22
)

func (k Kind) String() string {
	switch k {
	case Certificate:
		return "certificate"
	case CRL:
		return "CRL"
	case CTL:
		return "CTL"
	}
	return fmt.Sprintf("kind %#x", uint32(k))
}

// An Element is a certificate, CRL or CTL with its properties. The DER of a
// CTL is that of a whole .stl file.
type Element struct {
	Kind       Kind
	DER        []byte     // not parsed by this package
	Properties []Property // in file order, unknown ones included
	offset     int64      // in the file it was read from
}

// NewElement returns an element for a DER certificate, CRL or CTL without
// properties. Adding properties is up to the caller. The error is an [*Error].
func NewElement(kind Kind, der []byte) (Element, error) {
	e := Element{Kind: kind, DER: der}
	return e, e.check(-1)
}

// FriendlyName returns the name shown to users, or "" if there is none that can
// be read.
func (e *Element) FriendlyName() string {
	p, _ := e.Lookup(PropFriendlyName)
	s, _ := p.Text()
	return s
}

// Property returns the value of the first property with that id.
func (e *Element) Property(id PropertyID) (value []byte, ok bool) {
	p, ok := e.Lookup(id)
	return p.Value, ok
}

// Lookup returns the first property with that id, whose methods decode it.
func (e *Element) Lookup(id PropertyID) (Property, bool) {
	for _, p := range e.Properties {
		if p.ID == id {
			return p, true
		}
	}
	return Property{}, false
}

// Archived reports whether the element is kept for reference only, as a
// certificate that was replaced is.
func (e *Element) Archived() bool {
	_, ok := e.Lookup(PropArchived)
	return ok
}

// MarshalBinary returns e as a single serialized element, the form of the
// registry. The error is an [*Error].
func (e *Element) MarshalBinary() ([]byte, error) {
	if err := e.check(-1); err != nil {
		return nil, err
	}
	return e.append(nil), nil
}

// ReadElement reads a single serialized element, which has no header and no
// end marker: the value of a SystemCertificates registry Blob or file. As
// Windows does it accepts zeros after the element, and properties after the
// certificate. The error is an [*Error].
func ReadElement(b []byte) (*Element, error) {
	var o ReadOptions
	p := newParser(b, o.withDefaults())
	var found *Element
	for p.at < len(b) {
		if found != nil && zero(b[p.at:]) {
			break
		}
		r, err := p.record()
		if err != nil {
			return nil, err
		}
		switch {
		case r.id == 0 && found == nil:
			return nil, p.fail(ErrNoContext, r.offset, "the element ends before a certificate, CRL or CTL")
		case r.id == 0:
			return nil, p.fail(ErrTrailing, r.offset, "data after the element")
		case !isContext(r.id):
			err = p.property(r)
		case found != nil:
			return nil, p.fail(ErrTrailing, r.offset, "more than one certificate, CRL or CTL")
		default:
			if err = p.context(r); err == nil {
				found = &p.store.Elements[0]
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if found == nil {
		return nil, p.fail(ErrNoContext, int64(len(b)), "no certificate, CRL or CTL")
	}
	found.Properties = append(found.Properties, p.pending()...)
	return found, nil
}

func zero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

// isSequence reports whether b is one SEQUENCE with a DER length.
func isSequence(b []byte) bool {
	s := cryptobyte.String(b)
	return s.SkipASN1(asn1.SEQUENCE) && s.Empty()
}
