package smime_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/pkcs7/ess"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// saying returns the key of id that signs an attribute too.
func saying(t testing.TB, id *smime.Identity, kind oid.OID, value []byte, err error) pkcs7.SigningKey {
	t.Helper()
	key, kerr := id.SigningKey()
	if err := errors.Join(err, kerr); err != nil {
		t.Fatal(err)
	}
	if value != nil {
		key.Attributes = append(key.Attributes, pkcs7.Attribute{Type: kind.X509(), Values: [][]byte{value}})
	}
	return key
}

func signedBy(t testing.TB, from, entity string, keys ...pkcs7.SigningKey) []byte {
	t.Helper()
	var cms bytes.Buffer
	w, err := pkcs7.NewSignWriter(t.Context(), &cms, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, entity); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return cmsMail(from, "signed-data", cms.Bytes())
}

// TestReceiptRequests holds RFC 2634 sections 2.3 and 2.5: only the innermost
// signature asks for receipts, all who ask must ask for the same, and what a
// mailing list sent on is left to the list.
func TestReceiptRequests(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	alice, bob, list := ca.Identity("alice@example.com"), ca.Identity("bob@example.com"), ca.Identity("list@example.com")
	request := func(id *smime.Identity, content string, from ...string) pkcs7.SigningKey {
		der, err := (&ess.ReceiptRequest{ContentID: []byte(content), From: from, To: []string{"alice@example.com"}}).Encode()
		return saying(t, id, oid.AttrReceiptRequest, der, err)
	}
	history, err := ess.EncodeExpansionHistory([]ess.Expansion{{List: pkcs7.CertID{KeyID: []byte{1, 2, 3}}, Time: smimetest.Now(), Receipts: ess.NoReceipts}})
	plain := func(id *smime.Identity) pkcs7.SigningKey { return saying(t, id, "", nil, nil) }
	expands := saying(t, list, oid.AttrMLExpansionHistory, history, err)
	const text = "Content-Type: text/plain\r\n\r\nhello\r\n"
	asked := string(signedBy(t, "alice@example.com", text, request(alice, "1")))
	for _, tt := range []struct {
		name  string
		msg   []byte
		asked []string
		ok    bool
		note  smime.NoteCode
	}{
		{"nobody asks", signedBy(t, "alice@example.com", text, plain(alice)), nil, false, 0},
		{"of all", []byte(asked), nil, true, 0},
		{"of bob", signedBy(t, "alice@example.com", text, request(alice, "1", "bob@example.com")), []string{"bob@example.com"}, true, 0},
		{"twice the same", signedBy(t, "alice@example.com", text, request(alice, "1"), request(bob, "1")), nil, true, 0},
		{"another signer asks for another", signedBy(t, "alice@example.com", text, request(alice, "1"), request(bob, "2")), nil, false, 0},
		{"of what can't be read", signedBy(t, "alice@example.com", text, saying(t, alice, oid.AttrReceiptRequest, []byte{0x30, 0}, nil)), nil, false, smime.NoteAttribute},
		{"by an outer signature", signedBy(t, "alice@example.com", string(signedBy(t, "", text, plain(alice))), request(alice, "1")), nil, false, 0},
		{"inside of another signature", signedBy(t, "alice@example.com", asked, plain(list)), nil, true, 0},
		{"expanded by the same signature", signedBy(t, "alice@example.com", text, request(alice, "1"), expands), nil, false, smime.NoteMailingList},
		{"expanded by a list around it", signedBy(t, "alice@example.com", asked, expands), nil, false, smime.NoteMailingList},
		{"expanded by a list around encryption", signedBy(t, "alice@example.com", string(encrypted(t, bob, "", pkcs7.AES256GCM, []byte(asked))), expands), nil, false, smime.NoteMailingList},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := smime.Open(t.Context(), bytes.NewReader(tt.msg), &smime.OpenOptions{Trust: ca.Trust(), Chain: chain.Options{At: smimetest.Now()}, Keys: smime.Identities{bob}})
			if err != nil {
				t.Fatal(err)
			}
			s, err := m.Signer()
			if err != nil {
				t.Fatalf("%v\n%v", err, m)
			}
			to, ok := s.ReceiptRequest()
			if ok != tt.ok || !slices.Equal(to, tt.asked) {
				t.Errorf("%v, %q", ok, to)
			}
			if err := smime.WriteReceipt(t.Context(), io.Discard, s, bob); (err == nil) != tt.ok || err != nil && !errors.Is(err, smime.ErrNoReceipt) {
				t.Error(err)
			}
			if err := smime.WriteReceipt(t.Context(), io.Discard, s, list); tt.asked != nil && !errors.Is(err, smime.ErrNoReceipt) {
				t.Errorf("from who was not asked: %v", err)
			}
			if tt.note != 0 && !slices.Contains(notesOf(m), tt.note) {
				t.Errorf("no note\n%v", m)
			}
			m.Close()
			if signed, _, err := smime.Unseal(t.Context(), io.Discard, bytes.NewReader(encrypted(t, bob, "alice@example.com", pkcs7.AES256GCM, tt.msg)), smime.Identities{bob},
				ca.Trust(), &smime.UnsealOptions{Verify: smime.VerifyOptions{Chain: chain.Options{At: smimetest.Now()}}}); err != nil {
				t.Errorf("Unseal: %v", err)
			} else if _, ok := signed.ReceiptRequest(); ok != tt.ok {
				t.Errorf("Unseal: %v", ok)
			}
		})
	}
}

// TestSecurityLabelNoted holds that a label that is signed is noted.
func TestSecurityLabelNoted(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	label := &ess.SecurityLabel{Policy: oid.Data.X509(), Classification: ess.Secret, PrivacyMark: "eyes only"}
	der, err := label.Encode()
	msg := signedBy(t, "alice@example.com", "\r\nhello", saying(t, w.alice, oid.AttrSecurityLabel, der, err))
	for _, tt := range []struct {
		msg  []byte
		want bool
	}{{msg, true}, {w.seeds[1], false}} {
		t.Run(fmt.Sprintf("noted %v", tt.want), func(t *testing.T) {
			m, err := w.open(tt.msg)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Signer(); err != nil || slices.Contains(notesOf(m), smime.NoteSecurityLabel) != tt.want {
				t.Errorf("%v\n%v", err, m)
			}
			m.Close()
		})
	}
}
