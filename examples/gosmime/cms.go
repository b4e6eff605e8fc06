package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/pkcs7"
)

// maxCMS bounds the file, in octets, which is held in memory.
const maxCMS = 64 << 20

// cmsCommand prints what a CMS object of any program has in it, in DER, BER or
// PEM: of signed data also whether each signature is by a certificate that comes
// with it. It asks nobody for trust.
//
//	gosmime cms <signature.p7s -content document.pdf
func cmsCommand(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("cms", "[-content FILE] <object", std)
	content := fs.String("content", "", "`FILE` that was signed, if it is not inside")
	historic := fs.Bool("historic", false, "accept SHA-1, P-224 and RSA from 1024 bits, which are forgeable today")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	der, err := io.ReadAll(io.LimitReader(std.In, maxCMS+1))
	if err != nil {
		return err
	}
	if len(der) > maxCMS {
		return fmt.Errorf("more than %d octets", maxCMS)
	}
	for block := range x509der.Blocks(der) {
		der = block.Bytes
		break
	}
	p := &cmsPrinter{Writer: std.Out, der: der, opts: pkcs7.ReadOptions{TrailingZeros: true, InsecureHistoric: *historic}}
	if *content != "" {
		if p.content, err = os.ReadFile(*content); err != nil {
			return err
		}
	}
	return p.print(ctx)
}

// A cmsPrinter prints one CMS object.
type cmsPrinter struct {
	io.Writer
	der     []byte
	content []byte // nil: inside
	opts    pkcs7.ReadOptions
}

func (p *cmsPrinter) print(ctx context.Context) error {
	typ, err := pkcs7.ContentType(p.der)
	if err != nil {
		return err
	}
	p.line(0, "content type", name(typ))
	switch oid.FromX509(typ) {
	case oid.SignedData:
		return p.signed()
	case oid.EnvelopedData, oid.AuthEnvelopedData:
		return p.enveloped(ctx)
	case oid.CompressedData:
		var out counter
		err := pkcs7.Decompress(&out, bytes.NewReader(p.der), &p.opts)
		p.line(0, "expanded", fmt.Sprintf("%d octets", out))
		return err
	}
	// The remaining types are opened as far as no key is needed.
	var out counter
	none := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) { return nil, nil }
	inside, err := pkcs7.Extract(ctx, &out, bytes.NewReader(p.der), none, nil)
	if err == nil {
		p.line(0, "inside", fmt.Sprintf("%s, %d octets", name(inside.ContentType), out))
	}
	return p.recipients(err)
}

// enveloped prints who can decrypt.
func (p *cmsPrinter) enveloped(ctx context.Context) error {
	none := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) { return nil, nil }
	r, err := pkcs7.NewDecryptReader(ctx, bytes.NewReader(p.der), none, &pkcs7.DecryptOptions{InsecureHistoric: true})
	if err == nil {
		return r.Close()
	}
	return p.recipients(err)
}

// recipients prints those that a message without a key names, which is no error
// here.
func (p *cmsPrinter) recipients(err error) error {
	no, ok := errors.AsType[*pkcs7.NoKeyError](err)
	if !ok {
		return err
	}
	for i, id := range no.Recipients {
		p.line(0, fmt.Sprintf("recipient %d", i), identifier(id))
	}
	return nil
}

func (p *cmsPrinter) signed() error {
	var detached io.Reader
	if p.content != nil {
		detached = bytes.NewReader(p.content)
	}
	r, err := pkcs7.NewSignedReader(bytes.NewReader(p.der), detached, &p.opts)
	if err != nil {
		return err
	}
	p.line(0, "content", name(r.ContentType()))
	var size counter
	if _, err := io.Copy(&size, r); err != nil {
		return err
	}
	p.line(1, "octets", strconv.Itoa(int(size)))
	elements, err := r.UnverifiedElements()
	if err != nil {
		return err
	}
	certs := p.elements(elements)
	signers, err := r.Signers()
	if err != nil {
		return err
	}
	var failures []error
	for i, s := range signers {
		p.line(0, fmt.Sprintf("signer %d", i), identifier(s.ID()))
		failures = append(failures, p.signer(1, s, certs))
	}
	if len(signers) == 0 {
		p.line(0, "signers", "none")
	}
	return errors.Join(failures...)
}

// elements prints what came with the signatures and returns the certificates.
func (p *cmsPrinter) elements(elements [][]byte) (certs []*x509.Certificate) {
	for _, der := range elements {
		cert, err := x509.ParseCertificate(der)
		switch {
		case err == nil:
			certs = append(certs, cert)
			p.line(0, "certificate", fmt.Sprintf("%q, serial number %x, until %s", cert.Subject, cert.SerialNumber, cert.NotAfter.UTC().Format(time.DateOnly)))
		case x509der.KindOf(der) == x509der.CertificateKind:
			// Only Raw counts for a check.
			certs = append(certs, &x509.Certificate{Raw: der})
			p.line(0, "certificate", fmt.Sprintf("of %d octets that can't be shown", len(der)))
		default:
			p.line(0, "evidence", fmt.Sprintf("CRL or OCSP response of %d octets", len(der)))
		}
	}
	return certs
}

// signer prints one signature and returns why it does not hold.
func (p *cmsPrinter) signer(depth int, s *pkcs7.SignerInfo, certs []*x509.Certificate) error {
	p.line(depth, "digest", name(s.DigestAlgorithm()))
	p.line(depth, "algorithm", s.Scheme().String())
	for _, a := range s.Signed() {
		p.attribute(depth, "signed", a)
	}
	for _, a := range s.Unsigned() {
		p.attribute(depth, "unsigned", a)
	}
	for _, d := range s.Deviations() {
		p.line(depth, "tolerated", d.String())
	}
	err := error(pkcs7.ErrNoCertificate)
	for _, cert := range certs {
		if !s.ID().Matches(cert) {
			continue
		}
		if err = s.CheckSignature(cert); err == nil {
			p.line(depth, "signature", fmt.Sprintf("by the key of %q; whether to trust it is not asked", cert.Subject))
			break
		}
	}
	if err != nil {
		p.line(depth, "signature", err.Error())
	}
	list, counterErr := s.Countersigners()
	for i, c := range list {
		p.line(depth, fmt.Sprintf("countersigner %d", i), identifier(c.ID()))
		counterErr = errors.Join(counterErr, p.signer(depth+1, c, certs))
	}
	return errors.Join(err, counterErr)
}

// attribute prints values of simple types as text and others in hexadecimal.
func (p *cmsPrinter) attribute(depth int, kind string, a pkcs7.Attribute) {
	if len(a.Values) == 0 {
		p.line(depth, kind, name(a.Type)+": no value")
	}
	for _, v := range a.Values {
		p.line(depth, kind, name(a.Type)+": "+value(v))
	}
}

func (p *cmsPrinter) line(depth int, what, text string) {
	fmt.Fprintf(p, "%*s%s: %s\n", 2*depth, "", what, text)
}

// value returns a DER value as text.
func value(der []byte) string {
	var v any
	if rest, err := asn1.Unmarshal(der, &v); err == nil && len(rest) == 0 {
		switch v := v.(type) {
		case string:
			return strconv.QuoteToASCII(cut(v))
		case time.Time:
			return v.UTC().Format(time.RFC3339)
		case int64, bool:
			return fmt.Sprint(v)
		case []byte:
			return cut(hex.EncodeToString(v))
		case asn1.ObjectIdentifier:
			if id, err := x509.ParseOID(v.String()); err == nil {
				return name(id)
			}
		}
	}
	return fmt.Sprintf("%s (%d octets)", cut(hex.EncodeToString(der)), len(der))
}

// cut shortens a text from input.
func cut(s string) string {
	const most = 128
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// identifier returns what names a signer or recipient.
func identifier(id pkcs7.CertID) string {
	switch {
	case id.Kind == pkcs7.ByPassword:
		return "whoever knows a password"
	case id.Kind == pkcs7.ByKEK:
		return "key-encryption key " + cut(hex.EncodeToString(id.KeyID))
	case id.Serial != nil:
		return fmt.Sprintf("serial number %x of issuer %q", id.Serial, cut(issuer(id.Issuer)))
	}
	return "key identifier " + cut(hex.EncodeToString(id.KeyID))
}

func issuer(der []byte) string {
	var rdns pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &rdns); err == nil && len(rest) == 0 {
		return rdns.String()
	}
	return hex.EncodeToString(der)
}

// A counter counts what is written to it.
type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// name returns an identifier with the name that the standards have for it.
func name(id x509.OID) string {
	names := map[oid.OID]string{
		oid.Data: "data", oid.SignedData: "signedData", oid.EnvelopedData: "envelopedData", oid.DigestedData: "digestedData",
		oid.EncryptedData: "encryptedData", oid.AuthenticatedData: "authenticatedData", oid.CompressedData: "compressedData",
		oid.AuthEnvelopedData: "authEnvelopedData", oid.TSTInfo: "TSTInfo", oid.ContentReceipt: "receipt",
		oid.AttrContentType: "contentType", oid.AttrMessageDigest: "messageDigest", oid.AttrSigningTime: "signingTime",
		oid.AttrCountersignature: "counterSignature", oid.AttrSMIMECapabilities: "smimeCapabilities",
		oid.AttrCMSAlgorithmProtection: "cmsAlgorithmProtection", oid.AttrSigningCertificate: "signingCertificate",
		oid.AttrSigningCertificateV2: "signingCertificateV2", oid.AttrTimestampToken: "timeStampToken",
		oid.SHA1: "SHA-1", oid.SHA256: "SHA-256", oid.SHA384: "SHA-384", oid.SHA512: "SHA-512",
	}
	if n, ok := names[oid.FromX509(id)]; ok {
		return n
	}
	return id.String()
}
