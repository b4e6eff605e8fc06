package main

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/miekg/pkcs11"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An ecKey is a crypto.Signer and an ecdh.KeyExchanger on a token.
type ecKey struct {
	token    *token
	object   pkcs11.ObjectHandle
	public   *ecdsa.PublicKey
	exchange *ecdh.PublicKey
}

// Public returns the public key for signatures.
func (k *ecKey) Public() crypto.PublicKey { return k.public }

// PublicKey returns the public key for key agreement.
func (k *ecKey) PublicKey() *ecdh.PublicKey { return k.exchange }

// Curve returns the curve.
func (k *ecKey) Curve() ecdh.Curve { return k.exchange.Curve() }

// Sign signs a digest on the token, which returns r and s side by side.
func (k *ecKey) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	raw, err := k.token.sign(pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil), k.object, digest)
	if err != nil {
		return nil, err
	}
	half := len(raw) / 2
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(raw[:half]))
		b.AddASN1BigInt(new(big.Int).SetBytes(raw[half:]))
	})
	return b.Bytes()
}

// ECDH computes the shared secret on the token.
func (k *ecKey) ECDH(remote *ecdh.PublicKey) ([]byte, error) {
	if remote.Curve() != k.Curve() {
		return nil, errors.New("the keys are on different curves")
	}
	t := k.token
	t.mu.Lock()
	defer t.mu.Unlock()
	size := (k.public.Params().BitSize + 7) / 8
	params := pkcs11.NewECDH1DeriveParams(pkcs11.CKD_NULL, nil, remote.Bytes())
	secret, err := t.module.DeriveKey(t.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_ECDH1_DERIVE, params)}, k.object,
		[]*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
			pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
			pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false),
			pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false),
			pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true),
			pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, size),
		})
	if err != nil {
		return nil, keyError(err)
	}
	attrs, err := t.module.GetAttributeValue(t.session, secret, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
	err = errors.Join(keyError(err), keyError(t.module.DestroyObject(t.session, secret)))
	if err != nil {
		return nil, err
	}
	if len(attrs[0].Value) != size {
		return nil, fmt.Errorf("a shared secret of %d octets, want %d", len(attrs[0].Value), size)
	}
	return attrs[0].Value, nil
}
