package mimetree

import (
	"bytes"
	"io"
)

// LineEnds checks a stream for line ends other than CR LF, in pieces of any
// size. The zero LineEnds is at the start.
type LineEnds struct{ cr bool } // the last octet was a CR

// Next returns how many octets of p can follow what came before without a line
// end that is not CR LF. Where that is less than len(p) either p[n] is an LF without its
// CR, or the octet before it was a CR without its LF: see AfterCR.
func (l *LineEnds) Next(p []byte) (n int) {
	if len(p) == 0 {
		return 0
	}
	if l.cr && p[0] != '\n' {
		return 0
	}
	lone := bytes.Count(p, []byte{'\r'})
	k := 0
	if l.cr {
		k, l.cr = 1, false
	}
	for {
		j := bytes.IndexByte(p[k:], '\n')
		if j < 0 {
			break
		}
		if k += j; k == 0 || p[k-1] != '\r' {
			n = loneCR(p[:k])
			l.cr = n > 0 && p[n-1] == '\r'
			return n
		}
		lone--
		k++
	}
	if lone > 0 && p[len(p)-1] == '\r' {
		l.cr = true
		lone--
	}
	if lone > 0 {
		n = loneCR(p)
		l.cr = true
		return n
	}
	return len(p)
}

// AfterCR reports whether the last octet that Next passed was a CR that waits for its LF.
func (l *LineEnds) AfterCR() bool { return l.cr }

// loneCR returns the position after the first CR that something other than LF
// follows, or len(p).
func loneCR(p []byte) int {
	for k := 0; ; {
		j := bytes.IndexByte(p[k:], '\r')
		if j < 0 || k+j+1 == len(p) {
			return len(p)
		}
		k += j + 1
		if p[k] != '\n' {
			return k
		}
	}
}

// A CRLFWriter writes what is written to it with every line end, CR LF, LF or
// CR, as CR LF (RFC 8551 section 3.1.1). Close must be called at the end.
type CRLFWriter struct {
	w   io.Writer
	cr  bool // a CR was read and not yet written
	buf []byte
}

// NewCRLFWriter returns a CRLFWriter to w.
func NewCRLFWriter(w io.Writer) *CRLFWriter { return &CRLFWriter{w: w} }

func (c *CRLFWriter) Write(p []byte) (int, error) {
	for at := 0; at < len(p); {
		end := min(len(p), at+chunk/2)
		c.convert(p[at:end])
		if _, err := c.w.Write(c.buf); err != nil {
			return at, err
		}
		at = end
	}
	return len(p), nil
}

// convert puts the canonical form of p into buf.
func (c *CRLFWriter) convert(p []byte) {
	if c.buf == nil {
		c.buf = make([]byte, 0, min(chunk, 2*len(p)+2))
	}
	b := c.buf[:0]
	if c.cr && len(p) > 0 {
		b = append(b, '\r', '\n')
		if p[0] == '\n' {
			p = p[1:]
		}
		c.cr = false
	}
	for len(p) > 0 {
		j := bytes.IndexByte(p, '\n')
		line := p
		if j >= 0 {
			line = p[:j]
			p = p[j+1:]
		} else {
			p = nil
		}
		last := len(line) > 0 && line[len(line)-1] == '\r'
		if last {
			line = line[:len(line)-1]
		}
		for {
			k := bytes.IndexByte(line, '\r')
			if k < 0 {
				break
			}
			b = append(append(b, line[:k]...), '\r', '\n')
			line = line[k+1:]
		}
		b = append(b, line...)
		switch {
		case j >= 0:
			b = append(b, '\r', '\n')
		case last:
			c.cr = true
		}
	}
	c.buf = b
}

// Close writes what is pending. It does not close the writer below.
func (c *CRLFWriter) Close() error {
	if !c.cr {
		return nil
	}
	c.cr = false
	_, err := c.w.Write([]byte("\r\n"))
	return err
}

// Canonical returns a reader of r with every line end, CR LF, LF or CR, as CR LF.
func Canonical(r io.Reader) io.Reader {
	c := &canonicalReader{src: r}
	c.conv.w = &c.out
	return c
}

type canonicalReader struct {
	src  io.Reader
	in   []byte
	conv CRLFWriter
	out  bytes.Buffer
	err  error
}

func (c *canonicalReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for c.out.Len() == 0 {
		if c.err != nil {
			return 0, c.err
		}
		if c.in == nil {
			c.in = make([]byte, chunk/2)
		}
		n, err := c.src.Read(c.in)
		c.conv.Write(c.in[:n])
		if err != nil {
			if err == io.EOF {
				c.conv.Close()
			}
			c.err = err
		}
	}
	return c.out.Read(p)
}
