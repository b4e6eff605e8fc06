package smime

import "github.com/gosmime/gosmime/internal/mimetree"

// IsSMIME reports whether a header section is that of an S/MIME message: the
// cheap test for programs that only route mail (RFC 8551 section 3.10). It can
// only say what the header claims.
func IsSMIME(header []byte) bool {
	part, _, err := mimetree.HeaderOf(header)
	if err != nil {
		return false
	}
	f, _ := mimetree.FormOf(part)
	return f != mimetree.FormPlain
}
