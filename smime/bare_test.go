package smime_test

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// bareForms are the forms in which a CMS object stands alone.
func bareForms(t *testing.T, msg []byte) map[string][]byte {
	t.Helper()
	_, text, ok := bytes.Cut(msg, []byte("\r\n\r\n"))
	if !ok {
		t.Fatal("no body")
	}
	der, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"DER":            der,
		"base64":         text,
		"base64 in LF":   bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")),
		"one line":       []byte(base64.StdEncoding.EncodeToString(der)),
		"blank lines":    append([]byte("\r\n\r\n"), text...),
		"PEM":            pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: der}),
		"PEM of PKCS #7": append([]byte("\ufeff"), pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: der})...),
	}
}

// TestBare opens CMS objects without a header.
func TestBare(t *testing.T) {
	w := newSendFixture(t)
	mail := []byte("From: alice@example.com\r\nSubject: x\r\n\r\npay 5 to bob\r\n")
	signed := sign(t, mail, w.alice, &smime.SignOptions{Opaque: true})
	for name, bare := range bareForms(t, signed) {
		t.Run("signed/"+name, func(t *testing.T) {
			m, err := smime.Open(t.Context(), bytes.NewReader(bare), &smime.OpenOptions{Trust: w.trust})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if s, err := m.Signer(); err != nil || s.Mailbox() != "alice@example.com" {
				t.Errorf("%v\n%v", err, m)
			}
			entity, err := smime.CMSEntity(bytes.NewReader(bare))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := smime.Verify(t.Context(), io.Discard, entity, w.trust, nil); err != nil {
				t.Error(err)
			}
		})
	}
	for name, bare := range bareForms(t, encrypt(t, mail, w.toBob, nil)) {
		t.Run("encrypted/"+name, func(t *testing.T) {
			entity, err := smime.CMSEntity(bytes.NewReader(bare))
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if _, err := smime.Decrypt(t.Context(), &out, entity, smime.Identities{w.bob}, nil); err != nil || !strings.Contains(out.String(), "pay 5") {
				t.Errorf("%q, %v", out.Bytes(), err)
			}
		})
	}
	for name, other := range map[string][]byte{
		"mail": smimetest.Mail("a@example.com", "b@example.com", "x"), "nothing": nil, "a certificate": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0}}),
		"text": []byte("MIIB is how base64 begins\r\n"), "a field": []byte("MIIB: x\r\n\r\n"),
	} {
		t.Run("not/"+name, func(t *testing.T) {
			if _, err := smime.CMSEntity(bytes.NewReader(other)); !errors.Is(err, smime.ErrMalformed) {
				t.Error(err)
			}
		})
	}
	if _, err := smime.CMSEntity(bytes.NewReader(caseFile(t, "R11-smime.p7m"))); err != nil {
		t.Error(err)
	}
}
