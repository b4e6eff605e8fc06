package alg

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"reflect"

	"github.com/cloudflare/circl/sign/ed448"
)

// Sign signs message with key, through crypto.MessageSigner where there is one. pub is the certificate's key. A key with a
// method WithContext(context.Context) crypto.PrivateKey is asked for one of ctx first.
// The signature is checked against pub before it is returned; for a key of the
// standard library or of this one's dependencies it is enough that it is pub's.
// Errors of the key are wrapped.
func Sign(ctx context.Context, key crypto.Signer, pub *PublicKey, s Scheme, message []byte) ([]byte, error) {
	_, id, err := s.Identifiers(pub)
	if err != nil {
		return nil, err
	}
	alg, err := SignatureOf(id, s.Hash())
	if err != nil {
		return nil, err
	}
	signer, ok := WithContext(ctx, key).(crypto.Signer)
	if !ok {
		return nil, fail(ErrMismatch, "the key for this context is no crypto.Signer")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !Usable(signer) {
		return nil, fail(ErrMismatch, "no key")
	}
	software := Software(signer)
	if software && !pub.Matches(signer) {
		return nil, fail(ErrMismatch, "private key and certificate")
	}
	sig, err := signMessage(signer, alg, message)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if software {
		return sig, nil
	}
	if err := alg.VerifyMessage(pub, message, sig); err != nil {
		return nil, fmt.Errorf("signature made by the key: %w", err)
	}
	return sig, nil
}

func signMessage(key crypto.Signer, alg *Signature, message []byte) ([]byte, error) {
	var opts crypto.SignerOpts = alg.Hash.Crypto()
	switch {
	case alg.Pure():
		opts = crypto.Hash(0)
	case alg.family == rsaPSS:
		if alg.pss.mgf != alg.pss.hash {
			return nil, fail(ErrUnsupported, "signing with another mask hash")
		}
		opts = &rsa.PSSOptions{SaltLength: alg.pss.salt, Hash: alg.pss.hash.Crypto()}
	}
	if k, ok := key.(ed448.PrivateKey); ok {
		// Its Sign wants an option of its own for the plain scheme.
		return ed448.Sign(k, message, ""), nil
	}
	return crypto.SignMessage(key, rand.Reader, message, opts)
}

// Usable reports whether there is a key in key: the standard library panics for
// nil pointers and zero keys.
func Usable(key crypto.PrivateKey) bool {
	switch k := key.(type) {
	case nil:
		return false
	case *rsa.PrivateKey:
		return k != nil && k.N != nil && k.D != nil
	case *ecdsa.PrivateKey:
		//lint:ignore SA1019 PrivateKey.Bytes panics where D is nil
		return k != nil && k.Curve != nil && k.D != nil
	case *ecdh.PrivateKey:
		return k != nil && k.Curve() != nil
	case ed25519.PrivateKey:
		return len(k) == ed25519.PrivateKeySize
	case ed448.PrivateKey:
		return len(k) == ed448.PrivateKeySize
	}
	v := reflect.ValueOf(key)
	return v.Kind() != reflect.Pointer || !v.IsNil()
}

// A cancellable is a key that can be bound to a context.
type cancellable interface {
	WithContext(context.Context) crypto.PrivateKey
}

// WithContext returns key bound to ctx, if it can be.
func WithContext(ctx context.Context, key crypto.PrivateKey) crypto.PrivateKey {
	if k, ok := key.(cancellable); ok {
		return k.WithContext(ctx)
	}
	return key
}
