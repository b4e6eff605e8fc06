package smime_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestBrokenOuterSignature holds that Unseal and Open agree about a signature
// around encryption that does not hold: it decides nothing and is noted.
func TestBrokenOuterSignature(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	inner := smimetest.Signed(t, w.alice, w.text)
	for _, cipher := range []pkcs7.Cipher{pkcs7.AES256GCM, pkcs7.AES256CBC} {
		sealed := []byte(entityOf(encrypted(t, w.bob, "alice@example.com", cipher, inner)))
		for name, outer := range map[string][]byte{
			"clear":  clearSigned(t, w.bob, "alice@example.com", sealed),
			"opaque": opaqueSigned(t, w.bob, "alice@example.com", sealed),
		} {
			for broken, msg := range map[bool][]byte{false: outer, true: breakSignature(t, outer)} {
				t.Run(name+" "+cipher.String()+map[bool]string{false: "", true: " broken"}[broken], func(t *testing.T) {
					var out bytes.Buffer
					signer, enc, err := smime.Unseal(t.Context(), &out, bytes.NewReader(msg), smime.Identities{w.bob}, w.trust,
						&smime.UnsealOptions{Verify: smime.VerifyOptions{Chain: w.at}})
					if err != nil || signer.Mailbox() != "alice@example.com" || !bytes.Contains(out.Bytes(), []byte(w.text)) {
						t.Fatalf("Unseal: %v", err)
					}
					noted := slices.ContainsFunc(enc.Notes, func(n smime.Note) bool { return n.Code == smime.NoteOuterSignature })
					if noted != broken {
						t.Errorf("notes %v", enc.Notes)
					}
					m, err := w.open(msg)
					if err != nil {
						t.Fatal(err)
					}
					defer m.Close()
					if s, err := m.Signer(); err != nil || s.Mailbox() != "alice@example.com" {
						t.Errorf("Open: %v", err)
					}
					if err := m.Confidential(); err != nil {
						t.Error(err)
					}
					if (m.Root().Err() != nil) != broken && broken {
						t.Errorf("the outer layer: %v", m.Root().Err())
					}
				})
			}
		}
	}
}

// breakSignature changes the last signature value of a signed message.
func breakSignature(t *testing.T, msg []byte) []byte {
	t.Helper()
	msg = bytes.Clone(msg)
	lines := bytes.SplitAfter(msg, []byte("\n"))
	for i := len(lines) - 1; i >= 0; i-- {
		if l := lines[i]; len(l) > 8 && !bytes.Contains(l, []byte("-")) {
			if l[2] != 'A' {
				l[2] = 'A'
			} else {
				l[2] = 'B'
			}
			return msg
		}
	}
	t.Fatal("no signature")
	return nil
}

// TestNotesOfVerbs holds that Verify, Decrypt and Unseal return what they
// tolerated.
func TestNotesOfVerbs(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	has := func(t *testing.T, notes []smime.Note, want smime.NoteCode) {
		t.Helper()
		if !slices.ContainsFunc(notes, func(n smime.Note) bool { return n.Code == want }) {
			t.Errorf("no note %v among %v", want, notes)
		}
	}
	signed := smimetest.Signed(t, w.alice, w.text)
	for _, tt := range []struct {
		name string
		msg  []byte
		want smime.NoteCode
	}{
		{"line ends", bytes.ReplaceAll(signed, []byte("\r\n"), []byte("\n")), smime.NoteLineEnds},
		{"micalg", bytes.Replace(signed, []byte("micalg=sha-256"), []byte("micalg=sha-512"), 1), smime.NoteMicalg},
		{"legacy type", bytes.ReplaceAll(signed, []byte("application/pkcs7-signature"), []byte("application/x-pkcs7-signature")), smime.NoteLegacyType},
		{"case", bytes.Replace(signed, []byte("From: alice@"), []byte("From: Alice@"), 1), smime.NoteLocalPartCase},
		{"Sender", append([]byte("Sender: bob@example.com\r\n"), signed...), smime.NoteSenderField},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := smime.Verify(t.Context(), &bytes.Buffer{}, bytes.NewReader(tt.msg), w.trust, &smime.VerifyOptions{Chain: w.at})
			if err != nil {
				t.Fatal(err)
			}
			has(t, s.Notes(), tt.want)
			msg := encrypted(t, w.bob, "alice@example.com", pkcs7.AES256GCM, tt.msg)
			s, _, err = smime.Unseal(t.Context(), &bytes.Buffer{}, bytes.NewReader(msg), smime.Identities{w.bob}, w.trust,
				&smime.UnsealOptions{Verify: smime.VerifyOptions{Chain: w.at}})
			if err != nil {
				t.Fatal(err)
			}
			if tt.want != smime.NoteLocalPartCase { // the From outside is that of the certificate
				has(t, s.Notes(), tt.want)
			}
		})
	}
	s, err := smime.Verify(t.Context(), &bytes.Buffer{}, bytes.NewReader(signed), w.trust, &smime.VerifyOptions{Chain: w.at})
	if err != nil || len(s.Notes()) > 0 {
		t.Errorf("an ordinary message: %v, %v", s.Notes(), err)
	}
	legacy := bytes.Replace(encrypted(t, w.bob, "alice@example.com", pkcs7.AES256GCM, signed), []byte("application/pkcs7-mime"), []byte("application/x-pkcs7-mime"), 1)
	enc, err := smime.Decrypt(t.Context(), &bytes.Buffer{}, bytes.NewReader(legacy), smime.Identities{w.bob}, nil)
	if err != nil {
		t.Fatal(err)
	}
	has(t, enc.Notes, smime.NoteLegacyType)
	g := golden(t, "msg/enveloped/rsa1024.ossl36.eml")
	enc, err = smime.Decrypt(t.Context(), &bytes.Buffer{}, bytes.NewReader(g.Read(t, g.File)), goldenKeys(t, g), nil)
	if err != nil {
		t.Fatal(err)
	}
	has(t, enc.Notes, smime.NoteWeak)
}
