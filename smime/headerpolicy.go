package smime

// HeaderPolicy is a header confidentiality policy of RFC 9788 section 3.
type HeaderPolicy uint8

const (
	HideSubject HeaderPolicy = iota // hcp_baseline
	HideMost                        // hcp_shy
	HideNothing                     // hcp_no_confidentiality
	PlainHeader                     // no header protection at all
)
