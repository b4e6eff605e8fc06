package pkcs7

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
)

// NewEncryptWriter returns a writer that encrypts what is written to it and
// writes an EnvelopedData or AuthEnvelopedData to dst. The content key is
// wrapped for all recipients before anything is written; the errors of all
// that fail are joined, each a [*RecipientError].
//
// Close ends the message and must be called; it does not close dst. A message
// does not tell who made it, whatever the cipher: for that it must be signed.
func NewEncryptWriter(ctx context.Context, dst io.Writer, to []Recipient, opts *EncryptOptions) (io.WriteCloser, error) {
	if opts == nil {
		opts = &EncryptOptions{}
	}
	size := opts.Size
	if size <= 0 {
		size = unknownSize
	}
	return newEncryption(ctx, dst, to, opts, size)
}

// newEncryption is NewEncryptWriter for a content of that size, or unknownSize.
func newEncryption(ctx context.Context, dst io.Writer, to []Recipient, opts *EncryptOptions, size int64) (io.WriteCloser, error) {
	e, err := newEnvelope(opts)
	if err != nil {
		return nil, err
	}
	e.size = size
	if len(to) == 0 {
		return nil, fmt.Errorf("%w: no recipients", ErrNoKey)
	}
	cek := e.content.NewKey()
	defer clear(cek)
	if e.recipients, err = wrapForAll(ctx, to, cek); err != nil {
		return nil, err
	}
	var aad []byte
	if len(e.authAttrs) > 0 {
		aad = e.authAttrs
	}
	// The cipher may keep the key that it is given.
	cipher, err := e.content.EncrypterSize(bytes.Clone(cek), aad, e.size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return newEncryptWriter(ctx, dst, e, cipher)
}

// EncryptOptions are the options of encryption; nil means the defaults.
type EncryptOptions struct {
	Cipher Cipher // zero: AES256GCM
	// Size of the content if known: the output is DER, else BER. AES-CCM keeps a
	// content of unknown size in memory and refuses more than 4 MiB of it.
	Size int64
	// ContentType of the content; zero: id-data, which all S/MIME has.
	ContentType x509.OID
	// CEKHKDF derives the key by RFC 9709, so that nobody can turn the message
	// into one with a cipher that does not authenticate. Programs that do not
	// know it can't read the message: of those known only this module does.
	CEKHKDF bool
	// AuthAttributes are readable by all and authenticated, UnprotectedAttributes
	// readable by all and not. The former need an authenticated cipher.
	AuthAttributes, UnprotectedAttributes []Attribute
	// Ciphertext receives the encrypted content, which is then not inside the
	// message (RFC 5652 section 6.1); see [DecryptOptions].
	Ciphertext io.Writer
}

// An envelope is what is known of an EnvelopedData or AuthEnvelopedData before
// its content.
//
//	EnvelopedData ::= SEQUENCE {
//	    version CMSVersion,
//	    originatorInfo [0] IMPLICIT OriginatorInfo OPTIONAL,
//	    recipientInfos RecipientInfos,
//	    encryptedContentInfo EncryptedContentInfo,
//	    unprotectedAttrs [1] IMPLICIT UnprotectedAttributes OPTIONAL }
//
//	AuthEnvelopedData ::= SEQUENCE {
//	    version CMSVersion,
//	    originatorInfo [0] IMPLICIT OriginatorInfo OPTIONAL,
//	    recipientInfos RecipientInfos,
//	    authEncryptedContentInfo EncryptedContentInfo,
//	    authAttrs [1] IMPLICIT AuthAttributes OPTIONAL,
//	    mac MessageAuthenticationCode,
//	    unauthAttrs [2] IMPLICIT UnauthAttributes OPTIONAL }
//
//	EncryptedContentInfo ::= SEQUENCE {
//	    contentType ContentType,
//	    contentEncryptionAlgorithm ContentEncryptionAlgorithmIdentifier,
//	    encryptedContent [0] IMPLICIT EncryptedContent OPTIONAL }
type envelope struct {
	contentType      oid.OID
	content          *alg.Content
	authenticated    bool
	size             int64     // of the plaintext; -1: unknown
	ciphertext       io.Writer // nil: inside
	recipients       []encodedRecipient
	authAttrs        []byte // DER SET OF, or none
	unprotectedAttrs []byte // DER SET OF, or none
}

func newEnvelope(opts *EncryptOptions) (*envelope, error) {
	cipher := opts.Cipher
	if cipher == 0 {
		cipher = AES256GCM
	}
	if !cipher.writable() {
		return nil, fmt.Errorf("%w: %v is not written", ErrWeak, cipher)
	}
	content, err := alg.NewContent(alg.Cipher(cipher), opts.CEKHKDF)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	e := &envelope{contentType: oid.FromX509(opts.ContentType), content: content, authenticated: cipher.Authenticated(), ciphertext: opts.Ciphertext}
	if e.contentType == "" {
		e.contentType = oid.Data
	}
	auth := importAttributes(opts.AuthAttributes)
	if len(auth) > 0 && !e.authenticated {
		return nil, fmt.Errorf("%w: authenticated attributes with %v", ErrUnauthenticated, cipher)
	}
	// RFC 5083 section 2.1: what is not id-data is named under the tag.
	if e.authenticated && (len(auth) > 0 || e.contentType != oid.Data) && !auth.has(oid.AttrContentType) {
		value := ber.Append(nil, ber.OID, false, []byte(e.contentType))
		auth = append(auth, attribute{id: oid.AttrContentType, values: [][]byte{value}})
	}
	// RFC 5083 section 2.1: a digest of the content would tell it to guessers.
	if auth.has(oid.AttrMessageDigest) {
		return nil, fmt.Errorf("%w: message-digest among the authenticated attributes", ErrUnsupported)
	}
	if e.authAttrs, err = encodeOptional(auth); err != nil {
		return nil, err
	}
	e.unprotectedAttrs, err = encodeOptional(importAttributes(opts.UnprotectedAttributes))
	return e, err
}

func encodeOptional(a attributes) ([]byte, error) {
	if len(a) == 0 {
		return nil, nil
	}
	return a.encode()
}

// version returns the number that RFC 5652 section 6.1 or RFC 5083 section 2.1 has.
func (e *envelope) version() byte {
	if e.authenticated {
		return 0
	}
	version := byte(0)
	if len(e.unprotectedAttrs) > 0 {
		version = 2
	}
	for _, r := range e.recipients {
		if r.complex {
			return 3
		}
		if r.version != 0 {
			version = 2
		}
	}
	return version
}

func (e *envelope) outerType() oid.OID {
	if e.authenticated {
		return oid.AuthEnvelopedData
	}
	return oid.EnvelopedData
}

// ciphertextSize returns the length of the ciphertext, -1 if it is not known.
func (e *envelope) ciphertextSize() int64 {
	if e.size < 0 || e.authenticated {
		return e.size
	}
	const block = 16 // of AES, the only block cipher that is written
	return e.size - e.size%block + block
}

// wrapForAll makes a RecipientInfo for each, on all cores.
func wrapForAll(ctx context.Context, to []Recipient, cek []byte) ([]encodedRecipient, error) {
	list := make([]encodedRecipient, len(to))
	errs := make([]error, len(to))
	var next atomic.Int64
	work := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(to) {
				return
			}
			if list[i], errs[i] = wrapFor(ctx, to[i], cek); errs[i] != nil {
				errs[i] = &RecipientError{Index: i, Err: errs[i]}
			}
		}
	}
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(to)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return list, errors.Join(errs...)
}

func wrapFor(ctx context.Context, to Recipient, cek []byte) (encodedRecipient, error) {
	if err := ctx.Err(); err != nil {
		return encodedRecipient{}, err
	}
	if to == nil {
		return encodedRecipient{}, fmt.Errorf("%w: no recipient", ErrUnsupported)
	}
	return to.recipient(cek)
}
