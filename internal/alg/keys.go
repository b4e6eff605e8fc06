package alg

import (
	"crypto"
	"crypto/ecdh"
)

// A Wrap is a key-wrap algorithm: AES (RFC 3394, RFC 5649), Triple DES to read.
type Wrap struct {
	ID     Identifier
	KEKLen int
}

// WrapOf parses a KeyWrapAlgorithm.
func WrapOf(id Identifier) (*Wrap, error) { panic("sketch") }

// WrapFor returns the AES wrap for a key of that many octets (RFC 8551 section 2.3).
func WrapFor(cekLen int) *Wrap { panic("sketch") }

func (w *Wrap) Wrap(kek, cek []byte) ([]byte, error)       { panic("sketch") }
func (w *Wrap) Unwrap(kek, wrapped []byte) ([]byte, error) { panic("sketch") } // ErrDecrypt

// An Agreement is a key agreement algorithm: the KDF that follows (X9.63 or HKDF), its hash, and the key wrap.
type Agreement struct {
	ID       Identifier
	Hash     Hash
	HKDF     bool
	Cofactor bool
	Wrap     *Wrap
}

// AgreementOf parses a key agreement AlgorithmIdentifier (RFC 5753 section 7.1, RFC 8418 section 2).
func AgreementOf(id Identifier) (*Agreement, error) { panic("sketch") }

// AgreementFor returns the one to write for a recipient's key and a CEK of that many octets:
// stdDH with the X9.63 KDF for the NIST curves, HKDF for X25519 and X448.
func AgreementFor(pub *PublicKey, cekLen int) (*Agreement, error) { panic("sketch") }

// KEKs returns the key-encryption keys that z may stand for, the standard's reading first:
// rows ALG-20, 22, 23 of the checklist (ukm as salt and in SharedInfo, then without salt; keyInfo as received, then canonical).
func (a *Agreement) KEKs(z, ukm []byte) ([][]byte, error) { panic("sketch") }

// Ephemeral makes an ephemeral key for pub (EC, X25519, X448) and returns the shared secret and the
// OriginatorPublicKey to write.
func Ephemeral(pub *PublicKey) (z, originatorPublicKey []byte, err error) { panic("sketch") }

// Agree computes the shared secret of key, an ecdh.KeyExchanger or a X448 key, with an
// OriginatorPublicKey (SEQUENCE, DER). The point is checked; an all-zero secret is ErrMalformed.
func Agree(key crypto.PrivateKey, originatorPublicKey []byte) (z []byte, err error) { panic("sketch") }

// ECDHKey turns an *ecdsa.PrivateKey into an ecdh.KeyExchanger; other keys are returned as they are if they can exchange.
func ECDHKey(key crypto.PrivateKey) (ecdh.KeyExchanger, bool) { panic("sketch") }

// A KEM is a key encapsulation mechanism with the KDF and wrap that follow it (RFC 9629).
type KEM struct {
	ID   Identifier // ML-KEM, id-kem-rsa
	KDF  Identifier
	Wrap *Wrap
}

// Encapsulate makes a shared secret for pub.
func Encapsulate(pub *PublicKey) (kemct, secret []byte, err error) { panic("sketch") }

// Decapsulate asks key, a crypto.Decapsulator or crypto.Decrypter (RSA-KEM by raw decryption is
// not possible through it: then *rsa.PrivateKey only).
func (k *KEM) Decapsulate(key crypto.PrivateKey, kemct []byte) (secret []byte, err error) {
	panic("sketch")
}

// KEK derives the key-encryption key: info is the DER CMSORIforKEMOtherInfo.
func (k *KEM) KEK(secret, info []byte, kekLen int) ([]byte, error) { panic("sketch") }

// A PBKDF2 has the parameters of RFC 8018 appendix A.2.
type PBKDF2 struct {
	ID         Identifier
	Iterations int
	KeyLen     int // 0: not given
}

// PBKDF2Of parses; NewPBKDF2 makes one with a fresh salt, 600 000 iterations and HMAC-SHA-256.
func PBKDF2Of(id Identifier) (*PBKDF2, error)                { panic("sketch") }
func NewPBKDF2() *PBKDF2                                     { panic("sketch") }
func (k *PBKDF2) Key(password []byte, n int) ([]byte, error) { panic("sketch") }

// PWRIWrap and PWRIUnwrap are id-alg-PWRI-KEK of RFC 3211 section 2.3; id is the inner CBC cipher with
// its IV. Unwrap also takes a plain AES wrap as RFC 3565 section 2.5 allows.
func PWRIWrap(kek, cek []byte) (id Identifier, wrapped []byte, err error) { panic("sketch") }
func PWRIUnwrap(id Identifier, kek, wrapped []byte) ([]byte, error)       { panic("sketch") }
func PWRIKeyLen(id Identifier) (int, error)                               { panic("sketch") }
