package smime

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/headerprotection"
	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/prepare"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/pkcs7"
)

// Sign reads a message from r and writes it to w as multipart/signed. The
// certificate of id must name the author of the message (else ErrSender), be
// valid now and be fit for signing (else the error is a [*chain.Error]).
// Content that mail transport might change is re-encoded first, but what is
// signed already is passed on octet by octet. A Bcc field is never written.
// After an error, w has nothing or, of more than 1 MiB, the beginning of a
// message, which must not be sent.
//
// A message that is an S/MIME message itself gets one more layer around it, as
// for triple wrapping (RFC 2634 section 1.1).
func Sign(ctx context.Context, w io.Writer, r io.Reader, id *Identity, opts *SignOptions) error {
	if opts == nil {
		opts = new(SignOptions)
	}
	d, err := readDraft(ctx, r, opts.Limits)
	if err != nil {
		return err
	}
	defer d.Close()
	s, err := d.newSigning(id, opts, headerprotection.Options{Policy: opts.Header.protection(), Cipher: opts.ForEncryption})
	if err != nil {
		return err
	}
	if s.small() {
		// So that nothing is written if the key can't sign.
		var b bytes.Buffer
		if err := s.writeMessage(ctx, &b, d.Fields); err != nil {
			return err
		}
		_, err := b.WriteTo(stream.FullWriter{W: w})
		return err
	}
	out := bufio.NewWriterSize(stream.FullWriter{W: w}, 32<<10)
	if err := s.writeMessage(ctx, out, d.Fields); err != nil {
		return err
	}
	return out.Flush()
}

// SignOptions are the options of [Sign].
type SignOptions struct {
	Opaque      bool         // write application/pkcs7-mime, unreadable to other programs
	SigningTime time.Time    // to claim; zero: now
	Scheme      pkcs7.Scheme // zero: the best for the key
	// Certificates says which certificates go along; zero: the chain without
	// its root.
	Certificates Inclusion
	// ByKeyID names the signer by subject key identifier, which gpgsm and the
	// stock commands of NeoMutt do not read.
	ByKeyID bool
	// Capabilities is what to announce; nil: what this package can read; empty:
	// nothing.
	Capabilities Capabilities
	// EncryptTo, if set, is announced as the certificate to encrypt replies to,
	// and goes along with the others. It must be fit for that and valid now, else
	// the error is a [*chain.Error]. If nil, that of the signer is announced where
	// it is fit.
	EncryptTo *x509.Certificate
	// RequestReceipt asks the listed mailboxes, at most 1000, for a signed
	// receipt (RFC 2634), to be sent to the author. Only the innermost signature
	// can: of a message that is signed already the error is ErrNoReceipt.
	RequestReceipt []string
	// CoSigners sign the same content in the same SignedData. Their certificates
	// must be valid and need not name the author. Scheme and EncryptTo are not
	// for them.
	CoSigners []*Identity
	// Header says how header fields are protected (RFC 9788). If ForEncryption
	// is set, the result is to be given to [Encrypt] and the fields it hides
	// are recorded under the signature; else nothing is hidden. What can't be
	// re-encoded is then left as it is, since encryption carries it.
	Header        HeaderPolicy
	ForEncryption bool
	Limits        Limits
	// AsIs fails with ErrNotTransportSafe where Sign would re-encode.
	AsIs bool
	// Binary writes the CMS object as it is, without base64, for transports that
	// change nothing, such as HTTP in AS2 (RFC 4130). Nothing is re-encoded then.
	Binary bool
	// Sender, if set, is whom the certificate of id must name in place of the
	// authors in From: an address, such as that of a Sender field; a domain, where
	// a gateway signs for all of it; or the common name of the certificate, such as
	// an AS2 identifier. Who verifies still compares the certificate with From.
	Sender string
	// InsecureAnySender signs a message whose author id does not name.
	InsecureAnySender bool
}

// named returns nil if cert names whom the message is signed for.
func (o *SignOptions) named(cert *x509.Certificate, from *authors) error {
	switch {
	case o.Sender == "":
		return from.namedBy(cert)
	case strings.Contains(o.Sender, "@"):
		if err := chain.MatchMailbox(cert, o.Sender); err != nil {
			return fmt.Errorf("%w: %w", ErrSender, err)
		}
		return nil
	}
	if cert.Subject.CommonName == o.Sender {
		return nil
	}
	domain, err := mailbox.Domain(o.Sender)
	if err != nil {
		return fmt.Errorf("%w: it is not %s", ErrSender, quote(o.Sender))
	}
	boxes, err := chain.Mailboxes(cert)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSender, err)
	}
	for _, box := range boxes {
		if a, err := mailbox.Parse(box); err == nil && a.Domain == domain {
			return nil
		}
	}
	for _, host := range cert.DNSNames {
		if strings.EqualFold(host, domain) {
			return nil
		}
	}
	return fmt.Errorf("%w: it names nobody at %s", ErrSender, quote(o.Sender))
}

// Inclusion says which certificates a signed message carries.
type Inclusion uint8

const (
	ChainWithoutRoot Inclusion = iota
	ChainWithRoot
	SignerOnly
	NoCertificates
)

// A signing is a signed entity that is about to be written.
type signing struct {
	payload  payload
	keys     []pkcs7.SigningKey
	micalg   string
	boundary string
	opts     *SignOptions
}

// newSigning checks everything that can be checked before the first octet is
// written.
func (d *draft) newSigning(id *Identity, opts *SignOptions, how headerprotection.Options) (*signing, error) {
	s := &signing{opts: opts, boundary: d.Boundary}
	authors := findAuthors("", d.Root.Header)
	if !opts.InsecureAnySender {
		if id == nil || id.cert == nil {
			return nil, fmt.Errorf("%w: no identity", ErrKeyMismatch)
		}
		if err := opts.named(id.cert, authors); err != nil {
			return nil, err
		}
	}
	common, err := d.commonAttributes(opts, authors)
	if err != nil {
		return nil, err
	}
	hashes := make(map[string]bool)
	for i, signer := range append([]*Identity{id}, opts.CoSigners...) {
		own := *opts
		if i > 0 {
			own.Scheme, own.EncryptTo = 0, nil // those were for the first, and to be believed of it alone
		}
		key, hash, err := signer.signingKey(own.Scheme, &own, common)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, key)
		if !hashes[hash] {
			hashes[hash] = true
			s.micalg = strings.TrimPrefix(s.micalg+","+hash, ",")
		}
	}
	how.ClearSigned, how.Unchanged, how.NoLegacyDisplay = !opts.Opaque, opts.Binary, how.NoLegacyDisplay || opts.AsIs
	s.payload, err = d.newPayload(how)
	if err != nil {
		return nil, err
	}
	if opts.AsIs && (d.Changed || s.payload.Body.Recoded() || s.payload.Body.Err != nil) {
		return nil, errors.Join(fmt.Errorf("%w: it would have to be re-encoded", ErrNotTransportSafe), sendError(s.payload.Body.Err))
	}
	return s, nil
}

// signingKey returns the identity for package pkcs7 and the name of its digest
// (RFC 8551 section 3.5.3.2).
func (id *Identity) signingKey(scheme pkcs7.Scheme, opts *SignOptions, common []pkcs7.Attribute) (pkcs7.SigningKey, string, error) {
	if id == nil || id.cert == nil {
		return pkcs7.SigningKey{}, "", fmt.Errorf("%w: no identity", ErrKeyMismatch)
	}
	key, err := id.SigningKey()
	if err != nil {
		return key, "", err
	}
	if err := checkSigner(id.cert); err != nil {
		return key, "", err
	}
	if scheme == 0 {
		best, err := alg.SchemeFor(id.pub)
		if err != nil {
			return key, "", fmt.Errorf("%w: %w", ErrKeyMismatch, err)
		}
		scheme = pkcs7.Scheme(best)
	}
	if _, _, err := alg.Scheme(scheme).Identifiers(id.pub); err != nil {
		return key, "", fmt.Errorf("%w: %w", ErrKeyMismatch, err)
	}
	key.Scheme = scheme
	key.Chain = id.chainFor(opts)
	key.Attributes, err = id.signedAttributes(opts, common)
	return key, alg.Scheme(scheme).Hash().Micalg(), err
}

// chainFor returns what goes along beside the certificate itself (RFC 8550
// section 2.3: all that others need, the certificate for replies included).
func (id *Identity) chainFor(opts *SignOptions) []*x509.Certificate {
	var list []*x509.Certificate
	if opts.Certificates == NoCertificates {
		return nil
	}
	if opts.EncryptTo != nil && !bytes.Equal(opts.EncryptTo.Raw, id.cert.Raw) {
		list = append(list, opts.EncryptTo)
	}
	if opts.Certificates == SignerOnly {
		return list
	}
	for _, c := range id.issuers {
		// A self-issued certificate for a new key is no root.
		root := bytes.Equal(c.RawSubject, c.RawIssuer) && (len(c.AuthorityKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId))
		if !root || opts.Certificates == ChainWithRoot {
			list = append(list, c)
		}
	}
	return list
}

// maxSmall is the largest entity that is held in memory while it is signed.
const maxSmall = 1 << 20

func (s *signing) small() bool {
	n := s.payload.Size()
	return n >= 0 && n <= maxSmall
}

func (s *signing) writeMessage(ctx context.Context, w io.Writer, fields []prepare.Field) error {
	if err := writeFields(w, fields); err != nil {
		return err
	}
	return s.write(ctx, w)
}

// write writes the structural header fields and the body of the signed entity.
func (s *signing) write(ctx context.Context, w io.Writer) error {
	if s.opts.Opaque {
		return s.writeOpaque(ctx, w)
	}
	return s.writeClear(ctx, w)
}

func (s *signing) cmsOptions() *pkcs7.SignOptions {
	return &pkcs7.SignOptions{
		SigningTime: s.opts.SigningTime, ByKeyID: s.opts.ByKeyID,
		NoCertificates: s.opts.Certificates == NoCertificates,
	}
}

// writeOpaque writes application/pkcs7-mime (RFC 8551 section 3.5.2).
func (s *signing) writeOpaque(ctx context.Context, w io.Writer) error {
	if _, err := io.WriteString(w, cmsHeader("signed-data", "smime.p7m", s.opts.Binary)); err != nil {
		return err
	}
	b64 := cmsWriter(w, s.opts.Binary)
	opts := s.cmsOptions()
	opts.Size = max(0, s.payload.Size())
	signer, err := pkcs7.NewSignWriter(ctx, b64, s.keys, opts)
	if err != nil {
		return err
	}
	if err := s.payload.write(signer); err != nil {
		return err
	}
	if err := signer.Close(); err != nil {
		return err
	}
	return b64.Close()
}

// writeClear writes multipart/signed (RFC 8551 section 3.5.3). The content is
// hashed while it is written.
func (s *signing) writeClear(ctx context.Context, w io.Writer) error {
	micalg := s.micalg
	if strings.Contains(micalg, ",") {
		micalg = `"` + micalg + `"`
	}
	if _, err := fmt.Fprintf(w, "MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"+
		" micalg=%s; boundary=\"%s\"\r\n\r\n--%s\r\n", micalg, s.boundary, s.boundary); err != nil {
		return err
	}
	content, hashed := io.Pipe()
	var sig bytes.Buffer
	done := make(chan error, 1)
	go func() {
		err := pkcs7.SignDetached(ctx, &sig, content, s.keys, s.cmsOptions())
		content.CloseWithError(errors.Join(errSigning, err))
		done <- err
	}()
	err := s.payload.write(io.MultiWriter(w, hashed))
	hashed.CloseWithError(err)
	if signErr := <-done; err == nil || errors.Is(err, errSigning) {
		err = signErr
	}
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "\r\n--%s\r\n%s", s.boundary, signatureHeader(s.opts.Binary)); err != nil {
		return err
	}
	signature := cmsWriter(w, s.opts.Binary)
	if _, err := signature.Write(sig.Bytes()); err != nil {
		return err
	}
	if err := signature.Close(); err != nil {
		return err
	}
	end := "--" + s.boundary + "--\r\n"
	if s.opts.Binary {
		end = "\r\n" + end // base64 ends with a line of its own
	}
	_, err = io.WriteString(w, end)
	return err
}

// errSigning marks that the signer gave up before the content ended.
const errSigning = constError("smime: signing failed")

// signatureHeader returns the header of the signature of a multipart/signed.
func signatureHeader(binary bool) string {
	return "Content-Type: application/pkcs7-signature; name=smime.p7s\r\n" +
		"Content-Transfer-Encoding: " + transferEncoding(binary) + "\r\n" +
		"Content-Disposition: attachment; filename=smime.p7s\r\n\r\n"
}

// transferEncoding returns how a CMS object is written.
func transferEncoding(binary bool) string {
	if binary {
		return "binary"
	}
	return "base64"
}

// cmsHeader returns the structural fields of an application/pkcs7-mime entity
// (RFC 8551 section 3.2) and a blank line.
func cmsHeader(smimeType, name string, binary bool) string {
	return "MIME-Version: 1.0\r\n" +
		"Content-Type: application/pkcs7-mime; smime-type=" + smimeType + "; name=" + name + "\r\n" +
		"Content-Transfer-Encoding: " + transferEncoding(binary) + "\r\n" +
		"Content-Disposition: attachment; filename=" + name + "\r\n\r\n"
}

// cmsWriter returns a writer of a CMS object to the body of a message.
func cmsWriter(w io.Writer, binary bool) io.WriteCloser {
	if binary {
		return nopCloser{w}
	}
	return prepare.NewBase64Writer(w)
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func writeFields(w io.Writer, fields []prepare.Field) error {
	for _, f := range fields {
		if _, err := w.Write(f.Raw); err != nil {
			return err
		}
	}
	return nil
}
