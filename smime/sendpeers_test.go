package smime_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// rsaKey is made once: making one is slow.
var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// A peer is a key that other programs have too.
type peer struct {
	name string
	key  crypto.Signer
	id   *smime.Identity
	dir  string // with key.pem, cert.pem, ca.pem
}

func newPeers(t *testing.T, ca *smimetest.CA, mailbox string) []*peer {
	t.Helper()
	r, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var peers []*peer
	for _, p := range []*peer{{name: "RSA", key: r}, {name: "P-256", key: p256}, {name: "P-384", key: p384}} {
		p.id = ca.Certify(p.key, mailbox)
		p.dir = t.TempDir()
		der, err := x509.MarshalPKCS8PrivateKey(p.key)
		if err != nil {
			t.Fatal(err)
		}
		write(t, p.dir, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		write(t, p.dir, "cert.pem", certPEM(p.id.Certificate()))
		write(t, p.dir, "ca.pem", certPEM(ca.Root(), ca.Issuing()))
		write(t, p.dir, "root.pem", certPEM(ca.Root()))
		peers = append(peers, p)
	}
	return peers
}

func certPEM(certs ...*x509.Certificate) []byte {
	var b []byte
	for _, c := range certs {
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return b
}

func write(t testing.TB, dir, name string, b []byte) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func run(t testing.TB, tool string, args ...string) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd := suites.Command(t, tool, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(tool), strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// TestOpenSSLReadsOurs: openssl verifies and decrypts every form.
func TestOpenSSLReadsOurs(t *testing.T) {
	openssl := suites.Tool(t, "openssl")
	ca := smimetest.NewCA(t)
	count := 0
	for _, p := range newPeers(t, ca, "alice@example.com") {
		for _, opts := range []smime.SignOptions{
			{}, {Opaque: true}, {ByKeyID: true}, {Certificates: smime.ChainWithRoot}, {Certificates: smime.SignerOnly},
			{Certificates: smime.NoCertificates}, {Opaque: true, Header: smime.PlainHeader}, {Scheme: pssFor(p)},
		} {
			t.Run(fmt.Sprintf("%s sign %+v", p.name, opts.Opaque), func(t *testing.T) {
				var signed bytes.Buffer
				if err := smime.Sign(t.Context(), &signed, strings.NewReader(mixedMail), p.id, &opts); err != nil {
					t.Fatal(err)
				}
				file := write(t, p.dir, "signed.eml", signed.Bytes())
				roots := "root.pem"
				if opts.Certificates == smime.SignerOnly || opts.Certificates == smime.NoCertificates {
					roots = "ca.pem" // the issuing certificate does not go along
				}
				got := run(t, openssl, "cms", "-verify", "-in", file, "-CAfile", filepath.Join(p.dir, roots),
					"-certfile", filepath.Join(p.dir, "cert.pem"), "-no-CApath", "-purpose", "smimesign")
				if !bytes.Contains(got, []byte("Gr=C3=BC=C3=9Fe")) {
					t.Errorf("content %.200q", got)
				}
				count++
			})
		}
		for _, opts := range []smime.EncryptOptions{
			{}, {Cipher: pkcs7.AES256GCM}, {Cipher: pkcs7.AES128GCM}, {Cipher: pkcs7.AES128CBC}, {ByKeyID: true}, {Header: smime.PlainHeader},
		} {
			for _, caps := range []smime.Capabilities{nil, smime.OwnCapabilities(p.id.Certificate())} {
				t.Run(fmt.Sprintf("%s encrypt %v", p.name, opts.Cipher), func(t *testing.T) {
					to := []*smime.Recipient{smime.InsecureRecipient("alice@example.com", p.id.Certificate(), withoutHKDF(caps))}
					var sealed bytes.Buffer
					if err := smime.Seal(t.Context(), &sealed, strings.NewReader(mixedMail), p.id, to, &smime.SealOptions{
						Sign: smime.SignOptions{Header: opts.Header}, Cipher: opts.Cipher, RecipientsByKeyID: opts.ByKeyID}); err != nil {
						t.Fatal(err)
					}
					file := write(t, p.dir, "sealed.eml", sealed.Bytes())
					inner := run(t, openssl, "cms", "-decrypt", "-in", file, "-recip", filepath.Join(p.dir, "cert.pem"), "-inkey", filepath.Join(p.dir, "key.pem"))
					file = write(t, p.dir, "inner.eml", inner)
					got := run(t, openssl, "cms", "-verify", "-in", file, "-CAfile", filepath.Join(p.dir, "ca.pem"))
					if !bytes.Contains(got, []byte("Gr=C3=BC=C3=9Fe")) {
						t.Errorf("content %.200q", got)
					}
					count++
				})
			}
		}
	}
	if count != 3*8+3*6*2 {
		t.Errorf("%d of the cases ran to their end", count)
	}
}

// withoutHKDF removes what openssl does not have.
func withoutHKDF(caps smime.Capabilities) smime.Capabilities {
	var out smime.Capabilities
	for _, c := range caps {
		if c.OID.String() != "1.2.840.113549.1.9.16.3.31" {
			out = append(out, c)
		}
	}
	return out
}

func pssFor(p *peer) pkcs7.Scheme {
	if p.name == "RSA" {
		return pkcs7.RSAPSSSHA256
	}
	return 0
}

// TestWeReadOpenSSL is the other direction, with identities and trust as the
// sending side makes them.
func TestWeReadOpenSSL(t *testing.T) {
	openssl := suites.Tool(t, "openssl")
	ca := smimetest.NewCA(t)
	entity := write(t, t.TempDir(), "body", []byte("Content-Type: text/plain\n\nhello\n"))
	for _, p := range newPeers(t, ca, "alice@example.com") {
		t.Run(p.name, func(t *testing.T) {
			for _, args := range [][]string{{}, {"-nodetach"}, {"-keyid"}, {"-nodetach", "-stream"}, {"-nocerts"}, {"-md", "sha512"}} {
				msg := run(t, openssl, append([]string{"cms", "-sign", "-in", entity, "-signer", filepath.Join(p.dir, "cert.pem"), "-inkey", filepath.Join(p.dir, "key.pem"),
					"-from", "alice@example.com", "-certfile", filepath.Join(p.dir, "ca.pem")}, args...)...)
				var out bytes.Buffer
				if _, err := smime.Verify(t.Context(), &out, bytes.NewReader(msg), ca.Directory(p.id), nil); err != nil {
					t.Errorf("%s %v: %v", p.name, args, err)
				}
			}
			for _, args := range [][]string{{"-aes-256-cbc"}, {"-aes-256-gcm"}, {"-aes-128-cbc", "-stream"}, {"-keyid", "-aes-128-gcm"}} {
				msg := run(t, openssl, append(append([]string{"cms", "-encrypt", "-in", entity}, args...), filepath.Join(p.dir, "cert.pem"))...)
				var out bytes.Buffer
				if _, err := smime.Decrypt(t.Context(), &out, bytes.NewReader(msg), smime.Identities{p.id}, nil); err != nil || !strings.Contains(out.String(), "hello") {
					t.Errorf("%s %v: %v", p.name, args, err)
				}
			}
		})
	}
}

// pythonTree prints how Python's email package sees a message.
const pythonTree = `
import sys, json, email, email.policy
def show(m):
    d = {"type": m.get_content_type(), "cte": str(m.get("Content-Transfer-Encoding", "")).lower(), "defects": [type(x).__name__ for x in m.defects], "file": m.get_filename() or ""}
    if m.is_multipart():
        d["parts"] = [show(p) for p in m.get_payload()]
    else:
        d["body"] = m.get_payload(decode=True).hex()
    return d
out = []
for f in sys.argv[1:]:
    m = email.message_from_binary_file(open(f, "rb"), policy=email.policy.default)
    out.append({"tree": show(m), "subject": str(m["Subject"]), "from": str(m["From"])})
json.dump(out, sys.stdout)
`

type pythonPart struct {
	Type, CTE, Body, File string
	Defects               []string
	Parts                 []pythonPart
}

// TestPythonParsesOurs: an independent parser finds the same parts with the
// same contents before and after.
func TestPythonParsesOurs(t *testing.T) {
	python := suites.Tool(t, "python3")
	w := newSendFixture(t)
	dir := t.TempDir()
	script := write(t, dir, "tree.py", []byte(pythonTree))
	names := []string{"plain", "mixed", "latin", "utf8", "binary", "qp", "base64 in one line", "forwarded", "long line"}
	args := []string{script}
	for i, name := range names {
		in := inputs()[name]
		var signed bytes.Buffer
		if err := smime.Sign(t.Context(), &signed, strings.NewReader(in), w.alice, nil); err != nil {
			t.Fatal(err)
		}
		args = append(args, write(t, dir, fmt.Sprint(i, "before"), []byte(in)), write(t, dir, fmt.Sprint(i, "after"), signed.Bytes()))
	}
	var got []struct {
		Tree          pythonPart
		Subject, From string
	}
	if err := json.Unmarshal(run(t, python, args...), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2*len(names) {
		t.Fatalf("%d messages", len(got))
	}
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			before, after := got[2*i], got[2*i+1]
			tree := after.Tree
			if tree.Type != "multipart/signed" || len(tree.Parts) != 2 || tree.Parts[1].Type != "application/pkcs7-signature" || tree.Parts[1].File != "smime.p7s" {
				t.Fatalf("%+v", tree)
			}
			same(t, name, before.Tree, tree.Parts[0])
			if name != "latin" && name != "utf8" && before.Subject != after.Subject || before.From != after.From {
				t.Errorf("Subject %q, From %q", after.Subject, after.From)
			}
		})
	}
}

// text is a hexadecimal body without what Python does to line ends, and
// without the blanks before them, which quoted-printable does not have
// (RFC 2045 section 6.7 rule 3).
func text(t testing.TB, s string) string {
	b := bytes.ReplaceAll(unhex(t, s), []byte("\r\n"), []byte("\n"))
	b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	return string(bytes.ReplaceAll(b, []byte(" \n"), []byte("\n")))
}

func same(t *testing.T, name string, before, after pythonPart) {
	t.Helper()
	if before.Type != after.Type || text(t, before.Body) != text(t, after.Body) || before.File != after.File || len(before.Parts) != len(after.Parts) || len(after.Defects) > 0 {
		t.Errorf("%s:\n%.500v\n%.500v", name, fmt.Sprint(before), fmt.Sprint(after))
		return
	}
	for i := range before.Parts {
		same(t, name, before.Parts[i], after.Parts[i])
	}
}

// TestOldOpenSSLReadsOurs: "openssl smime" knows PKCS #7 alone, as old programs
// do; what is sent to strangers must be readable for them.
func TestOldOpenSSLReadsOurs(t *testing.T) {
	openssl := suites.Tool(t, "openssl")
	ca := smimetest.NewCA(t)
	p := newPeers(t, ca, "alice@example.com")[0]
	for _, big := range []bool{false, true} {
		t.Run(fmt.Sprintf("big %v", big), func(t *testing.T) {
			in := []byte(crlf(plainMail))
			if big {
				in = letter(3 << 20) // of unknown length, so BER
			}
			for _, opaque := range []bool{false, true} {
				var sealed bytes.Buffer
				if err := smime.Seal(t.Context(), &sealed, bytes.NewReader(in), p.id, []*smime.Recipient{ca.Recipient(p.id)}, &smime.SealOptions{Sign: smime.SignOptions{Opaque: opaque}}); err != nil {
					t.Fatal(err)
				}
				inner := run(t, openssl, "smime", "-decrypt", "-in", write(t, p.dir, "sealed.eml", sealed.Bytes()), "-recip", filepath.Join(p.dir, "cert.pem"), "-inkey", filepath.Join(p.dir, "key.pem"))
				got := run(t, openssl, "smime", "-verify", "-in", write(t, p.dir, "inner.eml", inner), "-CAfile", filepath.Join(p.dir, "root.pem"))
				if !bytes.Contains(got, []byte("From: ")) || !bytes.Contains(got, []byte(`hp="cipher"`)) {
					t.Errorf("big %v, opaque %v: %.200q", big, opaque, got)
				}
			}
		})
	}
}
