package smime_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A receipt is verified wherever it and the original message were encrypted.
func TestVerifySealedReceipt(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	ca := smimetest.NewCA(t)
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	request := smime.SignOptions{RequestReceipt: []string{"bob@example.com"}}
	mail := smimetest.Mail("alice@example.com", "bob@example.com", "Please confirm.")
	var signed, sealed bytes.Buffer
	if err := smime.Sign(ctx, &signed, bytes.NewReader(mail), alice, &request); err != nil {
		t.Fatal(err)
	}
	to := []*smime.Recipient{ca.Recipient(bob), ca.Recipient(alice)}
	if err := smime.Seal(ctx, &sealed, bytes.NewReader(mail), alice, to, &smime.SealOptions{Sign: request}); err != nil {
		t.Fatal(err)
	}
	receipts := func(s *smime.Signer) map[string][]byte {
		var plain, secret bytes.Buffer
		if err := smime.WriteReceipt(ctx, &plain, s, bob); err != nil {
			t.Fatal(err)
		}
		if err := smime.Seal(ctx, &secret, bytes.NewReader(plain.Bytes()), bob, []*smime.Recipient{ca.Recipient(alice)}, nil); err != nil {
			t.Fatal(err)
		}
		return map[string][]byte{"plain": plain.Bytes(), "sealed": secret.Bytes()}
	}
	bySigned, err := smime.Verify(ctx, io.Discard, bytes.NewReader(signed.Bytes()), ca.Trust(), nil)
	if err != nil {
		t.Fatal(err)
	}
	bySealed, _, err := smime.Unseal(ctx, io.Discard, bytes.NewReader(sealed.Bytes()), smime.Identities{bob}, ca.Trust(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, receipt := range receipts(bySigned) {
		t.Run(name+" receipt for a signed message", func(t *testing.T) {
			opts := &smime.ReceiptOptions{Keys: smime.Identities{alice}}
			s, err := smime.VerifyReceipt(ctx, bytes.NewReader(receipt), bytes.NewReader(signed.Bytes()), ca.Trust(), opts)
			if err != nil || s.Mailbox() != "bob@example.com" {
				t.Errorf("%v", err)
			}
			if _, err := smime.VerifyReceipt(ctx, bytes.NewReader(receipt), bytes.NewReader(sealed.Bytes()), ca.Trust(), opts); !errors.Is(err, smime.ErrNoReceipt) {
				t.Errorf("for another message: %v", err)
			}
		})
	}
	for name, receipt := range receipts(bySealed) {
		t.Run(name+" receipt for a sealed message", func(t *testing.T) {
			opts := &smime.ReceiptOptions{Keys: smime.Identities{alice}}
			s, err := smime.VerifyReceipt(ctx, bytes.NewReader(receipt), bytes.NewReader(sealed.Bytes()), ca.Trust(), opts)
			if err != nil || s.Mailbox() != "bob@example.com" {
				t.Errorf("%v", err)
			}
			if _, err := smime.VerifyReceipt(ctx, bytes.NewReader(receipt), bytes.NewReader(sealed.Bytes()), ca.Trust(), nil); !errors.Is(err, smime.ErrNoReceipt) {
				t.Errorf("without keys: %v", err)
			}
			if _, err := smime.VerifyReceipt(ctx, bytes.NewReader(receipt), bytes.NewReader(sealed.Bytes()), nil, opts); err == nil || errors.Is(err, smime.ErrNoReceipt) {
				t.Errorf("without trust: %v", err)
			}
		})
	}
	t.Run("no receipt", func(t *testing.T) {
		if _, err := smime.VerifyReceipt(ctx, bytes.NewReader(signed.Bytes()), bytes.NewReader(signed.Bytes()), ca.Trust(), nil); !errors.Is(err, smime.ErrNoReceipt) {
			t.Errorf("%v", err)
		}
	})
}
