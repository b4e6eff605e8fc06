package smime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A view is what a mail client shows of a message, whatever its state.
type view struct {
	body   string
	badge  string
	locked bool
}

func show(ctx context.Context, raw io.Reader, received time.Time, trust *chain.Collection, keys smime.Keyring) (*view, error) {
	msg, err := smime.Open(ctx, raw, &smime.OpenOptions{Trust: trust, Keys: keys, Chain: chain.Options{At: received}})
	if err != nil {
		return nil, fmt.Errorf("unreadable message: %w", err) // not mail, or a limit
	}
	defer msg.Close()
	b, err := io.ReadAll(msg.Body())
	if err != nil {
		return nil, err
	}
	v := &view{body: string(b)}
	signer, err := msg.Signer()
	switch {
	case err == nil:
		v.badge = "signed by " + signer.Mailbox()
	case errors.Is(err, smime.ErrNotSigned):
		// ordinary mail: say nothing
	case errors.Is(err, smime.ErrNotCovered):
		v.badge = "only part of this is signed" // such as a mailing list's footer
	case errors.Is(err, chain.ErrUnknownIssuer):
		v.badge = "signed, issuer unknown"
	case errors.Is(err, chain.ErrRevoked), errors.Is(err, chain.ErrExpired):
		v.badge = "signed with an invalid certificate"
	default:
		v.badge = "SIGNATURE INVALID"
	}
	for layer := range msg.All() {
		if enc, ok := layer.(*smime.EncryptedLayer); ok && enc.Opened.Err() != nil {
			v.locked = true
		}
	}
	return v, nil
}

func TestUsageClient(t *testing.T) {
	t.Parallel()
	ca, stranger := smimetest.NewCA(t), smimetest.NewCA(t)
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	expired := ca.Identity("alice@example.com", smimetest.Expired())
	signed := smimetest.Signed(t, alice, "pay 5")
	footer := crlf("From: alice@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=list\n\n--list\n") +
		string(signed[bytes.Index(signed, []byte("Content-Type: multipart")):]) + crlf("--list\nContent-Type: text/plain\n\nTo unsubscribe …\n--list--\n")
	for _, tt := range []struct {
		name, msg, badge string
		locked           bool
	}{
		{"good", string(signed), "signed by alice@example.com", false},
		{"plain", string(smimetest.Mail("alice@example.com", "bob@example.com", "pay 5")), "", false},
		{"list", footer, "only part of this is signed", false},
		{"stranger", string(smimetest.Signed(t, stranger.Identity("alice@example.com"), "pay 5")), "signed, issuer unknown", false},
		{"expired", string(smimetest.Signed(t, expired, "pay 5")), "signed with an invalid certificate", false},
		{"tampered", string(smimetest.Tamper(t, signed)), "SIGNATURE INVALID", false},
		{"sealed", string(smimetest.Sealed(t, alice, "pay 5", bob)), "signed by alice@example.com", false},
		{"for somebody else", string(smimetest.Sealed(t, alice, "pay 5", alice)), "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := show(t.Context(), strings.NewReader(tt.msg), smimetest.Now(), ca.Trust(), smime.Identities{bob})
			if err != nil {
				t.Error(err)
				return
			}
			if v.badge != tt.badge && !tt.locked || v.locked != tt.locked || !tt.locked && tt.name != "tampered" && !strings.Contains(v.body, "pay 5") {
				t.Errorf("%+v", v)
			}
		})
	}
}

// A gateway signs and encrypts outgoing mail to many recipients, all or none.
type gateway struct {
	id    *smime.Identity
	trust *chain.Collection
	log   []string
}

func (g *gateway) submit(ctx context.Context, msg []byte, rcpts []string, send func(io.Reader, ...string) error) error {
	to, err := smime.FindRecipients(ctx, rcpts, g.trust, &smime.RecipientOptions{
		Chain: chain.Options{Revocation: chain.RevocationRequireLeaf},
	})
	var failed smime.RecipientErrors
	if errors.As(err, &failed) {
		for _, e := range failed { // all of them, each with its reason
			g.log = append(g.log, e.Mailbox)
		}
	}
	if err != nil {
		return err // nothing was sent
	}
	var sealed bytes.Buffer
	if err := smime.Seal(ctx, &sealed, bytes.NewReader(msg), g.id, to, nil); err != nil {
		return err
	}
	return send(&sealed, rcpts...)
}

func TestUsageGateway(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	bob, carol := ca.Identity("bob@example.com"), ca.Identity("carol@example.com")
	g := &gateway{id: ca.Identity("alice@example.com"), trust: ca.Directory(bob, carol)}
	sent := 0
	send := func(r io.Reader, to ...string) error {
		sent++
		_, _, err := smime.Unseal(t.Context(), io.Discard, r, smime.Identities{carol}, ca.Trust(), nil)
		return err
	}
	both := []string{"bob@example.com", "carol@example.com"}
	if err := g.submit(t.Context(), []byte(crlf(plainMail)), both, send); err != nil || sent != 1 {
		t.Fatalf("%d sent, error %v", sent, err)
	}
	ca.Revoke(bob)
	g.trust = ca.Directory(bob, carol)
	err := g.submit(t.Context(), []byte(crlf(plainMail)), append(both, "dave@example.com"), send)
	if sent != 1 || !errors.Is(err, chain.ErrRevoked) || !errors.Is(err, smime.ErrNoCertificate) || strings.Join(g.log, " ") != "bob@example.com dave@example.com" {
		t.Errorf("%d sent, %q failed, error %v", sent, g.log, err)
	}
}

// TestUsageHistory decrypts with a history of keys, expired ones among them.
func TestUsageHistory(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	current := ca.Identity("bob@example.com", smimetest.Renewed())
	old := ca.Identity("bob@example.com")
	stranger := ca.Identity("eve@example.com")
	keys := smime.Identities{current, old}
	for _, id := range []*smime.Identity{current, old} {
		enc, err := smime.Decrypt(t.Context(), io.Discard, bytes.NewReader(smimetest.Encrypted(t, stranger, "x", id)), keys, nil)
		if err != nil || !bytes.Equal(enc.Key.Certificate().Raw, id.Certificate().Raw) {
			t.Errorf("opened by %v, error %v", enc, err)
		}
	}
	_, err := smime.Decrypt(t.Context(), io.Discard, bytes.NewReader(smimetest.Encrypted(t, stranger, "x", stranger, stranger)), keys, nil)
	var no *pkcs7.NoKeyError
	if !errors.As(err, &no) || len(no.Recipients) != 1 {
		t.Error(err)
	}
}
