package smime_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func TestFindRecipients(t *testing.T) {
	t.Parallel()
	ca, stranger := smimetest.NewCA(t), smimetest.NewCA(t)
	const box = "bob@example.com"
	old, renewed := ca.Identity(box), ca.Identity(box, smimetest.Renewed())
	expired, signing := ca.Identity(box, smimetest.Expired()), ca.Identity(box, smimetest.SigningOnly(), smimetest.Renewed())
	revoked := ca.Identity(box)
	ca.Revoke(revoked)
	foreign := stranger.Identity(box, smimetest.Renewed())
	other := ca.Identity("carol@example.com")
	for _, tt := range []struct {
		name string
		have []*smime.Identity
		want *smime.Identity
		err  error
	}{
		{"one", []*smime.Identity{old}, old, nil},
		{"renewed", []*smime.Identity{old, renewed}, renewed, nil},
		{"renewed, other order", []*smime.Identity{renewed, old}, renewed, nil},
		{"expired beside", []*smime.Identity{expired, old}, old, nil},
		{"signing apart", []*smime.Identity{signing, old}, old, nil},
		{"of a stranger", []*smime.Identity{foreign, old}, old, nil},
		{"revoked beside", []*smime.Identity{revoked, old}, old, nil},
		{"none", []*smime.Identity{other}, nil, smime.ErrNoCertificate},
		{"expired", []*smime.Identity{expired, signing, foreign}, nil, chain.ErrExpired},
		{"revoked", []*smime.Identity{signing, revoked}, nil, chain.ErrRevoked},
		{"signing only", []*smime.Identity{signing, foreign}, nil, chain.ErrWrongPurpose},
		{"stranger only", []*smime.Identity{foreign}, nil, chain.ErrUnknownIssuer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := smime.FindRecipients(t.Context(), []string{box, "carol@example.com", box}, ca.Directory(append(tt.have, other)...), nil)
			if len(list) != 3 || list[1] == nil {
				t.Fatalf("%d recipients, error %v", len(list), err)
			}
			if tt.err != nil {
				var all smime.RecipientErrors
				if !errors.As(err, &all) || len(all) != 2 || all[0].Mailbox != box || !errors.Is(all[0], tt.err) || !errors.Is(err, tt.err) {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				if list[0] != nil || list[2] != nil {
					t.Error("a recipient beside the error")
				}
				// Forgetting the error drops nobody.
				if err := smime.Encrypt(t.Context(), new(bytes.Buffer), strings.NewReader(crlf(plainMail)), list, nil); !errors.Is(err, smime.ErrUnverifiedRecipient) {
					t.Errorf("Encrypt: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(list[0].Certificate().Raw, tt.want.Certificate().Raw) {
				t.Errorf("certificate of %v", list[0].Certificate().NotBefore)
			}
		})
	}
	for _, bad := range []string{"", "bob", "bob@example.com\x00", "bob@example.com\r\nBcc: x"} {
		t.Run(fmt.Sprintf("%q", bad), func(t *testing.T) {
			if _, err := smime.FindRecipients(t.Context(), []string{bad}, ca.Directory(old), nil); !errors.Is(err, smime.ErrMalformed) {
				t.Error(err)
			}
		})
	}
}

func TestRecipientsThatEncryptRefuses(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	good := ca.Recipient(ca.Identity("bob@example.com"))
	expired := ca.Identity("eve@example.com", smimetest.Expired())
	past, err := smime.NewRecipient(t.Context(), "eve@example.com", expired.Certificate(), ca.Trust(),
		&smime.RecipientOptions{Chain: chain.Options{At: time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)}})
	if err != nil {
		t.Fatal(err)
	}
	weak := smime.InsecureRecipient("weak@example.com", ca.Identity("weak@example.com").Certificate(), capabilities(t, "1.2.840.113549.3.7", "1.2.840.113549.3.2"))
	to := []*smime.Recipient{good, nil, {}, past, smime.InsecureRecipient("x@example.com", &x509.Certificate{}, nil), smime.InsecureRecipient("y@example.com", nil, nil)}
	var out bytes.Buffer
	err = smime.Encrypt(t.Context(), &out, strings.NewReader(crlf(plainMail)), to, nil)
	var all smime.RecipientErrors
	if !errors.As(err, &all) || len(all) != 5 || out.Len() > 0 {
		t.Fatalf("%d bytes, error %v", out.Len(), err)
	}
	for i, want := range []error{smime.ErrUnverifiedRecipient, smime.ErrUnverifiedRecipient, chain.ErrExpired, smime.ErrMalformed, smime.ErrMalformed} {
		t.Run(fmt.Sprintf("recipient %d", i), func(t *testing.T) {
			if !errors.Is(all[i], want) {
				t.Errorf("%v, want %v", all[i], want)
			}
		})
	}
	for _, to := range [][]*smime.Recipient{nil, {weak, good}} {
		t.Run(fmt.Sprintf("%d recipients", len(to)), func(t *testing.T) {
			if err := smime.Encrypt(t.Context(), &out, strings.NewReader(crlf(plainMail)), to, nil); !errors.As(err, &all) || out.Len() > 0 {
				t.Errorf("%d bytes, error %v", out.Len(), err)
			}
		})
	}
	for _, f := range []func(){
		func() { new(smime.Recipient).Mailbox() }, func() { new(smime.Recipient).Path() },
		func() { new(smime.Recipient).Capabilities() }, func() { new(smime.Recipient).Certificate() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a method of the zero Recipient returned")
				}
			}()
			f()
		}()
	}
}

// TestKeysThatEncryptRefuses: the reasons of package pkcs7 come with the mailbox.
func TestKeysThatEncryptRefuses(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	bob := ca.Recipient(ca.Identity("bob@example.com"))
	signs := ca.Certify(ed, "ed@example.com")
	weak := smime.InsecureRecipient("weak@example.com", ca.Certify(small, "weak@example.com").Certificate(), nil)
	if _, err := smime.NewRecipient(t.Context(), "ed@example.com", signs.Certificate(), ca.Trust(), nil); !errors.Is(err, chain.ErrWrongPurpose) {
		t.Error(err)
	}
	for _, tt := range []struct {
		to   *smime.Recipient
		want error
	}{{smime.InsecureRecipient("ed@example.com", signs.Certificate(), nil), chain.ErrWrongPurpose}, {weak, pkcs7.ErrWeak}} {
		t.Run(tt.to.Mailbox(), func(t *testing.T) {
			var out bytes.Buffer
			err := smime.Encrypt(t.Context(), &out, strings.NewReader(crlf(plainMail)), []*smime.Recipient{bob, tt.to}, nil)
			var all smime.RecipientErrors
			if !errors.As(err, &all) || len(all) != 1 || all[0].Mailbox != tt.to.Mailbox() || !errors.Is(err, tt.want) || out.Len() > 0 {
				t.Errorf("%d bytes, error %v", out.Len(), err)
			}
		})
	}
}

// capabilities makes a list of the dotted identifiers.
func capabilities(t testing.TB, ids ...string) smime.Capabilities {
	t.Helper()
	caps := smime.Capabilities{}
	for _, id := range ids {
		o, err := x509.ParseOID(id)
		if err != nil {
			t.Fatal(err)
		}
		caps = append(caps, smime.Capability{OID: o})
	}
	return caps
}

func TestRecipientKeepsItsCapabilities(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	caps := capabilities(t, "2.16.840.1.101.3.4.1.46")
	r := smime.InsecureRecipient("bob@example.com", w.bob.Certificate(), caps)
	caps[0].OID = x509.OID{}
	r.Capabilities()[0].OID = x509.OID{}
	if got := r.Capabilities()[0].OID.String(); got != "2.16.840.1.101.3.4.1.46" {
		t.Errorf("the announced cipher became %q", got)
	}
}

func TestCipherChoice(t *testing.T) {
	t.Parallel()
	const gcm256, gcm128, cbc256, cbc128, chacha, des3 = "2.16.840.1.101.3.4.1.46", "2.16.840.1.101.3.4.1.6",
		"2.16.840.1.101.3.4.1.42", "2.16.840.1.101.3.4.1.2", "1.2.840.113549.1.9.16.3.18", "1.2.840.113549.3.7"
	w := newSendFixture(t)
	carol := w.ca.Identity("carol@example.com")
	for _, tt := range []struct {
		name       string
		bob, carol smime.Capabilities
		opts       smime.EncryptOptions
		want       pkcs7.Cipher
		err        error
	}{
		{"unknown", nil, nil, smime.EncryptOptions{}, pkcs7.AES256CBC, nil},
		{"both read GCM", capabilities(t, des3, gcm256), capabilities(t, gcm256, cbc256), smime.EncryptOptions{}, pkcs7.AES256GCM, nil},
		{"one is unknown", capabilities(t, gcm256), nil, smime.EncryptOptions{}, pkcs7.AES256CBC, nil},
		{"one reads CBC", capabilities(t, gcm256, cbc256), capabilities(t, cbc256), smime.EncryptOptions{}, pkcs7.AES256CBC, nil},
		// What OpenSSL announces: the weak entries never win (MSG-13).
		{"OpenSSL's list", capabilities(t, cbc256, "2.16.840.1.101.3.4.1.22", cbc128, des3, "1.2.840.113549.3.2"), nil, smime.EncryptOptions{}, pkcs7.AES256CBC, nil},
		{"weak first", capabilities(t, des3, cbc256), nil, smime.EncryptOptions{}, pkcs7.AES256CBC, nil},
		{"ChaCha20 in common", capabilities(t, chacha, cbc256), capabilities(t, chacha), smime.EncryptOptions{}, pkcs7.ChaCha20Poly1305, nil},
		{"below the floor", capabilities(t, cbc128, gcm128, des3), nil, smime.EncryptOptions{}, 0, smime.ErrNoCipher},
		{"nothing", smime.Capabilities{}, nil, smime.EncryptOptions{}, 0, smime.ErrNoCipher},
		{"authenticated, unknown", nil, nil, smime.EncryptOptions{RequireAuthenticated: true}, pkcs7.AES256GCM, nil},
		{"authenticated, CBC only", capabilities(t, cbc256), nil, smime.EncryptOptions{RequireAuthenticated: true}, 0, smime.ErrNoCipher},
		{"authenticated, not the same", capabilities(t, chacha), capabilities(t, gcm256), smime.EncryptOptions{RequireAuthenticated: true}, 0, smime.ErrNoCipher},
		{"not the same", capabilities(t, chacha), capabilities(t, gcm256), smime.EncryptOptions{}, pkcs7.AES256CBC, nil},
		{"chosen", nil, nil, smime.EncryptOptions{Cipher: pkcs7.AES128GCM}, pkcs7.AES128GCM, nil},
		{"chosen against the wish", nil, nil, smime.EncryptOptions{Cipher: pkcs7.AES256CBC, RequireAuthenticated: true}, 0, smime.ErrNotAuthenticated},
		{"chosen, historic", nil, nil, smime.EncryptOptions{Cipher: pkcs7.TripleDES}, 0, pkcs7.ErrWeak},
	} {
		t.Run(tt.name, func(t *testing.T) {
			to := []*smime.Recipient{
				smime.InsecureRecipient("bob@example.com", w.bob.Certificate(), tt.bob),
				smime.InsecureRecipient("carol@example.com", carol.Certificate(), tt.carol),
			}
			var sealed, out bytes.Buffer
			err := smime.Encrypt(t.Context(), &sealed, strings.NewReader(crlf(plainMail)), to, &tt.opts)
			if tt.err != nil {
				if !errors.Is(err, tt.err) || sealed.Len() > 0 {
					t.Fatalf("%d bytes, error %v", sealed.Len(), err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			enc, err := smime.Decrypt(t.Context(), &out, &sealed, smime.Identities{carol}, nil)
			if err != nil || enc.Cipher != tt.want {
				t.Errorf("cipher %v, error %v", enc.Cipher, err)
			}
		})
	}
}

// TestCapabilityEncodings holds what is announced to bytes printed in the RFCs
// (RFC 3565 section 4.1.2, RFC 5753 section 7) or built by hand.
func TestCapabilityEncodings(t *testing.T) {
	t.Parallel()
	r, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	ca := smimetest.NewCA(t)
	for _, tt := range []struct {
		name string
		cert *x509.Certificate
		want []string
	}{
		{"RSA", ca.Certify(r, "a@example.com").Certificate(), []string{
			"300b060960864801650304012e", "300b0609608648016503040106", "300b060960864801650304012a", "300b0609608648016503040102",
			// OAEP with SHA-256: tagged, as the ASN.1 has it and RFC 3560 section 5 has not.
			"303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500",
		}},
		{"P-256", ca.Identity("a@example.com").Certificate(), []string{
			"301506062b8104010b01300b060960864801650304012d",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			der, err := smime.OwnCapabilities(tt.cert).MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(hex.EncodeToString(der), want) {
					t.Errorf("%s is not in %x", want, der)
				}
			}
			// CEK-HKDF is read by this module alone.
			if strings.Contains(hex.EncodeToString(der), "060b2a864886f70d010910031f") {
				t.Error("CEK-HKDF is announced")
			}
			back, err := smime.ParseCapabilities(der)
			if err != nil {
				t.Fatal(err)
			}
			again, err := back.MarshalBinary()
			if err != nil || !bytes.Equal(der, again) {
				t.Errorf("%x", again)
			}
			if !back.Reads(pkcs7.AES256GCM) || back.Reads(pkcs7.TripleDES) || back.Reads(0) {
				t.Error(tt.name)
			}
		})
	}
}

func FuzzParseCapabilities(f *testing.F) {
	f.Add(unhex(f, "300d300b060960864801650304012a"))
	f.Add(unhex(f, "3000"))
	f.Fuzz(func(t *testing.T, der []byte) {
		caps, err := smime.ParseCapabilities(der)
		if err != nil {
			if caps != nil || !errors.Is(err, smime.ErrMalformed) {
				t.Fatalf("%v beside %v", caps, err)
			}
			return
		}
		again, err := caps.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		back, err := smime.ParseCapabilities(again)
		if err != nil || len(back) != len(caps) {
			t.Fatalf("%x: %v", again, err)
		}
	})
}

// A mailbox may be written as people write it in a header field.
func TestFindRecipientsByName(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	for _, tt := range []struct {
		name, mailbox string
		want          error
	}{
		{"address", "bob@example.com", nil},
		{"angle brackets", "<bob@example.com>", nil},
		{"name", "Bob <bob@example.com>", nil},
		{"quoted name", `"Example, Bob" <bob@example.com>`, nil},
		{"name in brackets", "[EXTERNAL] Bob <bob@example.com>", nil},
		{"two", "bob@example.com, bob@example.com", smime.ErrMalformed},
		{"group", "all: bob@example.com;", smime.ErrMalformed},
		{"no address", "Bob", smime.ErrMalformed},
		{"nothing", "", smime.ErrMalformed},
		{"line end", "Bob <bob@example.com>\r\nBcc: eve@example.com", smime.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := smime.FindRecipients(t.Context(), []string{tt.mailbox}, ca.Directory(bob), nil)
			if !matches(err, tt.want) {
				t.Fatal(err)
			}
			if err == nil && list[0].Mailbox() != "bob@example.com" {
				t.Errorf("%q", list[0].Mailbox())
			}
		})
	}
}
