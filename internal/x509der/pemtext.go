package x509der

import (
	"bytes"
	"encoding/binary"
	"encoding/pem"
	"iter"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Blocks returns the PEM blocks of text, which may begin with a byte order
// mark. If there are fewer than [BlocksBegun], encoding/pem passed over some that
// it can't decode.
func Blocks(text []byte) iter.Seq[*pem.Block] {
	return func(yield func(*pem.Block) bool) {
		for rest := Text(text); ; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil || !yield(block) {
				return
			}
		}
	}
}

// BlocksBegun returns how many PEM blocks text begins, whether or not they can
// be decoded. A block whose first line has something visible before it is
// commented out and none.
func BlocksBegun(text []byte) (n int) {
	const begin = "-----BEGIN "
	for text = Text(text); ; {
		at := bytes.Index(text, []byte(begin))
		if at < 0 {
			return n
		}
		line := text[bytes.LastIndexAny(text[:at], "\r\n")+1 : at]
		if !bytes.ContainsFunc(line, func(r rune) bool { return r != ' ' && r != utf8.RuneError && unicode.IsPrint(r) }) {
			n++
		}
		text = text[at+len(begin):]
	}
}

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
	if len(text) > 64<<20 || len(text) < 4 || order.Uint16(text[2:]) == 0 {
		return text // too long, or no text
	}
	units := make([]uint16, 0, len(text)/2)
	for b := text[2:]; len(b) >= 2; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	return []byte(string(utf16.Decode(units)))
}
