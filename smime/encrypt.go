package smime

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"fmt"
	"io"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/headerprotection"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/prepare"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/pkcs7"
)

// Encrypt reads a message from r and writes it to w encrypted to the
// recipients. If encryption to any of them fails, nothing is written and the
// error is a [RecipientErrors]. The list of recipients can be read from the
// result: call Encrypt once for each blind copy. A Recipient whose certificate is
// not valid now is refused. A Bcc field is never written. After any other error
// w has nothing, or the beginning of a message that nobody can open.
//
// Nothing tells the reader who encrypted: sign as well, with [Seal].
func Encrypt(ctx context.Context, w io.Writer, r io.Reader, to []*Recipient, opts *EncryptOptions) error {
	if opts == nil {
		opts = new(EncryptOptions)
	}
	e, err := newEncryption(to, opts)
	if err != nil {
		return err
	}
	d, err := readDraft(ctx, r, opts.Limits)
	if err != nil {
		return err
	}
	defer d.Close()
	p, err := d.newPayload(opts.protection(e.to))
	if err != nil {
		return err
	}
	outer, err := d.outside(p, opts)
	if err != nil {
		return err
	}
	return e.write(ctx, w, outer, p.Size(), p.write)
}

// EncryptOptions are the options of [Encrypt].
type EncryptOptions struct {
	// ToSelf also encrypts to the sender, who could otherwise not read the copy in
	// the folder of sent mail. Its capabilities take part in the choice of the
	// cipher like those of any other recipient.
	ToSelf *Recipient
	// Header says which header fields are hidden (RFC 9788 section 3); zero:
	// HideSubject, whose Subject most mail programs show as "[...]". It has no
	// effect on a message that was signed with ForEncryption, which already fixed
	// the policy.
	Header HeaderPolicy
	// NoLegacyDisplay leaves out the copy of hidden fields at the beginning of the
	// text, which is for programs that do not show protected fields (RFC 9788
	// section 5.2.2): their users then see no Subject at all.
	NoLegacyDisplay bool
	Limits          Limits
	// Cipher is the cipher to use; zero means AES-256-GCM if every recipient is
	// known to read it, else AES-256-CBC.
	Cipher pkcs7.Cipher
	// RequireAuthenticated refuses a cipher that an attacker can tamper with,
	// at the price of programs that know no other.
	RequireAuthenticated bool
	// RequireOAEP encrypts the content key to plain RSA keys with RSAES-OAEP
	// (RFC 8017 section 7.1) whatever is known of the recipients. Without it,
	// OAEP is used where a recipient announced it or the certificate demands it,
	// and otherwise RSAES-PKCS1-v1_5, since installed versions of Outlook and gpgsm
	// know nothing else.
	RequireOAEP bool
	// OAEPHash is the hash of OAEP, and of its mask, for recipients that announced
	// none; zero: SHA-256.
	OAEPHash crypto.Hash
	// Hidden are fields that must not be seen outside beside those that Header
	// hides, such as what [Message.ReplyHidden] returns for an answer: each is
	// replaced by its Outer, or left out if that is empty. Where that can't be,
	// since Header is PlainHeader or the message was signed before without
	// hiding them, the error is ErrHeader.
	Hidden []HeaderField
	// Binary writes the CMS object as it is, without base64, for transports that
	// change nothing, such as HTTP in AS2 (RFC 4130).
	Binary bool
	// ByKeyID names the recipients by subject key identifier, those whose
	// certificates have one. The stock commands of NeoMutt and gpgsm do not read
	// that.
	ByKeyID bool
}

// protection returns how to protect the header for recipients.
func (o *EncryptOptions) protection(to []*Recipient) headerprotection.Options {
	policy := o.Header
	if policy == HideWhereShown {
		policy = HideSubject
		for _, r := range to {
			if !r.showsHeader {
				policy = HideNothing
			}
		}
	}
	return headerprotection.Options{
		Policy: policy.protection(), Cipher: true, NoLegacyDisplay: o.NoLegacyDisplay, Hidden: hiddenFields(o.Hidden),
	}
}

// An encryption is to whom and how something is encrypted.
type encryption struct {
	to      []*Recipient // each certificate once
	keys    []pkcs7.Recipient
	options pkcs7.EncryptOptions
	binary  bool // without base64
}

// newEncryption checks all recipients together and chooses the algorithms.
func newEncryption(to []*Recipient, opts *EncryptOptions) (*encryption, error) {
	e := &encryption{binary: opts.Binary}
	list := to
	if opts.ToSelf != nil {
		list = append(append([]*Recipient(nil), to...), opts.ToSelf)
	}
	var errs RecipientErrors
	if len(list) == 0 {
		errs = append(errs, &RecipientError{Err: fmt.Errorf("%w: there is none", ErrUnverifiedRecipient)})
	}
	now := time.Now()
	for _, r := range list {
		if err := r.check(now); err != nil {
			box := ""
			if r != nil {
				box = r.mailbox
			}
			errs = append(errs, &RecipientError{Mailbox: box, Err: err})
			continue
		}
		if !e.has(r) {
			e.to = append(e.to, r)
		}
	}
	if errs != nil {
		return nil, errs
	}
	cipher, err := chooseCipher(list, opts)
	if err != nil {
		return nil, err
	}
	e.options.Cipher = cipher
	e.options.CEKHKDF = allAnnounce(list, oid.CEKHKDFSHA256)
	for _, r := range e.to {
		e.keys = append(e.keys, r.key(opts))
	}
	return e, nil
}

// has reports whether the certificate is there already: one key needs one
// RecipientInfo, however many mailboxes it has.
func (e *encryption) has(r *Recipient) bool {
	for _, o := range e.to {
		if bytes.Equal(o.cert.Raw, r.cert.Raw) {
			return true
		}
	}
	return false
}

// key returns the recipient for package pkcs7. For a plain RSA key OAEP is used
// where it was announced: other installed programs know PKCS #1 v1.5 alone.
func (r *Recipient) key(opts *EncryptOptions) pkcs7.Recipient {
	o := pkcs7.RecipientOptions{ByKeyID: opts.ByKeyID && len(r.der.SubjectKeyID) > 0}
	if r.pub.Kind == alg.RSA {
		oaep := oaepFor(r.caps)
		switch {
		case oaep != nil:
			o.OAEPHash, o.MGFHash = oaep.Hash, oaep.MGF
		case opts.RequireOAEP:
			o.OAEPHash = opts.OAEPHash
		default:
			o.PKCS1v15 = true
		}
	} else if oaepFor(r.caps) == nil {
		o.OAEPHash = opts.OAEPHash // of a key that is for OAEP alone
	}
	return pkcs7.ToCertificate(r.cert, &o)
}

// chooseCipher returns one cipher for all (RFC 8551 section 2.7.3: never two
// strengths for one content), or the recipients who read none that is good
// enough. A list that was announced counts as it is, above the floor of
// AES-256; of an unknown one RFC 8551 section 2.7.1.2 would expect AES-GCM.
//
// DEVIATION: installed programs without AES-GCM are many, so that unknown
// recipients get AES-256-CBC.
func chooseCipher(to []*Recipient, opts *EncryptOptions) (pkcs7.Cipher, error) {
	if c := opts.Cipher; c != 0 {
		if opts.RequireAuthenticated && !c.Authenticated() {
			return 0, fmt.Errorf("smime: %v: %w", c, ErrNotAuthenticated)
		}
		return c, nil
	}
	gcm, chacha := true, true
	var errs RecipientErrors
	for _, r := range to {
		unknown := r.caps == nil
		readsGCM := r.caps.Reads(pkcs7.AES256GCM)
		readsChaCha := r.caps.Reads(pkcs7.ChaCha20Poly1305)
		gcm = gcm && (readsGCM || unknown && opts.RequireAuthenticated)
		chacha = chacha && readsChaCha
		strong := readsGCM || readsChaCha || !opts.RequireAuthenticated && r.caps.Reads(pkcs7.AES256CBC)
		if !unknown && !strong {
			errs = append(errs, &RecipientError{Mailbox: r.mailbox, Err: ErrNoCipher})
		}
	}
	switch {
	case errs != nil:
		return 0, errs
	case gcm:
		return pkcs7.AES256GCM, nil
	case chacha:
		return pkcs7.ChaCha20Poly1305, nil
	case opts.RequireAuthenticated:
		// Everybody reads one of the two, but not the same.
		for _, r := range to {
			if r.caps != nil && !r.caps.Reads(pkcs7.AES256GCM) {
				errs = append(errs, &RecipientError{Mailbox: r.mailbox, Err: ErrNoCipher})
			}
		}
		return 0, errs
	}
	return pkcs7.AES256CBC, nil
}

// allAnnounce reports whether every recipient is known to have an algorithm.
func allAnnounce(to []*Recipient, id oid.OID) bool {
	for _, r := range to {
		has := false
		for _, c := range r.caps {
			has = has || oid.FromX509(c.OID) == id
		}
		if !has {
			return false
		}
	}
	return len(to) > 0
}

// write writes a message with the outer fields whose body is what content
// writes, encrypted. size is its length, or -1.
func (e *encryption) write(ctx context.Context, w io.Writer, outer []prepare.Field, size int64, content func(io.Writer) error) error {
	smimeType := "enveloped-data"
	if e.options.Cipher.Authenticated() {
		smimeType = "authEnveloped-data"
	}
	out := bufio.NewWriterSize(stream.FullWriter{W: w}, 32<<10)
	body := cmsWriter(&prefixWriter{w: out, prefix: func(w io.Writer) error {
		if err := writeFields(w, outer); err != nil {
			return err
		}
		_, err := io.WriteString(w, cmsHeader(smimeType, "smime.p7m", e.binary))
		return err
	}}, e.binary)
	behind := stream.NewBackgroundWriter(body)
	defer behind.Close()
	opts := e.options
	opts.Size = max(0, size)
	enc, err := pkcs7.NewEncryptWriter(ctx, behind, e.keys, &opts)
	if err != nil {
		return e.recipientErrors(err)
	}
	if err := content(enc); err != nil {
		return err
	}
	if err := enc.Close(); err != nil {
		return err
	}
	if err := behind.Close(); err != nil {
		return err
	}
	if err := body.Close(); err != nil {
		return err
	}
	return out.Flush()
}

// recipientErrors gives the errors of package pkcs7 the mailboxes they are about.
func (e *encryption) recipientErrors(err error) error {
	var errs RecipientErrors
	var collect func(error)
	collect = func(err error) {
		switch x := err.(type) {
		case *pkcs7.RecipientError:
			if x.Index >= 0 && x.Index < len(e.to) {
				errs = append(errs, &RecipientError{Mailbox: e.to[x.Index].mailbox, Err: x.Err})
			}
		case interface{ Unwrap() []error }:
			for _, e := range x.Unwrap() {
				collect(e)
			}
		case interface{ Unwrap() error }:
			collect(x.Unwrap())
		}
	}
	collect(err)
	if errs == nil {
		return err
	}
	return errs
}

// A prefixWriter writes something before the first octet.
type prefixWriter struct {
	w      io.Writer
	prefix func(io.Writer) error
}

func (p *prefixWriter) Write(b []byte) (int, error) {
	if f := p.prefix; f != nil {
		p.prefix = nil
		if err := f(p.w); err != nil {
			return 0, err
		}
	}
	return p.w.Write(b)
}

// outside returns the fields that stand outside the encryption of a payload.
func (d *draft) outside(p payload, opts *EncryptOptions) ([]prepare.Field, error) {
	outer := p.Outer
	switch {
	case d.IsSMIME():
		var err error
		if outer, err = d.decidedOuter(); err != nil {
			return nil, err
		}
	case opts.Header != PlainHeader:
		return outer, nil // hidden with the payload
	}
	return outer, sendError(headerprotection.Exposed(outer, hiddenFields(opts.Hidden)))
}
