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
		for _, p := range e.Properties {
			if p.ID.form() != hash {
				continue
			}
			want := e.hashes(p.ID, len(p.Value))
			if want != nil && !slices.ContainsFunc(want, func(w []byte) bool { return bytes.Equal(w, p.Value) }) {
				list = append(list, &Error{Problem: ErrMismatch, Offset: e.offset, Element: i, Property: p.ID,
					Reason: fmt.Sprintf("is not that of the %v", e.Kind)})
			}
		}
	}
	return list
}

// hashes returns the values that a property of that length may have; nil: any.
func (e *Element) hashes(id PropertyID, length int) [][]byte {
	switch id {
	case PropSHA1:
		return one(sha1.Sum(e.DER))
	case PropMD5:
		return one(md5.Sum(e.DER))
	case PropSHA256, PropAuthRootSHA256:
		return one(sha256.Sum256(e.DER))
	}
	if e.Kind != Certificate {
		return nil
	}
	c, err := x509der.Parse(e.DER)
	if err != nil {
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
