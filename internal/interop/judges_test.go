package interop

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A reading is what a program makes of a message.
type reading struct {
	Text *string
	From []string
}

// A judge is another mail program.
type judge struct {
	name    string
	command []string
	dir     string
	joined  bool // its text is that of all parts
}

// judges returns the programs that are asked, ready to run.
func judges(t *testing.T) []judge {
	t.Helper()
	scripts, err := filepath.Abs(filepath.Join("testdata", "judges"))
	if err != nil {
		t.Fatal(err)
	}
	script := func(name string) string { return filepath.Join(scripts, name) }
	gmime := filepath.Join(t.TempDir(), "gmime")
	flags, err := suites.Command(t, "pkg-config", "--cflags", "--libs", "gmime-3.0").Output()
	if err != nil {
		t.Fatalf("pkg-config: %v", err)
	}
	args := append([]string{"-O1", "-o", gmime, script("gmime.c")}, strings.Fields(string(flags))...)
	if out, err := suites.Command(t, "gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	python, node := suites.Tool(t, "python3"), suites.Tool(t, "node")
	modules := nodeModules(t, scripts)
	suites.Tool(t, "neomutt")
	suites.Tool(t, "doveconf")
	return []judge{
		{"Python, compat32", []string{python, script("python.py"), "compat32"}, "", false},
		{"Python, default", []string{python, script("python.py"), "default"}, "", false},
		{"GMime", []string{gmime}, "", false},
		{"Ruby mail", []string{suites.Tool(t, "ruby"), script("ruby.rb")}, "", false},
		{"Dovecot", []string{python, script("dovecot.py"), worldReadable(t)}, "", false},
		{"neomutt", []string{python, script("neomutt.py"), t.TempDir()}, "", true},
		{"postal-mime", []string{node, script("node.mjs"), "postal-mime"}, modules, true},
		{"mailparser", []string{node, script("node.mjs"), "mailparser"}, modules, true},
	}
}

// worldReadable returns a folder that a server without privileges can enter.
func worldReadable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "gosmime-dovecot-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// nodeModules returns a folder with the packages of the lock file.
func nodeModules(t *testing.T, scripts string) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(scripts, "node_modules")); err == nil {
		return scripts
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := os.ReadFile(filepath.Join(scripts, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := suites.Command(t, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm: %v\n%s", err, out)
	}
	return dir
}

// read returns what the judge makes of each message.
func (j judge) read(t *testing.T, msgs []string) ([]reading, error) {
	var in bytes.Buffer
	for _, m := range msgs {
		fmt.Fprintf(&in, "%d\n%s", len(m), m)
	}
	cmd := suites.Command(t, j.command[0], j.command[1:]...)
	cmd.Dir, cmd.Stdin = j.dir, &in
	var failure bytes.Buffer
	cmd.Stderr = &failure
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%.2000s", j.name, err, failure.Bytes())
	}
	var list []reading
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var r reading
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s: %w", j.name, err)
		}
		list = append(list, r)
	}
	if len(list) != len(msgs) {
		return nil, fmt.Errorf("%s read %d messages of %d", j.name, len(list), len(msgs))
	}
	return list, lines.Err()
}

// accepted are the differences that are known and harmless: the name of the
// judge, an expression that the message matches, and the reason.
func accepted(t *testing.T) func(judge, msg string) bool {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "judges", "accepted.txt"))
	if err != nil {
		t.Fatal(err)
	}
	rules := make(map[string][]*regexp.Regexp)
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 3 {
			t.Fatalf("accepted.txt: %q", line)
		}
		rules[f[0]] = append(rules[f[0]], regexp.MustCompile("(?s)"+f[1]))
	}
	return func(judge, msg string) bool {
		return slices.ContainsFunc(rules[judge], func(r *regexp.Regexp) bool { return r.MatchString(msg) })
	}
}

// ask gives the messages to all judges at once and calls check for each reading.
func ask(t *testing.T, msgs []string, check func(j judge, i int, r reading)) {
	t.Helper()
	list := judges(t)
	results, errs := make([][]reading, len(list)), make([]error, len(list))
	var wg sync.WaitGroup
	for i, j := range list {
		wg.Go(func() { results[i], errs[i] = j.read(t, msgs) })
	}
	wg.Wait()
	for i, j := range list {
		if errs[i] != nil {
			t.Error(errs[i])
			continue
		}
		for k, r := range results[i] {
			check(j, k, r)
		}
	}
}

// A shown message is one that we call good, with the text that we show.
type shown struct{ name, msg, text string }

// sameText fails for judges that show other text than we do.
func sameText(t *testing.T, list []shown) {
	t.Helper()
	ok := accepted(t)
	msgs := make([]string, len(list))
	for i, s := range list {
		msgs[i] = s.msg
	}
	other, none, source := make(map[string]int), make(map[string]int), make(map[string]int)
	ask(t, msgs, func(j judge, i int, r reading) {
		if r.Text == nil {
			none[j.name]++
			return
		}
		got, want := letters(*r.Text), letters(list[i].text)
		if got == want || got == "" || j.joined && want != "" && strings.HasPrefix(got, want) || ok(j.name, list[i].msg) {
			return
		}
		if strings.HasPrefix(got, "--") && !strings.Contains(got, letters(suites.Evil)) {
			source[j.name]++ // of the message, where the boundary means nothing to the program
			return
		}
		if other[j.name]++; other[j.name] <= 5 {
			t.Errorf("%s, %s: shows %.150q instead of %.100q:\n%.400q", list[i].name, j.name, *r.Text, list[i].text, list[i].msg)
		}
	})
	t.Logf("%d messages; other text: %v; no text: %v; the source: %v", len(list), other, none, source)
}

// letters returns what is left of a text where white space and charsets do not
// count.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f {
			return -1
		}
		return r
	}, s)
}

// contents are entities that are signed for [suites.OuterStructure].
var contents = []string{
	"Content-Type: text/plain; charset=utf-8\r\n\r\npay 5\r\n",
	"Content-Type: text/plain\r\n\r\npay 5\r\n-- \r\nAlice\r\n---\r\n--z\r\n--q--\r\nx\r\n",
	"Content-Type: multipart/mixed; boundary=\"=_smimetestinner\"\r\n\r\n--=_smimetestinner\r\nContent-Type: text/plain\r\n\r\npay 5\r\n--=_smimetestinner--\r\n",
	"Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\nContent-Type: text/plain\r\n\r\npay 5\r\n--i\r\nContent-Type: text/html\r\n\r\n<p>pay 5</p>\r\n--i--\r\n",
	"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\npay 5 =3D=\r\n--a\r\n=2D-a\r\n",
	"\r\npay 5\r\n",
}

// A correspondent signs and encrypts what a generator wraps.
type correspondent struct {
	alice    *smime.Identity
	trust    *chain.Collection
	clear    []suites.SignedPart
	enclosed []suites.EnclosedPart
}

func newCorrespondent(t *testing.T, mailbox string) *correspondent {
	t.Helper()
	ca := smimetest.NewCA(t)
	c := &correspondent{alice: ca.Identity(mailbox), trust: ca.Trust()}
	key, err := c.alice.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	keys := []pkcs7.SigningKey{key}
	wrapped := func(b bytes.Buffer) string {
		var out strings.Builder
		for text := base64.StdEncoding.EncodeToString(b.Bytes()); text != ""; text = text[min(64, len(text)):] {
			out.WriteString(text[:min(64, len(text))] + "\r\n")
		}
		return out.String()
	}
	for _, entity := range contents {
		var b bytes.Buffer
		if err := pkcs7.SignDetached(t.Context(), &b, strings.NewReader(entity), keys, nil); err != nil {
			t.Fatal(err)
		}
		c.clear = append(c.clear, suites.SignedPart{Entity: entity, Signature: wrapped(b)})
	}
	add := func(kind string, write func(w io.Writer) error) {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		c.enclosed = append(c.enclosed, suites.EnclosedPart{Kind: kind, CMS: wrapped(b)})
	}
	add("signed-data", func(w io.Writer) error {
		s, err := pkcs7.NewSignWriter(t.Context(), w, keys, nil)
		if err != nil {
			return err
		}
		_, err = io.WriteString(s, contents[0])
		return errors.Join(err, s.Close())
	})
	var signed bytes.Buffer
	signed.WriteString("Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: base64\r\n\r\n" + c.enclosed[0].CMS)
	add("authEnveloped-data", func(w io.Writer) error {
		to := ca.Recipient(c.alice)
		var b bytes.Buffer
		if err := smime.Encrypt(t.Context(), &b, bytes.NewReader(signed.Bytes()), []*smime.Recipient{to}, nil); err != nil {
			return err
		}
		p, _, body, err := mimetree.ReadHeader(&b)
		if err != nil {
			return err
		}
		r, err := mimetree.DecodeCMS(p, body)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, r)
		return err
	})
	add("compressed-data", func(w io.Writer) error { return pkcs7.Compress(w, bytes.NewReader(signed.Bytes())) })
	return c
}

// good reports whether a verb of ours accepts a message.
func (c *correspondent) good(t *testing.T, msg string) bool {
	t.Helper()
	chainOpts := chain.Options{At: smimetest.Now()}
	if _, err := smime.Verify(t.Context(), io.Discard, strings.NewReader(msg), c.trust, &smime.VerifyOptions{Chain: chainOpts}); err == nil {
		return true
	}
	if _, err := smime.Decrypt(t.Context(), io.Discard, strings.NewReader(msg), smime.Identities{c.alice}, nil); err == nil {
		return true
	}
	m, err := smime.Open(t.Context(), strings.NewReader(msg), &smime.OpenOptions{Trust: c.trust, Keys: smime.Identities{c.alice}, Chain: chainOpts})
	if err != nil {
		return false
	}
	defer m.Close()
	_, err = m.Signer()
	return err == nil
}

// generated returns how many messages are made up.
func generated() int {
	if testing.Short() {
		return 2000
	}
	return 20_000
}

// TestJudgesOfStructure asks other programs for the first text of mail in
// structures that were made up: of what we call good they show what was signed,
// or nothing.
func TestJudgesOfStructure(t *testing.T) {
	suites.Tool(t, "python3")
	c := newCorrespondent(t, "alice@example.com")
	rnd := rand.New(rand.NewPCG(1, 2))
	var list []shown
	for range generated() {
		msg := suites.OuterStructure(rnd, c.clear, c.enclosed)
		if !c.good(t, msg) {
			continue
		}
		list = append(list, shown{"generated", msg, signedText(msg)})
	}
	if len(list) < generated()/5 {
		t.Errorf("only %d of %d are good", len(list), generated())
	}
	sameText(t, list)
}

// signedText returns the first text of the signed part that is in msg.
func signedText(msg string) string {
	msg = strings.ReplaceAll(msg, "\r\n", "\n")
	for _, entity := range contents {
		if e := strings.ReplaceAll(entity, "\r\n", "\n"); strings.Contains(msg, "\n"+e+"\n--") {
			return firstText([]byte(entity))
		}
	}
	return firstText([]byte(contents[0])) // that of what is enclosed
}

// firstText returns the first text of an entity, as this module reads it.
func firstText(entity []byte) string {
	root, err := mimetree.Scan(bytes.NewReader(entity), nil)
	if err != nil {
		return ""
	}
	var find func(p *mimetree.Part) (string, bool)
	find = func(p *mimetree.Part) (string, bool) {
		for _, c := range p.Children {
			if s, ok := find(c); ok {
				return s, true
			}
		}
		if len(p.Children) > 0 || !strings.HasPrefix(p.Type.Type, "text/") {
			return "", false
		}
		r, err := mimetree.Decode(p, bytes.NewReader(entity[p.Body:p.End]))
		if err != nil {
			return "", false
		}
		b, err := io.ReadAll(r)
		if err != nil { // a line beyond what package quotedprintable reads
			b = entity[p.Body:p.End]
		}
		return string(b), true
	}
	s, _ := find(root)
	return s
}

// TestJudgesOfCorpus asks the same of all mail of the corpus that has a
// signature that holds and covers it, whoever made it.
func TestJudgesOfCorpus(t *testing.T) {
	suites.Tool(t, "python3")
	root := suites.Corpus(t)
	var list []shown
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".eml" {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() > 1<<20 {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		m, err := smime.Open(t.Context(), bytes.NewReader(b), nil)
		if err != nil {
			return nil
		}
		defer m.Close()
		if l, ok := m.Root().(*smime.SignedLayer); ok && slices.ContainsFunc(l.Signers, func(s *smime.SignerReport) bool {
			return s.Integrity.Err() == nil && s.Coverage.Err() == nil
		}) {
			body, err := io.ReadAll(m.Body())
			if err != nil {
				return err
			}
			list = append(list, shown{path[len(root):], string(b), firstText(body)})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 100 {
		t.Fatalf("%d messages", len(list))
	}
	sameText(t, list)
}

// TestJudgesOfSender asks other programs for the addresses of made-up From
// fields: where we know the author they see nobody else.
func TestJudgesOfSender(t *testing.T) {
	suites.Tool(t, "python3")
	c := newCorrespondent(t, "mallory@evil.example")
	ok := accepted(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	var msgs []string
	for range generated() {
		msg := suites.FromField(rnd) + "To: bob@example.com\r\nSubject: Test\r\nMIME-Version: 1.0\r\n" +
			"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=b\r\n\r\n--b\r\n" +
			c.clear[0].Entity + "\r\n--b\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n" + c.clear[0].Signature + "\r\n--b--\r\n"
		if c.good(t, msg) {
			msgs = append(msgs, msg)
		}
	}
	if len(msgs) < generated()/20 {
		t.Errorf("only %d of %d are good", len(msgs), generated())
	}
	other := make(map[string]int)
	ask(t, msgs, func(j judge, i int, r reading) {
		for _, a := range r.From {
			if !strings.Contains(a, "@") || strings.EqualFold(strings.Trim(a, "<>, "), "mallory@evil.example") || strings.Contains(a, "MISSING_") || ok(j.name, msgs[i]) {
				continue
			}
			if other[j.name]++; other[j.name] <= 10 {
				header, _, _ := strings.Cut(msgs[i], "To: bob")
				t.Errorf("%s finds %q in %q", j.name, a, header)
			}
		}
	})
	t.Logf("%d messages; other authors: %v", len(msgs), other)
}
