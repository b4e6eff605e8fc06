package sst

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"math"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/pkcs7"
)

// ReadAny reads what holds certificates and CRLs: a serialized store, a single
// serialized element, a PKCS #7 file, a certificate trust list (as one CTL
// element), a DER certificate or CRL, or any number of these in PEM; also in
// base64 without PEM lines, as Windows takes them. PEM blocks of other types,
// such as keys, are passed over. A PFX needs a password and is read by
// smime.ParsePKCS12. The error is an [*Error] unless r failed.
//
// Only a serialized store and element have properties: what was forbidden by
// them is not known of certificates in other formats.
func ReadAny(r io.Reader, opts *ReadOptions) (*Store, error) {
	o := opts.withDefaults()
	b, err := readAll(r, o.MaxBytes)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(b, []byte("-----BEGIN ")) {
		return readPEM(b, o)
	}
	if !isSequence(b) && isBase64(b) {
		text := bytes.Join(bytes.Fields(b), nil)
		n, err := base64.StdEncoding.Decode(text, text)
		if err != nil {
			return nil, &Error{Problem: ErrFormat, Element: -1, Reason: "bad base64", err: err}
		}
		b = text[:n]
	}
	return readBinary(b, o)
}

func isBase64(b []byte) bool {
	for _, c := range b {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', bytes.IndexByte([]byte("+/= \t\r\n"), c) >= 0:
		default:
			return false
		}
	}
	return len(bytes.TrimSpace(b)) > 0
}

func readPEM(b []byte, o ReadOptions) (*Store, error) {
	all := new(Store)
	for rest := b; ; {
		at := int64(len(b) - len(rest))
		var block *pem.Block
		block, rest = pem.Decode(rest)
		// pem.Decode passes over blocks that it can't read.
		begins := bytes.Count(b[at:len(b)-len(rest)], []byte("-----BEGIN "))
		if block == nil {
			begins = 1 + bytes.Count(b[at:], []byte("-----BEGIN "))
		}
		if begins != 1 {
			return nil, &Error{Problem: ErrFormat, Offset: at, Element: -1, Reason: "a PEM block can't be decoded"}
		}
		if block == nil {
			return all, nil
		}
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CRL", "PKCS7", "CMS":
		default:
			continue
		}
		s, err := readBinary(block.Bytes, o)
		if err != nil {
			return nil, &Error{Problem: ErrFormat, Offset: at, Element: -1, Reason: "PEM block of type " + quote(block.Type), err: err}
		}
		if len(all.Elements)+len(s.Elements) > o.MaxElements {
			return nil, &Error{Problem: ErrLimit, Offset: at, Element: -1, Reason: fmt.Sprintf("more than %d elements", o.MaxElements)}
		}
		all.Elements = append(all.Elements, s.Elements...)
		all.Warnings = append(all.Warnings, s.Warnings...)
	}
}

func readBinary(b []byte, o ReadOptions) (*Store, error) {
	switch {
	case len(b) >= headerSize && binary.LittleEndian.Uint32(b[4:]) == fileType:
		return parse(b, o)
	case len(b) >= recordSize && b[0] != 0x30 && isElement(b):
		e, err := ReadElement(b)
		if err != nil {
			return nil, err
		}
		return &Store{Elements: []Element{*e}}, nil
	}
	if t, err := pkcs7.ContentType(b); err == nil && oid.FromX509(t) == oid.SignedData {
		return readPKCS7(b, o)
	}
	if kind := kindOf(b); kind != 0 {
		return &Store{Elements: []Element{{Kind: kind, DER: b}}}, nil
	}
	return nil, &Error{Problem: ErrFormat, Element: -1, Reason: "no serialized store or element, PKCS #7, PEM or DER certificate or CRL"}
}

// isElement reports whether b begins as a single serialized element does.
func isElement(b []byte) bool {
	id := binary.LittleEndian.Uint32(b)
	return id != 0 && id <= math.MaxUint16 && binary.LittleEndian.Uint32(b[4:]) == x509ASN
}

func readPKCS7(b []byte, o ReadOptions) (*Store, error) {
	if _, err := openTrustList(b); err == nil {
		return &Store{Elements: []Element{{Kind: CTL, DER: b}}}, nil
	}
	certs, crls, err := pkcs7.ReadCertificates(bytes.NewReader(b), &pkcs7.ReadOptions{Limits: pkcs7.Limits{Certificates: o.MaxElements, Bytes: o.MaxBytes, Memory: o.MaxBytes}})
	if err != nil {
		return nil, &Error{Problem: ErrFormat, Element: -1, Reason: "PKCS #7", err: err}
	}
	s := new(Store)
	for _, der := range certs {
		s.Elements = append(s.Elements, Element{Kind: Certificate, DER: der})
	}
	for _, der := range crls {
		s.Elements = append(s.Elements, Element{Kind: CRL, DER: der})
	}
	return s, nil
}

// kindOf tells a certificate from a CRL; 0: neither.
func kindOf(der []byte) Kind {
	switch x509der.KindOf(der) {
	case x509der.CertificateKind:
		return Certificate
	case x509der.CRLKind:
		return CRL
	}
	return 0
}
