package smime_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// together calls f in several goroutines at the same time.
func together(f func()) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(f)
	}
	wg.Wait()
}

// TestVerbsTogether calls every verb in several goroutines with the same
// collection, identities, recipients and options. The race detector watches.
func TestVerbsTogether(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	to := []*smime.Recipient{smime.InsecureRecipient("bob@example.com", w.bob.Certificate(), nil)}
	keys := smime.Identities{w.bob}
	limits := smime.Limits{CMS: pkcs7.Limits{Memory: 1 << 16}} // so that copies go to files
	if runtime.GOOS == "js" {                                  // no disk there
		limits.CMS.Memory = 64 << 20
	}
	mail := smimetest.Mail("alice@example.com", "bob@example.com", string(bytes.Repeat([]byte("pay 5\r\n"), 20_000)))
	sign := &smime.SignOptions{RequestReceipt: []string{"alice@example.com"}, Limits: limits}
	encrypt := &smime.EncryptOptions{Limits: limits}
	seal := &smime.SealOptions{Sign: *sign}
	verify := &smime.VerifyOptions{Chain: w.at, Limits: limits}
	decrypt := &smime.DecryptOptions{Limits: limits}
	unseal := &smime.UnsealOptions{Verify: *verify}
	open := &smime.OpenOptions{Trust: w.trust, Chain: w.at, Keys: keys, Limits: limits}
	together(func() {
		var signed, encrypted, sealed bytes.Buffer
		// Readers that can't be read twice are copied.
		once := func(b []byte) io.Reader { return io.MultiReader(bytes.NewReader(b)) }
		if err := smime.Sign(t.Context(), &signed, once(mail), w.alice, sign); err != nil {
			t.Error(err)
		}
		if err := smime.Encrypt(t.Context(), &encrypted, once(mail), to, encrypt); err != nil {
			t.Error(err)
		}
		if err := smime.Seal(t.Context(), &sealed, once(mail), w.alice, to, seal); err != nil {
			t.Error(err)
		}
		if _, err := smime.Verify(t.Context(), io.Discard, once(signed.Bytes()), w.trust, verify); err != nil {
			t.Error(err)
		}
		if _, err := smime.Decrypt(t.Context(), io.Discard, once(encrypted.Bytes()), keys, decrypt); err != nil {
			t.Error(err)
		}
		if _, _, err := smime.Unseal(t.Context(), io.Discard, once(sealed.Bytes()), keys, w.trust, unseal); err != nil {
			t.Error(err)
		}
		m, err := smime.Open(t.Context(), once(sealed.Bytes()), open)
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := m.Signer(); err != nil {
			t.Error(err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestMessageTogether asks one Message for everything in several goroutines.
func TestMessageTogether(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	for i, msg := range append(w.seeds, encrypted(t, w.bob, "alice@example.com", pkcs7.AES256GCM, compressedMail(t, string(w.seeds[1])))) {
		t.Run(fmt.Sprintf("message %d", i), func(t *testing.T) {
			m, err := smime.Open(t.Context(), bytes.NewReader(msg), &smime.OpenOptions{
				Trust: w.trust, Chain: w.at, Keys: smime.Identities{w.bob}})
			if err != nil {
				t.Fatal(err)
			}
			want := m.String()
			body := content(t, m.Body())
			together(func() {
				if got := m.String(); got != want {
					t.Errorf("%s", got)
				}
				if got, err := io.ReadAll(m.Body()); err != nil || !bytes.Equal(got, body) {
					t.Errorf("another body, %v", err)
				}
				if s, err := m.Signer(); err == nil {
					s.Mailboxes()
					s.Path().Certificates()
					s.Capabilities()
					s.EncryptTo()
					s.ReceiptRequest()
				}
				if err := m.WriteDisplay(io.Discard); err != nil {
					t.Error(err)
				}
				if _, err := m.Entity(); err != nil {
					t.Error(err)
				}
				m.Confidential()
				m.Header()
				m.ReplyHidden(func(f []smime.HeaderField) []smime.HeaderField { return f })
				for l := range m.All() {
					if _, err := io.Copy(io.Discard, io.MultiReader(l.Content(), l.Raw())); err != nil {
						t.Error(err)
					}
					l.Notes()
					l.Err()
					if s, ok := l.(*smime.SignedLayer); ok {
						s.ContentSigner()
					}
				}
			})
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
