package mimetree

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// A limitedWriter fails after some octets, as a full disk does.
type limitedWriter struct{ left int }

func (w *limitedWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return w.left, errFull
	}
	w.left -= len(p)
	return len(p), nil
}

const errFull = scanError("full")

type scanError string

func (e scanError) Error() string { return string(e) }

// An error of a tap ends the scan with that error, wherever it comes.
func TestTapError(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]string{
		"lines":         strings.Repeat("0123456789\r\n", 30_000),
		"one long line": strings.Repeat("0123456789", 60_000),
		"CR":            strings.Repeat("\r", 300_000),
		"delimiters":    strings.Repeat("--c\r\n--b\r", 30_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + part + "\r\n--b--\r\n"
			for _, room := range []int{0, 1, 100, 1 << 12, 90_112, 1<<16 - 1, 1 << 16, 1 << 17, 1 << 18, 1<<18 + 1} {
				t.Run(fmt.Sprint(room), func(t *testing.T) {
					_, err := Scan(strings.NewReader(in), &Options{Tap: func(*Part, int) io.Writer { return &limitedWriter{room} }})
					if !errors.Is(err, errFull) {
						t.Errorf("error %v", err)
					}
				})
			}
		})
	}
}
