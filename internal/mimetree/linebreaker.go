package mimetree

import (
	"bufio"
	"bytes"
	"io"
)

// longestLine is where a lineBreaker breaks a line: package quotedprintable
// fails on lines of more than 4096 octets.
const longestLine = 2048

// A lineBreaker puts soft line breaks into long lines of quoted-printable text,
// which change nothing of what it stands for (RFC 2045 section 6.7).
//
// DEVIATION: RFC 2045 section 6.7 allows 76 characters in a line. Programs that
// write whole paragraphs in one line are many.
type lineBreaker struct {
	src  *bufio.Reader
	rest []byte // to be returned
	buf  [longestLine + 3]byte
	err  error
}

func newLineBreaker(src io.Reader) *lineBreaker {
	return &lineBreaker{src: bufio.NewReaderSize(src, longestLine)}
}

func (l *lineBreaker) Read(p []byte) (int, error) {
	if len(l.rest) == 0 && l.err == nil && len(p) > 0 {
		l.next()
	}
	if len(l.rest) == 0 {
		return 0, l.err
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// next reads whole lines, or a piece of a long one with a soft break after it.
func (l *lineBreaker) next() {
	line, err := l.src.Peek(longestLine)
	if end := bytes.LastIndexByte(line, '\n'); end >= 0 || err != nil {
		if end >= 0 {
			line, err = line[:end+1], nil
		}
		l.err = err
		l.take(line, "")
		return
	}
	// An escape stays in one piece.
	end := len(line)
	if at := bytes.LastIndexByte(line[end-2:], '='); at >= 0 {
		end += at - 2
	}
	l.take(line[:end], "=\r\n")
}

// take keeps a piece of the input and what is put behind it for Read.
func (l *lineBreaker) take(piece []byte, suffix string) {
	l.rest = append(append(l.buf[:0], piece...), suffix...)
	if _, err := l.src.Discard(len(piece)); err != nil && l.err == nil {
		l.err = err
	}
}
