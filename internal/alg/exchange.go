package alg

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/subtle"
	"fmt"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// x448Exchanger is a private key for X448, perhaps in hardware.
type x448Exchanger interface {
	X448(peer *X448PublicKey) ([]byte, error)
}

// Ephemeral makes an ephemeral key for pub (EC, X25519, X448) and returns the shared secret and the
// OriginatorPublicKey to write, a SEQUENCE.
func Ephemeral(pub *PublicKey) (z, originatorPublicKey []byte, err error) {
	if peer, ok := pub.Key.(*X448PublicKey); ok {
		own := GenerateX448()
		if z, err = own.X448(peer); err != nil {
			return nil, nil, err
		}
		return z, originatorKey(oid.X448, own.public.u[:]), nil
	}
	peer, ok := pub.Key.(*ecdh.PublicKey)
	name := oid.X25519
	if key, isEC := pub.Key.(*ecdsa.PublicKey); isEC {
		peer, err = key.ECDH()
		ok, name = err == nil, oid.ECPublicKey
	}
	if !ok {
		return nil, nil, fail(ErrUnsupported, "key agreement with a key of %v", pub.Algorithm.OID)
	}
	own, err := peer.Curve().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fail(ErrUnsupported, "ephemeral key")
	}
	if z, err = own.ECDH(peer); err != nil {
		return nil, nil, fail(ErrMalformed, "point of low order")
	}
	return z, originatorKey(name, own.PublicKey().Bytes()), nil
}

// originatorKey writes parameters absent (RFC 5753 section 3.1.1, RFC 8418 section 3.2).
//
//	OriginatorPublicKey ::= SEQUENCE {
//	    algorithm  AlgorithmIdentifier,
//	    publicKey  BIT STRING }
func originatorKey(name oid.OID, point []byte) []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		Identifier{OID: name}.add(b)
		b.AddASN1BitString(point)
	})
	return b.BytesOrPanic()
}

// Agree computes the shared secret of key, an ecdh.KeyExchanger or a X448 key, with an
// OriginatorPublicKey (SEQUENCE, DER). The point is checked; an all-zero secret is ErrMalformed.
// Errors of the key are wrapped.
func Agree(key crypto.PrivateKey, originatorPublicKey []byte) (z []byte, err error) {
	s := cryptobyte.String(originatorPublicKey)
	var body cryptobyte.String
	var id Identifier
	var point []byte
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() || !ReadIdentifier(&body, &id) ||
		!body.ReadASN1BitStringAsBytes(&point) || !body.Empty() {
		return nil, fail(ErrMalformed, "OriginatorPublicKey")
	}
	if k, ok := key.(x448Exchanger); ok {
		return agreeX448(k, id, point)
	}
	k, ok := ECDHKey(key)
	if !ok {
		return nil, fail(ErrMismatch, "key agreement with a %T", key)
	}
	peer, err := originatorPoint(k.Curve(), id, point)
	if err != nil {
		return nil, err
	}
	if z, err = k.ECDH(peer); err != nil {
		if _, software := k.(*ecdh.PrivateKey); software {
			return nil, fail(ErrMalformed, "point of low order")
		}
		return nil, fmt.Errorf("key agreement: %w", err)
	}
	if id.OID == oid.X25519 {
		return notZero(z)
	}
	return z, nil // on the other curves zeros are the coordinate of a good point
}

func agreeX448(k x448Exchanger, id Identifier, point []byte) ([]byte, error) {
	if id.OID != oid.X448 || len(point) != x448Size {
		return nil, fail(ErrMismatch, "originator key of %v for X448", id.OID)
	}
	if !id.noParams() {
		return nil, fail(ErrMalformed, "parameters of X448")
	}
	peer := new(X448PublicKey)
	copy(peer.u[:], point)
	z, err := k.X448(peer)
	if err != nil {
		return nil, fmt.Errorf("key agreement: %w", err)
	}
	return notZero(z)
}

// originatorPoint reads the sender's point on the curve of the recipient's key.
// Absent and NULL parameters mean that curve, a named one has to be it.
func originatorPoint(curve ecdh.Curve, id Identifier, point []byte) (*ecdh.PublicKey, error) {
	name := ecdhName(curve)
	if name == "" {
		return nil, fail(ErrUnsupported, "curve of a key")
	}
	want := oid.ECPublicKey
	if name == oid.X25519 {
		want = oid.X25519
	}
	if id.OID != want {
		return nil, fail(ErrMismatch, "originator key of %v", id.OID)
	}
	if !id.noParams() {
		s := cryptobyte.String(id.Params)
		var got oid.OID
		if want == oid.X25519 || !oid.Read(&s, &got) || !s.Empty() {
			return nil, fail(ErrMalformed, "parameters of the originator key")
		}
		if got != name {
			return nil, fail(ErrMismatch, "originator key on curve %v", got)
		}
	}
	if want == oid.X25519 {
		peer, err := curve.NewPublicKey(point)
		if err != nil {
			return nil, fail(ErrMalformed, "X25519 key")
		}
		return peer, nil
	}
	key, err := parsePoint(curveOf(name), point)
	if err != nil {
		return nil, err
	}
	peer, err := key.ECDH()
	if err != nil {
		return nil, fail(ErrMalformed, "point not on the curve")
	}
	return peer, nil
}

// notZero refuses what low-order points give (RFC 8418 section 2).
func notZero(z []byte) ([]byte, error) {
	if len(z) == 0 || subtle.ConstantTimeCompare(z, bytes.Repeat([]byte{0}, len(z))) == 1 {
		return nil, fail(ErrMalformed, "shared secret of zeros")
	}
	return z, nil
}

// Agrees reports whether key has a method that Agree asks, or may have one once
// it is bound to a context.
func Agrees(key crypto.PrivateKey) bool {
	switch key.(type) {
	case x448Exchanger, cancellable:
		return true
	}
	_, ok := ECDHKey(key)
	return ok
}

// ECDHKey turns an *ecdsa.PrivateKey into an ecdh.KeyExchanger; other keys are returned as they are if they can exchange.
func ECDHKey(key crypto.PrivateKey) (ecdh.KeyExchanger, bool) {
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		e, err := k.ECDH()
		return e, err == nil
	case ecdh.KeyExchanger:
		return k, true
	}
	return nil, false
}
