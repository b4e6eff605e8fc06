package invoices

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

const supplier = "alice@example.com"

func TestImport(t *testing.T) {
	ca, stranger := smimetest.NewCA(t), smimetest.NewCA(t)
	good, us := ca.Identity(supplier), ca.Identity("accounting@example.org")
	revoked := ca.Identity(supplier)
	ca.Revoke(revoked)
	im := &Importer{Trust: ca.Trust(), Keys: smime.Identities{us}, Chain: chain.Options{At: smimetest.Now()}}

	for _, tt := range []struct {
		name string
		mail []byte
		want error
	}{
		{"good", smimetest.Signed(t, good, "pay 5"), nil},
		{"good and encrypted", smimetest.Sealed(t, good, "pay 5", us), nil},
		{"tampered", smimetest.Tamper(t, smimetest.Signed(t, good, "pay 5")), pkcs7.ErrDigest},
		{"expired", smimetest.Signed(t, ca.Identity(supplier, smimetest.Expired()), "pay 5"), chain.ErrExpired},
		{"revoked", smimetest.Signed(t, revoked, "pay 5"), chain.ErrRevoked},
		{"other CA", smimetest.Signed(t, stranger.Identity(supplier), "pay 5"), chain.ErrUnknownIssuer},
		{"unsigned", smimetest.Mail(supplier, "accounting@example.org", "pay 5"), smime.ErrNotSigned},
		{"encrypted, but unsigned", smimetest.Encrypted(t, good, "pay 5", us), smime.ErrNotSigned},
		{"encrypted to others", smimetest.Sealed(t, good, "pay 5", good), pkcs7.ErrNoKey},
		{"signed by somebody else", smimetest.Spoofed(t, ca.Identity("mallory@example.com"), supplier, "pay 5"), chain.ErrWrongMailbox},
		{"From changed on the way", renamed(t, good), smime.ErrAmbiguousSender},
		{"no invoice", smimetest.Signed(t, good, "hello"), ErrNoInvoice},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := im.Import(t.Context(), tt.mail)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if err != nil && got != nil {
				t.Fatal("an invoice from a message that failed")
			}
			if err == nil && (got.Supplier != supplier || got.Amount != 5) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// renamed returns a message whose signature also covers the header, with
// another From outside.
func renamed(t *testing.T, id *smime.Identity) []byte {
	t.Helper()
	var signed bytes.Buffer
	mail := smimetest.Mail(supplier, "accounting@example.org", "pay 5")
	if err := smime.Sign(t.Context(), &signed, bytes.NewReader(mail), id, nil); err != nil {
		t.Fatal(err)
	}
	return bytes.Replace(signed.Bytes(), []byte("From: "+supplier), []byte("From: bob@example.com"), 1)
}

// What is changed under encryption shows as a failed decryption or as a changed
// content, by where the change falls.
func TestTamperedUnderEncryption(t *testing.T) {
	ca := smimetest.NewCA(t)
	us := ca.Identity("accounting@example.org")
	im := &Importer{Trust: ca.Trust(), Keys: smime.Identities{us}, Chain: chain.Options{At: smimetest.Now()}}
	mail := smimetest.Tamper(t, smimetest.Sealed(t, ca.Identity(supplier), "pay 5", us))
	inv, err := im.Import(t.Context(), mail)
	if inv != nil || !errors.Is(err, pkcs7.ErrDecrypt) && !errors.Is(err, pkcs7.ErrDigest) {
		t.Errorf("%+v, %v", inv, err)
	}
}

func TestZeroImporterTrustsNobody(t *testing.T) {
	ca := smimetest.NewCA(t)
	mail := smimetest.Signed(t, ca.Identity(supplier), "pay 5")
	if inv, err := new(Importer).Import(t.Context(), mail); err == nil || inv != nil {
		t.Errorf("%+v, %v", inv, err)
	}
}
