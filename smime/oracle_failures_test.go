package smime_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// An absentKey is that of a card that is not there.
type absentKey struct{ *rsa.PrivateKey }

func (absentKey) Decrypt(io.Reader, []byte, crypto.DecrypterOpts) ([]byte, error) {
	return nil, fmt.Errorf("no card: %w", pkcs7.ErrKeyUnavailable)
}

// A failingInside is an entity of which the reading fails for a reason that is
// not in its octets, or in its type alone.
type failingInside struct {
	entity []byte
	limits func() smime.Limits
	outer  error // what a cipher that authenticates tells, from Unseal
}

func failingEntities(t *testing.T, w *readFixture, absent *smime.Identity) map[string]failingInside {
	t.Helper()
	none := func() smime.Limits { return smime.Limits{} }
	text := []byte("Content-Type: text/plain\r\n\r\nhello\r\n")
	large := append(bytes.Clone(text), bytes.Repeat([]byte("0123456789abcde\n"), 20_000)...)
	return map[string]failingInside{
		"content that is no data": {cmsEntity("signed-data", rawSignedData(oid.TSTInfo, text)), none, nil},
		"absent key":              {inside(encrypted(t, absent, "", pkcs7.AES128GCM, text)), none, pkcs7.ErrKeyUnavailable},
		"absent key, CBC":         {inside(encrypted(t, absent, "", pkcs7.AES128CBC, text)), none, pkcs7.ErrKeyUnavailable},
		"no disk": {compressedEntity(t, large), func() smime.Limits {
			return smime.Limits{CMS: pkcs7.Limits{Memory: 1 << 17, Dir: filepath.Join(t.TempDir(), "missing")}}
		}, fs.ErrNotExist},
	}
}

// TestNoOracleOfFailures requires of failures of keys, disks and types of content
// inside a cipher that does not authenticate what TestNoOracle requires of
// limits and structures: no error of Open, and one error of Unseal.
func TestNoOracleOfFailures(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("no disk there")
	}
	t.Parallel()
	w := newReadFixture(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	cert := smimetest.NewCA(t).Certify(key, "bob@example.com").Certificate()
	absent, err := smime.NewIdentity(absentKey{key}, cert)
	if err != nil {
		t.Fatal(err)
	}
	keys := smime.Identities{absent, w.bob}
	unseal := func(mail []byte, limits smime.Limits) error {
		var out bytes.Buffer
		_, _, err := smime.Unseal(context.Background(), &out, bytes.NewReader(mail), keys, w.trust,
			&smime.UnsealOptions{Verify: smime.VerifyOptions{Limits: limits, Chain: w.at}})
		if out.Len() > 0 {
			t.Errorf("%d octets were written", out.Len())
		}
		return err
	}
	for name, row := range failingEntities(t, w, absent) {
		t.Run(name, func(t *testing.T) {
			mail := encrypted(t, w.bob, "alice@example.com", pkcs7.AES256CBC, row.entity)
			limits := row.limits()
			bad := badlyPadded(t, mail)
			one := unseal(bad, limits)
			if !errors.Is(one, pkcs7.ErrDecrypt) || !errors.Is(one, smime.ErrNotSigned) {
				t.Errorf("with bad padding: %v", one)
			}
			if err := unseal(mail, limits); err == nil || err.Error() != one.Error() || errors.Is(err, pkcs7.ErrKeyUnavailable) {
				t.Errorf("Unseal: %v, with bad padding: %v", err, one)
			}
			for _, octets := range [][]byte{mail, bad} {
				m, err := smime.Open(t.Context(), bytes.NewReader(octets), &smime.OpenOptions{Trust: w.trust, Keys: keys, Chain: w.at, Limits: limits})
				if err != nil {
					t.Errorf("Open: %v", err)
					continue
				}
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			}
			if row.outer == nil {
				return
			}
			gcm := encrypted(t, w.bob, "alice@example.com", pkcs7.AES256GCM, row.entity)
			if err := unseal(gcm, limits); !errors.Is(err, row.outer) {
				t.Errorf("Unseal of an authenticated content: %v", err)
			}
		})
	}
}

// TestLimitInsideSignature: once a signature inside CBC holds, whoever encrypted
// knew the content, and Unseal tells the limit; Open judges later and does not.
func TestLimitInsideSignature(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	nested := []byte("Content-Type: text/plain\r\n\r\nhello\r\n")
	for range 10 {
		nested = signedData(nested)
	}
	entity := inside(opaqueSigned(t, w.alice, "", nested))
	mail := encrypted(t, w.bob, "alice@example.com", pkcs7.AES256CBC, entity)
	if out, _, err := w.unseal(bytes.NewReader(mail), smime.UnsealOptions{}); !errors.Is(err, smime.ErrLimit) || len(out) > 0 {
		t.Errorf("Unseal: %v", err)
	}
	m, err := w.openWithin(t, mail, smime.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if l := m.Root().(*smime.EncryptedLayer); !errors.Is(l.Opened.Err(), pkcs7.ErrDecrypt) || len(l.Children()) > 0 {
		t.Errorf("Open:\n%v", m)
	}
}
