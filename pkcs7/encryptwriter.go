package pkcs7

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/stream"
)

const (
	chunkSize  = 192 << 10 // of content that is worked on at once
	maxCCMHeld = 4 << 20   // of a content whose size AES-CCM has to know first
	flushSize  = 32 << 10  // less is gathered before it is written on
)

// An encryptWriter writes the content of an envelope, whose beginning is
// written, and then its end.
type encryptWriter struct {
	ctx     context.Context
	w       *ber.Writer
	out     io.WriteCloser // encryptedContent
	e       *envelope
	cipher  alg.Encrypter
	buf     []byte // ciphertext not written yet
	behind  bool   // flush writes in a goroutine
	pending chan error
	spare   []byte // in the hands of that goroutine
	left    int64  // of a known size
	held    int64  // that AES-CCM holds in memory
	err     error
	closed  bool
}

const (
	errWriteClosed misuse = "write after Close"
	errSize        misuse = "content does not have the size that was announced"
)

func newEncryptWriter(ctx context.Context, dst io.Writer, e *envelope, cipher alg.Encrypter) (*encryptWriter, error) {
	w := &encryptWriter{ctx: ctx, w: ber.NewWriter(dst), e: e, cipher: cipher, left: e.size}
	der := make([][]byte, len(e.recipients))
	for i := range e.recipients {
		der[i] = e.recipients[i].der
	}
	contentType := ber.Append(nil, ber.OID, false, []byte(e.contentType))
	algorithm := e.content.ID.DER()
	recipients := encodeSet(ber.Set, der)

	// The lengths of what contains the content, from the inside.
	explicit, body, inner, outer := int64(-1), int64(-1), int64(-1), int64(-1)
	contentInfo := ber.Append(nil, ber.OID, false, []byte(e.outerType()))
	size := e.ciphertextSize()
	if size >= 0 || e.ciphertext != nil {
		inner = int64(len(contentType) + len(algorithm))
		if e.ciphertext == nil {
			inner += total(ber.Context(0), size)
		}
		body = int64(len(encodeVersion(0))+len(recipients)) + total(ber.Sequence, inner) + e.trailerLen()
		explicit = total(ber.Sequence, body)
		outer = int64(len(contentInfo)) + total(ber.Context(0), explicit)
	}
	w.w.Begin(ber.Sequence, outer)
	w.w.Raw(contentInfo)
	w.w.Begin(ber.Context(0), explicit)
	w.w.Begin(ber.Sequence, body)
	w.w.Raw(encodeVersion(e.version()), recipients)
	w.w.Begin(ber.Sequence, inner)
	w.w.Raw(contentType, algorithm)
	if e.ciphertext != nil {
		w.out = elsewhere{e.ciphertext}
	} else {
		w.out = w.w.OctetString(ber.Context(0), size)
	}
	return w, w.w.Err()
}

// elsewhere is a ciphertext that is not inside the message.
type elsewhere struct{ io.Writer }

func (elsewhere) Close() error { return nil }

// Write encrypts p. It fails if a known size is passed.
func (w *encryptWriter) Write(p []byte) (int, error) {
	if w.closed {
		return 0, errWriteClosed
	}
	done := 0
	for w.err == nil && len(p) > 0 {
		chunk := p[:min(len(p), chunkSize)]
		if w.err = w.ctx.Err(); w.err != nil {
			break
		}
		if w.e.size >= 0 {
			if w.left -= int64(len(chunk)); w.left < 0 {
				w.err = errSize
				break
			}
		}
		if w.e.size < 0 && isCCM(w.e.content) {
			if w.held += int64(len(chunk)); w.held > maxCCMHeld {
				w.err = fmt.Errorf("%w: AES-CCM content of unknown size", ErrLimit)
				break
			}
		}
		w.buf = w.cipher.Update(slices.Grow(w.buf, len(chunk)+64), chunk)
		if len(w.buf) >= flushSize {
			w.flush()
		}
		done += len(chunk)
		p = p[len(chunk):]
	}
	return done, w.err
}

func (w *encryptWriter) flush() {
	if w.behind {
		w.flushBehind()
		return
	}
	if _, err := stream.WriteFull(w.out, w.buf); err != nil && w.err == nil {
		w.err = err
	}
	w.buf = w.buf[:0]
}

// ReadFrom implements io.ReaderFrom. Of a long content it reads, encrypts and
// writes different parts at the same time; none of that goes on when it has
// returned.
func (w *encryptWriter) ReadFrom(r io.Reader) (int64, error) {
	var in stream.Chunker
	in.Reset(stream.SteadyReader{R: r}, true)
	defer in.Close()
	defer w.waitBehind()
	var total int64
	for {
		b, last, err := in.Next()
		w.behind = total >= stream.AheadFrom
		n, failed := w.Write(b)
		total += int64(n)
		switch {
		case err != nil:
			return total, err
		case failed != nil:
			return total, failed
		case last:
			w.waitBehind()
			return total, w.err
		}
	}
}

// flushBehind writes in a goroutine, of which there is one at a time.
func (w *encryptWriter) flushBehind() {
	full, spare := w.buf, w.spare
	w.waitBehind()
	w.behind = true
	w.buf, w.spare = spare[:0], full
	w.pending = make(chan error, 1)
	go func(out io.Writer, pending chan<- error) {
		_, err := stream.WriteFull(out, full)
		pending <- err
	}(w.out, w.pending)
}

// waitBehind ends writing in a goroutine.
func (w *encryptWriter) waitBehind() {
	w.behind = false
	if w.pending == nil {
		return
	}
	if err := <-w.pending; err != nil && w.err == nil {
		w.err = err
	}
	w.pending = nil
}

// Close writes the end of the message. It fails if a known size was not met.
func (w *encryptWriter) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.err == nil && w.e.size >= 0 && w.left != 0 {
		w.err = errSize
	}
	if w.err != nil {
		return w.err
	}
	var tag []byte
	w.buf, tag = w.cipher.Final(slices.Grow(w.buf, 64))
	if w.e.authenticated && len(tag) == 0 {
		// What the cipher can take under one key is passed.
		w.err = fmt.Errorf("%w: content too long for the cipher", ErrLimit)
		return w.err
	}
	w.flush()
	if err := w.out.Close(); w.err == nil {
		w.err = err
	}
	if w.err != nil {
		return w.err
	}
	w.w.End() // EncryptedContentInfo
	w.w.Raw(w.e.trailer(tag)...)
	w.w.End() // EnvelopedData
	w.w.End() // [0]
	w.w.End() // ContentInfo
	w.err = w.w.Close()
	w.buf = nil
	return w.err
}

// trailer returns the elements after the EncryptedContentInfo.
func (e *envelope) trailer(tag []byte) [][]byte {
	if !e.authenticated {
		return [][]byte{retag(e.unprotectedAttrs, ber.Context(1))}
	}
	return [][]byte{retag(e.authAttrs, ber.Context(1)), encodeOctets(tag), retag(e.unprotectedAttrs, ber.Context(2))}
}

func (e *envelope) trailerLen() int64 {
	n := 0
	for _, b := range e.trailer(make([]byte, e.content.TagLen)) {
		n += len(b)
	}
	return int64(n)
}

// retag gives a SET OF its implicit tag. Of nothing it makes nothing.
func retag(set []byte, tag ber.Tag) []byte {
	if len(set) == 0 {
		return nil
	}
	implicit := slices.Clone(set)
	implicit[0] = byte(0xa0 | tag.Number())
	return implicit
}
