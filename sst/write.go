package sst

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Write writes the store: header, elements in order, end marker. A store that
// was read and not changed is written back byte for byte. What a strict [Read]
// would refuse is an [*Error], and nothing is written.
//
// All properties are written, also PropKeyProvider, which names a private key
// of one machine: take it out of a store that goes elsewhere.
func Write(w io.Writer, s *Store) error {
	for i := range s.Elements {
		if err := s.Elements[i].check(i); err != nil {
			return err
		}
	}
	const chunk = 64 << 10
	b := make([]byte, 0, chunk)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, fileType)
	for i := range s.Elements {
		b = s.Elements[i].append(b)
		if len(b) >= chunk/2 {
			if _, err := bytes.NewReader(b).WriteTo(w); err != nil { // which tells what w did not take
				return err
			}
			b = b[:0]
		}
	}
	_, err := bytes.NewReader(append(b, make([]byte, recordSize)...)).WriteTo(w)
	return err
}

// check refuses what can't be written so that it can be read again.
func (e *Element) check(index int) error {
	fail := func(problem Problem, id PropertyID, reason string) error {
		return &Error{Problem: problem, Offset: e.offset, Element: index, Property: id, Reason: reason}
	}
	if !isContext(uint32(e.Kind)) {
		return fail(ErrNoContext, 0, e.Kind.String())
	}
	if !isSequence(e.DER) || uint64(len(e.DER)) > math.MaxUint32 {
		return fail(ErrNotDER, 0, e.Kind.String()+" is not one DER element")
	}
	for _, p := range e.Properties {
		switch {
		case p.ID == 0 || isContext(uint32(p.ID)) || p.ID > math.MaxUint16:
			return fail(ErrPropertyID, 0, fmt.Sprintf("property identifier %#x", uint32(p.ID)))
		case p.Encoding > x509ASN:
			return fail(ErrEncoding, p.ID, fmt.Sprintf("encoding type %d", p.Encoding))
		case uint64(len(p.Value)) > math.MaxUint32:
			return fail(ErrProperty, p.ID, "too long")
		}
	}
	return nil
}

func (e *Element) append(b []byte) []byte {
	for _, p := range e.Properties {
		b = appendRecord(b, uint32(p.ID), p.Value)
	}
	return appendRecord(b, uint32(e.Kind), e.DER)
}

func appendRecord(b []byte, id uint32, value []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, id)
	b = binary.LittleEndian.AppendUint32(b, x509ASN)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
	return append(b, value...)
}
