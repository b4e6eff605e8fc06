package pkcs7

import (
	"bytes"
	"fmt"
	"io"
	"math"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/internal/stream"
)

// A ciphertext is the encrypted content of a message, which can be read again:
// from the source if that can seek, else from a spool.
type ciphertext struct {
	src      io.Reader
	detached io.Reader // where it is not inside the message
	seeker   io.Seeker // of src; nil: it can't
	start    int64     // offset of the message in src
	lim      ber.Limits
	length   int64              // that the message declares, or -1
	small    *stream.HeldReader // all of the octets, if they are few
	budget   *budget.Budget
	spool    *spool.Spool  // of the octets
	replay   *spool.Replay // of the message, or of the detached octets
	size     int64
}

func (c *ciphertext) init(src, detached io.Reader) {
	c.src, c.detached, c.length = src, detached, -1
	if s, ok := src.(io.Seeker); ok {
		if start, err := s.Seek(0, io.SeekCurrent); err == nil {
			c.seeker, c.start = s, start
		}
	}
}

func (c *ciphertext) close() error {
	if c.small != nil {
		c.budget.Give(budget.Memory, int64(len(c.small.B)))
		c.small = nil
	}
	var err error
	if c.spool != nil {
		err = c.spool.Close()
	}
	if c.replay != nil {
		err = c.replay.Close()
	}
	return err
}

// once returns the octets, to be read a single time, and notes how many are
// declared.
func (c *ciphertext) once(p *parser, inside bool) (io.Reader, error) {
	const field = "encryptedContentInfo.encryptedContent"
	switch {
	case inside && c.detached != nil:
		return nil, p.fail(field, "present although the ciphertext is elsewhere")
	case inside:
		e, err := p.Next()
		if err != nil {
			return nil, p.wrap(err, field)
		}
		c.length = e.Length
		stream, err := p.String(ber.Context(0))
		return stream, p.wrap(err, field)
	case c.detached == nil:
		return nil, p.fail(field, "missing")
	}
	return &meteredReader{c.detached, p.budget}, nil
}

// first returns the octets for the first of several passes, with the parser
// that then has the rest of the message.
func (c *ciphertext) first(p *parser, inside bool) (*parser, io.Reader, error) {
	c.lim = ber.Limits{Bytes: math.MaxInt64, Depth: p.lim.Depth}
	src, err := c.once(p, inside)
	if err != nil {
		return nil, nil, err
	}
	if c.detached != nil {
		c.replay = spool.NewReplay(c.detached, p.budget, p.lim.Dir)
		return p, &meteredReader{c.replay, p.budget}, nil
	}
	head, whole, err := stream.ReadHeld(src, c.length)
	switch {
	case err != nil:
		return nil, nil, p.wrap(err, "encryptedContent")
	case whole && p.budget.Take(budget.Memory, int64(len(head))) == nil:
		c.budget = p.budget
		c.small = &stream.HeldReader{B: head}
		return p, c.small, nil
	case c.seeker != nil:
		return c.fromStart(p)
	}
	c.spool = spool.New(p.budget, p.lim.Dir)
	if whole {
		return p, bytes.NewReader(head), nil
	}
	return p, io.MultiReader(bytes.NewReader(head), src), nil
}

// fromStart reads the source again from its start.
func (c *ciphertext) fromStart(p *parser) (*parser, io.Reader, error) {
	// The head is read a second time. It was counted the first time.
	used, err := c.seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, nil, fmt.Errorf("pkcs7: %w", err)
	}
	if _, err := c.seeker.Seek(c.start, io.SeekStart); err != nil {
		return nil, nil, fmt.Errorf("pkcs7: %w", err)
	}
	p.budget.Give(budget.Bytes, used-c.start)
	c.replay = spool.NewReplay(c.src, p.budget, p.lim.Dir)
	again := &parser{Reader: ber.NewReader(&meteredReader{c.replay, p.budget}, c.lim), lim: p.lim, budget: p.budget}
	if err := skipHead(again.Reader); err != nil {
		return nil, nil, again.wrap(err, "encryptedContentInfo")
	}
	stream, err := again.String(ber.Context(0))
	return again, stream, again.wrap(err, "encryptedContent")
}

// again returns the octets for a further pass. If the source changed reading
// fails.
func (c *ciphertext) again() (io.Reader, error) {
	if c.small != nil {
		return c.small, nil
	}
	if c.spool != nil {
		return io.NewSectionReader(c.spool, 0, c.size), nil
	}
	src, err := c.replay.Again()
	if err != nil || c.detached != nil {
		return src, err
	}
	r := ber.NewReader(src, c.lim)
	if err := skipHead(r); err != nil {
		return nil, wrapError(err, "encryptedContentInfo")
	}
	stream, err := r.String(ber.Context(0))
	return stream, wrapError(err, "encryptedContent")
}

// skipHead goes to the encryptedContent.
func skipHead(r *ber.Reader) error {
	enter := func(tag ber.Tag) func() error { return func() error { return r.Enter(tag) } }
	for _, step := range []func() error{
		enter(ber.Sequence), r.Skip, // ContentInfo, contentType
		enter(ber.Context(0)), enter(ber.Sequence), r.Skip, // content, EnvelopedData, version
		func() error { return skipTo(r, ber.Sequence) }, // originatorInfo, recipientInfos
		enter(ber.Sequence), r.Skip, r.Skip,             // contentType, contentEncryptionAlgorithm
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// skipTo skips elements up to one with that tag.
func skipTo(r *ber.Reader, tag ber.Tag) error {
	for {
		e, err := r.Next()
		if err != nil || e.Tag == tag {
			return err
		}
		if err := r.Skip(); err != nil {
			return err
		}
	}
}

// check reads the whole message and finds the key that opens it.
func (r *DecryptReader) check() error {
	p, stream, err := r.ciphertext.first(r.p, r.inside)
	if err != nil {
		return err
	}
	r.p = p
	// The attributes that are authenticated come after the content that they
	// are authenticated before. Mostly there are none.
	authenticated := r.content.TagLen > 0
	speculative := authenticated && r.contentType == oid.Data && !isCCM(r.content)
	var tags []alg.Authenticator
	if speculative {
		if tags, err = r.authenticators(r.keys, nil, -1); err != nil {
			return err
		}
	}
	tail, err := r.firstPass(stream, tags)
	if err != nil {
		return err
	}
	if err := r.readTrailer(r.p); err != nil {
		return err
	}
	if authenticated && (!speculative || len(r.trailer.aad) > 0) {
		tags, err = r.authenticate(r.keys)
		if err != nil {
			return err
		}
	}
	if r.choose(r.keys, tags, tail) {
		return nil
	}
	// All other candidates, together in one more pass.
	more, err := r.unwrap(r.candidates)
	if err != nil {
		return err
	}
	r.keys, r.candidates = append(r.keys, more...), nil
	if authenticated && len(more) > 0 {
		if tags, err = r.authenticate(more); err != nil {
			return err
		}
	}
	if r.choose(more, tags, tail) {
		return nil
	}
	if !authenticated && len(r.keys) > 0 {
		// Bad padding takes as long as any other content: all of it is decrypted,
		// nothing is shown, and the end is ErrDecrypt.
		r.chosen = r.keys[0]
		r.chosen.wrong = true
		return nil
	}
	// Why another candidate was not asked is known only where no content key
	// was found at all: told in any other case it would say that the content of
	// the first is badly padded.
	if len(r.keys) == 0 && r.failed != nil {
		return r.failed
	}
	return ErrDecrypt
}

func isCCM(c *alg.Content) bool {
	switch Cipher(c.Cipher) {
	case AES128CCM, AES192CCM, AES256CCM:
		return true
	}
	return false
}

// firstPass reads the ciphertext to its end and returns the last octets, from
// a block boundary if all of it is whole blocks.
func (r *DecryptReader) firstPass(stream io.Reader, tags []alg.Authenticator) (tail []byte, err error) {
	c := &r.ciphertext
	const keep = 3 * 16
	r.in.Reset(stream, true)
	defer r.in.Stop()
	for last := false; !last; {
		var chunk []byte
		if chunk, last, err = r.in.Next(); err != nil {
			return nil, r.p.wrap(err, "encryptedContent")
		}
		c.size += int64(len(chunk))
		if c.spool != nil {
			if _, err := c.spool.Write(chunk); err != nil {
				return nil, spoolError(err)
			}
		}
		if err := writeAll(tags, chunk); err != nil {
			return nil, err
		}
		tail = append(tail, chunk[max(0, len(chunk)-keep):]...)
		tail = tail[max(0, len(tail)-keep):]
		if err := r.ctx.Err(); err != nil {
			return nil, err
		}
	}
	want := min(c.size, 2*16+c.size%16)
	return tail[len(tail)-int(want):], nil
}

func writeAll(tags []alg.Authenticator, chunk []byte) error {
	for _, t := range tags {
		if _, err := t.Write(chunk); err != nil {
			return ErrDecrypt
		}
	}
	return nil
}

func (r *DecryptReader) authenticators(keys []contentKey, aad []byte, size int64) ([]alg.Authenticator, error) {
	tags := make([]alg.Authenticator, len(keys))
	for i, k := range keys {
		var err error
		if tags[i], err = r.content.Authenticator(k.cek, aad, size); err != nil {
			return nil, ErrDecrypt
		}
	}
	return tags, nil
}

// authenticate runs the tags of all keys over the ciphertext.
func (r *DecryptReader) authenticate(keys []contentKey) ([]alg.Authenticator, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	tags, err := r.authenticators(keys, r.trailer.aad, r.ciphertext.size)
	if err != nil {
		return nil, err
	}
	stream, err := r.ciphertext.again()
	if err != nil {
		return nil, err
	}
	r.in.Reset(stream, true)
	defer r.in.Stop()
	for last := false; !last; {
		var chunk []byte
		if chunk, last, err = r.in.Next(); err != nil {
			return nil, wrapError(err, "encryptedContent")
		}
		if err := writeAll(tags, chunk); err != nil {
			return nil, err
		}
		if err := r.ctx.Err(); err != nil {
			return nil, err
		}
	}
	return tags, nil
}

// choose takes the first key that fits: by the tag if there is one, else by the
// padding, which a wrong key has right once in 256 times.
func (r *DecryptReader) choose(keys []contentKey, tags []alg.Authenticator, tail []byte) bool {
	found := false
	for i, k := range keys {
		var ok bool
		if r.content.TagLen > 0 {
			ok = tags[i].Check(r.trailer.mac)
		} else {
			ok = r.padded(k, tail)
		}
		if ok && !k.wrong && !found {
			r.chosen, r.opened, found = k, k.key, true
		}
	}
	return found
}

// padded reports whether the end of the content is right under the key. Of the
// blocks of tail the first only serves to decrypt the second.
func (r *DecryptReader) padded(k contentKey, tail []byte) bool {
	d, err := r.content.Decrypter(k.cek)
	if err != nil {
		return false
	}
	plain, ok := d.Final(d.Update(nil, tail))
	clear(plain)
	return ok
}
