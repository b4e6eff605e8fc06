package devices

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// A Profile is a configuration profile (.mobileconfig) for iOS, iPadOS, macOS
// and visionOS: keys, CA certificates and a mail account that signs and encrypts
// with them. Every payload has an identifier and a UUID that depend on
// Identifier and on what is in it, so that a later profile for the same person
// replaces an earlier one.
type Profile struct {
	Identifier   string // required: a reversed domain name of the issuer, such as com.example.mail.alice
	DisplayName  string // shown to the user; empty: Identifier
	Organization string
	Description  string
	// Identities are all keys of the user, the expired ones included: the
	// device reads old mail with them.
	Identities []*smime.Identity
	// CAs are installed with it: the self-signed ones are trusted, the others
	// help to build paths. A device trusts a CA for mail only if the user or a
	// management server installs the profile.
	CAs     []*x509.Certificate
	Account Account // nil: none; see ExchangeAccount and MailAccount
	// InsecurePasswords writes the password of each key into the profile, so
	// that nobody is asked when it is installed: whoever gets the profile has
	// the keys. It is for a management server that sends profiles through a
	// protected channel.
	InsecurePasswords bool
	// InsecureLegacy is that of [PFXOptions].
	InsecureLegacy bool
	Now            time.Time // to choose the certificates of the account; zero: now
}

// A KeyPassword is the password of one PKCS #12 payload, for the user to type
// when the profile is installed.
type KeyPassword struct {
	Thumbprint string // SHA-1 of the certificate, in lower-case hexadecimal
	FileName   string // by which the device names it
	Password   string
}

// Bounds of a profile. What is larger is no profile of one person.
const (
	maxIdentities = 1000
	maxCAs        = 1000
	maxText       = 4096
)

// Marshal returns the profile as an XML property list, with the passwords of the
// keys in it. A certificate that stands in Identities twice is written once.
//
// The error wraps [ErrMalformed] for a field that can't be used,
// [ErrNotExportable] for a key, or, if there is an account, [ErrNoSigner] or
// [ErrNoReader] where no identity has a certificate that is valid now, names
// Account's address and is for signing or encrypting. Apple's Mail compares the
// local part of the address octet by octet, and so does Marshal.
func (p *Profile) Marshal() ([]byte, []KeyPassword, error) {
	if err := p.check(); err != nil {
		return nil, nil, err
	}
	var payloads []any
	var passwords []KeyPassword
	uuids := make(map[string]string) // by thumbprint
	for i, id := range p.Identities {
		print := thumbprint(id.Certificate())
		if uuids[print] != "" {
			continue
		}
		pfx, password, err := exportPFX(id, p.InsecureLegacy)
		if err != nil {
			return nil, nil, fmt.Errorf("identity %d, certificate %s: %w", i, print, err)
		}
		file := print[:16] + ".p12"
		d := p.payload("com.apple.security.pkcs12", print, file)
		uuids[print] = d.uuid
		d.add("PayloadCertificateFileName", file)
		d.add("PayloadContent", pfx)
		if p.InsecurePasswords {
			d.add("Password", password)
		}
		payloads = append(payloads, d)
		passwords = append(passwords, KeyPassword{print, file, password})
	}
	payloads = append(payloads, p.authorities()...)
	if p.Account != nil {
		d, err := p.account(uuids)
		if err != nil {
			return nil, nil, err
		}
		payloads = append(payloads, d)
	}
	top := p.payload("Configuration", "", p.DisplayName)
	if p.DisplayName == "" {
		top = p.payload("Configuration", "", p.Identifier)
	}
	top.addText("PayloadOrganization", p.Organization)
	top.addText("PayloadDescription", p.Description)
	top.add("PayloadContent", payloads)
	text, err := marshalPropertyList(top)
	if err != nil {
		return nil, nil, err
	}
	return text, passwords, nil
}

func (p *Profile) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: profile: %s", ErrMalformed, what) }
	switch {
	case p.Identifier == "" || strings.ContainsFunc(p.Identifier, notInIdentifier):
		return bad("the identifier is not made of letters, digits, dots and hyphens")
	case len(p.Identifier)+len(p.DisplayName)+len(p.Organization)+len(p.Description) > maxText:
		return bad("the texts are too long")
	case len(p.Identities) > maxIdentities || len(p.CAs) > maxCAs:
		return bad("too many certificates")
	case len(p.Identities)+len(p.CAs) == 0 && p.Account == nil:
		return bad("nothing is in it")
	case slices.Contains(p.Identities, nil):
		return fmt.Errorf("profile: %w", ErrNoIdentity)
	}
	for _, c := range p.CAs {
		if c == nil || len(c.Raw) == 0 || !c.IsCA {
			return bad("a CA certificate is none")
		}
	}
	return nil
}

func notInIdentifier(r rune) bool {
	return r > 'z' || !(r >= 'a' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-')
}

// authorities returns the payloads of the CA certificates, each once.
func (p *Profile) authorities() []any {
	var list []any
	seen := make(map[string]bool)
	for _, c := range p.CAs {
		print := thumbprint(c)
		if seen[print] {
			continue
		}
		seen[print] = true
		kind := "com.apple.security.pkcs1"
		if bytes.Equal(c.RawIssuer, c.RawSubject) && c.CheckSignatureFrom(c) == nil {
			kind = "com.apple.security.root"
		}
		file := print[:16] + ".cer"
		d := p.payload(kind, print, file)
		d.add("PayloadCertificateFileName", file)
		d.add("PayloadContent", c.Raw)
		list = append(list, d)
	}
	return list
}

// payload begins a payload with what every one has.
func (p *Profile) payload(kind, name, display string) *dict {
	identifier := p.Identifier
	if name != "" {
		identifier += "." + kind[strings.LastIndexByte(kind, '.')+1:] + "." + name
	}
	d := &dict{uuid: uuidOf(identifier)}
	d.add("PayloadType", kind)
	d.add("PayloadVersion", 1)
	d.add("PayloadIdentifier", identifier)
	d.add("PayloadUUID", d.uuid)
	d.addText("PayloadDisplayName", display)
	return d
}

// maxProfile bounds what is signed.
const maxProfile = 256 << 20

// SignProfile wraps a profile as SignedData (CMS, opaque, DER), so that a device
// shows whose it is. The certificate is that of the organization; a device
// trusts it as it trusts any other.
func SignProfile(ctx context.Context, w io.Writer, profile []byte, id *smime.Identity) error {
	if id == nil {
		return fmt.Errorf("%w: nobody to sign the profile", ErrNoIdentity)
	}
	if len(profile) == 0 || len(profile) > maxProfile {
		return fmt.Errorf("%w: profile of %d octets", ErrMalformed, len(profile))
	}
	key, err := id.SigningKey()
	if err != nil {
		return err
	}
	// In memory, since DER needs the lengths first: a profile is small.
	var out bytes.Buffer
	sw, err := pkcs7.NewSignWriter(ctx, &out, []pkcs7.SigningKey{key}, &pkcs7.SignOptions{Size: int64(len(profile))})
	if err != nil {
		return err
	}
	if _, err := sw.Write(profile); err != nil {
		return err
	}
	if err := sw.Close(); err != nil {
		return err
	}
	_, err = w.Write(out.Bytes())
	return err
}

// uuidOf returns a UUID that depends on the name alone: version 8 of RFC 9562
// section 5.8, with SHA-256.
func uuidOf(name string) string {
	u := sha256.Sum256([]byte("github.com/gosmime/gosmime/smime/devices " + name))
	u[6], u[8] = u[6]&0x0F|0x80, u[8]&0x3F|0x80
	h := strings.ToUpper(hex.EncodeToString(u[:16]))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
