package stream

import (
	"context"
	"io"
)

// ContextReader returns a reader that reads from r until ctx is done. It has no
// other method of r.
func ContextReader(ctx context.Context, r io.Reader) io.Reader {
	return &contextReader{ctx, r}
}

// ContextSource is ContextReader for an input that is read more than once: what
// it returns is an io.Seeker if r is, and then also an io.ReaderAt if r is.
func ContextSource(ctx context.Context, r io.Reader) io.Reader {
	c := &contextReader{ctx, r}
	s, seeks := r.(io.Seeker)
	at, random := r.(io.ReaderAt)
	switch {
	case seeks && random:
		return struct {
			io.Reader
			io.Seeker
			io.ReaderAt
		}{c, s, &contextReaderAt{ctx, at}}
	case seeks:
		return struct {
			io.Reader
			io.Seeker
		}{c, s}
	}
	return c
}

// ContextWriter returns a writer that writes to w until ctx is done.
func ContextWriter(ctx context.Context, w io.Writer) io.Writer {
	return &contextWriter{ctx, w}
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

type contextReaderAt struct {
	ctx context.Context
	r   io.ReaderAt
}

func (c *contextReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.ReadAt(p, off)
}

type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c *contextWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}
