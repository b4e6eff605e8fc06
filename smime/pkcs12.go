package smime

// ParsePKCS12 returns the identities in a PKCS #12 (.pfx, .p12) file, each with
// the issuers that the file has for it. More than one means a key history.
func ParsePKCS12(pfx []byte, password string) ([]*Identity, error) { panic("sketch") }

// WritePKCS12 writes identities as PKCS #12: AES-256 and PBKDF2-HMAC-SHA-256, or
// what older devices read if compatible.
func WritePKCS12(identities []*Identity, password string, compatible bool) ([]byte, error) {
	panic("sketch")
}
