package invoices

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

const (
	supplier = "alice@example.com"
	invoice  = "Dear accounting,\ninvoice 2030-17\npay 5\n"
)

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
		{"good", smimetest.Signed(t, good, invoice), nil},
		{"good and encrypted", smimetest.Sealed(t, good, invoice, us), nil},
		{"tampered", smimetest.Tamper(t, smimetest.Signed(t, good, invoice)), pkcs7.ErrDigest},
		{"expired", smimetest.Signed(t, ca.Identity(supplier, smimetest.Expired()), invoice), chain.ErrExpired},
		{"revoked", smimetest.Signed(t, revoked, invoice), chain.ErrRevoked},
		{"other CA", smimetest.Signed(t, stranger.Identity(supplier), invoice), chain.ErrUnknownIssuer},
		{"unsigned", smimetest.Mail(supplier, "accounting@example.org", invoice), smime.ErrNotSigned},
		{"encrypted, but unsigned", smimetest.Encrypted(t, good, invoice, us), smime.ErrNotSigned},
		{"encrypted to others", smimetest.Sealed(t, good, invoice, good), pkcs7.ErrNoKey},
		{"signed by somebody else", smimetest.Spoofed(t, ca.Identity("mallory@example.com"), supplier, invoice), chain.ErrWrongMailbox},
		{"From changed on the way", renamed(t, good), smime.ErrAmbiguousSender},
		{"the same as quoted-printable", signed(t, good, "text/plain; charset=utf-8", "quoted-printable", "invoice 2030-1=\r\n7\r\n=70ay 5\r\n"), nil},
		{"the same as base64", signed(t, good, "Text/Plain", "BASE64", base64.StdEncoding.EncodeToString([]byte(invoice))), nil},
		{"no invoice", smimetest.Signed(t, good, "hello"), ErrNoInvoice},
		{"no number", smimetest.Signed(t, good, "pay 5"), ErrNoInvoice},
		{"no amount", smimetest.Signed(t, good, "invoice 2030-17"), ErrNoInvoice},
		{"bad amount", smimetest.Signed(t, good, "invoice 2030-17\npay five"), ErrNoInvoice},
		{"negative amount", smimetest.Signed(t, good, "invoice 2030-17\npay -5"), ErrNoInvoice},
		{"two amounts", smimetest.Signed(t, good, invoice+"pay 500"), ErrNoInvoice},
		{"as HTML", signed(t, good, "text/html", "7bit", invoice), ErrNoInvoice},
		{"in an attachment", signed(t, good, "multipart/mixed; boundary=x", "7bit", "--x\r\n\r\n"+invoice+"--x--\r\n"), ErrNoInvoice},
		{"unknown encoding", signed(t, good, "text/plain", "x-own", invoice), ErrNoInvoice},
		{"too large", smimetest.Signed(t, good, invoice+strings.Repeat("more\n", 300_000)), ErrNoInvoice},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := im.Import(t.Context(), tt.mail)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if err != nil && got != nil {
				t.Fatal("an invoice from a message that failed")
			}
			if err == nil && (got.Supplier != supplier || got.Amount != 5 || got.Number != "2030-17") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// signed returns a signed message with a body of any type.
func signed(t *testing.T, id *smime.Identity, contentType, encoding, body string) []byte {
	t.Helper()
	var b bytes.Buffer
	mail := "From: " + supplier + "\r\nTo: accounting@example.org\r\nMIME-Version: 1.0\r\nContent-Type: " + contentType +
		"\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n" + body
	mail = strings.ReplaceAll(strings.ReplaceAll(mail, "\r\n", "\n"), "\n", "\r\n")
	if err := smime.Sign(t.Context(), &b, strings.NewReader(mail), id, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// renamed returns a message whose signature also covers the header, with
// another From outside.
func renamed(t *testing.T, id *smime.Identity) []byte {
	t.Helper()
	var signed bytes.Buffer
	mail := smimetest.Mail(supplier, "accounting@example.org", invoice)
	if err := smime.Sign(t.Context(), &signed, bytes.NewReader(mail), id, nil); err != nil {
		t.Fatal(err)
	}
	return bytes.Replace(signed.Bytes(), []byte("From: "+supplier), []byte("From: bob@example.com"), 1)
}

// What is changed under encryption shows as a failed decryption or as a changed
// content, by where the change falls.
// TestPaidOnce shows that whoever relays an invoice can't make another supplier
// of the one who signed it.
func TestPaidOnce(t *testing.T) {
	ca := smimetest.NewCA(t)
	im := &Importer{Trust: ca.Trust(), Chain: chain.Options{At: smimetest.Now()}}
	first := smimetest.Signed(t, ca.Identity(supplier), invoice)
	paid := make(map[string]int)
	for _, mail := range [][]byte{
		first,
		bytes.Replace(first, []byte("From: alice@example.com"), []byte("From: ALICE@EXAMPLE.com"), 1),
		smimetest.Signed(t, ca.Identity("Alice@Example.COM"), invoice), // a renewed certificate
	} {
		got, err := im.Import(t.Context(), mail)
		if err != nil {
			t.Fatal(err)
		}
		paid[got.Supplier+" "+got.Number]++
	}
	if len(paid) != 1 {
		t.Errorf("paid %v", paid)
	}
}

func TestTamperedUnderEncryption(t *testing.T) {
	ca := smimetest.NewCA(t)
	us := ca.Identity("accounting@example.org")
	im := &Importer{Trust: ca.Trust(), Keys: smime.Identities{us}, Chain: chain.Options{At: smimetest.Now()}}
	mail := smimetest.Tamper(t, smimetest.Sealed(t, ca.Identity(supplier), invoice, us))
	inv, err := im.Import(t.Context(), mail)
	if inv != nil || !errors.Is(err, pkcs7.ErrDecrypt) && !errors.Is(err, pkcs7.ErrDigest) {
		t.Errorf("%+v, %v", inv, err)
	}
}

func TestZeroImporterTrustsNobody(t *testing.T) {
	ca := smimetest.NewCA(t)
	mail := smimetest.Signed(t, ca.Identity(supplier), invoice)
	if inv, err := new(Importer).Import(t.Context(), mail); err == nil || inv != nil {
		t.Errorf("%+v, %v", inv, err)
	}
}
