package pkcs7

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
)

// NewDecryptReader reads an EnvelopedData or AuthEnvelopedData from src. For
// an authenticated cipher nothing is returned by Read before the whole content
// has been authenticated. For any other cipher Read streams what an attacker
// may have changed, unless opts.RequireAuthenticated is set.
//
// What can be told without a key fails here: a [SyntaxError], [ErrUnsupported],
// [ErrWeak], [ErrUnauthenticated], [ErrLimit], a [NoKeyError], and an
// [ErrKeyUnavailable] if no other key is left. All else is one [ErrDecrypt]
// of Read.
//
// An src that is an io.Seeker may be read more than once, from where it is now.
//
// Nothing here tells who made the message: every recipient can make another
// one with the same key, and the list of recipients is under no tag. For that
// the content must be signed (RFC 8551 section 6).
func NewDecryptReader(ctx context.Context, src io.Reader, keys KeyFunc, opts *DecryptOptions) (*DecryptReader, error) {
	if opts == nil {
		opts = &DecryptOptions{}
	}
	r := &DecryptReader{opts: *opts}
	r.ctx = ctx
	r.ciphertext.init(src, opts.Ciphertext)
	if err := r.open(src, keys); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// DecryptOptions are the options of decryption; nil means the defaults.
type DecryptOptions struct {
	Limits               Limits
	RequireAuthenticated bool // refuses ciphers that do not detect changes
	InsecureHistoric     bool // reads Triple DES, RC2 and DES
	// Withhold makes Read return nothing before the whole content was found to
	// be complete and well padded, whatever the cipher. An src that can't seek
	// is spooled for that.
	Withhold bool
	// Ciphertext is the encrypted content if it is not inside the message
	// (RFC 5652 section 6.1).
	Ciphertext io.Reader
}

func (r *DecryptReader) open(src io.Reader, keys KeyFunc) error {
	r.p = newParser(src, r.opts.Limits)
	var err error
	if r.outer, err = r.p.contentInfoOf(oid.EnvelopedData, oid.AuthEnvelopedData); err != nil {
		return err
	}
	if err := r.readHead(); err != nil {
		return err
	}
	if err := r.checkCipher(); err != nil {
		return err
	}
	r.budget, r.keyLen = r.p.budget, r.content.KeyLen()
	found, err := askKeys(r.ctx, keys, r.recipients)
	if err != nil {
		return err
	}
	if r.candidates, err = r.recipients.candidates(found); err != nil {
		return err
	}
	return r.start()
}

// readHead reads up to the content.
func (r *DecryptReader) readHead() error {
	name := "EnvelopedData"
	if r.outer == oid.AuthEnvelopedData {
		name = "AuthEnvelopedData"
	}
	if err := r.p.enter(ber.Sequence, name); err != nil {
		return err
	}
	if _, err := r.p.version(name + ".version"); err != nil {
		return err
	}
	var err error
	if r.originator, err = readOriginatorInfo(r.p); err != nil {
		return err
	}
	if r.recipients, err = readRecipients(r.p); err != nil {
		return err
	}
	info, err := readEncryptedContentInfo(r.p)
	if err != nil {
		return err
	}
	r.encryptedContentInfo = *info
	return nil
}

// readOriginatorInfo returns the certificates and CRLs as they came.
//
//	OriginatorInfo ::= SEQUENCE {
//	    certs [0] IMPLICIT CertificateSet OPTIONAL,
//	    crls [1] IMPLICIT RevocationInfoChoices OPTIONAL }
func readOriginatorInfo(p *parser) ([][]byte, error) {
	const field = "originatorInfo"
	if there, err := p.at(ber.Context(0), field); !there {
		return nil, err
	}
	if err := p.enter(ber.Context(0), field); err != nil {
		return nil, err
	}
	var list [][]byte
	for tag := range uint32(2) {
		there, err := p.at(ber.Context(tag), field)
		if err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		elements, err := p.elements(ber.Context(tag), field)
		if err != nil {
			return nil, err
		}
		list = append(list, elements...)
	}
	return list, p.leave(field)
}

// An encryptedContentInfo is an EncryptedContentInfo before its content.
type encryptedContentInfo struct {
	contentType oid.OID
	content     *alg.Content
	inside      bool // encryptedContent is present
}

func readEncryptedContentInfo(p *parser) (*encryptedContentInfo, error) {
	const field = "encryptedContentInfo"
	if err := p.enter(ber.Sequence, field); err != nil {
		return nil, err
	}
	info := new(encryptedContentInfo)
	var err error
	if info.contentType, err = p.oid(field + ".contentType"); err != nil {
		return nil, err
	}
	offset := p.Offset()
	id, err := p.algorithm(field + ".contentEncryptionAlgorithm")
	if err != nil {
		return nil, err
	}
	if info.content, err = alg.ContentOf(id); err != nil {
		if errors.Is(err, alg.ErrMalformed) {
			return nil, &SyntaxError{Offset: offset, Field: field + ".contentEncryptionAlgorithm", Reason: err.Error()}
		}
		if errors.Is(err, alg.ErrWeak) {
			return nil, fmt.Errorf("%w: content encryption algorithm %s: %w", ErrWeak, id.OID, err)
		}
		return nil, fmt.Errorf("%w: content encryption algorithm %s", ErrUnsupported, id.OID)
	}
	info.inside, err = p.at(ber.Context(0), field+".encryptedContent")
	return info, err
}

// checkCipher refuses what is not to be decrypted before any key is asked.
func (r *DecryptReader) checkCipher() error {
	authenticated := r.content.TagLen > 0
	if authenticated != (r.outer == oid.AuthEnvelopedData) {
		// RFC 9709 section 1: the same key in the other kind of cipher is an oracle.
		return r.p.fail("encryptedContentInfo.contentEncryptionAlgorithm", "cipher of the other kind of enveloped data")
	}
	if r.opts.RequireAuthenticated && !authenticated {
		return fmt.Errorf("%w: %v", ErrUnauthenticated, r.Cipher())
	}
	return checkStrength(r.content, r.opts.InsecureHistoric)
}

func checkStrength(c *alg.Content, historic bool) error {
	if err := c.Strength(); err != nil && !historic {
		return fmt.Errorf("%w: %v", ErrWeak, Cipher(c.Cipher))
	}
	return nil
}

// start asks the best candidate, which in almost all messages is the only one.
func (r *DecryptReader) start() error {
	authenticated := r.content.TagLen > 0
	r.withheld = authenticated || r.opts.Withhold || len(r.candidates) > 1
	first := r.candidates[:1]
	r.candidates = r.candidates[1:]
	var err error
	if r.keys, err = r.unwrap(first); err != nil {
		return err
	}
	if len(r.keys) == 0 && len(r.candidates) == 0 {
		return r.failed
	}
	if len(r.candidates) == 0 {
		r.opened = r.keys[0].key
	}
	if r.withheld {
		return nil
	}
	stream, err := r.ciphertext.once(r.p, r.inside)
	if err != nil {
		return err
	}
	// A source that can seek does not block.
	r.in.Expect(r.ciphertext.length)
	r.in.Reset(stream, r.inside && r.ciphertext.seeker != nil)
	return r.decryptWith(r.keys[0])
}
