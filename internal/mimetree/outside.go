package mimetree

import (
	"bytes"
	"io"
	"mime/quotedprintable"
)

// maxOutside is how much text outside of the parts of a multipart with a
// transfer encoding is looked at. Mail programs write a sentence there.
const maxOutside = 4 << 10

// decodesToDelimiter reports whether a program that undoes a transfer encoding
// before it looks for parts may find a delimiter in the text outside of them.
func decodesToDelimiter(encoding string, outside []byte) bool {
	if len(outside) > maxOutside {
		return true
	}
	var decoded []byte
	switch encoding {
	case "base64":
		decoded, _ = io.ReadAll(NewBase64Reader(bytes.NewReader(base64Only(outside))))
	case "quoted-printable":
		var err error
		if decoded, err = io.ReadAll(quotedprintable.NewReader(bytes.NewReader(outside))); err != nil {
			return true
		}
	default:
		return bytes.Contains(outside, []byte("begin"))
	}
	return bytes.Contains(decoded, []byte("--"))
}

// base64Only drops what decoders of base64 pass over (RFC 2045 section 6.8).
func base64Only(b []byte) []byte {
	kept := bytes.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '+' || r == '/' {
			return r
		}
		return -1
	}, b)
	return kept[:len(kept)/4*4]
}
