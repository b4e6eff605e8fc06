package smime_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// An exceeding is an entity that cannot be read within some limits.
type exceeding struct {
	entity []byte
	limits func(mail, entity int) smime.Limits // for their sizes
}

// exceedings returns an entity for each limit and structure that reading what is
// inside an encrypted layer can run into.
func exceedings(t *testing.T, w *readFixture) map[string]exceeding {
	t.Helper()
	text := []byte("Content-Type: text/plain\r\n\r\nhello\r\n")
	rows := map[string]exceeding{}
	add := func(name string, limits smime.Limits, entity []byte) {
		rows[name] = exceeding{entity, func(int, int) smime.Limits { return limits }}
	}
	header := func(s string) []byte { return []byte(s + "Content-Type: text/plain\r\n\r\nhello\r\n") }

	add("octets of header", smime.Limits{}, header("A: "+strings.Repeat("a", 1<<20)+"\r\n"))
	add("fields", smime.Limits{}, header(strings.Repeat("A: b\r\n", 10_001)))
	add("parts", smime.Limits{Parts: 20}, []byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n"+strings.Repeat("--b\r\n\r\nx\r\n", 30)+"--b--\r\n"))
	add("depth", smime.Limits{Depth: 10}, []byte(strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 20)+"\r\nx\r\n"))
	nested := text
	for range 10 {
		nested = signedData(nested)
	}
	add("layers", smime.Limits{}, nested)
	large := append(bytes.Clone(text), bytes.Repeat([]byte("0123456789abcde\n"), 20_000)...)
	// Room for the message and for what is encrypted, but not for more.
	room := func(sizes ...int) (n int64) {
		for _, size := range sizes {
			n += int64(size)&^0xffff + 2<<16
		}
		return n
	}
	rows["memory"] = exceeding{signedData(signedData(large)), func(mail, entity int) smime.Limits {
		return smime.Limits{CMS: pkcs7.Limits{Memory: room(mail, entity), Disk: -1}}
	}}
	if runtime.GOOS != "js" { // no disk there
		rows["disk"] = exceeding{signedData(signedData(large)), func(mail, entity int) smime.Limits {
			return smime.Limits{CMS: pkcs7.Limits{Memory: 1 << 17, Disk: room(mail, entity)}}
		}}
	}
	add("bytes", smime.Limits{CMS: pkcs7.Limits{Bytes: 1 << 20}}, signedData(signedData(large)))
	add("expanded", smime.Limits{CMS: pkcs7.Limits{Expanded: 1 << 20}}, compressedEntity(t, make([]byte, 2<<20)))
	add("ratio", smime.Limits{CMS: pkcs7.Limits{Disk: 64 << 20}}, compressedEntity(t, make([]byte, 9<<20)))
	add("certificates", smime.Limits{CMS: pkcs7.Limits{Certificates: 1}}, signedData(text, w.alice.Certificate().Raw, w.bob.Certificate().Raw))
	add("recipients", smime.Limits{CMS: pkcs7.Limits{Recipients: 4}}, toMany(t, text, w.bob, w.alice, w.alice, w.alice, w.alice))
	add("private keys", smime.Limits{CMS: pkcs7.Limits{PrivateKeys: 1}}, inside(encrypted(t, w.bob, "", pkcs7.AES256CBC, text)))
	return rows
}

// structures are entities of which the reading ends in the middle, or not.
func structures(t *testing.T, w *readFixture) map[string][]byte {
	t.Helper()
	opaque := inside(opaqueSigned(t, w.alice, "", []byte("Content-Type: text/plain\r\n\r\nhello\r\n")))
	clear := inside(w.seeds[0])
	half := func(b []byte) []byte { return b[:len(b)*3/4] }
	sealed := inside(encrypted(t, w.bob, "", pkcs7.AES256CBC, clear))
	return map[string][]byte{
		"text":                   []byte("Content-Type: text/plain\r\n\r\nhello\r\n"),
		"no header":              []byte("hello, hello, hello\r\n"),
		"octets":                 bytes.Repeat([]byte{0, 0xff, '\r'}, 100),
		"two types":              []byte("Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nhello\r\n"),
		"no boundary":            []byte("Content-Type: multipart/mixed\r\n\r\nhello\r\n"),
		"no parts":               []byte("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\nhello\r\n"),
		"opaque cut off":         half(opaque),
		"clear cut off":          half(clear),
		"clear altered":          bytes.Replace(clear, []byte("pay 5"), []byte("pay 6"), 1),
		"no base64":              []byte("Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!\r\n"),
		"no CMS":                 []byte("Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n"),
		"unknown encoding":       []byte("Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: x\r\n\r\nAAAA\r\n"),
		"encrypted cut off":      half(sealed),
		"for nobody":             inside(encrypted(t, w.alice, "", pkcs7.AES256CBC, clear)),
		"unsigned":               signedData([]byte("Content-Type: text/plain\r\n\r\nhello\r\n")),
		"compressed":             compressedEntity(t, []byte("Content-Type: text/plain\r\n\r\nhello\r\n")),
		"compressed cut off":     half(compressedEntity(t, bytes.Repeat([]byte("0123456789"), 50))),
		"unsupported content":    cmsEntity("signed-data", []byte{0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6, 0xa0, 0}),
		"padded by a whole line": []byte("Content-Type: text/plain\r\n\r\nhello\r\n\r\n" + strings.Repeat(" ", 16)),
	}
}

// depths wrap an entity in what can be around it inside of the encryption.
func depths(t *testing.T, w *readFixture) map[string]func(entity []byte) []byte {
	t.Helper()
	return map[string]func([]byte) []byte{
		"alone":      func(e []byte) []byte { return e },
		"attached":   func(e []byte) []byte { return append([]byte("Content-Type: message/rfc822\r\n\r\n"), e...) },
		"compressed": func(e []byte) []byte { return compressedEntity(t, e) },
		"unsigned":   func(e []byte) []byte { return signedData(e) },
		"encrypted":  func(e []byte) []byte { return inside(encrypted(t, w.bob, "", pkcs7.AES128CBC, e)) },
		"badly signed": func(e []byte) []byte {
			return fmt.Appendf(nil, "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=outer\r\n\r\n--outer\r\n%s\r\n--outer\r\nContent-Type: application/pkcs7-signature\r\n\r\nAAAA\r\n--outer--\r\n", e)
		},
	}
}

// TestNoOracle holds that nothing which reading the inside of a cipher that does
// not authenticate runs into is an error of Open, that a limit closes the layer
// as bad padding does, and that Unseal has one error for everything.
func TestNoOracle(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	reached := 0
	for depth, wrap := range depths(t, w) {
		for name, row := range exceedings(t, w) {
			t.Run(depth+"/"+name, func(t *testing.T) {
				if w.oneOutcome(t, wrap(row.entity), row.limits) {
					reached++
				}
			})
		}
		for name, entity := range structures(t, w) {
			t.Run(depth+"/"+name, func(t *testing.T) {
				w.oneOutcome(t, wrap(entity), func(int, int) smime.Limits { return smime.Limits{} })
			})
		}
	}
	// Layers in an attachment and in what has no good signature are not all read.
	if reached < 45 {
		t.Errorf("%d rows reach a limit", reached)
	}
}

// oneOutcome encrypts an entity and compares what is said of it with what is
// said of the same ciphertext with bad padding. It reports whether a limit was
// reached, which a cipher that authenticates tells.
func (w *readFixture) oneOutcome(t *testing.T, entity []byte, limitsOf func(mail, entity int) smime.Limits) bool {
	t.Helper()
	mail := encrypted(t, w.bob, "alice@example.com", pkcs7.AES256CBC, entity)
	limits := limitsOf(len(mail), len(entity))
	bad := badlyPadded(t, mail)
	m, err := w.openWithin(t, mail, limits)
	closed, err2 := w.openWithin(t, bad, limits)
	if err != nil || err2 != nil {
		t.Fatalf("Open: %v, with bad padding: %v", err, err2)
	}
	defer m.Close()
	defer closed.Close()
	if l := closed.Root().(*smime.EncryptedLayer); !errors.Is(l.Opened.Err(), pkcs7.ErrDecrypt) || len(l.Children()) > 0 {
		t.Fatalf("with bad padding:\n%v", closed)
	}
	gcm, err := w.openWithin(t, encrypted(t, w.bob, "alice@example.com", pkcs7.AES256GCM, entity), limits)
	reached := errors.Is(err, smime.ErrLimit)
	if err == nil {
		gcm.Close()
	} else if !reached {
		t.Errorf("Open of an authenticated content: %v", err)
	}
	if got, want := m.String(), closed.String(); reached && got != want {
		t.Errorf("a limit differs from bad padding:\n%s%s", got, want)
	}
	opts := smime.UnsealOptions{Verify: smime.VerifyOptions{Limits: limits}}
	_, _, one := w.unseal(bytes.NewReader(bad), opts)
	if !errors.Is(one, pkcs7.ErrDecrypt) || !errors.Is(one, smime.ErrNotSigned) {
		t.Errorf("Unseal with bad padding: %v", one)
	}
	if out, _, err := w.unseal(bytes.NewReader(mail), opts); err == nil || err.Error() != one.Error() || len(out) > 0 {
		t.Errorf("Unseal: %v, with bad padding: %v", err, one)
	}
	return reached
}

func (w *readFixture) openWithin(t testing.TB, mail []byte, limits smime.Limits) (*smime.Message, error) {
	return smime.Open(t.Context(), bytes.NewReader(mail), &smime.OpenOptions{
		Trust: w.trust, Keys: smime.Identities{w.bob}, Chain: w.at, Limits: limits})
}

// badlyPadded changes the last octet of the plaintext of a CBC mail.
func badlyPadded(t testing.TB, mail []byte) []byte {
	t.Helper()
	der := derOf(t, mail)
	der[len(der)-17] ^= 0x80
	return cmsMail("alice@example.com", "enveloped-data", der)
}

// signedData wraps an entity in a SignedData without signatures.
func signedData(entity []byte, certs ...[]byte) []byte {
	return cmsEntity("signed-data", rawSignedData(oid.Data, entity, certs...))
}

func rawSignedData(kind oid.OID, entity []byte, certs ...[]byte) []byte {
	seq := func(parts ...[]byte) []byte { return ber.Append(nil, ber.Sequence, true, parts...) }
	id := func(o oid.OID) []byte { return ber.Append(nil, ber.OID, false, []byte(o)) }
	none := ber.Append(nil, ber.Set, true)
	content := ber.Append(nil, ber.Context(0), true, ber.Append(nil, ber.OctetString, false, entity))
	body := [][]byte{ber.Append(nil, ber.Integer, false, []byte{1}), none, seq(id(kind), content)}
	if len(certs) > 0 {
		body = append(body, ber.Append(nil, ber.Context(0), true, certs...))
	}
	body = append(body, none)
	return seq(id(oid.SignedData), ber.Append(nil, ber.Context(0), true, seq(body...)))
}

// toMany encrypts an entity to several people, in CBC.
func toMany(t testing.TB, entity []byte, to ...*smime.Identity) []byte {
	t.Helper()
	var cms bytes.Buffer
	var list []pkcs7.Recipient
	for _, id := range to {
		list = append(list, pkcs7.ToCertificate(id.Certificate(), nil))
	}
	w, err := pkcs7.NewEncryptWriter(t.Context(), &cms, list, &pkcs7.EncryptOptions{Cipher: pkcs7.AES256CBC})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(entity); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return cmsEntity("enveloped-data", cms.Bytes())
}

// inside returns a message without the fields that only a message has.
func inside(msg []byte) []byte { return []byte(entityOf(msg)) }

func compressedEntity(t testing.TB, entity []byte) []byte {
	t.Helper()
	var cms bytes.Buffer
	if err := pkcs7.Compress(&cms, bytes.NewReader(entity)); err != nil {
		t.Fatal(err)
	}
	return cmsEntity("compressed-data", cms.Bytes())
}

func cmsEntity(kind string, cms []byte) []byte {
	return fmt.Appendf(nil, "Content-Type: application/pkcs7-mime; smime-type=%s\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n",
		kind, base64.StdEncoding.EncodeToString(cms))
}

// A countingFetcher finds nothing and counts who asked.
type countingFetcher struct{ calls int }

func (f *countingFetcher) Fetch(context.Context, chain.Kind, string, []byte) ([][]byte, error) {
	f.calls++
	return nil, errors.New("nothing there")
}

// TestNobodyIsAskedInVain holds that a signature that does not hold makes nobody
// be asked for certificates or revocation: that could be seen from outside.
func TestNobodyIsAskedInVain(t *testing.T) {
	ca := smimetest.NewCA(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "Alice"}, NotBefore: smimetest.Now().AddDate(-1, 0, 0), NotAfter: smimetest.Now().AddDate(1, 0, 0),
		EmailAddresses: []string{"alice@example.com"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		IssuingCertificateURL: []string{"http://ca.example/ca.cer"}, OCSPServer: []string{"http://ca.example/ocsp"}, CRLDistributionPoints: []string{"http://ca.example/crl"},
	}
	issuer := &x509.Certificate{Subject: pkix.Name{CommonName: "Missing"}, RawSubject: nil}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	id, err := smime.NewIdentity(key, cert)
	if err != nil {
		t.Fatal(err)
	}
	signed := clearSigned(t, id, "alice@example.com", []byte("Content-Type: text/plain\r\n\r\nhello\r\n"))
	for _, tt := range []struct {
		name  string
		msg   []byte
		asked bool
	}{
		{"holds", signed, true},
		{"does not hold", bytes.Replace(signed, []byte("hello"), []byte("jello"), 1), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &countingFetcher{}
			opts := chain.Options{At: smimetest.Now(), Fetcher: f}
			if _, err := smime.Verify(t.Context(), &bytes.Buffer{}, bytes.NewReader(tt.msg), ca.Trust(), &smime.VerifyOptions{Chain: opts}); err == nil {
				t.Error("passed")
			}
			m, err := smime.Open(t.Context(), bytes.NewReader(tt.msg), &smime.OpenOptions{Trust: ca.Trust(), Chain: opts})
			if err != nil {
				t.Fatal(err)
			}
			m.Close()
			if (f.calls > 0) != tt.asked {
				t.Errorf("%d calls", f.calls)
			}
		})
	}
}
