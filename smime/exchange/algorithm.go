package exchange

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
)

// An Algorithm is one item of an algorithm list such as "6610;660E;6602:128".
type Algorithm struct {
	ALGID   uint16   // of CryptoAPI, such as 0x6610 for AES-256
	KeyBits int      // 0: not given
	OID     x509.OID // of a replacement; zero: not given
}

// The ALG_IDs that a list can name.
const (
	algDES    = 0x6601
	algRC2    = 0x6602
	alg3DES   = 0x6603
	algAES128 = 0x660E
	algAES192 = 0x660F
	algAES256 = 0x6610

	algMD5    = 0x8003
	algSHA1   = 0x8004
	algSHA256 = 0x800C
	algSHA384 = 0x800D
	algSHA512 = 0x800E
)

// maxAlgorithms bounds a list; the documented ones have five items.
const maxAlgorithms = 64

// ParseAlgorithms reads a list: items separated by semicolons, each an ALG_ID
// of four hexadecimal digits, optionally with ":" and key bits (RC2 alone) and
// "," and an OID. The error is a [*SettingError]; Exchange itself falls back to
// the default for the whole list where it can't read it, as [ParseConfig] does.
func ParseAlgorithms(list string) ([]Algorithm, error) {
	items := strings.Split(list, ";")
	if len(items) > maxAlgorithms {
		return nil, &SettingError{Reason: "too many algorithms"}
	}
	var out []Algorithm
	for _, item := range items {
		a, err := parseAlgorithm(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func parseAlgorithm(item string) (Algorithm, error) {
	bad := func(reason string) (Algorithm, error) {
		return Algorithm{}, &SettingError{Value: item, Reason: reason}
	}
	id, dotted, hasOID := strings.Cut(item, ",")
	id, bits, hasBits := strings.Cut(id, ":")
	if len(id) != 4 {
		return bad("an ALG_ID has four hexadecimal digits")
	}
	n, err := strconv.ParseUint(id, 16, 16)
	if err != nil {
		return bad("an ALG_ID has four hexadecimal digits")
	}
	a := Algorithm{ALGID: uint16(n)}
	if algorithmName(a.ALGID) == "" {
		return bad("unknown ALG_ID")
	}
	if hasBits {
		switch bits {
		case "40", "56", "64", "128":
			a.KeyBits, _ = strconv.Atoi(bits)
		}
		if a.KeyBits == 0 || a.ALGID != algRC2 {
			return bad("key bits are 40, 56, 64 or 128, and for RC2 alone")
		}
	}
	if hasOID {
		if a.OID, err = x509.ParseOID(strings.TrimSpace(dotted)); err != nil {
			return bad("not an object identifier")
		}
	}
	return a, nil
}

// checkAlgorithms returns a SettingError for an item that can't stand in that
// list, or nil.
func checkAlgorithms(name string, list []Algorithm, signing bool) error {
	if len(list) > maxAlgorithms {
		return &SettingError{Name: name, Reason: "too many algorithms"}
	}
	for _, a := range list {
		if reason := a.fault(signing); reason != "" {
			return &SettingError{Name: name, Value: a.String(), Reason: reason}
		}
	}
	return nil
}

// fault says why an item can't stand in the list of digests or of ciphers.
func (a Algorithm) fault(signing bool) string {
	if a.signs() != signing {
		return "is for the other list"
	}
	if _, err := parseAlgorithm(a.String()); err != nil {
		e, _ := errors.AsType[*SettingError](err)
		return e.Reason
	}
	return ""
}

// FormatAlgorithms renders a list in the grammar that [ParseAlgorithms] reads.
func FormatAlgorithms(list []Algorithm) string {
	var items []string
	for _, a := range list {
		items = append(items, a.String())
	}
	return strings.Join(items, ";")
}

// String returns the item in the grammar of [ParseAlgorithms].
func (a Algorithm) String() string {
	s := fmt.Sprintf("%04X", a.ALGID)
	if a.KeyBits != 0 {
		s += ":" + strconv.Itoa(a.KeyBits)
	}
	if o := oid.FromX509(a.OID); o != "" {
		s += "," + o.String()
	}
	return s
}

// signs reports whether the ALG_ID is a digest, as the list of signing
// algorithms has them.
func (a Algorithm) signs() bool { return a.ALGID>>13 == 4 }

// cipher returns the cipher to write. A replacement OID decides where there is
// one: that is how an organization asks for AES-GCM.
func (a Algorithm) cipher() (pkcs7.Cipher, bool) {
	switch oid.FromX509(a.OID) {
	case "":
	case oid.AES128GCM:
		return pkcs7.AES128GCM, true
	case oid.AES192GCM:
		return pkcs7.AES192GCM, true
	case oid.AES256GCM:
		return pkcs7.AES256GCM, true
	case oid.AES128CBC:
		return pkcs7.AES128CBC, true
	case oid.AES192CBC:
		return pkcs7.AES192CBC, true
	case oid.AES256CBC:
		return pkcs7.AES256CBC, true
	case oid.ChaCha20Poly1305:
		return pkcs7.ChaCha20Poly1305, true
	default:
		return 0, false
	}
	switch a.ALGID {
	case algAES128:
		return pkcs7.AES128CBC, true
	case algAES192:
		return pkcs7.AES192CBC, true
	case algAES256:
		return pkcs7.AES256CBC, true
	}
	return 0, false
}

// digestBits returns the size of the digest to sign with, 0 if it is not
// written any more.
func (a Algorithm) digestBits() int {
	switch oid.FromX509(a.OID) {
	case "":
	case oid.SHA256:
		return 256
	case oid.SHA384:
		return 384
	case oid.SHA512:
		return 512
	default:
		return 0
	}
	switch a.ALGID {
	case algSHA256:
		return 256
	case algSHA384:
		return 384
	case algSHA512:
		return 512
	}
	return 0
}

func algorithmName(id uint16) string {
	switch id {
	case algDES:
		return "DES"
	case algRC2:
		return "RC2"
	case alg3DES:
		return "Triple DES"
	case algAES128:
		return "AES-128"
	case algAES192:
		return "AES-192"
	case algAES256:
		return "AES-256"
	case algMD5:
		return "MD5"
	case algSHA1:
		return "SHA-1"
	case algSHA256:
		return "SHA-256"
	case algSHA384:
		return "SHA-384"
	case algSHA512:
		return "SHA-512"
	}
	return ""
}
