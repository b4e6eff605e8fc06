package smime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A partLine is what a test wants to know of a part.
func partLine(t *testing.T, p *smime.Part) string {
	t.Helper()
	r, err := p.Content()
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	by := "nobody"
	if s, err := p.Signer(); err == nil {
		by = s.Mailbox()
	} else if errors.Is(err, smime.ErrLocked) {
		by = "locked"
	}
	private := "open"
	if p.Confidential() == nil {
		private = "private"
	}
	depth := 0
	for m := p.Message; m != nil; m = m.Message {
		depth++
	}
	return fmt.Sprintf("%v %s %s %s %d %q %.20q", p.Path, p.Type, by, private, depth, p.FileName, strings.TrimSpace(string(content)))
}

func TestParts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	ca := smimetest.NewCA(t)
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	const header = "From: alice@example.com\r\nTo: bob@example.com\r\nSubject: s\r\nDate: Tue, 01 Dec 2026 01:04:26 +0000\r\nMIME-Version: 1.0\r\n"
	const mixed = header + "Content-Type: multipart/mixed; boundary=M\r\n\r\n--M\r\n" +
		"Content-Type: multipart/alternative; boundary=A\r\n\r\n--A\r\n\r\nplain\r\n--A\r\nContent-Type: text/html\r\n\r\n<p>html\r\n--A--\r\n--M\r\n" +
		"Content-Type: application/pdf; name=\"=?utf-8?q?Gr=C3=BC=C3=9Fe.pdf?=\"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--M\r\n" +
		"Content-Type: message/rfc822\r\n\r\nFrom: carol@example.com\r\n\r\nforwarded\r\n--M--\r\n"
	sign := func(in string) string {
		var b bytes.Buffer
		if err := smime.Sign(ctx, &b, strings.NewReader(in), alice, nil); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	seal := func(in string, opts *smime.SealOptions) string {
		var b bytes.Buffer
		if err := smime.Seal(ctx, &b, strings.NewReader(in), alice, []*smime.Recipient{ca.Recipient(bob)}, opts); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	tree := func(prefix, by, private string) []string {
		if prefix != "" {
			prefix += " "
		}
		line := func(path, format string, depth int, name, content string) string {
			return fmt.Sprintf("[%s%s] %s %s %s %d %q %.20q", prefix, path, format, by, private, depth, name, content)
		}
		const attached = "From: carol@example.com\r\n\r\nforwarded"
		return []string{
			line("0 0", "text/plain", 0, "", "plain"), line("0 1", "text/html", 0, "", "<p>html"),
			line("1", "application/pdf", 0, "Grüße.pdf", "%PDF"),
			line("2", "message/rfc822", 0, "", attached), line("2 0", "text/plain", 1, "", "forwarded"),
		}
	}
	for _, tt := range []struct {
		name, in string
		keys     smime.Identities
		want     []string
	}{
		{"plain", mixed, nil, tree("", "nobody", "open")},
		{"one part", header + "\r\nhello", nil, []string{`[] text/plain nobody open 0 "" "hello"`}},
		{"clear", sign(mixed), nil, tree("0", "alice@example.com", "open")},
		{"sealed", seal(mixed, nil), smime.Identities{bob}, tree("0 0", "alice@example.com", "private")},
		{"sealed with CBC", seal(mixed, &smime.SealOptions{Cipher: pkcs7.AES256CBC}), smime.Identities{bob}, tree("0 0", "alice@example.com", "private")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := smime.Open(ctx, strings.NewReader(tt.in), &smime.OpenOptions{Trust: ca.Trust(), Keys: tt.keys})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			var got []string
			for p := range m.Parts() {
				got = append(got, partLine(t, p))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("parts\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
	t.Run("ambiguous structure", func(t *testing.T) {
		doubt := func(in string) string {
			return strings.Replace(in, "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nno field\r\n", 1)
		}
		for name, in := range map[string]string{"signed": sign(mixed), "sealed": seal(mixed, nil)} {
			m, err := smime.Open(ctx, strings.NewReader(doubt(in)), &smime.OpenOptions{Trust: ca.Trust(), Keys: smime.Identities{bob}})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			n := 0
			for p := range m.Parts() {
				n++
				if _, err := p.Signer(); !errors.Is(err, smime.ErrNotCovered) || !errors.Is(err, smime.ErrAmbiguousStructure) {
					t.Errorf("%s: signer: %v", name, err)
				}
				signature, encryption := p.Assess()
				ofMessage, secret := m.Assess()
				if signature != ofMessage || encryption != secret || p.Confidential() == nil {
					t.Errorf("%s: %v, %v; the message: %v, %v", name, signature, encryption, ofMessage, secret)
				}
			}
			if n != 5 {
				t.Errorf("%s: %d parts", name, n)
			}
		}
	})
	t.Run("locked", func(t *testing.T) {
		m, err := smime.Open(ctx, strings.NewReader(seal(mixed, nil)), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		n := 0
		for p := range m.Parts() {
			n++
			if _, err := p.Signer(); !errors.Is(err, smime.ErrLocked) || errors.Is(err, smime.ErrNotSigned) {
				t.Errorf("signer: %v", err)
			}
			if err := p.Confidential(); !errors.Is(err, smime.ErrNoKey) {
				t.Errorf("confidential: %v", err)
			}
			if _, ok := p.Layer.(*smime.EncryptedLayer); !ok || p.Type != "application/pkcs7-mime" || p.FileName != "smime.p7m" {
				t.Errorf("%T, %s, %s", p.Layer, p.Type, p.FileName)
			}
		}
		if n != 1 {
			t.Errorf("%d parts", n)
		}
	})
	t.Run("stop", func(t *testing.T) {
		m, err := smime.Open(ctx, strings.NewReader(mixed), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		n := 0
		for range m.Parts() {
			if n++; n == 3 {
				break
			}
		}
		if n != 3 {
			t.Errorf("%d parts", n)
		}
	})
}

// Only the innermost text is the author's. Another person signed a multipart
// around it, and nobody signed the attachment before it.
func TestPartsNested(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	ca := smimetest.NewCA(t)
	// split returns the fields of a signed message that are not MIME's, and the rest.
	split := func(message string) (outer, entity string) {
		head, body, _ := strings.Cut(message, "\r\n\r\n")
		content := false
		for line := range strings.SplitSeq(head, "\r\n") {
			if line[0] != ' ' && line[0] != '\t' {
				content = strings.HasPrefix(strings.ToLower(line), "content-")
			}
			if content {
				entity += line + "\r\n"
			} else {
				outer += line + "\r\n"
			}
		}
		return outer, entity + "\r\n" + body
	}
	_, genuine := split(string(smimetest.Signed(t, ca.Identity("alice@example.com"), "genuine words")))
	var b bytes.Buffer
	err := smime.Sign(ctx, &b, strings.NewReader("From: mallory@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=M\r\n\r\n--M\r\n"+
		genuine+"\r\n--M\r\nContent-Type: text/plain\r\n\r\nx\r\n--M--\r\n"), ca.Identity("mallory@example.com"), &smime.SignOptions{Header: smime.PlainHeader})
	if err != nil {
		t.Fatal(err)
	}
	_, around := split(b.String())
	message := "From: alice@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=TOP\r\n\r\n--TOP\r\nContent-Type: application/pdf\r\n" +
		"Content-Disposition: attachment; filename=\"new bank account.pdf\"\r\n\r\npay to mallory\r\n--TOP\r\n" + around + "\r\n--TOP--\r\n"
	m, err := smime.Open(ctx, strings.NewReader(message), &smime.OpenOptions{Trust: ca.Trust()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	want := []struct {
		path    []int
		name    string
		by      string
		problem error
	}{
		{[]int{0}, "new bank account.pdf", "", smime.ErrNotSigned},
		{[]int{1, 0, 0, 0}, "", "alice@example.com", nil},
		{[]int{1, 0, 1}, "", "", smime.ErrSender},
	}
	i := 0
	for p := range m.Parts() {
		if i == len(want) {
			t.Fatalf("another part %v", p.Path)
		}
		w := want[i]
		s, err := p.Signer()
		if !slices.Equal(p.Path, w.path) || p.FileName != w.name || !errors.Is(err, w.problem) || (err == nil && s.Mailbox() != w.by) {
			t.Errorf("part %v, %q: %v, %v", p.Path, p.FileName, s, err)
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%d parts", i)
	}
}

// Every message of the goldens has parts with paths of their own, and their
// contents are those of the tree.
func TestPartsGoldens(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return strings.HasSuffix(g.File, ".eml") })
	total := 0
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			m, err := smime.Open(context.Background(), bytes.NewReader(g.Read(t, g.File)), &smime.OpenOptions{Trust: goldenTrust(t, g), Keys: goldenKeys(t, g)})
			if errors.Is(err, smime.ErrLimit) {
				return // there is no message to ask
			}
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			seen := map[string]bool{}
			for p := range m.Parts() {
				total++
				if key := fmt.Sprint(p.Path); seen[key] {
					t.Errorf("two parts at %s", key)
				} else {
					seen[key] = true
				}
				r, err := p.Content()
				if err == nil {
					_, err = io.Copy(io.Discard, r)
				}
				if err != nil && !errors.Is(err, smime.ErrMalformed) {
					var b64 interface{ Error() string }
					if !errors.As(err, &b64) {
						t.Errorf("part %v: %v", p.Path, err)
					}
				}
			}
			if len(seen) == 0 {
				t.Error("no parts")
			}
		})
	}
	if len(rows) < 500 || total < len(rows) {
		t.Errorf("%d rows, %d parts", len(rows), total)
	}
}

func TestPartFileName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, disposition, want string }{
		{"plain", `attachment; filename=a.pdf`, "a.pdf"},
		{"RFC 2231", `attachment; filename*=utf-8''%e2%82%ac%20rates.pdf`, "€ rates.pdf"},
		{"RFC 2231 in pieces", `attachment; filename*0="one "; filename*1="two.txt"`, "one two.txt"},
		{"encoded word", `attachment; filename="=?iso-8859-1?q?caf=E9.txt?="`, "café.txt"},
		{"directories", `attachment; filename="../../etc/passwd"`, "passwd"},
		{"a drive", `attachment; filename="C:autoexec.bat"`, "autoexec.bat"},
		{"directories of Windows", `attachment; filename="C:\\Windows\\x.exe"`, "x.exe"},
		{"only dots", `attachment; filename=".."`, ""},
		{"right to left", "attachment; filename*=utf-8''txt.%e2%80%aeexe", "txt.exe"},
		{"control characters", "attachment; filename*=utf-8''a%0d%0ab%00.txt", "ab.txt"},
		{"none", `attachment`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := "From: a@example.com\r\nContent-Type: application/pdf\r\nContent-Disposition: " + tt.disposition + "\r\n\r\nx"
			m, err := smime.Open(context.Background(), strings.NewReader(in), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			n := 0
			for p := range m.Parts() {
				n++
				if p.FileName != tt.want || p.Disposition != "attachment" {
					t.Errorf("%q, %q", p.FileName, p.Disposition)
				}
			}
			if n != 1 {
				t.Errorf("%d parts", n)
			}
		})
	}
}

func TestZeroPart(t *testing.T) {
	t.Parallel()
	var p smime.Part
	if _, err := p.Signer(); !errors.Is(err, smime.ErrUnchecked) {
		t.Error(err)
	}
	if err := p.Confidential(); !errors.Is(err, smime.ErrUnchecked) {
		t.Error(err)
	}
	if _, err := p.Content(); !errors.Is(err, smime.ErrUnchecked) {
		t.Error(err)
	}
	for range new(smime.Message).Parts() {
		t.Error("a part of the zero Message")
	}
}
