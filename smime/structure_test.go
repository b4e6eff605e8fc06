package smime_test

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// caseTime is a time at which the mail of testdata/cases is good.
var caseTime = time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)

// TestStructureCases reads mail that other programs show differently, and mail
// that only looks odd.
func TestStructureCases(t *testing.T) {
	for _, tt := range []struct {
		file, roots, subs string
		want              error
		notes             []smime.NoteCode
	}{
		{"mime-1-text-after-quoted-boundary.eml", "mime-root.pem", "", smime.ErrAmbiguousStructure, []smime.NoteCode{smime.NoteBoundary, smime.NoteStructure}},
		{"mime-2-stray-continuation.eml", "mime-root.pem", "", smime.ErrAmbiguousStructure, []smime.NoteCode{smime.NoteBoundary, smime.NoteStructure}},
		{"mime-3-missing-continuation.eml", "mime-root.pem", "", smime.ErrAmbiguousStructure, []smime.NoteCode{smime.NoteBoundary, smime.NoteStructure}},
		{"mime-4-header-line-with-space.eml", "mime-root.pem", "", smime.ErrAmbiguousStructure, []smime.NoteCode{smime.NoteMalformedHeader, smime.NoteStructure}},
		{"mime-5-delimiter-cr-cr-lf.eml", "mime-root.pem", "", smime.ErrAmbiguousStructure, []smime.NoteCode{smime.NoteStructure}},
		{"mime-6-delimiter-bare-cr.eml", "mime-root.pem", "", smime.ErrAmbiguousStructure, []smime.NoteCode{smime.NoteStructure}},
		{"near-delimiter-inside-part.eml", "mime-root-2.pem", "", smime.ErrAmbiguousStructure, []smime.NoteCode{smime.NoteStructure}},
		{"opaque-header-line-no-field.eml", "mime-root-2.pem", "", smime.ErrAmbiguousStructure, []smime.NoteCode{smime.NoteMalformedHeader, smime.NoteStructure}},
		{"from-1-folded-quoted-string.eml", "from-root.pem", "", smime.ErrAmbiguousSender, nil},
		{"from-2-first-line-begins-with-space.eml", "from-root.pem", "", smime.ErrAmbiguousSender, []smime.NoteCode{smime.NoteMalformedHeader}},
		{"from-4b-field-name-with-0xA0.eml", "from-root.pem", "", smime.ErrAmbiguousSender, []smime.NoteCode{smime.NoteMalformedHeader}},
		{"cte-qp-on-multipart-signed.eml", "c-root.pem", "", nil, []smime.NoteCode{smime.NoteEncodedMultipart}},
		{"outlook-protocol.eml", "c-root.pem", "", nil, []smime.NoteCode{smime.NoteLegacyType, smime.NoteOtherProtocol}},
		{"R3-from-square-brackets.eml", "d-root.pem", "d-sub.pem", nil, nil},
		{"R4-mime-version-twice.eml", "d-root.pem", "d-sub.pem", nil, []smime.NoteCode{smime.NoteDuplicateField}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			trust, opts := caseTrust(t, tt.roots)
			if tt.subs != "" {
				trust, opts = caseTrust(t, tt.roots, tt.subs)
			}
			opts.At = caseTime
			msg := caseFile(t, tt.file)
			var out bytes.Buffer
			_, err := smime.Verify(t.Context(), &out, bytes.NewReader(msg), trust, &smime.VerifyOptions{Chain: opts})
			if !errors.Is(err, tt.want) || err != nil && out.Len() > 0 {
				t.Errorf("Verify: %v, %q", err, out.Bytes())
			}
			m, err := smime.Open(t.Context(), bytes.NewReader(msg), &smime.OpenOptions{Trust: trust, Chain: opts})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if _, err := m.Signer(); !errors.Is(err, tt.want) {
				t.Errorf("Signer: %v", err)
			}
			for _, n := range tt.notes {
				if !slices.Contains(notesOf(m), n) {
					t.Errorf("no note %q\n%v", n, m)
				}
			}
			if body, err := io.ReadAll(m.Body()); err != nil || len(body) == 0 {
				t.Errorf("nothing is shown: %v", err)
			}
		})
	}
}

// TestStructureOfLayers adds a line that is no field to the header of every kind
// of message.
func TestStructureOfLayers(t *testing.T) {
	w := newSendFixture(t)
	encrypted := encrypt(t, []byte("From: alice@example.com\r\n\r\npay 5 to bob\r\n"), w.toBob, nil)
	odd := func(msg []byte) []byte { return append([]byte("Please pay: 500 of them\r\nnow, Alice\r\n"), msg...) }
	if _, err := smime.Decrypt(t.Context(), io.Discard, bytes.NewReader(encrypted), smime.Identities{w.bob}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := smime.Decrypt(t.Context(), io.Discard, bytes.NewReader(odd(encrypted)), smime.Identities{w.bob}, nil); !errors.Is(err, smime.ErrAmbiguousStructure) {
		t.Errorf("Decrypt: %v", err)
	}
	sealed := encrypt(t, sign(t, []byte("From: alice@example.com\r\n\r\npay 5 to bob\r\n"), w.alice, nil), w.toBob, nil)
	if _, _, err := smime.Unseal(t.Context(), io.Discard, bytes.NewReader(odd(sealed)), smime.Identities{w.bob}, w.trust, nil); !errors.Is(err, smime.ErrAmbiguousStructure) {
		t.Errorf("Unseal: %v", err)
	}
	m, err := smime.Open(t.Context(), bytes.NewReader(odd(sealed)), &smime.OpenOptions{Keys: smime.Identities{w.bob}, Trust: w.trust})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Signer(); !errors.Is(err, smime.ErrAmbiguousStructure) || !errors.Is(m.Confidential(), smime.ErrAmbiguousStructure) {
		t.Errorf("Signer: %v, Confidential: %v", err, m.Confidential())
	}
}

// A reader is a way to read a multipart that some program has.
type reader struct {
	anyField bool           // lines that are no fields do not end the header
	boundary *regexp.Regexp // nil: as net/textproto and mime have it
	prefix   bool           // a line begins with the delimiter
	breaks   string         // octets that end a line
}

// first returns the text that the reader shows first.
func (r *reader) first(msg string) string {
	header, body := r.split(msg)
	m := r.boundary.FindStringSubmatch(header)
	if m == nil {
		return "" // no multipart
	}
	delimiter := "--" + m[1]
	var text []string
	inside := false
	for _, line := range strings.FieldsFunc(body, func(c rune) bool { return strings.ContainsRune(r.breaks, c) }) {
		is := strings.TrimRight(line, " \t\r") == delimiter || r.prefix && strings.HasPrefix(line, delimiter)
		if is && inside {
			break
		}
		inside = inside || is
		if inside {
			text = append(text, line)
		}
	}
	return strings.Join(text, "\n")
}

// split returns the header as the reader sees it, unfolded, and the rest.
func (r *reader) split(msg string) (header, body string) {
	field := regexp.MustCompile(`^([!-9;-~]+:|[ \t]|From )`)
	for msg != "" {
		line, rest, _ := strings.Cut(msg, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			return header, rest
		}
		if !r.anyField && !field.MatchString(line) {
			return header, msg
		}
		header, msg = header+line+" ", rest
	}
	return header, ""
}

// readers combines what programs do.
func readers() []*reader {
	var list []*reader
	for _, boundary := range []string{`(?i)boundary="?([^";]+)"?`, `(?i)boundary\s*=\s*"?([^"\s;]+)`, `(?i).*boundary="?([^";]+)"?`, `(?i)boundary[^=]*="?([^";]+)"?`, `(?i)boundary="?([^;]+)"?`,
		`(?i); boundary="((?:[^"\\]|\\.)+)"`, `(?i)boundary=([0-9A-Za-z'_.+-]+)`} {
		for _, breaks := range []string{"\n", "\n\r", "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029"} {
			for _, anyField := range []bool{false, true} {
				for _, prefix := range []bool{false, true} {
					list = append(list, &reader{anyField, regexp.MustCompile(boundary), prefix, breaks})
				}
			}
		}
	}
	return list
}

// outerWorld makes what [suites.OuterStructure] takes.
func outerWorld(t testing.TB) (clear []suites.SignedPart, verify func(t testing.TB, msg string) error) {
	t.Helper()
	ca := smimetest.NewCA(t)
	key, err := ca.Identity("alice@example.com").SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, entity := range []string{
		"Content-Type: text/plain\r\n\r\npay 5\r\n",
		"Content-Type: text/plain\r\n\r\npay 5\r\n-- \r\nAlice\r\n---\r\n--z\r\n",
		"Content-Type: multipart/mixed; boundary=\"=_smimetestinner\"\r\n\r\n--=_smimetestinner\r\n\r\npay 5\r\n--=_smimetestinner--\r\n",
	} {
		var b bytes.Buffer
		if err := pkcs7.SignDetached(t.Context(), &b, strings.NewReader(entity), []pkcs7.SigningKey{key}, nil); err != nil {
			t.Fatal(err)
		}
		clear = append(clear, suites.SignedPart{Entity: entity, Signature: base64.StdEncoding.EncodeToString(b.Bytes()) + "\r\n"})
	}
	trust := ca.Trust()
	opts := &smime.VerifyOptions{}
	opts.Chain.At = smimetest.Now()
	return clear, func(t testing.TB, msg string) error {
		_, err := smime.Verify(t.Context(), io.Discard, strings.NewReader(msg), trust, opts)
		return err
	}
}

// TestOuterStructures makes up what is around signed parts: none of the ways to
// read it shows text that nobody signed where Verify accepts the message.
func TestOuterStructures(t *testing.T) {
	clear, verify := outerWorld(t)
	ways := readers()
	good := 0
	n := 3000
	if testing.Short() {
		n = 1000
	}
	for seed := range uint64(n) {
		good += checkOuter(t, seed, clear, verify, ways)
	}
	if good < n/5 {
		t.Errorf("only %d of %d are good", good, n)
	}
}

func checkOuter(t *testing.T, seed uint64, clear []suites.SignedPart, verify func(testing.TB, string) error, ways []*reader) int {
	t.Helper()
	msg := suites.OuterStructure(rand.New(rand.NewPCG(seed, 5)), clear, []suites.EnclosedPart{{Kind: "signed-data", CMS: "MA=="}})
	if verify(t, msg) != nil {
		return 0
	}
	for _, r := range ways {
		if text := r.first(msg); strings.Contains(text, suites.Evil) {
			t.Errorf("seed %d: %+v shows %.200q of\n%.500q", seed, *r, text, msg)
			break
		}
	}
	return 1
}

// FuzzOuterStructure is [TestOuterStructures] for other seeds.
func FuzzOuterStructure(f *testing.F) {
	clear, verify := outerWorld(f)
	ways := readers()
	for seed := range uint64(5) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { checkOuter(t, seed, clear, verify, ways) })
}

// TestMailboxOfCertificate reads one message with two spellings of From.
func TestMailboxOfCertificate(t *testing.T) {
	trust, _ := caseTrust(t, "replay-issuer.pem")
	for _, name := range []string{"case-replay-1.eml", "case-replay-2.eml"} {
		t.Run(name, func(t *testing.T) {
			opts := &smime.VerifyOptions{}
			opts.Chain.At = caseTime
			s, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(caseFile(t, name)), trust, opts)
			if err != nil {
				t.Fatal(err)
			}
			if s.Mailbox() != "alice@example.com" || s.MailboxKey() != "alice@example.com" {
				t.Errorf("%q, %q", s.Mailbox(), s.MailboxKey())
			}
		})
	}
	ca := smimetest.NewCA(t)
	for _, box := range []string{"Alice@Example.com", "alice@example.com"} {
		for _, from := range []string{"ALICE@example.COM", "alice@example.com"} {
			t.Run(box+" "+from, func(t *testing.T) {
				opts := &smime.VerifyOptions{}
				opts.Chain.At = smimetest.Now()
				s, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(smimetest.Spoofed(t, ca.Identity(box), from, "x")), ca.Trust(), opts)
				if err != nil {
					t.Fatal(err)
				}
				if want := strings.Replace(box, "Example", "example", 1); s.Mailbox() != want || s.MailboxKey() != "alice@example.com" {
					t.Errorf("%q, %q", s.Mailbox(), s.MailboxKey())
				}
			})
		}
	}
}

// TestOtherProtectedHeaders offers the header of a scheme that RFC 9788 does not
// protect, and never its author.
func TestOtherProtectedHeaders(t *testing.T) {
	w := newReadFixture(t)
	msg := clearSigned(t, w.alice, "alice@example.com", []byte("Content-Type: text/plain; protected-headers=\"v1\"\r\nFrom: alice@example.com\r\nSubject: Lunch\r\n\r\npay 5 to bob\r\n"))
	msg = append([]byte("Subject: ...\r\n"), msg...)
	m, err := w.open(msg)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	n := 0
	for _, f := range m.Header() {
		if f.Name == "Subject" {
			n++
			if f.Value != "Lunch" || f.Outer != "..." || f.Signed || f.Encrypted {
				t.Errorf("%+v", f)
			}
		}
		if f.Name == "From" && f.Signed {
			t.Errorf("%+v", f)
		}
	}
	if n != 1 || !slices.Contains(notesOf(m), smime.NoteOldHeader) {
		t.Errorf("%d subjects: %v", n, m)
	}
}

// TestContentWithoutHeader decrypts what an authenticated cipher protects,
// whatever it begins with.
func TestContentWithoutHeader(t *testing.T) {
	pemKey, _ := pem.Decode(caseFile(t, "ann.key"))
	pemCert, _ := pem.Decode(caseFile(t, "ann.pem"))
	key, err := x509.ParsePKCS8PrivateKey(pemKey.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(pemCert.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	id, err := smime.NewIdentity(key, cert)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := smime.Decrypt(t.Context(), &out, bytes.NewReader(caseFile(t, "openssl-gcm-no-mime-header.eml")), smime.Identities{id}, nil); err != nil || out.Len() == 0 {
		t.Errorf("%q, %v", out.Bytes(), err)
	}
}

// TestVersionTwice sends MIME-Version once.
func TestVersionTwice(t *testing.T) {
	w := newSendFixture(t)
	in := []byte("MIME-Version: 1.0\r\nFrom: alice@example.com\r\nMIME-Version: 1.0\r\nSubject: x\r\n\r\npay 5 to bob\r\n")
	for name, msg := range map[string][]byte{
		"sign":          sign(t, in, w.alice, nil),
		"sign plain":    sign(t, in, w.alice, &smime.SignOptions{Header: smime.PlainHeader}),
		"sign opaque":   sign(t, in, w.alice, &smime.SignOptions{Opaque: true}),
		"encrypt":       encrypt(t, in, w.toBob, nil),
		"encrypt plain": encrypt(t, in, w.toBob, &smime.EncryptOptions{Header: smime.PlainHeader}),
	} {
		t.Run(name, func(t *testing.T) {
			outside, body, _ := bytes.Cut(msg, []byte("\r\n\r\n"))
			if n := bytes.Count(outside, []byte("MIME-Version:")); n != 1 {
				t.Errorf("%d times:\n%s", n, outside)
			}
			if inside, _, ok := bytes.Cut(body, []byte("pay 5")); ok && bytes.Count(inside, []byte("MIME-Version:")) > 1 {
				t.Errorf("inside:\n%s", inside)
			}
		})
	}
}
