package ess_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/pkcs7/ess"
)

func encoded(t *testing.T, e interface{ Encode() ([]byte, error) }) []byte {
	t.Helper()
	der, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// same checks that what was written is read as it was.
func same[T any](t *testing.T, want *T, got *T, err error) {
	t.Helper()
	if err != nil || !reflect.DeepEqual(want, got) {
		t.Errorf("%+v, not %+v, %v", got, want, err)
	}
}

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	for _, r := range []*ess.ReceiptRequest{
		{ContentID: []byte("id"), To: []string{"a@example.com"}},
		{ContentID: []byte("id"), FirstTier: true, To: []string{"a@example.com", "b@example.com"}},
		{ContentID: []byte("id"), From: []string{"c@example.com"}, To: []string{"a@example.com"}},
	} {
		got, err := ess.ParseReceiptRequest(encoded(t, r))
		same(t, r, got, err)
	}
	receipt := &ess.Receipt{ContentType: oid.Data.X509(), ContentID: []byte("id"), Signature: []byte{1, 2}}
	gotReceipt, err := ess.ParseReceipt(encoded(t, receipt))
	same(t, receipt, gotReceipt, err)
	for _, h := range []*ess.ContentHints{{ContentType: oid.Data.X509()}, {Description: "ein Brief für dich", ContentType: oid.Data.X509()}} {
		got, err := ess.ParseContentHints(encoded(t, h))
		same(t, h, got, err)
	}
	ref := &ess.ContentReference{ContentType: oid.Data.X509(), ContentID: []byte("id"), Signature: []byte{3}}
	gotRef, err := ess.ParseContentReference(encoded(t, ref))
	same(t, ref, gotRef, err)
	for _, l := range []*ess.SecurityLabel{
		{Policy: oid.AnyPolicy.X509(), Classification: -1},
		{Policy: oid.AnyPolicy.X509(), Classification: ess.Confidential, PrivacyMark: "only for you",
			Categories: []ess.SecurityCategory{{Type: oid.Data.X509(), Value: []byte{5, 0}}}},
	} {
		got, err := ess.ParseSecurityLabel(encoded(t, l))
		same(t, l, got, err)
		if !l.Equal(got) || l.Equal(&ess.SecurityLabel{Policy: l.Policy, Classification: 7}) {
			t.Error("Equal is wrong")
		}
	}
	history := []ess.Expansion{
		{List: pkcs7.CertID{KeyID: []byte{1}}, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		{List: pkcs7.CertID{Issuer: []byte{0x30, 0}, Serial: big.NewInt(-7)}, Time: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), Receipts: ess.NoReceipts},
		{List: pkcs7.CertID{KeyID: []byte{2}}, Time: time.Date(2026, 1, 2, 3, 4, 7, 0, time.UTC), Receipts: ess.ReceiptsInAdditionTo, Names: []string{"a@example.com"}},
	}
	der, err := ess.EncodeExpansionHistory(history)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ess.ParseExpansionHistory(der)
	same(t, &history, &got, err)
	if !ess.Loops(got, history[1].List) || ess.Loops(got, pkcs7.CertID{KeyID: []byte{3}}) || ess.Loops(got, pkcs7.CertID{}) {
		t.Error("Loops is wrong")
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	many := make([]ess.Expansion, 65)
	if _, err := ess.EncodeExpansionHistory(many); !errors.Is(err, pkcs7.ErrLimit) {
		t.Error(err)
	}
	if _, err := (&ess.ReceiptRequest{To: []string{"a\r\n@example.com"}}).Encode(); !errors.Is(err, pkcs7.ErrSyntax) {
		t.Error(err)
	}
	if _, err := (&ess.ReceiptRequest{}).Encode(); !errors.Is(err, pkcs7.ErrSyntax) {
		t.Error(err)
	}
	for _, in := range []string{"", "00", "3000", "310406022a03", "31080602290306022903", "3003020101", "30800000"} {
		t.Run(in, func(t *testing.T) {
			der, err := hex.DecodeString(in)
			if err != nil {
				t.Fatal(err)
			}
			for name, parse := range parsers() {
				err := parse(der)
				if name == "label" && in == "310406022a03" || name == "equivalent labels" && in == "3000" ||
					name == "expansions" && in == "3000" || name == "location" && in == "3000" {
					if err != nil {
						t.Errorf("%s: %s: %v", name, in, err)
					}
					continue
				}
				if !errors.Is(err, pkcs7.ErrSyntax) {
					t.Errorf("%s: %q: %v", name, in, err)
				}
			}
		})
	}
}

func parsers() map[string]func([]byte) error {
	return map[string]func([]byte) error{
		"request":           func(b []byte) error { _, err := ess.ParseReceiptRequest(b); return err },
		"receipt":           func(b []byte) error { _, err := ess.ParseReceipt(b); return err },
		"hints":             func(b []byte) error { _, err := ess.ParseContentHints(b); return err },
		"reference":         func(b []byte) error { _, err := ess.ParseContentReference(b); return err },
		"label":             func(b []byte) error { _, err := ess.ParseSecurityLabel(b); return err },
		"equivalent labels": func(b []byte) error { _, err := ess.ParseEquivalentLabels(b); return err },
		"expansions":        func(b []byte) error { _, err := ess.ParseExpansionHistory(b); return err },
		"certificates":      func(b []byte) error { _, err := ess.ParseSigningCertificate(b, false); return err },
		"certificates v1":   func(b []byte) error { _, err := ess.ParseSigningCertificate(b, true); return err },
		"commitment":        func(b []byte) error { _, err := ess.ParseCommitment(b); return err },
		"location":          func(b []byte) error { _, err := ess.ParseLocation(b); return err },
		"octets":            func(b []byte) error { _, err := ess.ParseOctets(b); return err },
		"key preference":    func(b []byte) error { _, err := ess.ParseKeyPreference(b); return err },
		"policy":            func(b []byte) error { _, err := ess.ParseSignaturePolicy(b); return err },
	}
}

func FuzzParse(f *testing.F) {
	r := &ess.ReceiptRequest{ContentID: []byte("id"), To: []string{"a@example.com"}}
	der, err := r.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add([]byte{0x31, 4, 6, 2, 0x2a, 3})
	f.Fuzz(func(t *testing.T, der []byte) {
		for name, parse := range parsers() {
			if err := parse(der); err != nil && !errors.Is(err, pkcs7.ErrSyntax) && !errors.Is(err, pkcs7.ErrLimit) {
				t.Fatal(name, err)
			}
		}
		if l, err := ess.ParseSecurityLabel(der); err == nil {
			if again, err := l.Encode(); err == nil {
				if same, err := ess.ParseSecurityLabel(again); err != nil || !same.Equal(l) {
					t.Fatal(err)
				}
			}
		}
	})
}

// attributesOf returns the signed attributes of the first signer of a file.
func signerOf(t *testing.T, path string) (*pkcs7.SignerInfo, [][]byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pkcs7.NewSignedReader(bytes.NewReader(b), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	signers, err := r.Signers()
	if err != nil || len(signers) == 0 {
		t.Fatal(len(signers), err)
	}
	elements, err := r.UnverifiedElements()
	if err != nil {
		t.Fatal(err)
	}
	return signers[0], elements
}

func value(t *testing.T, list []pkcs7.Attribute, id oid.OID) []byte {
	t.Helper()
	for _, a := range list {
		if a.Type.Equal(id.X509()) && len(a.Values) == 1 {
			return a.Values[0]
		}
	}
	t.Fatalf("no attribute %v", id)
	return nil
}

func TestRFC4134(t *testing.T) {
	t.Parallel()
	s, _ := signerOf(t, suites.Corpus(t, "rfc4134", "4.10.bin"))
	list := s.Signed()
	if h, err := ess.ParseContentHints(value(t, list, oid.AttrContentHints)); err != nil || h.Description != "Content Hints Description Buffer" {
		t.Errorf("%+v, %v", h, err)
	}
	if l, err := ess.ParseSecurityLabel(value(t, list, oid.AttrSecurityLabel)); err != nil || l.Classification != ess.Unclassified || l.PrivacyMark == "" {
		t.Errorf("%+v, %v", l, err)
	}
	if r, err := ess.ParseContentReference(value(t, list, oid.AttrContentReference)); err != nil || len(r.Signature) == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if h, err := ess.ParseExpansionHistory(value(t, list, oid.AttrMLExpansionHistory)); err != nil || len(h) != 1 || h[0].Time.IsZero() {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	seen := map[oid.OID]int{}
	levels := map[ess.Level]int{}
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return (g.Kind == "signed" || g.Kind == "receipt") && g.Operation == "verify" && filepath.Ext(g.File) == ".p7m"
	})
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			if g.Expected == "fail" {
				return
			}
			s, elements := signerOf(t, g.Path(g.File))
			levels[ess.LevelOf(s, elements)]++
			for _, a := range s.Signed() {
				id := oid.FromX509(a.Type)
				var err error
				switch id {
				case oid.AttrReceiptRequest:
					_, err = ess.ParseReceiptRequest(a.Values[0])
				case oid.AttrContentHints:
					_, err = ess.ParseContentHints(a.Values[0])
				case oid.AttrSecurityLabel:
					_, err = ess.ParseSecurityLabel(a.Values[0])
				case oid.AttrMLExpansionHistory:
					_, err = ess.ParseExpansionHistory(a.Values[0])
				case oid.AttrSigningCertificate, oid.AttrSigningCertificateV2:
					_, err = ess.ParseSigningCertificate(a.Values[0], id == oid.AttrSigningCertificate)
				case oid.AttrMsgSigDigest:
					_, err = ess.ParseOctets(a.Values[0])
				default:
					continue
				}
				seen[id]++
				if err != nil {
					t.Errorf("%s: %v: %v", g.File, id, err)
				}
			}
		})
	}
	t.Log(seen, levels)
	if len(seen) < 3 {
		t.Errorf("only %d kinds of attributes", len(seen))
	}
}

// TestReceipts compares the receipts with the messages that they are for
// (RFC 2634 section 2.6).
func TestReceipts(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Kind == "receipt" && filepath.Ext(g.File) == ".p7m" })
	if len(rows) != 4 {
		t.Errorf("%d receipts", len(rows))
	}
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			sent, _ := signerOf(t, g.Path(g.Request))
			request, err := ess.ParseReceiptRequest(value(t, sent.Signed(), oid.AttrReceiptRequest))
			if err != nil {
				t.Fatal(err)
			}
			r, err := pkcs7.NewSignedReader(bytes.NewReader(g.Read(t, g.File)), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			receipt, err := ess.ParseReceipt(content)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(receipt.ContentID, request.ContentID) || !bytes.Equal(receipt.Signature, sent.Signature()) || !receipt.ContentType.Equal(oid.Data.X509()) {
				t.Errorf("%s: receipt of another message", g.File)
			}
			signers, _ := r.Signers()
			digest, err := ess.ParseOctets(value(t, signers[0].Signed(), oid.AttrMsgSigDigest))
			if err != nil || !bytes.Equal(digest, sent.AttributesDigest()) {
				t.Errorf("%s: msgSigDigest %x, not %x, %v", g.File, digest, sent.AttributesDigest(), err)
			}
		})
	}
}

func TestKeyPreference(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]pkcs7.CertID{
		"30053000020107":    {Issuer: []byte{0x30, 0}, Serial: big.NewInt(7)},
		"a0053000020107":    {Issuer: []byte{0x30, 0}, Serial: big.NewInt(7)},
		"a10404020102":      {KeyID: []byte{1, 2}},
		"a10604020102 0500": {KeyID: []byte{1, 2}},
		"82020102":          {KeyID: []byte{1, 2}},
	} {
		t.Run(in, func(t *testing.T) {
			der, err := hex.DecodeString(strings.ReplaceAll(in, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := ess.ParseKeyPreference(der); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, %v", in, got, err)
			}
		})
	}
	s, _ := signerOf(t, suites.Corpus(t, "rfc4134", "4.10.bin"))
	id, err := ess.ParseKeyPreference(value(t, s.Signed(), oid.AttrEncryptionKeyPreference))
	if err != nil || id.Serial == nil {
		t.Errorf("%+v, %v", id, err)
	}
	s, _ = signerOf(t, suites.Corpus(t, "samples", "nss-s.der"))
	n := 0
	for _, a := range s.Signed() {
		if id := oid.FromX509(a.Type); id == oid.AttrEncryptionKeyPreference || id == oid.AttrMicrosoftKeyPreference {
			n++
			if _, err := ess.ParseKeyPreference(a.Values[0]); err != nil {
				t.Errorf("%v: %v", id, err)
			}
		}
	}
	if n != 2 {
		t.Errorf("%d preferences of NSS", n)
	}
}

// TestTexts reads all forms of a DirectoryString.
func TestTexts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"\x0c\x03\xc3\xbcx": "üx", "\x13\x02ab": "ab", "\x14\x02\xfcx": "üx", "\x1e\x04\x00\xfc\x20\xac": "ü€",
		"\x1c\x08\x00\x01\xf6\x00\x00\x00\x00\x41": "😀A", "\x0c\x01\xff": "", "\x1e\x03\x00\x41\x00": "", "\x1c\x04\xff\xff\xff\xff": "", "\x1e\x02\xd8\x00": "", "\x04\x01a": "",
	} {
		t.Run(in, func(t *testing.T) {
			country := append([]byte{0xa0, byte(len(in))}, in...)
			l, err := ess.ParseLocation(append([]byte{0x30, byte(len(country))}, country...))
			if (err == nil) != (want != "") || err == nil && l.Country != want {
				t.Errorf("%x: %+v, %v", in, l, err)
			}
		})
	}
}
