package x509der

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// Text returns text without a byte order mark, which hides the first block from
// encoding/pem. Text in UTF-16 with a mark, as Notepad and PowerShell write it,
// becomes UTF-8; at most 64 MiB of it are converted.
func Text(text []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		return text[3:]
	case bytes.HasPrefix(text, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(text, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return text
	}
	if len(text) > 64<<20 {
		return text
	}
	units := make([]uint16, 0, len(text)/2)
	for b := text[2:]; len(b) >= 2; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	return []byte(string(utf16.Decode(units)))
}
