package smimetest_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestVerdicts: every kind of mail gets the verdict it was made for, today and
// at Now.
func TestVerdicts(t *testing.T) {
	ca, stranger := smimetest.NewCA(t), smimetest.NewCA(t)
	const alice = "alice@example.com"
	good, revoked := ca.Identity(alice), ca.Identity(alice)
	ca.Revoke(revoked)
	signed := func(flaws ...smimetest.Flaw) []byte {
		return smimetest.Signed(t, ca.Identity(alice, flaws...), "pay 5")
	}
	var opaque bytes.Buffer
	mail := smimetest.Mail(alice, "bob@example.com", "pay 5")
	if err := smime.Sign(t.Context(), &opaque, bytes.NewReader(mail), good, &smime.SignOptions{Opaque: true}); err != nil {
		t.Fatal(err)
	}
	var clear bytes.Buffer
	if err := smime.Sign(t.Context(), &clear, bytes.NewReader(mail), good, nil); err != nil {
		t.Fatal(err)
	}
	// As OpenSSL has it: text for people before the first part.
	preamble := bytes.Replace(clear.Bytes(), []byte("\r\n\r\n--"), []byte("\r\n\r\nThis is an S/MIME signed message\r\n\r\n--"), 1)
	for _, tt := range []struct {
		name string
		msg  []byte
		want error
	}{
		{"good, by Sign", clear.Bytes(), nil},
		{"good, with a preamble", preamble, nil},
		{"tampered, by Sign", smimetest.Tamper(t, clear.Bytes()), pkcs7.ErrDigest},
		{"tampered, with a preamble", smimetest.Tamper(t, preamble), pkcs7.ErrDigest},
		{"good", smimetest.Signed(t, good, "pay 5"), nil},
		{"good, opaque", opaque.Bytes(), nil},
		{"tampered", smimetest.Tamper(t, smimetest.Signed(t, good, "pay 5")), pkcs7.ErrDigest},
		{"tampered, opaque", smimetest.Tamper(t, opaque.Bytes()), pkcs7.ErrDigest},
		{"revoked", smimetest.Signed(t, revoked, "pay 5"), chain.ErrRevoked},
		{"other CA", smimetest.Signed(t, stranger.Identity(alice), "pay 5"), chain.ErrUnknownIssuer},
		{"spoofed", smimetest.Spoofed(t, good, "ceo@example.com", "pay 5"), smime.ErrSender},
		{"unsigned", mail, smime.ErrNotSigned},
		{"expired", signed(smimetest.Expired()), chain.ErrExpired},
		{"not yet valid", signed(smimetest.NotYetValid()), chain.ErrNotYetValid},
		{"encryption only", signed(smimetest.EncryptionOnly()), chain.ErrWrongPurpose},
		{"signing only", signed(smimetest.SigningOnly()), nil},
		{"not for mail", signed(smimetest.NotForMail()), chain.ErrWrongPurpose},
		{"no mailbox", signed(smimetest.NoMailbox()), chain.ErrWrongMailbox},
		{"wrong mailbox", signed(smimetest.WrongMailbox("eve@example.com")), chain.ErrWrongMailbox},
		{"SHA-1", signed(smimetest.SignedWithSHA1()), chain.ErrWeakAlgorithm},
		{"unknown critical", signed(smimetest.UnknownCritical()), chain.ErrUnhandledCritical},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, opts := range []*smime.VerifyOptions{nil, {Chain: chain.Options{At: smimetest.Now()}}} {
				var out bytes.Buffer
				_, err := smime.Verify(t.Context(), &out, bytes.NewReader(tt.msg), ca.Trust(), opts)
				if !errors.Is(err, tt.want) {
					t.Errorf("error %v, want %v", err, tt.want)
				}
				if err != nil && out.Len() > 0 {
					t.Errorf("wrote %d bytes", out.Len())
				}
			}
		})
	}
}

func TestEncrypted(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	msg := smimetest.Encrypted(t, alice, "secret", bob)
	if _, err := smime.Decrypt(t.Context(), io.Discard, bytes.NewReader(msg), smime.Identities{bob}, nil); err != nil {
		t.Error(err)
	}
	if _, err := smime.Decrypt(t.Context(), io.Discard, bytes.NewReader(msg), smime.Identities{alice}, nil); !errors.Is(err, pkcs7.ErrNoKey) {
		t.Error(err)
	}
	sealed := smimetest.Sealed(t, alice, "secret", bob)
	if _, _, err := smime.Unseal(t.Context(), io.Discard, bytes.NewReader(sealed), smime.Identities{bob}, ca.Trust(), nil); err != nil {
		t.Error(err)
	}
	if _, _, err := smime.Unseal(t.Context(), io.Discard, bytes.NewReader(smimetest.Tamper(t, sealed)), smime.Identities{bob}, ca.Trust(), nil); err == nil {
		t.Error("changed ciphertext passed")
	}
	if r := ca.Recipient(bob); r.Mailbox() != "bob@example.com" || r.Path() == nil {
		t.Error("not bob")
	}
	found, err := smime.FindRecipients(t.Context(), []string{"bob@example.com"}, ca.Directory(alice, bob), nil)
	if err != nil || len(found) != 1 || !bytes.Equal(found[0].Certificate().Raw, bob.Certificate().Raw) {
		t.Error(err)
	}
	utf8 := ca.Identity("jörg@exämple.com")
	if boxes := utf8.Mailboxes(); len(boxes) != 1 {
		t.Errorf("mailboxes %q", boxes)
	}
}

// A failing test notes that it failed and goes no further.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Helper() {}

func (f *failing) Fatal(...any) { f.failed = true; runtime.Goexit() }

func (f *failing) Fatalf(string, ...any) { f.Fatal() }

// TestEncryptedFails holds for whom nothing can be encrypted.
func TestEncryptedFails(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice := ca.Identity("alice@example.com")
	for name, tt := range map[string]struct {
		to   []*smime.Identity
		want bool
	}{
		"nobody":        {nil, true},
		"expired":       {[]*smime.Identity{alice, ca.Identity("bob@example.com", smimetest.Expired())}, true},
		"not yet valid": {[]*smime.Identity{ca.Identity("bob@example.com", smimetest.NotYetValid())}, true},
		"no mailbox":    {[]*smime.Identity{ca.Identity("bob@example.com", smimetest.NoMailbox())}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, seal := range []bool{false, true} {
				f := &failing{TB: t}
				done := make(chan struct{})
				go func() {
					defer close(done)
					if seal {
						smimetest.Sealed(f, alice, "secret", tt.to...)
					} else {
						smimetest.Encrypted(f, alice, "secret", tt.to...)
					}
				}()
				<-done
				if f.failed != tt.want {
					t.Errorf("failed %v", f.failed)
				}
			}
		})
	}
}
