package sst

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ReadAny reads what holds certificates and CRLs: a serialized store, a single
// serialized element, a PKCS #7 file, a certificate trust list (as one CTL
// element), a DER certificate or CRL, or any number of these in PEM; also in
// base64 without PEM lines, as Windows takes them. PEM blocks of other types,
// such as keys, are passed over, and so is a byte order mark before text, and up
// to 16 octets of NUL, blank, tab, CR and LF after DER. A PFX needs a password
// and is read by smime.ReadPKCS12. The error is an [*Error] unless r failed; a
// text without any block that is read is ErrFormat.
//
// Only a serialized store and element have properties: what was forbidden by
// them is not known of certificates in other formats.
func ReadAny(r io.Reader, opts *ReadOptions) (*Store, error) {
	o := opts.withDefaults()
	b, err := readAll(r, o.MaxBytes)
	if err != nil {
		return nil, err
	}
	if !isSequence(b) && !isStore(b) && isPEM(b) {
		return readPEM(b, o)
	}
	if text := x509der.Text(b); !isSequence(b) && isBase64(text) {
		text = bytes.Join(bytes.Fields(bytes.Trim(text, "\x00")), nil)
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

func isPEM(b []byte) bool { return x509der.BlocksBegun(b) > 0 }

func isStore(b []byte) bool {
	return len(b) >= headerSize && binary.LittleEndian.Uint32(b[4:]) == fileType
}

func readPEM(b []byte, o ReadOptions) (*Store, error) {
	all := &Store{explicit: true}
	blocks, used, other := 0, 0, ""
	for block := range x509der.Blocks(b) {
		blocks++
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CRL":
		case "PKCS7", "CMS":
			all.explicit = false
		default:
			other = block.Type
			continue
		}
		used++
		s, err := readBinary(block.Bytes, o)
		if err != nil {
			return nil, &Error{Problem: ErrFormat, Element: -1, Reason: fmt.Sprintf("PEM block %d, of type %s", blocks, quote(block.Type)), err: err}
		}
		if len(all.Elements)+len(s.Elements) > o.MaxElements {
			return nil, &Error{Problem: ErrLimit, Element: -1, Reason: fmt.Sprintf("more than %d elements", o.MaxElements)}
		}
		all.Elements = append(all.Elements, s.Elements...)
		all.Warnings = append(all.Warnings, s.Warnings...)
	}
	switch begun := x509der.BlocksBegun(b); {
	case blocks != begun:
		return nil, &Error{Problem: ErrFormat, Element: -1, Reason: fmt.Sprintf("of %d PEM blocks %d can't be decoded", begun, begun-blocks)}
	case used == 0:
		return nil, &Error{Problem: ErrFormat, Element: -1, Reason: "no certificate or CRL, but PEM of type " + quote(other)}
	}
	return all, nil
}

func readBinary(b []byte, o ReadOptions) (*Store, error) {
	switch {
	case isStore(b):
		return parse(b, o)
	case len(b) >= recordSize && b[0] != 0x30 && isElement(b):
		e, err := ReadElement(b)
		if err != nil {
			return nil, err
		}
		return &Store{Elements: []Element{*e}}, nil
	}
	b = ber.TrimEnd(b)
	if t, err := pkcs7.ContentType(b); err == nil && oid.FromX509(t) == oid.SignedData {
		return readPKCS7(b, o)
	}
	if kind := kindOf(b); kind != 0 {
		return &Store{Elements: []Element{{Kind: kind, DER: b}}, explicit: true}, nil
	}
	if what := sniff(b); what != "" {
		return nil, &Error{Problem: ErrFormat, Element: -1, Reason: "this is " + what}
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

// sniff says what a file is that is no serialized store, "" if that is unknown.
func sniff(b []byte) string {
	if len(bytes.TrimSpace(b)) == 0 {
		return "an empty file"
	}
	if !isSequence(b) && isPEM(b) {
		for block := range x509der.Blocks(b) {
			return "PEM of type " + quote(block.Type)
		}
		return "PEM"
	}
	b = ber.TrimEnd(b)
	if t, err := pkcs7.ContentType(b); err == nil {
		if _, err := openTrustList(b); err == nil {
			return "a certificate trust list (.stl)"
		}
		if oid.FromX509(t) == oid.SignedData {
			return "a PKCS #7 file (.p7b)"
		}
		return "a CMS message"
	}
	switch x509der.KindOf(b) {
	case x509der.CertificateKind:
		return "a DER certificate"
	case x509der.CRLKind:
		return "a DER CRL"
	}
	var version int
	s := cryptobyte.String(b)
	if s.ReadASN1(&s, asn1.SEQUENCE) && s.ReadASN1Integer(&version) && version == 3 {
		return "a PKCS #12 file (.pfx, .p12)"
	}
	return ""
}
