package smime

import (
	"github.com/gosmime/gosmime/internal/headerprotection"
	"github.com/gosmime/gosmime/internal/mimetree"
)

// HeaderPolicy is a header confidentiality policy of RFC 9788 section 3.
type HeaderPolicy uint8

const (
	HideSubject HeaderPolicy = iota // hcp_baseline, and Thread-Topic
	HideMost                        // hcp_shy, and Thread-Topic
	HideNothing                     // hcp_no_confidentiality
	PlainHeader                     // no header protection at all
	// HideWhereShown is HideSubject if every recipient's program is known to show
	// protected header fields (see RecipientOptions.ShowsHeader), else HideNothing.
	// For Sign, which knows no recipients, it is HideNothing.
	HideWhereShown
)

// protection returns the policy for package headerprotection.
func (p HeaderPolicy) protection() headerprotection.Policy {
	switch p {
	case HideSubject:
		return headerprotection.HideSubject
	case HideMost:
		return headerprotection.HideMost
	case PlainHeader:
		return headerprotection.PlainHeader
	}
	return headerprotection.HideNothing
}

// A HeaderField is one field of [Message.Header]. Values are unfolded and not
// decoded.
type HeaderField struct {
	Name, Value string
	Signed      bool   // covered by the signature that Message.Signer reports
	Encrypted   bool   // not visible outside
	Outer       string // the unprotected value where it differs
}

// hiddenFields returns fields for package headerprotection.
func hiddenFields(list []HeaderField) []headerprotection.Field {
	var fields []headerprotection.Field
	for _, f := range list {
		fields = append(fields, headerprotection.Field(f))
	}
	return fields
}

// headerFields returns fields of package headerprotection.
func headerFields(list []headerprotection.Field) []HeaderField {
	var fields []HeaderField
	for _, f := range list {
		fields = append(fields, HeaderField(f))
	}
	return fields
}

// sameAuthor reports whether two headers name the same author.
func sameAuthor(inner, outside mimetree.Header) bool {
	a, b := findAuthors("", inner), findAuthors("", outside)
	return a.err == nil && b.err == nil && sameAddresses(a.list, b.list)
}
