package pkcs7

import (
	"io"

	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/stream"
)

// readAgain reads the content a second time into memory, if it is no longer
// held, fits and can be read again. It must have the digests of the first time.
func (r *SignedReader) readAgain() error {
	d := r.digest
	if d.size <= int64(d.keep) || r.again == nil || d.size > r.p.budget.Left(budget.Memory) {
		return nil
	}
	content, end, err := r.again.Reopen()
	if err != nil {
		return nil
	}
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
	if _, err := stream.Copy(again, io.LimitReader(content, d.size+1)); err != nil {
		return wrapError(err, "content")
	}
	if !again.sameSums(d) {
		return changedError()
	}
	r.digest = again
	return wrapError(r.again.Return(end), "content")
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
