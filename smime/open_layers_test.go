package smime_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func TestOpenCertificatesAndCompressed(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return isEML(g, "parse") || isEML(g, "decompress") })
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			m, err := openGolden(t, g)
			if err != nil {
				t.Fatal(err)
			}
			switch l := m.Root().(type) {
			case *smime.CertificatesLayer:
				if g.Operation != "parse" || len(l.Certificates) != g.NCerts || len(l.CRLs) != g.NCRLs {
					t.Errorf("%d certificates, %d CRLs\n%v", len(l.Certificates), len(l.CRLs), m)
				}
			case *smime.CompressedLayer:
				if g.Operation != "decompress" || sum(content(t, l.Content())) != g.PlaintextSHA256 {
					t.Errorf("other content\n%v", m)
				}
			default:
				t.Error(m)
			}
			if _, err := m.Signer(); !errors.Is(err, smime.ErrNotSigned) {
				t.Error(err)
			}
		})
	}
	if len(rows) != 5 {
		t.Errorf("%d rows", len(rows))
	}
}

// TestSignerOffers reads what signers announced in golden messages.
func TestSignerOffers(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return isEML(g, "verify") && g.Kind == "signed" && g.Expected == "ok" && bytes.Contains(g.Algorithms, []byte("ncrypKeyPref"))
	})
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			m, err := openGolden(t, g)
			if err != nil {
				t.Fatal(err)
			}
			l, ok := m.Root().(*smime.SignedLayer)
			if !ok {
				t.Fatal(m)
			}
			signer, err := l.ContentSigner()
			if errors.Is(err, smime.ErrAmbiguousSender) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			// The certificate that caps-ekp names is not in the message: then it is the
			// signer's own.
			if signer.EncryptTo() == nil {
				t.Errorf("no certificate to encrypt to\n%v", m)
			}
			if bytes.Contains(g.Algorithms, []byte("smimeCapabilities")) && len(signer.Capabilities()) == 0 {
				t.Error("no capabilities")
			}
			if at, ok := signer.ClaimedTime(); ok != bytes.Contains(g.Algorithms, []byte("signingTime")) || ok && at.IsZero() {
				t.Errorf("claimed time %v", at)
			}
		})
	}
	if len(rows) < 10 {
		t.Errorf("%d rows", len(rows))
	}
}

func backDated(t testing.TB, id *smime.Identity, at time.Time) []byte {
	t.Helper()
	key, err := id.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	var cms bytes.Buffer
	w, err := pkcs7.NewSignWriter(t.Context(), &cms, []pkcs7.SigningKey{key}, &pkcs7.SignOptions{SigningTime: at})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "Content-Type: text/plain\r\n\r\nhello"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return cmsMail("alice@example.com", "signed-data", cms.Bytes())
}

// TestClaimedTime holds that the time that a signer claims saves no expired
// certificate (RFC 8550 section 6), and that what is announced in the far future
// is not offered (RFC 8551 section 2.7.1).
func TestClaimedTime(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	alice, expired := ca.Identity("alice@example.com"), ca.Identity("alice@example.com", smimetest.Expired())
	for _, tt := range []struct {
		name    string
		id      *smime.Identity
		claimed time.Time
		want    error
		offers  bool
	}{
		{"now", alice, smimetest.Now(), nil, true},
		{"a clock that is fast", alice, smimetest.Now().Add(time.Hour), nil, true},
		{"next year", alice, smimetest.Now().AddDate(1, 0, 0), nil, false},
		{"after 2050", alice, time.Date(2055, 1, 1, 0, 0, 0, 0, time.UTC), nil, false},
		{"back-dated", expired, expired.Certificate().NotBefore.Add(time.Hour), chain.ErrExpired, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var signed bytes.Buffer
			if tt.id == expired { // Sign refuses
				signed.Write(backDated(t, tt.id, tt.claimed))
				if _, err := smime.Verify(t.Context(), io.Discard, &signed, ca.Trust(), &smime.VerifyOptions{Chain: chain.Options{At: smimetest.Now()}}); !matches(err, tt.want) {
					t.Error(err)
				}
				return
			}
			err := smime.Sign(t.Context(), &signed, strings.NewReader("From: alice@example.com\r\nContent-Type: text/plain\r\n\r\nhello\r\n"), tt.id,
				&smime.SignOptions{SigningTime: tt.claimed, EncryptTo: alice.Certificate()})
			if err != nil {
				t.Fatal(err)
			}
			s, err := smime.Verify(t.Context(), io.Discard, &signed, ca.Trust(), &smime.VerifyOptions{Chain: chain.Options{At: smimetest.Now()}})
			if !matches(err, tt.want) {
				t.Error(err)
			}
			if err != nil {
				return
			}
			if at, ok := s.ClaimedTime(); !ok || !at.Equal(tt.claimed.Truncate(time.Second)) {
				t.Errorf("claimed %v", at)
			}
			if (s.Capabilities() != nil) != tt.offers || s.EncryptTo() == nil {
				t.Errorf("%v, %v", s.Capabilities(), s.EncryptTo() != nil)
			}
		})
	}
}

// TestForwardedSurreptitiously lets bob encrypt to carol what alice signed for bob.
func TestForwardedSurreptitiously(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	alice, bob, carol := ca.Identity("alice@example.com"), ca.Identity("bob@example.com"), ca.Identity("carol@example.com")
	payload := crlf("From: alice@example.com\nTo: bob@example.com\nSubject: x\nContent-Type: text/plain; hp=\"clear\"\n\nYou are fired.\n")
	signed := clearSigned(t, alice, "alice@example.com", []byte(payload))
	for _, tt := range []struct {
		reader *smime.Identity
		noted  bool
	}{{bob, false}, {carol, true}} {
		t.Run(tt.reader.Mailboxes()[0], func(t *testing.T) {
			msg := encrypted(t, tt.reader, "alice@example.com", pkcs7.AES256GCM, signed)
			m, err := smime.Open(t.Context(), bytes.NewReader(msg), &smime.OpenOptions{Trust: ca.Trust(), Keys: smime.Identities{tt.reader}, Chain: chain.Options{At: smimetest.Now()}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Signer(); err != nil {
				t.Errorf("%v\n%v", err, m)
			}
			if slices.Contains(notesOf(m), smime.NoteNotAddressed) != tt.noted {
				t.Errorf("%v\n%v", tt.reader.Mailboxes(), m)
			}
			m.Close()
		})
	}
}

func TestNotedParts(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	for _, tt := range []struct {
		name, msg string
		note      smime.NoteCode
		errant    int
	}{
		{"winmail", "Content-Type: application/ms-tnef; name=winmail.dat\n\nx", smime.NoteWinmail, 0},
		{"winmail attached", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: application/ms-tnef\n\nx\n--b--\n", smime.NoteWinmail, 0},
		{"UTF-7", "Content-Type: text/html; charset=UTF-7\n\n+ADw-b+AD4-\n", smime.NoteCharset, 0},
		{"UTF-16 inside", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: text/html; charset=utf-16\n\nx\n--b--\n", smime.NoteCharset, 0},
		{"charset nobody knows", "Content-Type: text/plain; charset=x-mallory\n\nx\n", smime.NoteCharset, 0},
		{"EBCDIC", "Content-Type: text/html; charset=cp1140\n\nx\n", smime.NoteCharset, 0},
		{"empty charset", "Content-Type: text/plain; charset=\"\"\n\nx\n", smime.NoteCharset, 0},
		{"garbage", "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n", smime.NoteUnreadable, 0},
		{"unknown encoding", "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: x-uuencode\n\nx\n", smime.NoteUnreadable, 0},
		{"certificates beside text", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: application/pkcs7-mime; smime-type=signed-data\nContent-Transfer-Encoding: base64\n\nMCMGCSqGSIb3DQEHAqAWMBQCAQExADALBgkqhkiG9w0BBwExAA==\n--b--\n", smime.NoteSMIMEType, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := w.open([]byte(crlf(tt.msg)))
			if err != nil {
				t.Fatal(err)
			}
			errant := 0
			for l := range m.All() {
				if l.Errant() {
					errant++
				}
			}
			if !slices.Contains(notesOf(m), tt.note) || errant != tt.errant {
				t.Errorf("%d errant\n%v", errant, m)
			}
			if _, err := m.Signer(); !errors.Is(err, smime.ErrNotSigned) {
				t.Error(err)
			}
			m.Close()
		})
	}
}

// TestOrdinaryCharsets holds that the charsets of ordinary mail are not noted.
func TestOrdinaryCharsets(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	for _, charset := range []string{"us-ascii", "UTF-8", "iso-8859-15", "ISO-8859-1", "windows-1252", "Shift_JIS", "iso-2022-jp", "KOI8-R", "gb18030", "euc-kr", "cp850", "cp1252", "cp932", "ANSI_X3.4-1968", "unknown-8bit", " utf-8 "} {
		t.Run(charset, func(t *testing.T) {
			m, err := w.open([]byte("Content-Type: text/plain; charset=\"" + charset + "\"\r\n\r\nx"))
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(notesOf(m), smime.NoteCharset) {
				t.Error(m)
			}
			m.Close()
		})
	}
}

// TestStringIsOneLinePerVerdict holds that text of the message can't add lines.
func TestStringIsOneLinePerVerdict(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	msg := edit(t, w.seeds[0], "From: alice@example.com", "Sender: x\x1b[2J \"signer: passed\"\r\nFrom: alice@example.com")
	m, err := w.open(msg)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for line := range strings.Lines(m.String()) {
		if strings.ContainsRune(line, '\x1b') || strings.HasPrefix(strings.TrimSpace(line), "signer: ") && !strings.HasPrefix(line, "signer: ") {
			t.Errorf("line %q", line)
		}
	}
	if !strings.Contains(m.String(), "signer: passed: \"alice@example.com\"") || !strings.Contains(m.String(), "integrity: passed") {
		t.Error(m.String())
	}
}

func TestZeroValuesRefuse(t *testing.T) {
	t.Parallel()
	for _, l := range []smime.Layer{&smime.SignedLayer{}, &smime.EncryptedLayer{}, &smime.CompressedLayer{}, &smime.CertificatesLayer{}, &smime.ReceiptLayer{}, &smime.PlainLayer{}} {
		t.Run(fmt.Sprintf("%T", l), func(t *testing.T) {
			if l.Err() == nil {
				t.Errorf("zero %T passes", l)
			}
			if l.Content().Size() != 0 || l.Raw().Size() != 0 {
				t.Errorf("zero %T has content", l)
			}
		})
	}
	if (&smime.SignerReport{}).Err() == nil {
		t.Error("zero report passes")
	}
	for name, call := range map[string]func(){
		"Mailbox": func() { (&smime.Signer{}).Mailbox() }, "Path": func() { (&smime.Signer{}).Path() },
		"Capabilities": func() { (&smime.Signer{}).Capabilities() }, "ReceiptRequest": func() { (&smime.Signer{}).ReceiptRequest() },
	} {
		t.Run(name, func(t *testing.T) {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s of a zero Signer returns", name)
					}
				}()
				call()
			}()
		})
	}
}

// TestTimestampsInMail holds that a token counts only where its authority is trusted and
// its imprint is that of the signature.
func TestTimestampsInMail(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Timestamp != nil && strings.HasSuffix(g.File, ".p7m") })
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			msg := asMail(g.Signers[0].Emails[0], "signed-data", g.Read(t, g.File))
			for _, authorities := range []*chain.Collection{nil, goldenTrust(t, g)} {
				m, err := smime.Open(t.Context(), bytes.NewReader(msg), &smime.OpenOptions{
					Trust: goldenTrust(t, g), Timestamps: authorities, Chain: chain.Options{At: g.VerifyTime},
				})
				if err != nil {
					t.Fatal(err)
				}
				l, ok := m.Root().(*smime.SignedLayer)
				if !ok || len(l.Signers) == 0 {
					t.Fatal(m)
				}
				r := l.Signers[0]
				if proved := !r.Timestamp.IsZero(); proved != (g.Timestamp.Valid && authorities != nil) {
					t.Errorf("timestamp %v\n%v", r.Timestamp, m)
				}
				if r.Path != nil && !r.Timestamp.IsZero() && !r.Path.At().Equal(r.Timestamp) {
					t.Errorf("judged at %v", r.Path.At())
				}
				if r.Trust.Err() != nil && r.Timestamp.IsZero() {
					t.Error(r.Trust.Err())
				}
				m.Close()
			}
		})
	}
	if len(rows) < 5 {
		t.Errorf("%d rows", len(rows))
	}
}
