package smimetest_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// An importer is a program under test: it takes invoices from signed mail.
type importer struct {
	trust *chain.Collection
	keys  smime.Keyring
}

// read returns the invoice, or an error and nothing of the message.
func (p *importer) read(t *testing.T, message []byte) (string, error) {
	var entity bytes.Buffer
	_, err := smime.Verify(t.Context(), &entity, bytes.NewReader(message), p.trust,
		&smime.VerifyOptions{Chain: chain.Options{At: smimetest.Now()}})
	return entity.String(), err
}

// A downstream program tests its own handling of good and bad mail.
func TestInvoiceImport(t *testing.T) {
	ca, stranger := smimetest.NewCA(t), smimetest.NewCA(t)
	good := ca.Identity("alice@example.com")
	revoked := ca.Identity("alice@example.com")
	ca.Revoke(revoked)
	p := &importer{trust: ca.Trust()} // after Revoke, which it is to know of

	for _, tt := range []struct {
		name string
		msg  []byte
		want error
	}{
		{"good", smimetest.Signed(t, good, "pay 5"), nil},
		{"tampered", smimetest.Tamper(t, smimetest.Signed(t, good, "pay 5")), pkcs7.ErrDigest},
		{"expired", smimetest.Signed(t, ca.Identity("alice@example.com", smimetest.Expired()), "pay 5"), chain.ErrExpired},
		{"revoked", smimetest.Signed(t, revoked, "pay 5"), chain.ErrRevoked},
		{"other CA", smimetest.Signed(t, stranger.Identity("alice@example.com"), "pay 5"), chain.ErrUnknownIssuer},
		{"in another's name", smimetest.Spoofed(t, good, "boss@example.com", "pay 5"), smime.ErrSender},
		{"unsigned", smimetest.Mail("alice@example.com", "bob@example.com", "pay 5"), smime.ErrNotSigned},
	} {
		t.Run(tt.name, func(t *testing.T) {
			invoice, err := p.read(t, tt.msg)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if err != nil && invoice != "" {
				t.Errorf("returned %d bytes of a message that failed", len(invoice))
			}
		})
	}
}

// Each flaw makes a certificate that must be refused for one reason.
func TestInvoiceFlaws(t *testing.T) {
	ca := smimetest.NewCA(t)
	p := &importer{trust: ca.Trust()}
	for _, tt := range []struct {
		name string
		flaw smimetest.Flaw
		want error
	}{
		{"not yet valid", smimetest.NotYetValid(), chain.ErrNotYetValid},
		{"to encrypt alone", smimetest.EncryptionOnly(), chain.ErrWrongPurpose},
		{"of a web server", smimetest.NotForMail(), chain.ErrWrongPurpose},
		{"of nobody", smimetest.NoMailbox(), chain.ErrWrongMailbox},
		{"of somebody else", smimetest.WrongMailbox("eve@example.com"), chain.ErrWrongMailbox},
		{"signed with SHA-1", smimetest.SignedWithSHA1(), chain.ErrWeakAlgorithm},
		{"unknown critical extension", smimetest.UnknownCritical(), chain.ErrUnhandledCritical},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := p.read(t, smimetest.Signed(t, ca.Identity("alice@example.com", tt.flaw), "pay 5")); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

// A program that only decrypts tests with mail that is encrypted and not
// signed; one that wants to know the author must refuse that.
func TestSealedInvoice(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	p := &importer{trust: ca.Trust(), keys: smime.Identities{bob}}

	for _, tt := range []struct {
		name string
		msg  []byte
		want error
	}{
		{"sealed", smimetest.Sealed(t, alice, "pay 5", bob), nil},
		{"changed on the way", smimetest.Tamper(t, smimetest.Sealed(t, alice, "pay 5", bob)), pkcs7.ErrDecrypt},
		{"encrypted alone", smimetest.Encrypted(t, alice, "pay 5", bob), smime.ErrNotSigned},
		{"for somebody else", smimetest.Sealed(t, alice, "pay 5", alice), pkcs7.ErrNoKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var entity bytes.Buffer
			_, _, err := smime.Unseal(t.Context(), &entity, bytes.NewReader(tt.msg), p.keys, p.trust, nil)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if err != nil && entity.Len() > 0 {
				t.Errorf("wrote %d bytes of a message that failed", entity.Len())
			}
		})
	}
}

// The people of a test are found like those of a directory, the newest
// certificate of each; one that is only for signing is passed over.
func TestAddressBook(t *testing.T) {
	ca := smimetest.NewCA(t)
	old, current := ca.Identity("bob@example.com"), ca.Identity("bob@example.com", smimetest.Renewed())
	carol := ca.Identity("carol@example.com", smimetest.SigningOnly())
	book := ca.Directory(old, current, carol)

	to, err := smime.FindRecipients(t.Context(), []string{"bob@example.com"}, book, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !to[0].Certificate().Equal(current.Certificate()) {
		t.Error("not the current certificate")
	}
	if _, err := smime.FindRecipients(t.Context(), []string{"carol@example.com"}, book, nil); !errors.Is(err, chain.ErrWrongPurpose) {
		t.Errorf("error %v, want %v", err, chain.ErrWrongPurpose)
	}
}

// A test of a key that is kept elsewhere, such as on a card, has the CA certify
// its public key.
func TestOwnKey(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ca := smimetest.NewCA(t)
	alice := ca.Certify(key, "alice@example.com")
	var signed bytes.Buffer
	mail := smimetest.Mail("alice@example.com", "bob@example.com", "pay 5")
	if err := smime.Sign(t.Context(), &signed, bytes.NewReader(mail), alice, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := smime.Verify(t.Context(), io.Discard, &signed, ca.Trust(), nil); err != nil {
		t.Error(err)
	}
}
