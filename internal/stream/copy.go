package stream

import (
	"bytes"
	"io"
)

// Copy copies src to dst until src ends and returns how much dst took. Both may
// break the contracts of their interfaces, see [ReadSome] and [WriteFull]. It
// uses no other method of them than Read and Write.
func Copy(dst io.Writer, src io.Reader) (total int64, err error) {
	buf, used := getBuffer(), 0
	defer func() { putBuffer(buf, used) }()
	for {
		n, err := ReadSome(src, buf)
		used = max(used, n)
		if n > 0 {
			n, err := WriteFull(dst, buf[:n])
			total += int64(n)
			if err != nil {
				return total, err
			}
		}
		switch {
		case err == io.EOF:
			return total, nil
		case err != nil:
			return total, err
		}
	}
}

// Equal reports whether both have the same octets up to their ends. Any error
// but the end makes it false.
func Equal(a, b io.Reader) bool {
	x, y := getBuffer(), getBuffer()
	used := 0
	defer func() { putBuffer(x, used); putBuffer(y, used) }()
	for {
		n, err := io.ReadFull(a, x)
		m, err2 := io.ReadFull(b, y)
		used = max(used, n, m)
		if !bytes.Equal(x[:n], y[:m]) {
			return false
		}
		if err != nil || err2 != nil {
			return Ended(err) && Ended(err2)
		}
	}
}

// Ended reports whether an error of io.ReadFull says that the input ended.
func Ended(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

// A PlainReader hides every method of a reader but Read.
type PlainReader struct{ io.Reader }
