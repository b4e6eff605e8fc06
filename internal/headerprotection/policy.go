// Package headerprotection protects the header of a message and reads one that
// was protected (RFC 9788), the older forms of RFC 8551 and legacy display
// included. It knows nothing of signatures and encryption themselves: the caller
// says which layers are around a payload.
package headerprotection

import (
	"io"
	"mime"
	"net/mail"
	"strings"
	"time"

	"github.com/gosmime/gosmime/internal/prepare"
	"github.com/gosmime/gosmime/internal/quoted"
)

// Policy is a header confidentiality policy of RFC 9788 section 3.
type Policy uint8

const (
	HideSubject Policy = iota // hcp_baseline, and Thread-Topic
	HideMost                  // hcp_shy, and Thread-Topic
	HideNothing               // hcp_no_confidentiality
	PlainHeader               // no header protection at all
)

// obscured stands in place of a hidden Subject (RFC 9788 section 3.2.1).
const obscured = "[...]"

// outer returns what stands outside the encryption for a field of the message;
// keep is false if that is nothing.
func (p Policy) outer(name, value string) (_ string, keep bool) {
	if p != HideSubject && p != HideMost {
		return value, true
	}
	switch lower := strings.ToLower(name); lower {
	case "subject":
		return obscured, true
	case "comments", "keywords":
		return "", false
	case "thread-topic":
		// Not in hcp_baseline, but Outlook repeats the subject there.
		return "", false
	case "from", "to", "cc":
		if p == HideMost {
			value = addressesOnly(value)
			return value, value != ""
		}
	case "date":
		if p == HideMost {
			return universalTime(value), true
		}
	}
	return value, true
}

// addressesOnly returns the addr-specs of a list of mailboxes, or the value
// itself where it is none (RFC 9788 section 3.2.2). It is empty for groups
// without members, whose names are to be hidden too.
func addressesOnly(value string) string {
	// Names in whatever charset are dropped.
	p := mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil }}}
	list, err := p.ParseList(value)
	if err != nil {
		return value
	}
	specs := make([]string, len(list))
	for i, a := range list {
		specs[i] = strings.Trim((&mail.Address{Address: a.Address}).String(), "<>")
	}
	return strings.Join(specs, ", ")
}

func universalTime(value string) string {
	t, err := mail.ParseDate(value)
	if err != nil {
		return value
	}
	return t.UTC().Format(time.RFC1123Z)
}

// copiesHeader reports whether a signature by DKIM repeats other fields (RFC
// 6376 section 3.5: the tag z). No such signature holds for what is encrypted.
func copiesHeader(f prepare.Field) bool {
	if !strings.EqualFold(f.Name, "DKIM-Signature") && !strings.EqualFold(f.Name, "ARC-Message-Signature") {
		return false
	}
	for tag := range strings.SplitSeq(f.Value, ";") {
		if name, _, ok := strings.Cut(tag, "="); ok && strings.TrimSpace(name) == "z" {
			return true
		}
	}
	return false
}

// isUserFacing reports whether mail programs show the field to people
// (RFC 9787 section 1.1.2).
func isUserFacing(name string) bool {
	switch strings.ToLower(name) {
	case "subject", "from", "to", "cc", "date", "reply-to", "followup-to", "sender",
		"resent-from", "resent-to", "resent-cc", "resent-date", "resent-sender", "comments", "keywords":
		return true
	}
	return false
}

// withhold returns what stands outside the encryption for a field that the
// list hides (RFC 9788 section 6.1.2: the confmap); keep is false if that is
// nothing.
func withhold(hidden []Field, name, value string) (_ string, keep bool) {
	for _, h := range hidden {
		if strings.EqualFold(h.Name, name) && sameText(name, h.Value, value) {
			return h.Outer, h.Outer != ""
		}
	}
	return value, true
}

// sameText compares the values of two fields of that name as they are read:
// folded and encoded in whatever way, and addresses without their names.
func sameText(name, a, b string) bool {
	if readable(a) == readable(b) {
		return true
	}
	if !prepare.IsAddressField(name) {
		return false
	}
	x := addressesOnly(a)
	return x != "" && x == addressesOnly(b)
}

// readable returns a value with its encoded words decoded, as far as their
// charsets are known, and single blanks.
func readable(value string) string {
	dec := new(mime.WordDecoder)
	if s, err := dec.DecodeHeader(value); err == nil {
		value = s
	}
	return strings.Join(strings.Fields(value), " ")
}

// Exposed returns an error if one of the fields, which are to stand outside the
// encryption as they are, must not be seen there.
func Exposed(fields []prepare.Field, hidden []Field) error {
	for _, f := range fields {
		if v, keep := withhold(hidden, f.Name, f.Value); !isTrace(f.Name) && (!keep || v != f.Value) {
			return headerError(quoted.Text(f.Name) + " can't be hidden, since the header is not protected or was signed before")
		}
	}
	return nil
}

// headerError is the error of a header that can't be sent.
func headerError(detail string) error {
	return &prepare.Error{Problem: prepare.BadHeader, Detail: detail}
}
