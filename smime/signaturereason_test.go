package smime_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// caseFile returns a message of testdata/cases.
func caseFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "cases", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// caseTrust returns the anchors in a file of testdata/cases, and a time at which
// its certificates are valid.
func caseTrust(t testing.TB, roots string, subs ...string) (*chain.Collection, chain.Options) {
	t.Helper()
	source := func(name string) chain.Source {
		src, err := chain.PEM(caseFile(t, name))
		if err != nil {
			t.Fatal(err)
		}
		return src
	}
	trust := chain.NewCollection(chain.Anchors(source(roots)))
	for _, s := range subs {
		trust = trust.With(chain.Untrusted(source(s)))
	}
	return trust, chain.Options{At: time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)}
}

// signatureOf returns where the base64 of the signature of a multipart/signed is.
func signatureOf(t testing.TB, msg []byte) (start, end int) {
	t.Helper()
	start = bytes.LastIndex(msg, []byte("\nMII"))
	if start < 0 {
		start = bytes.LastIndex(msg, []byte("\nMIA"))
	}
	if start < 0 {
		t.Fatal("no signature")
	}
	start++
	return start, start + bytes.Index(msg[start:], []byte("\n--"))
}

// changeSignature returns a multipart/signed with a changed signature.
func changeSignature(t testing.TB, msg []byte, change func(der []byte) []byte) []byte {
	t.Helper()
	start, end := signatureOf(t, msg)
	der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(msg[start:end]), nil)))
	if err != nil {
		t.Fatal(err)
	}
	text := base64.StdEncoding.AppendEncode(nil, change(der))
	var lines []byte
	for len(text) > 0 {
		n := min(len(text), 64)
		lines = append(append(lines, text[:n]...), "\r\n"...)
		text = text[n:]
	}
	return bytes.Join([][]byte{msg[:start], lines[:len(lines)-2], msg[end:]}, nil)
}

// replaceOID changes the last octet of an identifier wherever it is.
func replaceOID(id oid.OID) func([]byte) []byte {
	return func(der []byte) []byte {
		element := append([]byte{6, byte(len(id))}, id...)
		changed := bytes.Clone(element)
		changed[len(changed)-1] = 0x7f
		return bytes.ReplaceAll(der, element, changed)
	}
}

// Every reason why a signature does not hold is the same for CRLF and for the LF
// that Unix stores and mail transfer agents leave, in all three verbs.
func TestSignatureReasons(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	clear := w.seeds[0]
	weakTrust, _ := caseTrust(t, "b-ca.pem")
	certsOnly := func([]byte) []byte {
		var b bytes.Buffer
		if err := pkcs7.WriteCertificates(&b, [][]byte{w.alice.Certificate().Raw}, nil); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	var bare bytes.Buffer
	err := smime.Sign(context.Background(), &bare, bytes.NewReader(smimetest.Mail("alice@example.com", "bob@example.com", w.text)), w.alice,
		&smime.SignOptions{Certificates: smime.NoCertificates})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		msg   []byte
		trust *chain.Collection
		want  error
	}{
		{"good", clear, w.trust, nil},
		{"content", edit(t, clear, w.text, "pay 6 to bob"), w.trust, pkcs7.ErrDigest},
		{"signature value", changeSignature(t, clear, func(der []byte) []byte { der[len(der)-1] ^= 1; return der }), w.trust, pkcs7.ErrSignature},
		{"signature value of another maker", caseFile(t, "badsig-crlf.eml"), weakTrust, pkcs7.ErrSignature},
		{"weak digest", caseFile(t, "sha1-crlf.eml"), weakTrust, pkcs7.ErrWeak},
		{"digest nobody knows", changeSignature(t, clear, replaceOID(oid.SHA256)), w.trust, pkcs7.ErrUnsupported},
		{"no messageDigest", changeSignature(t, clear, replaceOID(oid.AttrMessageDigest)), w.trust, pkcs7.ErrSyntax},
		{"no certificate", bare.Bytes(), w.trust, pkcs7.ErrNoCertificate},
		{"no signer", changeSignature(t, clear, certsOnly), w.trust, pkcs7.ErrNoSigner},
		{"cut off", changeSignature(t, clear, func(der []byte) []byte { return der[:len(der)-9] }), w.trust, pkcs7.ErrSyntax},
	} {
		for _, end := range [...]struct{ name, text string }{{"CRLF", "\r\n"}, {"LF", "\n"}} {
			msg := bytes.ReplaceAll(bytes.ReplaceAll(c.msg, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte(end.text))
			for verb, run := range map[string]func() error{
				"Verify": func() error {
					_, err := smime.Verify(context.Background(), io.Discard, bytes.NewReader(msg), c.trust, &smime.VerifyOptions{Chain: w.at})
					return err
				},
				"Open": func() error {
					m, err := smime.Open(context.Background(), bytes.NewReader(msg), &smime.OpenOptions{Trust: c.trust, Chain: w.at})
					if err != nil {
						t.Errorf("%s: Open: %v", c.name, err)
						return err
					}
					defer m.Close()
					signed, ok := m.Root().(*smime.SignedLayer)
					if !ok {
						t.Fatalf("%s: %T", c.name, m.Root())
					}
					return signed.Err()
				},
				"Unseal": func() error {
					sealed := encrypted(t, w.bob, "", pkcs7.AES256GCM, msg)
					_, _, err := smime.Unseal(context.Background(), io.Discard, bytes.NewReader(sealed), smime.Identities{w.bob}, c.trust,
						&smime.UnsealOptions{Verify: smime.VerifyOptions{Chain: w.at}})
					return err
				},
			} {
				t.Run(c.name+"/"+end.name+"/"+verb, func(t *testing.T) {
					if err := run(); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
						t.Errorf("%v, not %v", err, c.want)
					}
				})
			}
		}
	}
}

// Whatever single bit of a signature is changed, Open returns a tree with the
// text, and Verify does not accept what the signature no longer covers.
func TestBitFlips(t *testing.T) {
	t.Parallel()
	step := 1
	if testing.Short() || !suites.Peers() { // the gate changes every bit
		step = 53
	}
	trust, at := caseTrust(t, "b-ca.pem")
	for _, name := range []string{"badsig-crlf.eml", "badsig-lf.eml"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			msg := caseFile(t, name)
			size := 0
			changeSignature(t, msg, func(der []byte) []byte { size = len(der); return der })
			if 8*size != 11_840 {
				t.Fatalf("the signature has %d bits", 8*size)
			}
			for bit := 0; bit < 8*size; bit += step {
				changed := changeSignature(t, msg, func(der []byte) []byte { der[bit/8] ^= 1 << (bit % 8); return der })
				m, err := smime.Open(context.Background(), bytes.NewReader(changed), &smime.OpenOptions{Trust: trust, Chain: at})
				if err != nil {
					t.Errorf("bit %d: Open: %v", bit, err)
					continue
				}
				// The signature was altered in one bit, which one change undoes.
				if l, ok := m.Root().(*smime.SignedLayer); !ok || (l.Err() == nil) != (bit == 8*(size-1)) {
					t.Errorf("bit %d: %T, %v", bit, m.Root(), ok)
				}
				m.Close()
			}
		})
	}
}

// Signatures that other programs write beside the standards are read, and what
// was tolerated is noted.
func TestToleratedSignatures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, root string
		subs       []string
		note       string // the detail of a NoteDeviation; empty: none
	}{
		{"F0-control-clear-signed.eml", "d-root.pem", []string{"d-sub.pem"}, ""},
		{"windows-ecdsa-p256.eml", "a-ca.pem", nil, pkcs7.SignatureNamesKey.String()},
		{"R8-digestAlgorithm-is-sha256WithRSA.eml", "d-root.pem", []string{"d-sub.pem"}, pkcs7.DigestNamesSignature.String()},
		{"R9-detached-empty-eContent.eml", "d-root.pem", []string{"d-sub.pem"}, pkcs7.EmptyContent.String()},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			trust, at := caseTrust(t, c.root, c.subs...)
			msg := caseFile(t, c.file)
			if _, err := smime.Verify(context.Background(), io.Discard, bytes.NewReader(msg), trust, &smime.VerifyOptions{Chain: at}); err != nil {
				t.Fatal(err)
			}
			m, err := smime.Open(context.Background(), bytes.NewReader(msg), &smime.OpenOptions{Trust: trust, Chain: at})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			noted := ""
			for _, n := range m.Root().Notes() {
				if n.Code == smime.NoteDeviation {
					noted = n.Detail
				}
			}
			if noted != c.note {
				t.Errorf("noted %q, not %q", noted, c.note)
			}
		})
	}
}

// The author's signature and certificate come first: Thunderbird and others look
// at the first alone.
func TestAuthorSignsFirst(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	alice := ca.Identity("alice@example.com")
	var others []*smime.Identity
	for _, box := range []string{"bob@example.com", "carol@example.com", "dave@example.com"} {
		others = append(others, ca.Identity(box))
	}
	limits := smime.Limits{CMS: pkcs7.Limits{Memory: 32 << 20}} // also where there is no disk
	for name, size := range map[string]int{"small": 10, "large": 3 << 20} {
		for _, opaque := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, opaque %v", name, opaque), func(t *testing.T) {
				mail := smimetest.Mail("alice@example.com", "bob@example.com", strings.Repeat("line of text\r\n", size/14+1))
				var signed bytes.Buffer
				if err := smime.Sign(context.Background(), &signed, bytes.NewReader(mail), alice, &smime.SignOptions{CoSigners: others, Opaque: opaque}); err != nil {
					t.Fatal(err)
				}
				m, err := smime.Open(context.Background(), &signed, &smime.OpenOptions{Trust: ca.Trust(), Chain: chain.Options{At: smimetest.Now()}, Limits: limits})
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				l, ok := m.Root().(*smime.SignedLayer)
				if !ok || len(l.Signers) != 4 {
					t.Fatalf("%T", m.Root())
				}
				for i, id := range append([]*smime.Identity{alice}, others...) {
					if !l.Signers[i].UnverifiedCertificate.Equal(id.Certificate()) {
						t.Errorf("opaque %v: signer %d is %v", opaque, i, l.Signers[i].UnverifiedCertificate.Subject)
					}
				}
			})
		}
	}
}

// The same holds for layers of other kinds: the rest of the message stays there.
func TestBitFlipsOfBodies(t *testing.T) {
	t.Parallel()
	step := 11
	if testing.Short() {
		step = 211
	}
	w := newReadFixture(t)
	for name, seed := range map[string][]byte{
		"opaque": w.seeds[1], "encrypted": encrypted(t, w.bob, "alice@example.com", pkcs7.AES256GCM, w.seeds[1]),
		"encrypted, CBC": encrypted(t, w.bob, "alice@example.com", pkcs7.AES256CBC, w.seeds[1]),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header, _, _ := bytes.Cut(seed, []byte("\r\n\r\n"))
			der := derOf(t, seed)
			for bit := 0; bit < 8*len(der); bit += step {
				changed := bytes.Clone(der)
				changed[bit/8] ^= 1 << (bit % 8)
				msg := append(bytes.Clone(header), "\r\n\r\n"...)
				msg = append(base64.StdEncoding.AppendEncode(msg, changed), "\r\n"...)
				m, err := w.open(msg)
				if err != nil {
					t.Errorf("bit %d: Open: %v", bit, err)
					continue
				}
				if m.Root() == nil || m.Root().Raw() == nil {
					t.Errorf("bit %d: %T", bit, m.Root())
				}
				m.Close()
			}
		})
	}
}
