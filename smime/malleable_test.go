package smime_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// gadget changes the first block of a CBC content whose start is known.
func gadget(t testing.TB, der []byte, size int, known, want string) []byte {
	t.Helper()
	const block = 16
	if len(known) != block || len(want) != block {
		t.Fatal("a block has 16 octets")
	}
	der = bytes.Clone(der)
	// The ciphertext is what the object ends in, the IV the last OCTET STRING of
	// its length before.
	start := len(der) - (size/block+1)*block
	iv := bytes.LastIndex(der[:start], []byte{4, block})
	if iv < 0 {
		t.Fatal("no IV")
	}
	for i := range block {
		der[iv+2+i] ^= known[i] ^ want[i]
	}
	return der
}

// TestMalleableContent holds what becomes of a message that was signed and then
// encrypted, whose first block an attacker turned into something else (EFAIL):
// nobody signed it, nothing is confidential, Unseal says no more than that.
func TestMalleableContent(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	inner := []byte(entityOf(w.seeds[0]))
	known := string(inner[:16])
	der := derOf(t, encrypted(t, w.bob, "alice@example.com", pkcs7.AES256CBC, inner))
	for name, want := range map[string]string{
		"end of the header":  "\r\n<img src=//e.v",
		"a field before":     "Subject: evil\r\n\r\n"[:16],
		"another type":       "Content-Type: x/",
		"author":             "From: bob@e.com\r",
		"no field":           "garbage garbage ",
		"the header folded":  " ersion: 1.0\r\nX: "[:16],
		"changed to nothing": "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			msg := cmsMail("alice@example.com", "enveloped-data", gadget(t, der, len(inner), known, want))
			out, _, err := w.unseal(bytes.NewReader(msg), smime.UnsealOptions{})
			if err == nil {
				// What was changed is in a header that nobody signs; the content is not.
				if string(out) != "Content-Type: text/plain; charset=utf-8\r\n\r\n"+w.text+"\r\n" {
					t.Errorf("Unseal passes %q", out)
				}
			} else if !errors.Is(err, pkcs7.ErrDecrypt) || !errors.Is(err, smime.ErrNotSigned) || len(out) > 0 {
				t.Errorf("Unseal: %v, %q", err, out)
			}
			if _, _, err := w.unseal(bytes.NewReader(msg), smime.UnsealOptions{RequireAuthenticated: true}); !errors.Is(err, smime.ErrNotAuthenticated) {
				t.Error(err)
			}
			m, oerr := w.open(msg)
			if oerr != nil {
				t.Fatal(oerr)
			}
			_, serr := m.Signer()
			signed := bytes.Equal(content(t, m.Body()), []byte("Content-Type: text/plain; charset=utf-8\r\n\r\n"+w.text+"\r\n"))
			if serr == nil && !signed || err == nil && serr != nil || (m.Confidential() == nil) != (serr == nil) {
				t.Errorf("Signer %v, Confidential %v, Unseal %v\n%v", serr, m.Confidential(), err, m)
			}
			l, ok := m.Root().(*smime.EncryptedLayer)
			if !ok || !errors.Is(l.Authenticated.Err(), smime.ErrNotAuthenticated) || !errors.Is(l.Err(), smime.ErrNotAuthenticated) {
				t.Error(m)
			}
			m.Close()
		})
	}
}
