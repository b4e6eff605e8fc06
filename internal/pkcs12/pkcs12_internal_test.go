package pkcs12

import (
	"encoding/hex"
	"errors"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
)

// TestIterationLimits: the work that a file asks for is refused before it is
// done, wherever the file asks for it.
func TestIterationLimits(t *testing.T) {
	pbe := func(iterations int64) alg.Identifier {
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(make([]byte, 8))
			b.AddASN1Int64(iterations)
		})
		return alg.Identifier{OID: oidPBE3DES3, Params: b.BytesOrPanic()}
	}
	pbes2 := func(iterations int64) alg.Identifier {
		var b cryptobyte.Builder
		algorithm := func(b *cryptobyte.Builder, id oid.OID, params func(*cryptobyte.Builder)) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(id)) })
				params(b)
			})
		}
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			algorithm(b, oid.PBKDF2, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1OctetString(make([]byte, 8))
					b.AddASN1Int64(iterations)
				})
			})
			algorithm(b, oid.AES256CBC, func(b *cryptobyte.Builder) { b.AddASN1OctetString(make([]byte, 16)) })
		})
		return alg.Identifier{OID: oid.PBES2, Params: b.BytesOrPanic()}
	}
	for _, tt := range []struct {
		name string
		id   alg.Identifier
		want error
	}{
		{"PBE", pbe(1<<31 - 1), ErrLimit}, {"PBE, one too many", pbe(maxIterations + 1), ErrLimit}, {"PBE of 0", pbe(0), ErrMalformed},
		{"PBE of -1", pbe(-1), ErrMalformed}, {"PBES2", pbes2(1<<31 - 1), ErrLimit}, {"PBES2, one too many", pbes2(maxIterations + 1), ErrLimit},
		{"PBES2 of 0", pbes2(0), ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &decoder{passwords: encodings("x")}
			if _, err := d.decrypt(tt.id, make([]byte, 16), isSequence); !errors.Is(err, tt.want) || d.work != 0 {
				t.Errorf("%v after %d iterations, want %v", err, d.work, tt.want)
			}
		})
	}
	// Many bags together have a limit of their own.
	d := &decoder{passwords: encodings("x"), work: maxIterationsTotal - 100}
	if _, err := d.decrypt(pbe(101), make([]byte, 16), isSequence); !errors.Is(err, ErrLimit) {
		t.Error(err)
	}
}

// TestDeriveKey has values computed with OpenSSL 3.0:
//
//	openssl kdf -keylen N -kdfopt digest:D -kdfopt hexpass:P -kdfopt hexsalt:S -kdfopt iter:I -kdfopt id:ID PKCS12KDF
func TestDeriveKey(t *testing.T) {
	salt, _ := hex.DecodeString("0a58cf64530d823f")
	for _, tt := range []struct {
		name       string
		hash       alg.Hash
		purpose    byte
		iterations int
		n          int
		want       string
	}{
		{"key", alg.SHA1, 1, 1, 24, "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"},
		{"IV", alg.SHA1, 2, 1, 8, "79993dfe048d3b76"},
		{"MAC key", alg.SHA1, 3, 1000, 20, "eeda645443827451e9753694f90ee9b9cf9248ff"},
		{"MAC key with SHA-256", alg.SHA256, 3, 2048, 32, "e4388cd88983083b1d1552867406cb3426e16cbcf4358c7bf5a97cdb2a11db46"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := hex.EncodeToString(deriveKey(tt.hash, tt.purpose, bmpPassword("smeg"), salt, tt.iterations, tt.n))
			if got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestTooManyBags(t *testing.T) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for range maxBags + 1 {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(oidKeyBag)) })
				b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1NULL() })
			})
		}
	})
	if err := new(decoder).safeContents(b.BytesOrPanic(), 0); !errors.Is(err, ErrLimit) {
		t.Error(err)
	}
}
