package pkcs7

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
)

// envelopeOf takes the CMS out of the simple wrappers of the corpus.
func envelopeOf(t testing.TB, b []byte) []byte {
	t.Helper()
	if len(b) > 0 && b[0] == 0x30 {
		return b
	}
	if block, _ := pem.Decode(b); block != nil {
		return block.Bytes
	}
	if head, body, _ := bytes.Cut(b, []byte("\r\n\r\n")); bytes.Contains(head, []byte("Transfer-Encoding: binary")) {
		return body
	}
	_, body, ok := bytes.Cut(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
	if !ok {
		return b
	}
	der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(body), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// goldenKeys returns one key list for each key that must open the message by itself.
func goldenKeys(t testing.TB, g *suites.Golden) [][]DecryptionKey {
	t.Helper()
	var lists [][]DecryptionKey
	for _, pair := range g.Keys {
		cert := &x509.Certificate{Raw: pemBlock(t, g.Read(t, pair.Cert))}
		der := g.Read(t, pair.Key)
		if block, _ := pem.Decode(der); block != nil {
			der = block.Bytes
		}
		key, err := parsePrivateKey(der)
		if err != nil && goldenExceptions[g.Case] != "" {
			key, err = struct{}{}, nil // of a kind that is not supported either
		}
		if err != nil {
			t.Errorf("%s: %v", pair.Key, err)
			continue
		}
		lists = append(lists, []DecryptionKey{KeyOf(cert, key)})
	}
	if g.Password != "" {
		lists = append(lists, []DecryptionKey{KeyFromPassword([]byte(g.Password))})
	}
	for _, secret := range []string{g.KEK, g.SecretKey} {
		if secret != "" {
			lists = append(lists, []DecryptionKey{KeyFromKEK(unhex(t, g.KEKID), unhex(t, secret))})
		}
	}
	return lists
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goldenExceptions are messages that this package can't read and why.
var goldenExceptions = map[string]string{
	"ecdh-brainpool":   "no brainpool curves",
	"rsa-camellia":     "no Camellia",
	"rsa-camellia-256": "no Camellia",
}

// openGolden reads a message in one of the ways that there are.
func openGolden(msg []byte, keys []DecryptionKey, opts *DecryptOptions, way int) ([]byte, error) {
	src := io.Reader(bytes.NewReader(msg))
	if way&1 != 0 {
		src = unseekable(msg)
	}
	o := *opts
	o.Withhold = way&2 != 0
	content, err := decryptAll(src, fixed(keys...), &o)
	if !errors.Is(err, ErrUnsupported) {
		return content, err
	}
	var out bytes.Buffer
	if _, other := Extract(context.Background(), &out, bytes.NewReader(msg), fixed(keys...), &o); !errors.Is(other, ErrUnsupported) {
		return out.Bytes(), other
	}
	return content, err
}

func TestGoldensDecrypt(t *testing.T) {
	t.Parallel()
	kinds := []string{"enveloped", "authenveloped", "encrypted", "digested", "authenticated"}
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return slices.Contains(kinds, g.Kind) })
	opened, refused, excepted := 0, 0, 0
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			msg := envelopeOf(t, g.Read(t, g.File))
			lists := goldenKeys(t, g)
			if len(lists) == 0 {
				lists = [][]DecryptionKey{nil} // DigestedData
			}
			for _, keys := range lists {
				for way := range 4 {
					content, err := openGolden(msg, keys, &DecryptOptions{InsecureHistoric: true}, way)
					sum := sha256.Sum256(content)
					switch {
					case goldenExceptions[g.Case] != "":
						if err == nil {
							t.Errorf("%s: opened in spite of the exception %q", g.File, goldenExceptions[g.Case])
						}
						excepted++
					case g.Expected == "fail":
						if err == nil {
							t.Errorf("%s: opened, but %s", g.File, g.Reason)
						}
						refused++
					case err != nil:
						t.Errorf("%s: %v", g.File, err)
					case hex.EncodeToString(sum[:]) != g.PlaintextSHA256:
						t.Errorf("%s: other content", g.File)
					default:
						opened++
					}
					if err != nil && len(content) > 0 && !errors.Is(err, ErrDecrypt) {
						t.Errorf("%s: %d octets besides %v", g.File, len(content), err)
					}
				}
				if _, err := openGolden(msg, keys, &DecryptOptions{}, 0); g.Legacy && err != nil && !errors.Is(err, ErrWeak) {
					t.Errorf("%s: historic, but %v", g.File, err)
				}
			}
		})
	}
	t.Logf("%d messages: %d opened, %d refused, %d excepted", len(rows), opened, refused, excepted)
	if len(rows) < 311 || opened < 4*300 || refused < 4*3 || excepted < 4*3 {
		t.Errorf("%d messages, %d opened, %d refused, %d excepted", len(rows), opened, refused, excepted)
	}
}

func TestGoldensBadEncrypted(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return g.Operation == "decrypt" && (strings.HasPrefix(g.File, "bad/encrypted/") || strings.HasPrefix(g.File, "bad/trunc/"))
	})
	opened, refused := 0, 0
	groups := map[string]map[string]int{}
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			msg := g.Read(t, g.File)
			for _, keys := range goldenKeys(t, g) {
				for way := range 4 {
					content, err := openGolden(msg, keys, &DecryptOptions{InsecureHistoric: true}, way)
					sum := sha256.Sum256(content)
					other := func() bool { return g.PlaintextSHA256 != "" && hex.EncodeToString(sum[:]) != g.PlaintextSHA256 }
					for range 3 {
						// A random key has its padding right once in 256 times.
						if err == nil && (other() || !g.Accepts("ok") && !g.Accepts("ok-with-warning")) {
							content, err = openGolden(msg, keys, &DecryptOptions{InsecureHistoric: true}, way)
							sum = sha256.Sum256(content)
						}
					}
					switch {
					case err == nil && !g.Accepts("ok") && !g.Accepts("ok-with-warning"):
						t.Errorf("%s: opened, but %s", g.File, g.Reason)
					case err == nil:
						if other() {
							t.Errorf("%s: other content", g.File)
						}
						opened++
					case !g.Accepts("fail"):
						t.Errorf("%s: %v", g.File, err)
					default:
						refused++
					}
					if err == nil || g.Group == "" {
						continue
					}
					if groups[g.Group] == nil {
						groups[g.Group] = map[string]int{}
					}
					groups[g.Group][err.Error()]++
				}
			}
		})
	}
	// All members of an oracle group fail alike.
	for group, errs := range groups {
		if len(errs) != 1 || errs[ErrDecrypt.Error()] == 0 {
			t.Errorf("%s fails in several ways: %v", group, errs)
		}
	}
	t.Logf("%d messages: %d opened, %d refused", len(rows), opened, refused)
	if len(rows) != 230 || len(groups) != 2 || opened < 4*10 || refused < 4*200 {
		t.Errorf("%d messages, %d groups, %d opened, %d refused", len(rows), len(groups), opened, refused)
	}
}

// TestGoldensAuthenticated changes AuthenticatedData: it is whole or refused.
func TestGoldensAuthenticated(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Kind == "authenticated" })
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			msg := g.Read(t, g.File)
			keys := fixed(goldenKeys(t, g)[0]...)
			extract := func(b []byte, opts *DecryptOptions) (string, error) {
				var out bytes.Buffer
				_, err := Extract(context.Background(), &out, bytes.NewReader(b), keys, opts)
				sum := sha256.Sum256(out.Bytes())
				if err != nil && (out.Len() > 0 || !documentedDecrypt(err)) {
					t.Errorf("%s: %d octets, %v", g.File, out.Len(), err)
				}
				return hex.EncodeToString(sum[:]), err
			}
			if sum, err := extract(msg, &DecryptOptions{RequireAuthenticated: true}); err != nil || sum != g.PlaintextSHA256 {
				t.Errorf("%s: %v", g.File, err)
			}
			for n := 0; n < len(msg); n += 7 {
				if _, err := extract(msg[:n], nil); err == nil {
					t.Errorf("%s: cut at %d", g.File, n)
				}
			}
			for bit := 0; bit < 8*len(msg); bit += 31 {
				bad := bytes.Clone(msg)
				bad[bit/8] ^= 1 << (bit % 8)
				if sum, err := extract(bad, nil); err == nil && sum != g.PlaintextSHA256 {
					t.Errorf("%s: bit %d", g.File, bit)
				}
			}
		})
	}
	if len(rows) != 3 {
		t.Errorf("%d messages", len(rows))
	}
}
