package smime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// allAssessments returns every code: there are no gaps.
func allAssessments() []smime.AssessmentCode {
	var list []smime.AssessmentCode
	for c := smime.AssessNotChecked; !strings.HasPrefix(c.String(), "assessment-"); c++ {
		list = append(list, c)
	}
	return list
}

func TestAssessmentCodes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range allAssessments() {
		t.Run(c.String(), func(t *testing.T) {
			if seen[c.String()] || strings.ToLower(c.String()) != c.String() || strings.ContainsAny(c.String(), " _") {
				t.Errorf("%q", c)
			}
			seen[c.String()] = true
			text, err := json.Marshal(smime.Assessment{Code: c})
			if err != nil || !bytes.Contains(text, []byte(`"code":"`+c.String()+`"`)) {
				t.Errorf("%s, %v", text, err)
			}
		})
	}
	if len(seen) < 25 {
		t.Errorf("%d codes", len(seen))
	}
}

// Every message, in whatever state, has one answer about its signature and one
// about its encryption, and the verbs give the same answer as Open.
func TestAssess(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	ca, stranger := smimetest.NewCA(t), smimetest.NewCA(t)
	alice, bob, mallory := ca.Identity("alice@example.com"), ca.Identity("bob@example.com"), ca.Identity("mallory@example.com")
	revoked := ca.Identity("alice@example.com")
	ca.Revoke(revoked)
	encrypt := func(cipher pkcs7.Cipher) []byte {
		var b bytes.Buffer
		mail := smimetest.Mail("alice@example.com", "bob@example.com", "x")
		if err := smime.Encrypt(ctx, &b, bytes.NewReader(mail), []*smime.Recipient{ca.Recipient(bob)}, &smime.EncryptOptions{Cipher: cipher}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	encrypted := encrypt(pkcs7.AES256GCM)
	var outside bytes.Buffer
	if err := smime.Sign(ctx, &outside, bytes.NewReader(encrypted), alice, nil); err != nil {
		t.Fatal(err)
	}
	signed := smimetest.Signed(t, alice, "pay 5")
	partly := func() []byte {
		head, body, _ := strings.Cut(string(signed), "\r\n\r\n")
		at := strings.Index(strings.ToLower(head), "content-type:")
		return []byte(head[:at] + "Content-Type: multipart/mixed; boundary=TOP\r\n\r\n--TOP\r\n" + head[at:] + "\r\n\r\n" + body + "\r\n--TOP\r\n\r\nfooter\r\n--TOP--\r\n")
	}
	twoFrom := append([]byte("From: eve@example.com\r\n"), signed...)
	type result struct {
		code     smime.AssessmentCode
		severity smime.Severity
	}
	none := result{smime.AssessNotEncrypted, smime.SeverityNone}
	private := result{smime.AssessEncrypted, smime.SeverityGood}
	for _, tt := range []struct {
		name       string
		in         []byte
		trust      *chain.Collection
		keys       smime.Keyring
		signature  result
		encryption result
		has        []string // in the text about the signature
	}{
		{"plain", smimetest.Mail("alice@example.com", "bob@example.com", "x"), ca.Trust(), nil, result{smime.AssessUnsigned, smime.SeverityNone}, none, nil},
		{"signed", signed, ca.Trust(), nil, result{smime.AssessSigned, smime.SeverityGood}, none, []string{"alice@example.com"}},
		{"changed", smimetest.Tamper(t, signed), ca.Trust(), nil, result{smime.AssessChanged, smime.SeverityBad}, none, nil},
		{"other signer", smimetest.Spoofed(t, mallory, "alice@example.com", "x"), ca.Trust(), nil, result{smime.AssessOtherSigner, smime.SeverityBad}, none, []string{"alice@example.com", "mallory@example.com"}},
		{"two From", twoFrom, ca.Trust(), nil, result{smime.AssessSenderUnclear, smime.SeverityBad}, none, nil},
		{"another first part for some programs", bytes.Replace(signed, []byte("\r\nContent-Type:"), []byte("\r\nno field\r\nContent-Type:"), 1), ca.Trust(), nil, result{smime.AssessContentUnclear, smime.SeverityBad}, none, nil},
		{"partly signed", partly(), ca.Trust(), nil, result{smime.AssessPartlySigned, smime.SeverityCaution}, none, nil},
		{"unknown issuer", signed, stranger.Trust(), nil, result{smime.AssessUnknownIssuer, smime.SeverityCaution}, none, nil},
		{"no trust", signed, nil, nil, result{smime.AssessNoTrust, smime.SeverityCaution}, none, nil},
		{"empty trust", signed, chain.NewCollection(), nil, result{smime.AssessNoTrust, smime.SeverityCaution}, none, nil},
		{"expired", smimetest.Signed(t, ca.Identity("alice@example.com", smimetest.Expired()), "x"), ca.Trust(), nil, result{smime.AssessExpired, smime.SeverityCaution}, none, nil},
		{"not yet valid", smimetest.Signed(t, ca.Identity("alice@example.com", smimetest.NotYetValid()), "x"), ca.Trust(), nil, result{smime.AssessExpired, smime.SeverityCaution}, none, nil},
		{"revoked", smimetest.Signed(t, revoked, "x"), ca.Trust(), nil, result{smime.AssessRevoked, smime.SeverityBad}, none, nil},
		{"not for mail", smimetest.Signed(t, ca.Identity("alice@example.com", smimetest.NotForMail()), "x"), ca.Trust(), nil, result{smime.AssessNotForMail, smime.SeverityCaution}, none, nil},
		{"certificate by SHA-1", smimetest.Signed(t, ca.Identity("alice@example.com", smimetest.SignedWithSHA1()), "x"), ca.Trust(), nil, result{smime.AssessWeakSignature, smime.SeverityCaution}, none, nil},
		{"locked", smimetest.Sealed(t, alice, "x", bob), ca.Trust(), nil, result{smime.AssessLocked, smime.SeverityNone}, result{smime.AssessLocked, smime.SeverityNone}, nil},
		{"locked for others", smimetest.Sealed(t, alice, "x", bob), ca.Trust(), smime.Identities{mallory}, result{smime.AssessLocked, smime.SeverityNone}, result{smime.AssessLocked, smime.SeverityNone}, nil},
		{"sealed", smimetest.Sealed(t, alice, "x", bob), ca.Trust(), smime.Identities{bob}, result{smime.AssessSigned, smime.SeverityGood}, private, []string{"alice@example.com"}},
		{"encrypted", encrypted, ca.Trust(), smime.Identities{bob}, result{smime.AssessUnsigned, smime.SeverityNone}, private, nil},
		{"damaged", smimetest.Tamper(t, encrypted), ca.Trust(), smime.Identities{bob}, result{smime.AssessCannotDecrypt, smime.SeverityCaution}, result{smime.AssessCannotDecrypt, smime.SeverityCaution}, nil},
		{"changeable", encrypt(pkcs7.AES256CBC), ca.Trust(), smime.Identities{bob}, result{smime.AssessUnsigned, smime.SeverityNone}, result{smime.AssessChangeable, smime.SeverityCaution}, nil},
		{"signed outside", outside.Bytes(), ca.Trust(), smime.Identities{bob}, result{smime.AssessSignedOutside, smime.SeverityCaution}, private, nil},
		{"signed outside, locked", outside.Bytes(), ca.Trust(), nil, result{smime.AssessLocked, smime.SeverityNone}, result{smime.AssessLocked, smime.SeverityNone}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := smime.Open(ctx, bytes.NewReader(tt.in), &smime.OpenOptions{Trust: tt.trust, Keys: tt.keys, Chain: chain.Options{At: smimetest.Now()}})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			signature, encryption := m.Assess()
			if got := (result{signature.Code, signature.Severity}); got != tt.signature {
				_, err := m.Signer()
				t.Errorf("signature %v, want %v: %v", got, tt.signature, err)
			}
			if got := (result{encryption.Code, encryption.Severity}); got != tt.encryption {
				t.Errorf("encryption %v, want %v: %v", got, tt.encryption, m.Confidential())
			}
			for _, s := range tt.has {
				if !strings.Contains(signature.Text, s) {
					t.Errorf("%q lacks %s", signature.Text, s)
				}
			}
			for _, a := range []smime.Assessment{signature, encryption} {
				if a.Text == "" || strings.Contains(a.Text, "%") || strings.Contains(a.Text, "smime:") {
					t.Errorf("text %q", a.Text)
				}
			}
			opts := smime.UnsealOptions{Verify: smime.VerifyOptions{Chain: chain.Options{At: smimetest.Now()}}}
			var verb smime.Assessment
			if tt.encryption == none {
				s, err := smime.Verify(ctx, io.Discard, bytes.NewReader(tt.in), tt.trust, &opts.Verify)
				verb, _ = smime.Assess(s, nil, err)
			} else {
				s, e, err := smime.Unseal(ctx, io.Discard, bytes.NewReader(tt.in), tt.keys, tt.trust, &opts)
				verb, _ = smime.Assess(s, e, err)
			}
			if verb.Code != signature.Code && tt.name != "partly signed" && tt.name != "changeable" {
				t.Errorf("the verb says %v, Open %v", verb.Code, signature.Code)
			}
		})
	}
}

// Every constant of the error types has an answer of its own kind: an error that
// was added without one would be an undecided check.
func TestAssessErrors(t *testing.T) {
	t.Parallel()
	n := 0
	check := func(err error, undecided bool) {
		n++
		t.Run(err.Error(), func(t *testing.T) {
			signature, encryption := smime.Assess(nil, nil, fmt.Errorf("wrapped: %w", err))
			if signature.Code == smime.AssessSigned || signature.Severity == smime.SeverityGood || encryption.Severity == smime.SeverityGood {
				t.Errorf("%v, %v", signature.Code, encryption.Code)
			}
			if (signature.Code == smime.AssessSignatureUndecided) != undecided {
				t.Error(signature.Code)
			}
		})
	}
	for r := chain.ErrPolicy; !strings.Contains(r.Error(), "reason "); r++ {
		undecided := r == chain.ErrPolicy || r == chain.ErrLimit || r == chain.ErrSource || r == chain.ErrCheck
		check(&chain.Error{Reason: r}, undecided)
	}
	for _, err := range []error{
		smime.ErrUnchecked, smime.ErrNotSigned, smime.ErrNotCovered, smime.ErrSender, smime.ErrAmbiguousSender, smime.ErrNotEncrypted,
		smime.ErrMixed, smime.ErrAmbiguousStructure, smime.ErrSignedOutside, smime.ErrMalformed, smime.ErrLocked, smime.ErrLimit, smime.ErrChanged, smime.ErrSignature,
		smime.ErrWeak, smime.ErrNoKey, smime.ErrDecrypt, pkcs7.ErrSyntax, pkcs7.ErrUnsupported, pkcs7.ErrNoSigner, pkcs7.ErrNoCertificate,
	} {
		check(err, err == smime.ErrLimit)
	}
	if n < 40 {
		t.Errorf("%d errors", n)
	}
	for _, err := range []error{context.Canceled, io.ErrUnexpectedEOF} {
		t.Run(err.Error(), func(t *testing.T) {
			signature, encryption := smime.Assess(nil, nil, err)
			if signature.Code != smime.AssessSignatureUndecided || encryption.Code != smime.AssessNotChecked {
				t.Errorf("%v: %v, %v", err, signature.Code, encryption.Code)
			}
		})
	}
	signature, encryption := smime.Assess(nil, nil, nil)
	if signature.Code != smime.AssessNotChecked || encryption.Code != smime.AssessNotChecked {
		t.Errorf("of nothing: %v, %v", signature.Code, encryption.Code)
	}
	signature, encryption = new(smime.Message).Assess()
	if signature.Code != smime.AssessNotChecked || encryption.Code != smime.AssessNotChecked {
		t.Errorf("of the zero Message: %v, %v", signature.Code, encryption.Code)
	}
}
