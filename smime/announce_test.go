package smime_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/pkcs7/ess"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestCoSignersAnnounceTheirOwn: nobody says under his signature that replies
// to him are to be encrypted to somebody else.
func TestCoSignersAnnounceTheirOwn(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	carol := w.ca.Identity("carol@example.com")
	for from, want := range map[string]*smime.Identity{"alice@example.com": w.bob, "carol@example.com": carol} {
		t.Run(from, func(t *testing.T) {
			in := "From: " + from + "\r\n\r\nx\r\n"
			signed := sign(t, []byte(in), w.alice, &smime.SignOptions{
				CoSigners: []*smime.Identity{carol}, EncryptTo: w.bob.Certificate(), InsecureAnySender: true,
			})
			s, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(signed), w.trust, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c := s.EncryptTo(); s.Mailbox() != from || c == nil || !c.Equal(want.Certificate()) {
				t.Errorf("%s announces %v", s.Mailbox(), c)
			}
		})
	}
}

// TestEncryptToThatIsUnfit: what is announced can be encrypted to.
func TestEncryptToThatIsUnfit(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		cert *x509.Certificate
		want error
	}{
		{"for signing only", w.ca.Identity("alice@example.com", smimetest.SigningOnly()).Certificate(), chain.ErrWrongPurpose},
		{"a key that only signs", w.ca.Certify(ed, "alice@example.com").Certificate(), chain.ErrWrongPurpose},
		{"expired", w.ca.Identity("alice@example.com", smimetest.Expired()).Certificate(), chain.ErrExpired},
		{"not yet valid", w.ca.Identity("alice@example.com", smimetest.NotYetValid()).Certificate(), chain.ErrNotYetValid},
		{"for servers", w.ca.Identity("alice@example.com", smimetest.NotForMail()).Certificate(), chain.ErrWrongPurpose},
		{"empty", new(x509.Certificate), smime.ErrMalformed},
		{"for encryption only", w.ca.Identity("alice@example.com", smimetest.EncryptionOnly()).Certificate(), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			err := smime.Sign(t.Context(), &out, strings.NewReader(crlf(plainMail)), w.alice, &smime.SignOptions{EncryptTo: tt.cert})
			if !errors.Is(err, tt.want) || err != nil && out.Len() > 0 {
				t.Errorf("%d bytes, %v", out.Len(), err)
			}
		})
	}
	// A certificate that is for signing alone is not announced by itself.
	signing := w.ca.Identity("alice@example.com", smimetest.SigningOnly())
	s, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(sign(t, []byte(crlf(plainMail)), signing, nil)), w.trust, nil)
	if err != nil || s.EncryptTo() != nil {
		t.Errorf("%v announced, %v", s.EncryptTo(), err)
	}
}

// TestReceiptRequestNames: whoever can be written to can be asked for a receipt
// and get one, and we read what we ask.
func TestReceiptRequestNames(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	author := w.ca.Identity("用户@例え.jp")
	reader := w.ca.Identity("ü@xn--bcher-kva.example")
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf("person%d@example.com", i)
	}
	for _, tt := range []struct {
		name  string
		from  string
		id    *smime.Identity
		asked []string
		want  []string
		by    *smime.Identity
		to    string
	}{
		{"ASCII", "alice@example.com", w.alice, []string{"bob@example.com"}, []string{"bob@example.com"}, w.bob, "alice@example.com"},
		{"U-labels", "alice@example.com", w.alice, []string{"ü@bücher.example"}, []string{"ü@xn--bcher-kva.example"}, reader, "alice@example.com"},
		{"author", "用户@例え.jp", author, []string{"BOB@Example.com"}, []string{"BOB@example.com"}, w.bob, "用户@xn--r8jz45g.jp"},
		{"many", "alice@example.com", w.alice, append(many[:999:999], "bob@example.com"), append(many[:999:999], "bob@example.com"), w.bob, "alice@example.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := "From: " + tt.from + "\r\nTo: bob@example.com\r\n\r\nread this\r\n"
			signed := sign(t, []byte(in), tt.id, &smime.SignOptions{RequestReceipt: tt.asked})
			s, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(signed), w.trust, nil)
			if err != nil {
				t.Fatal(err)
			}
			if to, ok := s.ReceiptRequest(); !ok || strings.Join(to, " ") != strings.Join(tt.want, " ") {
				t.Errorf("asked %.200q", to)
			}
			var receipt bytes.Buffer
			if err := smime.WriteReceipt(t.Context(), &receipt, s, tt.by); err != nil {
				t.Fatal(err)
			}
			if got := header(t, receipt.Bytes()).Get("To"); got != tt.to {
				t.Errorf("receipt goes to %q", got)
			}
			if header(t, receipt.Bytes()).Get("Message-ID") == "" {
				t.Error("the receipt has no Message-ID")
			}
			by, err := smime.VerifyReceipt(t.Context(), &receipt, bytes.NewReader(signed), w.trust, nil)
			if err != nil || by.Mailboxes()[0] != tt.by.Mailboxes()[0] {
				t.Errorf("receipt by %v: %v", by, err)
			}
		})
	}
	for name, asked := range map[string][]string{"too many": append(many, "bob@example.com"), "no address": {"bob"}, "injected": {"bob@example.com\r\nBcc: x@example.com"}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := smime.Sign(t.Context(), &out, strings.NewReader(crlf(plainMail)), w.alice, &smime.SignOptions{RequestReceipt: asked})
			if !isAny(err, []error{smime.ErrLimit, smime.ErrMalformed}) || out.Len() > 0 {
				t.Errorf("%d bytes, %v", out.Len(), err)
			}
		})
	}
}

// TestSealedReceipt: a receipt is wrapped in a signature that says what it is
// before it is encrypted (RFC 2634 section 2.4).
func TestSealedReceipt(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	signed := sign(t, []byte(crlf(plainMail)), w.alice, &smime.SignOptions{RequestReceipt: []string{"bob@example.com"}})
	s, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(signed), w.trust, nil)
	if err != nil {
		t.Fatal(err)
	}
	var receipt, sealed bytes.Buffer
	if err := smime.WriteReceipt(t.Context(), &receipt, s, w.bob); err != nil {
		t.Fatal(err)
	}
	der, content := cmsOf(t, sign(t, receipt.Bytes(), w.bob, nil))
	r, err := pkcs7.NewSignedReader(bytes.NewReader(der), bytes.NewReader(content), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	signers, err := r.Signers()
	if err != nil {
		t.Fatal(err)
	}
	hints := 0
	for _, a := range signers[0].Signed() {
		if oid.FromX509(a.Type) == oid.AttrContentHints {
			hints++
			if h, err := ess.ParseContentHints(a.Values[0]); err != nil || oid.FromX509(h.ContentType) != oid.ContentReceipt {
				t.Errorf("content hints %v, %v", h, err)
			}
		}
	}
	if hints != 1 {
		t.Errorf("%d content hints", hints)
	}
	to := []*smime.Recipient{w.ca.Recipient(w.alice)}
	if err := smime.Seal(t.Context(), &sealed, bytes.NewReader(receipt.Bytes()), w.bob, to, nil); err != nil {
		t.Fatal(err)
	}
	m, err := smime.Open(t.Context(), bytes.NewReader(sealed.Bytes()), &smime.OpenOptions{Trust: w.trust, Keys: smime.Identities{w.alice}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	receipts := 0
	for l := range m.All() {
		if r, ok := l.(*smime.ReceiptLayer); ok && r.Err() == nil {
			receipts++
		}
	}
	if receipts != 1 {
		t.Errorf("%d receipts\n%s", receipts, m)
	}
}

// TestWhoCanAskForReceipts: only the innermost signature is listened to, and
// only somebody who can sign answers.
func TestWhoCanAskForReceipts(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	ask := &smime.SignOptions{RequestReceipt: []string{"bob@example.com"}}
	clear := sign(t, []byte(crlf(plainMail)), w.alice, ask)
	s, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(clear), w.trust, nil)
	if err != nil {
		t.Fatal(err)
	}
	var receipt bytes.Buffer
	if err := smime.WriteReceipt(t.Context(), &receipt, s, w.bob); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]byte{
		"clear":   clear,
		"opaque":  sign(t, []byte(crlf(plainMail)), w.alice, &smime.SignOptions{Opaque: true}),
		"receipt": bytes.Replace(receipt.Bytes(), []byte("From: bob"), []byte("From: alice"), 1),
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := smime.Sign(t.Context(), &out, bytes.NewReader(in), w.alice, ask); !errors.Is(err, smime.ErrNoReceipt) || out.Len() > 0 {
				t.Errorf("%d bytes, %v", out.Len(), err)
			}
		})
	}
	encrypted := encrypt(t, []byte(crlf(plainMail)), w.toBob, nil)
	sign(t, encrypted, w.alice, ask)
	for name, tt := range map[string]struct {
		id   *smime.Identity
		want error
	}{
		"nobody":   {nil, smime.ErrKeyMismatch},
		"expired":  {w.ca.Identity("bob@example.com", smimetest.Expired()), chain.ErrExpired},
		"others":   {w.alice, smime.ErrNoReceipt},
		"no usage": {w.ca.Identity("bob@example.com", smimetest.EncryptionOnly()), chain.ErrWrongPurpose},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := smime.WriteReceipt(t.Context(), &out, s, tt.id); !errors.Is(err, tt.want) || out.Len() > 0 {
				t.Errorf("%d bytes, %v", out.Len(), err)
			}
		})
	}
}
