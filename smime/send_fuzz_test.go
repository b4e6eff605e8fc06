package smime_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// sendErrors are all that sending may answer to a message.
func sendErrors() []error {
	return []error{
		smime.ErrHeader, smime.ErrSender, smime.ErrAmbiguousSender, smime.ErrNotTransportSafe, smime.ErrMalformed,
		smime.ErrLimit, pkcs7.ErrSyntax, chain.ErrMalformed,
	}
}

func isAny(err error, list []error) bool {
	for _, e := range list {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// FuzzSign: what Sign accepts is safe for transport, verifies, and has no
// field that was not there.
func FuzzSign(f *testing.F) {
	w := newSendFixture(f)
	for _, in := range inputs() {
		f.Add([]byte(in), uint8(0))
		f.Add([]byte(in), uint8(1))
	}
	f.Add([]byte(crlf("From: alice@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b \t\n\nx\n--b--  \n")), uint8(0))
	f.Add([]byte("From: alice@example.com\nContent-Type: multipart/mixed; boundary=b\n\n\xff\n--b\n\n--b\nContent-Type: message/rfc822\n\nA: b\n\n\x80\n--b--\n\x80"), uint8(1))
	f.Add([]byte("From: alice@example.com\r\nContent-Transfer-Encoding: x\r\n\r\nFrom \xff\r\n"), uint8(2))
	f.Fuzz(func(t *testing.T, in []byte, mode uint8) {
		if low := bytes.ToLower(in); bytes.Contains(low, []byte("signed")) || bytes.Contains(low, []byte("pkcs7")) || bytes.Contains(low, []byte(".p7m")) {
			return // what others signed is for the reader to judge
		}
		opts := &smime.SignOptions{Opaque: mode&1 != 0, ForEncryption: mode&2 != 0, AsIs: mode&4 != 0, Header: smime.HeaderPolicy(mode >> 3 % 4)}
		var signed, out bytes.Buffer
		if err := smime.Sign(t.Context(), &signed, bytes.NewReader(in), w.alice, opts); err != nil {
			if signed.Len() > 0 {
				t.Fatalf("%d bytes beside %v", signed.Len(), err)
			}
			if !isAny(err, sendErrors()) {
				t.Fatalf("undocumented error %v", err)
			}
			return
		}
		// What is to be encrypted may have what only encryption carries.
		if err := fitForTransport(signed.Bytes(), in); err != nil && !opts.ForEncryption {
			t.Fatalf("%v\n%.1000q", err, signed.Bytes())
		}
		if _, err := smime.Verify(t.Context(), &out, bytes.NewReader(signed.Bytes()), w.trust, nil); err != nil {
			t.Fatalf("%v\n%.1000q", err, signed.Bytes())
		}
	})
}

// fitForTransport allows UTF-8 in the header of a message that has some, which
// travels by SMTPUTF8, and in a signed part what its signer put there.
func fitForTransport(b, in []byte) error {
	err := transportSafe(b)
	if err == nil {
		return nil
	}
	head, _, _ := bytes.Cut(bytes.ReplaceAll(in, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
	for _, c := range head {
		if c >= 0x80 && strings.Contains(err.Error(), "has octet") {
			return nil
		}
	}
	if bytes.Contains(bytes.ToLower(in), []byte("multipart/signed")) || bytes.Contains(bytes.ToLower(in), []byte("multipart/encrypted")) {
		return nil
	}
	return err
}

// FuzzSeal: what Seal accepts can be unsealed, and hides the Subject.
func FuzzSeal(f *testing.F) {
	w := newSendFixture(f)
	for _, in := range inputs() {
		f.Add([]byte(in), uint8(0))
	}
	f.Add([]byte(crlf(plainMail)), uint8(4))
	f.Fuzz(func(t *testing.T, in []byte, mode uint8) {
		if low := bytes.ToLower(in); bytes.Contains(low, []byte("signed")) || bytes.Contains(low, []byte("pkcs7")) || bytes.Contains(low, []byte(".p7m")) {
			return // what others signed is for the reader to judge
		}
		opts := &smime.SealOptions{Sign: smime.SignOptions{Header: smime.HeaderPolicy(mode % 2), Opaque: mode&2 != 0}}
		var sealed, out bytes.Buffer
		seal := func() error { return smime.Seal(t.Context(), &sealed, bytes.NewReader(in), w.alice, w.toBob, opts) }
		if mode&4 != 0 {
			seal = func() error {
				var signed bytes.Buffer
				opts.Sign.ForEncryption = true
				if err := smime.Sign(t.Context(), &signed, bytes.NewReader(in), w.alice, &opts.Sign); err != nil {
					return err
				}
				return smime.Encrypt(t.Context(), &sealed, &signed, w.toBob, nil)
			}
		}
		if err := seal(); err != nil {
			if sealed.Len() > 0 {
				t.Fatalf("%d bytes beside %v", sealed.Len(), err)
			}
			if !isAny(err, sendErrors()) {
				t.Fatalf("undocumented error %v", err)
			}
			return
		}
		if err := fitForTransport(sealed.Bytes(), in); err != nil {
			t.Fatalf("%v\n%.800q", err, sealed.Bytes())
		}
		if _, _, err := smime.Unseal(t.Context(), &out, bytes.NewReader(sealed.Bytes()), smime.Identities{w.bob}, w.trust, nil); err != nil {
			t.Fatalf("%v\n%.800q", err, sealed.Bytes())
		}
	})
}
