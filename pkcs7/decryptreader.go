package pkcs7

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/stream"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A DecryptReader reads decrypted content. Read returns io.EOF only if the
// content is complete.
//
// Where nothing is returned before the whole content has been checked it can
// also Seek, backwards too, which asks no key again.
type DecryptReader struct {
	opts  DecryptOptions
	p     *parser // of the first pass
	outer oid.OID
	encryptedContentInfo
	originator [][]byte
	recipients *recipientList
	ciphertext ciphertext
	trailer    trailer

	unwrapper
	candidates []candidate  // not asked yet
	keys       []contentKey // of those that were
	opened     *matchKey    // the one that opened the message
	chosen     contentKey

	withheld  bool // nothing is returned before the whole was checked
	checked   bool
	decrypter alg.Decrypter
	wrong     bool // fails at the end whatever comes

	in         stream.Chunker // of the ciphertext
	out, ready []byte         // plaintext, and what of it was not returned
	pos        int64          // of the content, returned
	done       bool
	err        error
}

// A misuse is an error of the caller, not of a message.
type misuse string

func (m misuse) Error() string { return "pkcs7: " + string(m) }

const (
	errClosed misuse = "reader is closed"
	errSeek   misuse = "content can't be read from there"
)

// Close frees what was spooled and clears the content key.
func (r *DecryptReader) Close() error {
	if r.err == nil || r.err == io.EOF {
		r.err = errClosed
	}
	r.forget()
	var err error
	if r.recipients != nil {
		err = r.recipients.store.close()
	}
	return errors.Join(err, r.ciphertext.close())
}

func (r *DecryptReader) forget() {
	for _, k := range r.keys {
		clear(k.cek)
	}
	clear(r.chosen.cek)
	clear(r.out[:cap(r.out)])
	r.in.Close()
	r.keys, r.out, r.ready, r.decrypter = nil, nil, nil, nil
}

func (r *DecryptReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := r.more(); err != nil {
		return 0, err
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	r.pos += int64(n)
	return n, nil
}

// WriteTo implements io.WriterTo.
func (r *DecryptReader) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		if err := r.more(); err != nil {
			if err == io.EOF {
				err = nil
			}
			return total, err
		}
		n, err := stream.WriteFull(w, r.ready)
		r.ready = r.ready[n:]
		r.pos += int64(n)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
}

// Seek implements io.Seeker for contents that are withheld until they were
// checked; for others it fails. io.SeekEnd is not supported.
func (r *DecryptReader) Seek(offset int64, whence int) (int64, error) {
	if !r.withheld {
		return 0, errSeek
	}
	if r.err != nil && r.err != io.EOF {
		return 0, r.err
	}
	switch whence {
	case io.SeekCurrent:
		offset += r.pos
	case io.SeekStart:
	default:
		return 0, errSeek
	}
	if offset < 0 {
		return 0, errSeek
	}
	if offset < r.pos {
		if err := r.restart(); err != nil {
			return 0, r.fail(err)
		}
	}
	if offset > r.pos {
		n, err := io.CopyN(io.Discard, struct{ io.Reader }{r}, offset-r.pos)
		if err != nil && (err != io.EOF || n == 0) {
			return r.pos, err
		}
	}
	return r.pos, nil
}

// Cipher returns the cipher of the message.
func (r *DecryptReader) Cipher() Cipher {
	if r.content == nil {
		return 0
	}
	return Cipher(r.content.Cipher)
}

// ContentType returns the type of the content. Anything but id-data is not
// S/MIME, which has MIME inside (RFC 8551 section 2.4.1).
func (r *DecryptReader) ContentType() x509.OID { return r.contentType.X509() }

// Recipients returns the recipients that the message names. Anyone may have changed the list.
func (r *DecryptReader) Recipients() []CertID {
	if r.recipients == nil {
		return nil
	}
	return slices.Clone(r.recipients.ids)
}

// Certificate returns that of the key that opened the message, or nil if it
// was a secret. It is known after the first Read at the latest.
func (r *DecryptReader) Certificate() *x509.Certificate {
	if r.opened == nil {
		return nil
	}
	return r.opened.certificate
}

// UnverifiedElements returns the certificates and CRLs that the sender
// included, as DER or BER. Anyone can put anything there.
func (r *DecryptReader) UnverifiedElements() [][]byte { return r.originator }

// AuthenticatedAttributes returns those that the tag of the cipher covers. They
// are known after io.EOF.
func (r *DecryptReader) AuthenticatedAttributes() []Attribute { return r.trailer.auth.exported() }

// UnprotectedAttributes returns those that anyone may have changed. They are
// known after io.EOF.
func (r *DecryptReader) UnprotectedAttributes() []Attribute { return r.trailer.unprotected.exported() }

// Strength returns nil, or an error that wraps [ErrWeak] if the cipher or the way
// to its key is below the floor, for any of the recipients.
func (r *DecryptReader) Strength() error {
	switch {
	case r.content == nil || r.recipients == nil:
		return ErrNotRead
	case r.content.Strength() != nil:
		return fmt.Errorf("%w: %v", ErrWeak, r.Cipher())
	case r.recipients.weak:
		return fmt.Errorf("%w: the way to the content key", ErrWeak)
	}
	if r.opened != nil && r.opened.public != nil && r.opened.public.IsRSA() && r.opened.public.Bits < minRSABits {
		return fmt.Errorf("%w: RSA key of %d bits", ErrWeak, r.opened.public.Bits)
	}
	return nil
}

func (r *DecryptReader) fail(err error) error {
	r.err = err
	r.forget()
	return err
}

// more makes sure that something is ready to be returned.
func (r *DecryptReader) more() error {
	if r.err != nil {
		return r.err
	}
	if r.p == nil {
		return ErrNotRead
	}
	if r.withheld && !r.checked {
		if err := r.check(); err != nil {
			return r.fail(err)
		}
		r.checked = true
		if err := r.restart(); err != nil {
			return r.fail(err)
		}
	}
	for len(r.ready) == 0 {
		if r.done {
			r.err = io.EOF
			return io.EOF
		}
		if err := r.ctx.Err(); err != nil {
			return r.fail(err)
		}
		if err := r.fill(); err != nil {
			return r.fail(err)
		}
	}
	return nil
}

// restart begins to decrypt from the first octet of a content that was checked.
func (r *DecryptReader) restart() error {
	r.pos, r.ready, r.done = 0, nil, false
	if !r.checked {
		return nil
	}
	if r.err == io.EOF {
		r.err = nil
	}
	r.in.Stop()
	stream, err := r.ciphertext.again()
	if err != nil {
		return err
	}
	r.in.Reset(stream, true)
	return r.decryptWith(r.chosen)
}

func (r *DecryptReader) decryptWith(k contentKey) error {
	r.chosen, r.wrong = k, k.wrong
	var err error
	if r.decrypter, err = r.content.Decrypter(k.cek); err != nil {
		return ErrDecrypt
	}
	return nil
}

// fill decrypts one chunk. The last one is not made ready before the rest of
// the structure was read and the padding is right.
func (r *DecryptReader) fill() error {
	chunk, last, err := r.in.Next()
	if err != nil {
		return r.p.wrap(err, "encryptedContent")
	}
	if cap(r.out) < len(chunk)+64 {
		clear(r.out[:cap(r.out)])
		r.out = make([]byte, 0, max(len(chunk), r.in.Size())+64)
	}
	plain := r.decrypter.Update(r.out[:0], chunk)
	if last {
		if !r.checked {
			if err := r.readTrailer(r.p); err != nil {
				return err
			}
		}
		var ok bool
		if plain, ok = r.decrypter.Final(plain); !ok || r.wrong {
			clear(plain)
			return ErrDecrypt
		}
		r.done = true
	}
	r.out = plain[:0]
	// What is known to be worth nothing is not shown, but costs as much.
	if !r.wrong {
		r.ready = plain
	}
	return nil
}

// A trailer is what follows the EncryptedContentInfo.
type trailer struct {
	aad, mac          []byte // of an AuthEnvelopedData
	auth, unprotected attributes
}

// readTrailer reads to the end of the message.
func (r *DecryptReader) readTrailer(p *parser) error {
	if err := p.leave("encryptedContentInfo"); err != nil {
		return err
	}
	var t trailer
	var err error
	unprotected := ber.Context(1)
	if r.outer == oid.AuthEnvelopedData {
		if t.aad, t.auth, err = readAttributes(p, ber.Context(1), "authAttrs"); err != nil {
			return err
		}
		if err := checkAuthAttributes(p, t.auth, r.contentType); err != nil {
			return err
		}
		if t.mac, err = p.octets(ber.OctetString, maxTag, "mac"); err != nil {
			return err
		}
		unprotected = ber.Context(2)
	}
	if t.unprotected, err = readUnprotected(p, unprotected, "unprotectedAttrs"); err != nil {
		return err
	}
	if err := p.leave("EnvelopedData"); err != nil {
		return err
	}
	r.trailer = t
	return p.endContentInfo()
}

// maxTag is more than any tag or digest has octets.
const maxTag = 64

// readAttributes reads an optional SET OF Attribute. It returns it also as DER
// with the tag of a SET, which is what is authenticated (RFC 5083 section 2.2).
func readAttributes(p *parser, tag ber.Tag, field string) ([]byte, attributes, error) {
	if there, err := p.at(tag, field); !there {
		return nil, nil, err
	}
	offset := p.Offset()
	raw, err := p.keep(field)
	if err != nil {
		return nil, nil, err
	}
	der, err := toDER(raw, offset, field)
	if err != nil {
		return nil, nil, err
	}
	set := append([]byte{byte(asn1.SET)}, der[1:]...)
	list, err := parseAttributes(set, offset, field)
	switch {
	case err != nil:
		return nil, nil, err
	case len(list) == 0:
		return nil, nil, &SyntaxError{Offset: offset, Field: field, Reason: "empty"}
	case !isSorted(set):
		set = sortAttributes(list)
	}
	return set, list, nil
}

// readUnprotected reads attributes that anyone may have changed.
func readUnprotected(p *parser, tag ber.Tag, field string) (attributes, error) {
	_, list, err := readAttributes(p, tag, field)
	if err != nil {
		return nil, err
	}
	if id := list.misplaced(); id != "" {
		return nil, p.fail(field, "attribute "+id.String()+" must be authenticated")
	}
	return list, nil
}

// checkAuthAttributes holds RFC 5083 section 2.1: a content that is not id-data
// is named under the tag, and one that is named is what it is named.
func checkAuthAttributes(p *parser, auth attributes, contentType oid.OID) error {
	for _, id := range onlyProtected {
		if _, ok := auth.single(id); !ok {
			return p.fail("authAttrs", "attribute "+id.String()+" more than once or not with one value")
		}
	}
	value, ok := auth.single(oid.AttrContentType)
	switch {
	case !ok:
		return p.fail("authAttrs", "content-type more than once")
	case value == nil && contentType != oid.Data:
		return p.fail("authAttrs", "no content-type")
	case value != nil && string(value) != string(ber.Append(nil, ber.OID, false, []byte(contentType))):
		return p.fail("authAttrs", "content-type is not that of the content")
	}
	return nil
}

// Deviations returns what was tolerated of the message. It is known after
// io.EOF.
func (r *DecryptReader) Deviations() []Deviation {
	var list []Deviation
	if r.content != nil && r.content.TagLen > 0 && len(r.trailer.mac) > r.content.TagLen {
		list = append(list, TagLength)
	}
	if r.chosen.derived {
		list = append(list, KeyDerivation)
	}
	return list
}
