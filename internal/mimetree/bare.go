package mimetree

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"strings"
)

const beginPEM = "-----BEGIN "

// bareWindow is how much of an input is looked at.
const bareWindow = 512

// Bare returns the entity that a CMS object would be in mail, if src begins
// with one that has no header: BER, base64 of it, or PEM. ok is false for
// anything else; then entity is all of src. No header begins like that.
func Bare(src io.Reader) (entity io.Reader, ok bool, err error) {
	b := bufio.NewReaderSize(src, bareWindow)
	first, err := b.Peek(bareWindow)
	if err != nil && err != io.EOF {
		return nil, false, err
	}
	first = bytes.TrimPrefix(first, []byte("\ufeff"))
	text := bytes.TrimLeft(first, " \t\r\n")
	switch {
	case beginsLikeCMS(first):
		return bareEntity("binary", b), true, nil
	case bytes.HasPrefix(text, []byte(beginPEM)):
		// With a colon in it the line is a field of a header to some programs.
		line, _, _ := bytes.Cut(text[len(beginPEM):], []byte("\n"))
		label, whole := strings.CutSuffix(string(bytes.TrimSpace(line)), "-----")
		if whole && (label == "CMS" || label == "PKCS7" || label == "PKCS #7 SIGNED DATA") {
			return bareEntity("base64", &armoured{lines: b}), true, nil
		}
	case beginsLikeCMS(decodedStart(text)):
		if len(first) != len(text) { // only white space and a byte order mark are before
			return bareEntity("base64", &armoured{lines: b, open: true}), true, nil
		}
		return bareEntity("base64", b), true, nil
	}
	return b, false, nil
}

func bareEntity(encoding string, body io.Reader) io.Reader {
	return io.MultiReader(strings.NewReader("Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: "+encoding+"\r\n\r\n"), body)
}

// beginsLikeCMS reports whether b is the beginning of a ContentInfo with a type
// of PKCS #7 or S/MIME.
func beginsLikeCMS(b []byte) bool {
	if len(b) < 2 || b[0] != 0x30 {
		return false
	}
	n := 2 // tag and length
	if b[1] > 0x80 {
		n += int(b[1] & 0x7f)
	}
	return n <= 10 && len(b) > n+9 && b[n] == 6 && bytes.HasPrefix(b[n+2:], []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01})
}

// decodedStart decodes the base64 that b begins with, unless it is the name of a
// field.
func decodedStart(b []byte) []byte {
	var quads []byte
	for _, c := range b {
		if c == '\r' || c == '\n' {
			continue
		}
		if c == ':' {
			return nil
		}
		if c != '+' && c != '/' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			break
		}
		quads = append(quads, c)
	}
	quads = quads[:min(len(quads), 64)/4*4]
	out := make([]byte, base64.StdEncoding.DecodedLen(len(quads)))
	n, _ := base64.StdEncoding.Decode(out, quads)
	return out[:n]
}

// armoured reads the lines between those of PEM, or all of them but blank ones
// and a byte order mark. Of text after the last line it makes something that is
// no base64: other programs may show it.
type armoured struct {
	lines *bufio.Reader
	open  bool // the first line was passed, or there is none
	ended bool
	rest  []byte
	mid   bool // in a line that is longer than the buffer
}

func (a *armoured) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		line, err := a.lines.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			if err != io.EOF || len(line) == 0 {
				return 0, err
			}
		}
		text := bytes.Trim(bytes.TrimPrefix(line, []byte("\ufeff")), " \t\r\n")
		switch armour := !a.mid && bytes.HasPrefix(text, []byte("-----")); {
		case a.ended && len(text) > 0:
			a.rest = append(a.rest[:0], "\r\n-----\r\n"...)
		case armour && !a.open:
			a.open = true
		case armour:
			a.ended = true
		case a.open && len(text) > 0:
			a.rest = append(append(a.rest[:0], text...), '\r', '\n')
			if err == bufio.ErrBufferFull {
				a.rest = a.rest[:len(a.rest)-2]
			}
		}
		a.mid = err == bufio.ErrBufferFull
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}
