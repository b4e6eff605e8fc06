package sst

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"slices"

	"github.com/gosmime/gosmime/internal/x509der"
)

// Mismatches recomputes the hashes and key identifiers that the properties
// hold and returns an [ErrMismatch] for each that is another than the one of its
// certificate, CRL or CTL. Nothing is decided by those properties: Windows
// recomputes them too. What can't be recomputed from the element alone, such as a hash of the
// issuer's key, is passed over.
func (s *Store) Mismatches() []*Error {
	var list []*Error
	for i := range s.Elements {
		e := &s.Elements[i]
		var sums hashed
		for _, p := range e.Properties {
			if p.ID.form() != hash {
				continue
			}
			want := sums.of(e, p.ID, len(p.Value))
			if want != nil && !slices.ContainsFunc(want, func(w []byte) bool { return bytes.Equal(w, p.Value) }) {
				list = append(list, &Error{Problem: ErrMismatch, Offset: e.offset, Element: i, Property: p.ID,
					Reason: fmt.Sprintf("is not that of the %v", e.Kind)})
			}
		}
	}
	return list
}

// hashed has what was computed of one element: a large one with many
// properties must not be hashed for each of them.
type hashed struct {
	sums   map[hashName][][]byte
	parsed bool
	cert   *x509der.Certificate // nil: none that can be read
}

type hashName struct {
	id     PropertyID
	length int // of a PropSignatureHash, else 0
}

// of returns the values that a property of that length may have; nil: any.
func (h *hashed) of(e *Element, id PropertyID, length int) [][]byte {
	name := hashName{id: id}
	if id == PropSignatureHash && length <= sha512.Size {
		name.length = length
	}
	if sums, ok := h.sums[name]; ok {
		return sums
	}
	if !h.parsed && e.Kind == Certificate {
		h.cert, _ = x509der.Parse(e.DER)
		h.parsed = true
	}
	if h.sums == nil {
		h.sums = make(map[hashName][][]byte)
	}
	sums := e.hashes(h.cert, id, name.length)
	h.sums[name] = sums
	return sums
}

func (e *Element) hashes(c *x509der.Certificate, id PropertyID, length int) [][]byte {
	switch id {
	case PropSHA1:
		return one(sha1.Sum(e.DER))
	case PropMD5:
		return one(md5.Sum(e.DER))
	case PropSHA256, PropAuthRootSHA256:
		return one(sha256.Sum256(e.DER))
	}
	if c == nil {
		return nil
	}
	switch id {
	case PropSignatureHash:
		return digest(c.TBS, length)
	case PropKeyIdentifier:
		if c.SubjectKeyID != nil {
			return [][]byte{c.SubjectKeyID}
		}
		return one(sha1.Sum(c.SPKI))
	case PropSubjectKeyMD5:
		return append(one(md5.Sum(c.SPKI)), one(md5.Sum(c.KeyBits()))...)
	case PropIssuerSerialMD5:
		// The serial number is in the order of its encoding or, as in the
		// structures of Windows, reversed.
		reversed := slices.Clone(c.SerialDER)
		slices.Reverse(reversed)
		return append(one(md5.Sum(slices.Concat(c.Issuer, c.SerialDER))), one(md5.Sum(slices.Concat(c.Issuer, reversed)))...)
	case PropSubjectNameMD5:
		return one(md5.Sum(c.Subject))
	case PropKeyPin:
		return one(sha256.Sum256(c.SPKI))
	}
	return nil
}

// digest returns the hash of b that has that length.
func digest(b []byte, length int) [][]byte {
	switch length {
	case md5.Size:
		return one(md5.Sum(b))
	case sha1.Size:
		return one(sha1.Sum(b))
	case sha256.Size:
		return one(sha256.Sum256(b))
	case sha512.Size384:
		return one(sha512.Sum384(b))
	case sha512.Size:
		return one(sha512.Sum512(b))
	}
	return [][]byte{} // no hash is that long
}

func one[A [16]byte | [20]byte | [32]byte | [48]byte | [64]byte](sum A) [][]byte {
	var b []byte
	switch s := any(sum).(type) {
	case [16]byte:
		b = s[:]
	case [20]byte:
		b = s[:]
	case [32]byte:
		b = s[:]
	case [48]byte:
		b = s[:]
	case [64]byte:
		b = s[:]
	}
	return [][]byte{b}
}
