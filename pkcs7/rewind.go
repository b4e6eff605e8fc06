package pkcs7

import (
	"context"
	"io"

	"github.com/gosmime/gosmime/internal/budget"
)

// A rewind goes back to where a source was.
type rewind struct {
	src   io.ReadSeeker
	start int64
}

// newRewind returns nil if src can't go back.
func newRewind(src io.Reader) *rewind {
	s, ok := src.(io.ReadSeeker)
	if !ok {
		return nil
	}
	start, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil
	}
	return &rewind{s, start}
}

// readAgain reads the content a second time into memory, if it is no longer
// held, fits and can be read again. It must have the digests of the first time.
func (r *SignedReader) readAgain() error {
	d := r.digest
	if d.size <= int64(d.keep) || r.again == nil || d.size > r.p.budget.Left(budget.Memory) {
		return nil
	}
	end, err := r.again.src.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil
	}
	if _, err := r.again.src.Seek(r.again.start, io.SeekStart); err != nil {
		return nil
	}
	var content io.Reader = r.again.src
	if r.embedded {
		second := newSignedReader(content, &ReadOptions{Limits: r.p.lim.unshared(), PKCS7Content: r.pkcs7})
		if err := second.begin(); err != nil {
			return err
		}
		if content = second.content; content == nil {
			return changedError()
		}
	}
	again := newDigester(r.announced, int(d.size))
	if err := pump(again, io.LimitReader(content, d.size+1)); err != nil {
		return wrapError(err, "content")
	}
	if !again.sameSums(d) {
		return changedError()
	}
	r.digest = again
	_, err = r.again.src.Seek(end, io.SeekStart)
	return wrapError(err, "content")
}

func changedError() error {
	return &SyntaxError{Field: "content", Reason: "changed while it was read"}
}

// unshared returns limits of the same size with a budget of their own: what was
// counted once is not counted twice.
func (l Limits) unshared() Limits {
	l.shared = nil
	return l
}

// untilDone is a writer that fails when its context ends.
type untilDone struct {
	ctx context.Context
	w   io.Writer
}

func (u untilDone) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(p)
}

const (
	firstChunk   = 8 << 10
	largestChunk = 192 << 10
)

// pump copies src to dst in chunks that grow, so that small contents are cheap
// and large ones fast.
func pump(dst io.Writer, src io.Reader) error {
	buf := make([]byte, firstChunk)
	for {
		n, err := readSome(src, buf)
		if n > 0 {
			if _, err := writeWhole(dst, buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case n == len(buf) && n < largestChunk:
			buf = make([]byte, min(4*n, largestChunk))
		}
	}
}
