package archtest

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestZeroVerdicts holds that a verdict nobody reached is no good verdict.
func TestZeroVerdicts(t *testing.T) {
	var s smime.SignerReport
	var e smime.EncryptedLayer
	verdicts := map[string]error{
		"Verdict": smime.Verdict{}.Err(), "SignerReport": s.Err(),
		"SignerReport.Integrity": s.Integrity.Err(), "SignerReport.Strength": s.Strength.Err(), "SignerReport.Coverage": s.Coverage.Err(),
		"SignerReport.Trust": s.Trust.Err(), "SignerReport.Sender": s.Sender.Err(),
		"EncryptedLayer": e.Err(), "EncryptedLayer.Opened": e.Opened.Err(), "EncryptedLayer.Strength": e.Strength.Err(), "EncryptedLayer.Authenticated": e.Authenticated.Err(),
		"SignedLayer": new(smime.SignedLayer).Err(), "ReceiptLayer": new(smime.ReceiptLayer).Err(), "PlainLayer": new(smime.PlainLayer).Err(),
		"CompressedLayer": new(smime.CompressedLayer).Err(), "CertificatesLayer": new(smime.CertificatesLayer).Err(),
	}
	for name, err := range verdicts {
		if err == nil {
			t.Errorf("the zero %s passes", name)
		}
	}
	if status := (chain.RevocationStatus{}).Status; status != chain.StatusUnknown {
		t.Errorf("the zero RevocationStatus is %v", status)
	}
	if pkcs7.Cipher(0).Authenticated() {
		t.Error("the zero Cipher authenticates")
	}
}

// TestZeroProofs calls every method of a proof that no check made.
func TestZeroProofs(t *testing.T) {
	for _, proof := range []any{new(smime.Signer), new(smime.Recipient), new(chain.Path)} {
		v := reflect.ValueOf(proof)
		if v.NumMethod() < 4 {
			t.Errorf("%T has %d methods", proof, v.NumMethod())
		}
		for i := range v.NumMethod() {
			var args []reflect.Value
			for in := range v.Method(i).Type().Ins() {
				args = append(args, reflect.Zero(in))
			}
			if !panics(func() { v.Method(i).Call(args) }) {
				t.Errorf("%s of the zero %T answers", v.Type().Method(i).Name, proof)
			}
		}
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// TestZeroTrust holds that nobody is trusted by default.
func TestZeroTrust(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice := ca.Identity("alice@example.com")
	mail := smimetest.Signed(t, alice, "hello")
	for name, trust := range map[string]*chain.Collection{"nil": nil, "zero": {}, "empty": chain.NewCollection()} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if _, err := smime.Verify(t.Context(), &out, bytes.NewReader(mail), trust, nil); err == nil || out.Len() > 0 {
				t.Errorf("the %s Collection vouches for a signer", name)
			}
		})
	}
	if _, err := ca.Trust().Verify(t.Context(), alice.Certificate(), chain.Policy{}); !errors.Is(err, chain.ErrPolicy) {
		t.Errorf("the zero Policy: %v", err)
	}
	if c := (chain.Constraints{}); len(c.Purposes) > 0 || c.AnyPurpose || c.AnyMailbox {
		t.Error("the zero Constraints allow something")
	}
	anchor := chain.Constrain(chain.Certs(ca.Root(), ca.Issuing()), chain.Constraints{})
	policy := chain.Policy{Purpose: chain.EmailSigning, Mailbox: "alice@example.com"}
	if _, err := chain.NewCollection(chain.Anchors(anchor)).Verify(t.Context(), alice.Certificate(), policy); !errors.Is(err, chain.ErrAnchorConstraint) {
		t.Errorf("an anchor with zero Constraints: %v", err)
	}
	for name, to := range map[string][]*smime.Recipient{"nil": {nil}, "zero": {new(smime.Recipient)}, "no": {}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := smime.Encrypt(t.Context(), &out, strings.NewReader("From: alice@example.com\r\n\r\nhello\r\n"), to, nil); err == nil || out.Len() > 0 {
				t.Errorf("%s Recipient is encrypted to", name)
			}
		})
	}
}
