package thunderbird

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A view is what Thunderbird shows of a mail.
type view struct {
	Subject, Row, Body        string
	Signature, Encryption     int // of nsICMSMessageErrors; -1 where there is none
	SignedIcon, EncryptedIcon string
	Signer                    string
	Attachments, Images       []string
}

// States of signatures, of nsICMSMessageErrors.
const (
	absent       = -1
	good         = 0
	untrusted    = 1029
	badSignature = 1034
	otherSender  = 1038
)

// A row is a mail with what Thunderbird shows of it. It shows no icon for a bad
// signature unless the mail is encrypted.
type row struct {
	name                  string
	mail                  func(t *testing.T) []byte
	signature, encryption int
	signer                string
	subject               string // ours, unless it says otherwise
	blank                 bool   // nothing of the text is shown
	rich                  bool
	chance                bool // how much of the signature is left is chance
}

func TestThunderbirdShows(t *testing.T) {
	suites.Tool(t, "thunderbird")
	w := newWorld(t)
	c := start(t, 1)
	w.settle(t, c)
	for _, tt := range slices.Concat(w.signedMail(), w.encryptedMail(), w.badMail()) {
		t.Run(tt.name, func(t *testing.T) {
			var got view
			c.run(t, "read.js", map[string]any{"mail": c.write(t, "mail.eml", tt.mail(t)), "state": tt.signature != absent || tt.encryption != absent}, &got)
			tt.check(t, got)
		})
	}
}

func (tt row) check(t *testing.T, got view) {
	t.Helper()
	if tt.subject == "" {
		tt.subject = subject
	}
	if got.Row != tt.subject || got.Subject != "Subject:"+tt.subject {
		t.Errorf("the subjects are %q and %q", got.Row, got.Subject)
	}
	if tt.chance && got.Signature != good {
		tt.signature, tt.signer = got.Signature, got.Signer
	}
	if got.Signature != tt.signature || got.Encryption != tt.encryption || got.Signer != tt.signer {
		t.Errorf("signature %d by %q, encryption %d; want %d by %q, %d", got.Signature, got.Signer, got.Encryption, tt.signature, tt.signer, tt.encryption)
	}
	if icon := got.SignedIcon == "signed-ok"; icon != (tt.signature == good) {
		t.Errorf("the icon of the signature is %q", got.SignedIcon)
	}
	if icon := got.EncryptedIcon == "encrypted-ok"; icon != (tt.encryption == good) {
		t.Errorf("the icon of the encryption is %q", got.EncryptedIcon)
	}
	if strings.Contains(strings.Join(strings.Fields(got.Body), " "), "o be shown: grün.") == tt.blank {
		t.Errorf("the body is %q", got.Body)
	}
	var files, images []string
	if tt.rich {
		files, images = []string{"offer.pdf", "Grüße.csv"}, []string{"3x2"}
	}
	if !slices.Equal(got.Attachments, files) || !slices.Equal(got.Images, images) {
		t.Errorf("attachments %q, images %q", got.Attachments, got.Images)
	}
}

const aliceAddress, carolAddress = "alice@example.com", "carol@example.com"

func (w *world) signedMail() []row {
	rows := []row{
		{name: "neither", mail: plainMail, signature: absent},
		{name: "clear RSA", mail: w.signed("rsa", nil)},
		{name: "opaque RSA", mail: w.signed("rsa", &smime.SignOptions{Opaque: true})},
		{name: "RSA with SHA-512", mail: w.signed("rsa", &smime.SignOptions{Scheme: pkcs7.RSAPKCS1SHA512})},
		{name: "PSS", mail: w.signed("rsa", &smime.SignOptions{Scheme: pkcs7.RSAPSSSHA256})},
		{name: "opaque PSS", mail: w.signed("rsa", &smime.SignOptions{Scheme: pkcs7.RSAPSSSHA512, Opaque: true})},
		{name: "ECDSA P-256", mail: w.signed("p256", nil)},
		{name: "opaque ECDSA P-256", mail: w.signed("p256", &smime.SignOptions{Opaque: true})},
		{name: "ECDSA P-384", mail: w.signed("p384", nil)},
		{name: "ECDSA P-521", mail: w.signed("p521", nil)},
		// Thunderbird says of a key that it does not know that nobody trusts it.
		{name: "Ed25519", mail: w.signed("ed25519", nil), signature: untrusted},
		{name: "by key identifier", mail: w.signed("rsa", &smime.SignOptions{ByKeyID: true})},
		// Thunderbird judges the first signer alone.
		{name: "co-signed", mail: w.signed("p256", &smime.SignOptions{CoSigners: []*smime.Identity{w.carol}})},
		{name: "signed without its header", mail: w.signed("rsa", &smime.SignOptions{Header: smime.PlainHeader})},
		{name: "rich, clear", mail: w.signedRich(nil), rich: true},
		{name: "rich, opaque", mail: w.signedRich(&smime.SignOptions{Opaque: true}), rich: true},
	}
	for i := range rows {
		rows[i].encryption = absent
		if rows[i].signature != absent {
			rows[i].signer = aliceAddress
		}
	}
	return rows
}

func (w *world) encryptedMail() []row {
	oaep := smime.Capabilities{{OID: oid.RSAESOAEP.X509()}}
	triple := func(t *testing.T) []byte {
		return sign(t, w.sealed(plainMail, smime.HideNothing)(t), w.alice["rsa"], nil)
	}
	rows := []row{
		{name: "CBC to RSA", mail: w.encrypted("rsa", nil, pkcs7.AES256CBC), signature: absent},
		{name: "AES-128-CBC to RSA", mail: w.encrypted("rsa", nil, pkcs7.AES128CBC), signature: absent},
		{name: "CBC to RSA-OAEP", mail: w.encrypted("rsa", oaep, pkcs7.AES256CBC), signature: absent},
		{name: "CBC to ECDH P-256", mail: w.encrypted("p256", nil, pkcs7.AES256CBC), signature: absent},
		{name: "CBC to ECDH P-384", mail: w.encrypted("p384", nil, pkcs7.AES256CBC), signature: absent},
		{name: "CBC to ECDH P-521", mail: w.encrypted("p521", nil, pkcs7.AES256CBC), signature: absent},
		{name: "by key identifier to RSA", mail: w.byKeyID("rsa"), signature: absent},
		{name: "by key identifier to ECDH P-256", mail: w.byKeyID("p256"), signature: absent},
		{name: "sealed, subject hidden", mail: w.sealed(plainMail, smime.HideSubject), subject: "[...]"},
		{name: "sealed, most hidden", mail: w.sealed(plainMail, smime.HideMost), subject: "[...]"},
		{name: "sealed, nothing hidden", mail: w.sealed(plainMail, smime.HideNothing)},
		{name: "sealed without its header", mail: w.sealed(plainMail, smime.PlainHeader)},
		{name: "rich, sealed", mail: w.sealed(richMail, smime.HideNothing), rich: true},
		{name: "rich, sealed, subject hidden", mail: w.sealed(richMail, smime.HideSubject), subject: "[...]", rich: true},
		{name: "triple-wrapped", mail: triple},
		{name: "after the triple-wrapped", mail: w.sealed(plainMail, smime.HideNothing)},
	}
	for i := range rows {
		if rows[i].signature != absent {
			rows[i].signer = aliceAddress
		}
	}
	// Thunderbird shows a blank page, and no word on it, for AuthEnvelopedData.
	for name, mail := range map[string]func(t *testing.T) []byte{
		"GCM to RSA":               w.encrypted("rsa", nil, pkcs7.AES256GCM),
		"GCM to ECDH P-256":        w.encrypted("p256", nil, pkcs7.AES256GCM),
		"ChaCha20-Poly1305 to RSA": w.encrypted("rsa", nil, pkcs7.ChaCha20Poly1305),
	} {
		rows = append(rows, row{name: name, mail: mail, signature: absent, encryption: absent, blank: true})
	}
	return rows
}

func (w *world) badMail() []row {
	stranger := func(t *testing.T) []byte {
		return sign(t, plainMail(t), smimetest.NewCA(t).Identity(aliceAddress), nil)
	}
	somebody := func(t *testing.T) []byte {
		return sign(t, plainMail(t), w.carol, &smime.SignOptions{InsecureAnySender: true})
	}
	return []row{
		{name: "clear, tampered", mail: w.tampered(w.signed("rsa", nil)), signature: badSignature, encryption: absent, signer: aliceAddress},
		{name: "opaque, tampered", mail: w.tampered(w.signed("rsa", &smime.SignOptions{Opaque: true})), signature: badSignature, encryption: absent, signer: aliceAddress},
		// The ciphertext of CBC can be changed: what is left of the mail is shown,
		// as encrypted.
		{name: "sealed, tampered", mail: w.tampered(w.sealed(plainMail, smime.HideNothing)), signature: absent, chance: true},
		{name: "somebody else signed", mail: somebody, signature: otherSender, encryption: absent, signer: carolAddress},
		{name: "a stranger signed", mail: stranger, signature: untrusted, encryption: absent, signer: aliceAddress},
	}
}

func sign(t *testing.T, mail []byte, id *smime.Identity, opts *smime.SignOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := smime.Sign(t.Context(), &b, bytes.NewReader(mail), id, opts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (w *world) signed(kind string, opts *smime.SignOptions) func(t *testing.T) []byte {
	return func(t *testing.T) []byte { return sign(t, plainMail(t), w.alice[kind], opts) }
}

func (w *world) signedRich(opts *smime.SignOptions) func(t *testing.T) []byte {
	return func(t *testing.T) []byte { return sign(t, richMail(t), w.alice["rsa"], opts) }
}

func (w *world) encrypted(kind string, announced smime.Capabilities, cipher pkcs7.Cipher) func(t *testing.T) []byte {
	return func(t *testing.T) []byte {
		return encrypt(t, w.reader(t, kind, announced), &smime.EncryptOptions{Cipher: cipher, Header: smime.HideNothing})
	}
}

func (w *world) byKeyID(kind string) func(t *testing.T) []byte {
	return func(t *testing.T) []byte {
		return encrypt(t, w.reader(t, kind, nil), &smime.EncryptOptions{ByKeyID: true, Header: smime.HideNothing})
	}
}

func encrypt(t *testing.T, to []*smime.Recipient, opts *smime.EncryptOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := smime.Encrypt(t.Context(), &b, bytes.NewReader(plainMail(t)), to, opts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (w *world) sealed(mail func(t *testing.T) []byte, policy smime.HeaderPolicy) func(t *testing.T) []byte {
	return func(t *testing.T) []byte {
		var b bytes.Buffer
		opts := &smime.SealOptions{Sign: smime.SignOptions{Header: policy}}
		if err := smime.Seal(t.Context(), &b, bytes.NewReader(mail(t)), w.alice["rsa"], w.reader(t, "rsa", nil), opts); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
}

func (w *world) tampered(mail func(t *testing.T) []byte) func(t *testing.T) []byte {
	return func(t *testing.T) []byte { return smimetest.Tamper(t, mail(t)) }
}
