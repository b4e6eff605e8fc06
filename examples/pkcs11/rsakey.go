package main

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"io"

	"github.com/miekg/pkcs11"
)

// An rsaKey is a crypto.Signer and a crypto.Decrypter on a token.
type rsaKey struct {
	token  *token
	object pkcs11.ObjectHandle
	public *rsa.PublicKey
}

// Public returns the public key.
func (k *rsaKey) Public() crypto.PublicKey { return k.public }

// digestInfo returns the DER that precedes a digest in PKCS #1 v1.5 (RFC 8017
// section 9.2, note 1).
func digestInfo(h crypto.Hash) ([]byte, bool) {
	switch h {
	case crypto.SHA256:
		return []byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"), true
	case crypto.SHA384:
		return []byte("\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"), true
	case crypto.SHA512:
		return []byte("\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"), true
	}
	return nil, false
}

// hashMechanism returns the digest and mask generation of PSS and OAEP.
func hashMechanism(h crypto.Hash) (hash, mgf uint, ok bool) {
	switch h {
	case crypto.SHA1:
		return pkcs11.CKM_SHA_1, pkcs11.CKG_MGF1_SHA1, true
	case crypto.SHA256:
		return pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256, true
	case crypto.SHA384:
		return pkcs11.CKM_SHA384, pkcs11.CKG_MGF1_SHA384, true
	case crypto.SHA512:
		return pkcs11.CKM_SHA512, pkcs11.CKG_MGF1_SHA512, true
	}
	return 0, 0, false
}

// Sign signs a digest on the token.
func (k *rsaKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	mechanism, input := pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS, nil), digest
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		hash, mgf, ok := hashMechanism(opts.HashFunc())
		if !ok {
			return nil, errors.New("unknown hash")
		}
		salt := pss.SaltLength
		if salt == rsa.PSSSaltLengthEqualsHash || salt == rsa.PSSSaltLengthAuto {
			salt = opts.HashFunc().Size()
		}
		mechanism = pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_PSS, pkcs11.NewPSSParams(hash, mgf, uint(salt)))
	} else {
		prefix, ok := digestInfo(opts.HashFunc())
		if !ok {
			return nil, errors.New("unknown hash")
		}
		input = append(prefix, digest...)
	}
	return k.token.sign(mechanism, k.object, input)
}

// Decrypt decrypts on the token. What is wrong with a ciphertext is for the
// library to hide: see pkcs7.ErrDecrypt.
func (k *rsaKey) Decrypt(_ io.Reader, ciphertext []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	mechanism := pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS, nil)
	if oaep, ok := opts.(*rsa.OAEPOptions); ok {
		hash, mgf, ok := hashMechanism(oaep.Hash)
		if oaep.MGFHash != 0 {
			_, mgf, ok = hashMechanism(oaep.MGFHash)
		}
		if !ok {
			return nil, errors.New("unknown hash")
		}
		mechanism = pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_OAEP, pkcs11.NewOAEPParams(hash, mgf, pkcs11.CKZ_DATA_SPECIFIED, oaep.Label))
	}
	return k.token.decrypt(mechanism, k.object, ciphertext)
}

// sign signs on the token. An operation begins without its input, so what goes
// wrong then says nothing about the input: the key is unavailable.
func (t *token) sign(m *pkcs11.Mechanism, object pkcs11.ObjectHandle, input []byte) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.module.SignInit(t.session, []*pkcs11.Mechanism{m}, object); err != nil {
		return nil, unavailable(err)
	}
	sig, err := t.module.Sign(t.session, input)
	return sig, keyError(err)
}

func (t *token) decrypt(m *pkcs11.Mechanism, object pkcs11.ObjectHandle, input []byte) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.module.DecryptInit(t.session, []*pkcs11.Mechanism{m}, object); err != nil {
		return nil, unavailable(err)
	}
	out, err := t.module.Decrypt(t.session, input)
	return out, keyError(err)
}
