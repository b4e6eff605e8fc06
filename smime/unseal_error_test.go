package smime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func (w *readFixture) unseal(msg io.Reader, opts smime.UnsealOptions) ([]byte, *smime.Signer, error) {
	var out bytes.Buffer
	opts.Verify.Chain = w.at
	s, _, err := smime.Unseal(context.Background(), &out, msg, smime.Identities{w.bob}, w.trust, &opts)
	return out.Bytes(), s, err
}

// derOf returns the CMS object in a message in base64.
func derOf(t testing.TB, msg []byte) []byte {
	t.Helper()
	_, text, _ := bytes.Cut(msg, []byte("\r\n\r\n"))
	der, err := io.ReadAll(mimetree.NewBase64Reader(bytes.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestUnsealTellsNothing puts into ciphers whatever can be wrong inside. Where
// an attacker can have made it out of a stolen ciphertext the error is the same
// for all; where nobody without the key can, it says what it is.
func TestUnsealTellsNothing(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	carol := smimetest.NewCA(t).Identity("carol@example.com")
	signed := w.seeds[0]
	var certificates bytes.Buffer
	if err := pkcs7.WriteCertificates(&certificates, [][]byte{w.alice.Certificate().Raw}, nil); err != nil {
		t.Fatal(err)
	}
	nested := signed
	for range 8 {
		nested = encrypted(t, w.bob, "", pkcs7.AES128CBC, nested)
	}
	plain := []byte("Content-Type: text/plain\r\n\r\nhello\r\n")
	var first string // the one error
	for _, tt := range []struct {
		name  string
		inner []byte
		want  error // inside an authenticated cipher
	}{
		{"no header", []byte("\x00\x01\x02"), smime.ErrNotSigned},
		{"not signed", plain, smime.ErrNotSigned},
		{"nothing", nil, smime.ErrNotSigned},
		{"content changed", edit(t, signed, "pay 5", "pay 6"), pkcs7.ErrDigest},
		{"content changed under two signatures", edit(t, clearSigned(t, w.alice, "alice@example.com", signed), "pay 5", "pay 6"), pkcs7.ErrDigest},
		{"third part", edit(t, signed, "--=_smimetest--", "--=_smimetest\r\n\r\nthird\r\n--=_smimetest--"), smime.ErrMalformed},
		{"two types", edit(t, signed, "MIME-Version: 1.0\r\n", "Content-Type: text/html\r\nMIME-Version: 1.0\r\n"), smime.ErrNotSigned},
		{"junk in base64", edit(t, w.seeds[1], "\r\n\r\nMI", "\r\n\r\n!MI"), smime.ErrMalformed},
		{"junk in quoted-printable", []byte("Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\x01MII"), smime.ErrMalformed},
		{"no signers", cmsMail("", "signed-data", certificates.Bytes()), smime.ErrNotSigned},
		{"author in a header that nobody signed", edit(t, signed, "From: alice@example.com", "From: secret@example.com"), smime.ErrAmbiguousSender},
		{"no author in a header that nobody signed", edit(t, signed, "From: alice@example.com", "From: secret"), smime.ErrAmbiguousSender},
		{"another CMS type", cmsMail("", "signed-data", []byte("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x05")), pkcs7.ErrUnsupported},
		{"encrypted to somebody else", encrypted(t, carol, "", pkcs7.AES256GCM, signed), pkcs7.ErrNoKey},
		{"header beyond the limit", append([]byte(strings.Repeat("X: y\r\n", 10_001)), signed...), smime.ErrLimit},
		{"layers beyond the limit", nested, smime.ErrLimit},
		{"expands beyond the limit", compressedMail(t, "Content-Type: text/plain\r\n\r\n"+strings.Repeat("a", 2<<20)), smime.ErrLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			limits := smime.Limits{CMS: pkcs7.Limits{Expanded: 1 << 20}}
			opts := smime.UnsealOptions{Verify: smime.VerifyOptions{Limits: limits}}
			for _, cipher := range []pkcs7.Cipher{pkcs7.AES256CBC, pkcs7.AES256GCM} {
				out, _, err := w.unseal(bytes.NewReader(encrypted(t, w.bob, "alice@example.com", cipher, tt.inner)), opts)
				switch {
				case err == nil || len(out) > 0:
					t.Errorf("%v: %v, %d octets", cipher, err, len(out))
				case cipher.Authenticated() && tt.name != "layers beyond the limit":
					if !errors.Is(err, tt.want) || tt.want != pkcs7.ErrDecrypt && errors.Is(err, pkcs7.ErrDecrypt) {
						t.Errorf("%v: %v", cipher, err)
					}
				case !errors.Is(err, pkcs7.ErrDecrypt) || !errors.Is(err, smime.ErrNotSigned) || tt.want != smime.ErrNotSigned && tt.want != pkcs7.ErrDecrypt && errors.Is(err, tt.want):
					t.Errorf("%v: %v", cipher, err)
				case first == "":
					first = err.Error()
				case err.Error() != first:
					t.Errorf("%v: %v, not %s", cipher, err, first)
				}
			}
		})
	}
}

// TestUnsealTellsWhy holds that nothing is kept back that is no secret: what a
// good signature shows, and failures beside the message.
func TestUnsealTellsWhy(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	stranger := smimetest.NewCA(t).Identity("alice@example.com")
	sealed := func(from string, inner []byte) []byte { return encrypted(t, w.bob, from, pkcs7.AES256CBC, inner) }
	for _, tt := range []struct {
		name string
		msg  []byte
		opts smime.UnsealOptions
		want error
	}{
		{"good", sealed("alice@example.com", w.seeds[0]), smime.UnsealOptions{}, nil},
		{"another author", sealed("bob@example.com", w.seeds[0]), smime.UnsealOptions{}, smime.ErrSender},
		{"another author in the signed header", sealed("bob@example.com", clearSigned(t, w.alice, "", []byte("From: alice@example.com\r\n\r\nhello"))), smime.UnsealOptions{}, smime.ErrAmbiguousSender},
		{"another signer", sealed("alice@example.com", w.seeds[7]), smime.UnsealOptions{}, smime.ErrSender},
		{"a stranger", sealed("alice@example.com", clearSigned(t, stranger, "alice@example.com", []byte("\r\nhello"))), smime.UnsealOptions{}, chain.ErrUnknownIssuer},
		{"signed twice, the author unknown", sealed("alice@example.com", opaqueSigned(t, w.alice, "alice@example.com", w.seeds[7])), smime.UnsealOptions{}, smime.ErrSender},
		{"authentication required", sealed("alice@example.com", w.seeds[0]), smime.UnsealOptions{RequireAuthenticated: true}, smime.ErrNotAuthenticated},
		{"layers", sealed("alice@example.com", w.seeds[0]), smime.UnsealOptions{Verify: smime.VerifyOptions{Limits: smime.Limits{Layers: 1}}}, smime.ErrLimit},
		{"data after the end", cmsMail("alice@example.com", "enveloped-data", append(derOf(t, sealed("", w.seeds[0])), "junk"...)), smime.UnsealOptions{}, pkcs7.ErrSyntax},
		{"cut", cmsMail("alice@example.com", "enveloped-data", derOf(t, sealed("", w.seeds[0]))[:2000]), smime.UnsealOptions{}, pkcs7.ErrSyntax},
		{"text after base64", append(sealed("alice@example.com", w.seeds[0]), "-- \r\nfooter\r\n"...), smime.UnsealOptions{}, smime.ErrMalformed},
		{"signed outside", clearSigned(t, w.alice, "alice@example.com", sealed("", []byte("\r\nhello"))), smime.UnsealOptions{}, smime.ErrSignedOutside},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := w.unseal(bytes.NewReader(tt.msg), tt.opts)
			if !matches(err, tt.want) || tt.want != smime.ErrSignedOutside && errors.Is(err, pkcs7.ErrDecrypt) {
				t.Error(err)
			}
		})
	}
	// An input that fails while it is read again.
	big := sealed("alice@example.com", clearSigned(t, w.alice, "alice@example.com", benchEntity(1<<20)))
	boom := errors.New("boom")
	for n := range 8 {
		t.Run(fmt.Sprintf("%d halves", n+1), func(t *testing.T) {
			r := &failsLater{ReadSeeker: bytes.NewReader(big), left: int64(len(big)) * int64(n+1) / 2, err: boom}
			if _, _, err := w.unseal(r, smime.UnsealOptions{}); err != nil && !errors.Is(err, boom) {
				t.Errorf("input that fails after %d halves: %v", n+1, err)
			} else if err != nil && errors.Is(err, pkcs7.ErrDecrypt) {
				t.Errorf("input that fails after %d halves is said to be changed: %v", n+1, err)
			}
		})
	}
	if _, _, err := w.unseal(io.MultiReader(bytes.NewReader(big[:1<<19]), iotest.ErrReader(boom)), smime.UnsealOptions{}); !errors.Is(err, boom) {
		t.Error(err)
	}
}

// failsLater reads so many octets in all and then fails.
type failsLater struct {
	io.ReadSeeker
	left int64
	err  error
}

func (f *failsLater) Read(p []byte) (int, error) {
	if f.left <= 0 {
		return 0, f.err
	}
	n, err := f.ReadSeeker.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	return n, err
}

// TestUnsealPasses counts how often a message is read whose layers are undone
// one by one: not more often the more layers there are.
func TestUnsealPasses(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	text := benchEntity(600 << 10)
	for _, opaque := range []bool{false, true} {
		t.Run(fmt.Sprintf("opaque %v", opaque), func(t *testing.T) {
			msg := clearSigned(t, w.alice, "alice@example.com", text)
			for n := 1; n <= 7; n++ {
				if opaque && n > 1 {
					msg = opaqueSigned(t, w.alice, "alice@example.com", msg)
				} else {
					msg = encrypted(t, w.bob, "alice@example.com", pkcs7.AES128CBC, msg)
				}
				for _, limits := range []smime.Limits{{}, {CMS: pkcs7.Limits{Memory: 256 << 10, Disk: -1}}} {
					r := &readCounter{Reader: bytes.NewReader(msg)}
					out, _, err := w.unseal(r, smime.UnsealOptions{Verify: smime.VerifyOptions{Limits: limits}})
					if err != nil || !bytes.Equal(out, text) {
						t.Fatalf("%d layers: %v, %d octets", n, err, len(out))
					}
					if passes := float64(r.n) / float64(len(msg)); passes > 9 && limits.CMS.Disk == 0 {
						t.Errorf("%d layers: %.1f passes", n, passes)
					}
				}
			}
		})
	}
}

// readCounter counts what is read of it.
type readCounter struct {
	*bytes.Reader
	n int64
}

func (c *readCounter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *readCounter) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.Reader.ReadAt(p, off)
	c.n += int64(n)
	return n, err
}

func (c *readCounter) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{c})
}
