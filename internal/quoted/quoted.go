// Package quoted makes text of the input fit for errors and notes.
package quoted

import (
	"strconv"
	"unicode/utf8"
)

// Most is the length of the longest text that [Text] returns.
const Most = 200

const cut = `"...`

// Text returns s in double quotes and printable ASCII, as
// [strconv.QuoteToASCII] does, but at most [Most] octets: what is longer is cut
// before an escape and followed by three dots.
func Text(s string) string {
	if len(s) <= Most {
		if q := strconv.QuoteToASCII(s); len(q) <= Most {
			return q
		}
	}
	b := []byte{'"'}
	for len(s) > 0 {
		_, n := utf8.DecodeRuneInString(s)
		q := strconv.QuoteToASCII(s[:n])
		if q = q[1 : len(q)-1]; len(b)+len(q)+len(cut) > Most {
			break
		}
		b, s = append(b, q...), s[n:]
	}
	return string(b) + cut
}
