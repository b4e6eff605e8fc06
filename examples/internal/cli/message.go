package cli

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"strings"

	"github.com/gosmime/gosmime/pkcs7"
)

// Message returns the message that is read from in. A bare CMS object, as the
// .p7m file of a mail or what other programs write as DER or PEM, becomes the
// body of a MIME entity, since only a header says what a message is: it has no
// From field, so nobody can be held to have sent it.
func Message(in io.Reader) io.Reader {
	start := make([]byte, 512)
	n, err := io.ReadFull(in, start)
	start = start[:n]
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return io.MultiReader(bytes.NewReader(start), failed{err})
	}
	switch {
	case isCMS(start):
		return io.MultiReader(cmsHeader("binary"), bytes.NewReader(start), in)
	case isArmoured(start):
		return io.MultiReader(cmsHeader("base64"), &unarmoured{lines: bufio.NewReader(io.MultiReader(bytes.NewReader(start), in))})
	case isBase64(start):
		return io.MultiReader(cmsHeader("base64"), bytes.NewReader(start), in)
	}
	if s, ok := in.(io.Seeker); ok { // the library reads a file twice instead of keeping it
		if _, err := s.Seek(-int64(n), io.SeekCurrent); err == nil {
			return in
		}
	}
	return io.MultiReader(bytes.NewReader(start), in)
}

// failed is a reader whose error is not forgotten.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }

func cmsHeader(encoding string) io.Reader {
	return strings.NewReader("MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n")
}

func isCMS(head []byte) bool {
	_, err := pkcs7.ContentType(head)
	return err == nil
}

func isArmoured(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	for _, label := range []string{"CMS", "PKCS7"} {
		if bytes.HasPrefix(head, []byte("-----BEGIN "+label+"-----")) {
			return true
		}
	}
	return false
}

func isBase64(head []byte) bool {
	text := bytes.Join(bytes.Fields(head), nil)
	der, err := base64.StdEncoding.DecodeString(string(text[:len(text)&^3]))
	return err == nil && isCMS(der)
}

// unarmoured reads what is between the first line of a PEM file and its END line.
type unarmoured struct {
	lines  *bufio.Reader
	begun  bool
	unread []byte
	err    error
}

func (u *unarmoured) Read(p []byte) (int, error) {
	for len(u.unread) == 0 && u.err == nil {
		line, err := u.lines.ReadSlice('\n')
		if err != bufio.ErrBufferFull { // of a long line this is one piece
			u.err = err
		}
		switch {
		case bytes.HasPrefix(line, []byte("-----END ")):
			u.err = io.EOF
		case u.begun:
			u.unread = line
		}
		u.begun = true
	}
	if len(u.unread) == 0 {
		return 0, u.err
	}
	n := copy(p, u.unread)
	u.unread = u.unread[n:]
	return n, nil
}
