package mimetree

import (
	"bytes"
	"io"
	"mime/quotedprintable"

	"github.com/gosmime/gosmime/internal/quoted"
	"github.com/gosmime/gosmime/internal/stream"
)

// An EncodingError says why the transfer encoding of a part can't be undone.
type EncodingError struct {
	Encoding string
	Err      error // nil: the encoding is unknown
}

func (e *EncodingError) Error() string {
	if e.Err == nil {
		return "transfer encoding " + quoted.Text(e.Encoding)
	}
	return e.Err.Error()
}

// Unwrap returns Err.
func (e *EncodingError) Unwrap() error { return e.Err }

// Decode returns a reader of what the transfer encoding of p hides. An error of
// it or of the reader is a [*Base64Error], an [*EncodingError] or one of body.
func Decode(p *Part, body io.Reader) (io.Reader, error) {
	switch p.Encoding {
	case "", "7bit", "8bit", "binary":
		return body, nil
	case "base64":
		return NewBase64Reader(body), nil
	case "quoted-printable":
		q := &quotedReader{}
		q.r = quotedprintable.NewReader(newLineBreaker(stream.Watch(body, &q.failure)))
		return q, nil
	}
	return nil, &EncodingError{Encoding: p.Encoding}
}

// DecodeCMS is [Decode] for a CMS object.
//
// DEVIATION: RFC 2045 section 6.1 makes 7bit of what has no transfer encoding.
// Gateways lose the field, and what begins like base64 is no BER.
func DecodeCMS(p *Part, body io.Reader) (io.Reader, error) {
	switch p.Encoding {
	case "", "7bit", "8bit", "binary":
		return &unlabelledReader{src: body}, nil
	}
	return Decode(p, body)
}

// An unlabelledReader reads a CMS object, or base64 of one.
type unlabelledReader struct {
	src    io.Reader
	r      io.Reader
	base64 *Base64Reader // nil if it is none
}

func (u *unlabelledReader) Read(p []byte) (int, error) {
	if u.r == nil && len(p) > 0 {
		if err := u.look(); err != nil {
			return 0, err
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	return u.r.Read(p)
}

// maxBlanks is how much white space may stand before a CMS object.
const maxBlanks = 4 << 10

// look reads to the first octet that is not white space: 'M' is how base64 of a
// SEQUENCE begins.
func (u *unlabelledReader) look() error {
	var first []byte
	for c := [1]byte{'\n'}; bytes.IndexByte([]byte(" \t\r\n"), c[0]) >= 0 && len(first) < maxBlanks; {
		if _, err := io.ReadFull(u.src, c[:]); err != nil {
			return err
		}
		first = append(first, c[0])
	}
	u.r = io.MultiReader(bytes.NewReader(first), u.src)
	if first[len(first)-1] == 'M' {
		u.base64 = NewBase64Reader(u.r)
		u.r = u.base64
	}
	return nil
}

// A quotedReader tells what is wrong with quoted-printable from what is wrong
// with its source.
type quotedReader struct {
	r       io.Reader
	failure error // of the source
}

func (q *quotedReader) Read(p []byte) (int, error) {
	n, err := q.r.Read(p)
	if err != nil && err != io.EOF && q.failure == nil {
		err = &EncodingError{Encoding: "quoted-printable", Err: err}
	}
	return n, err
}

// Tolerated returns what a reader of [Decode] or [DecodeCMS] let pass until now.
func Tolerated(r io.Reader) Base64Tolerance {
	switch r := r.(type) {
	case *Base64Reader:
		return r.Tolerance()
	case *unlabelledReader:
		if r.base64 != nil {
			return r.base64.Tolerance() | UnlabelledBase64
		}
	}
	return 0
}
