package alg

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
)

// curveOf returns the curve with that name, nil if it is not one of the NIST's.
func curveOf(name oid.OID) elliptic.Curve {
	switch name {
	case oid.P224:
		return elliptic.P224()
	case oid.P256:
		return elliptic.P256()
	case oid.P384:
		return elliptic.P384()
	case oid.P521:
		return elliptic.P521()
	}
	return nil
}

// ecdhName names the curves that crypto/ecdh has.
func ecdhName(c ecdh.Curve) oid.OID {
	switch c {
	case ecdh.P256():
		return oid.P256
	case ecdh.P384():
		return oid.P384
	case ecdh.P521():
		return oid.P521
	case ecdh.X25519():
		return oid.X25519
	}
	return ""
}

// parseEC takes named curves only: RFC 5480 section 2.1.1 forbids the rest, and
// a generator of the sender's choice makes any key his (CVE-2020-0601).
func (p *PublicKey) parseEC() error {
	s := cryptobyte.String(p.Algorithm.Params)
	var name oid.OID
	if !oid.Read(&s, &name) || !s.Empty() {
		if len(p.Algorithm.Params) > 0 && p.Algorithm.Params[0] == 0x30 {
			return fail(ErrUnsupported, "explicit curve parameters")
		}
		return fail(ErrMalformed, "curve of a key")
	}
	curve := curveOf(name)
	if curve == nil {
		p.Kind = OtherCurve
		return nil
	}
	key, err := parsePoint(curve, p.raw)
	if err != nil {
		return err
	}
	p.Kind, p.Bits, p.Key = EC, curve.Params().BitSize, key
	return nil
}

// parsePoint reads an uncompressed or compressed point of SEC 1 section 2.3.4;
// the hybrid form and infinity are refused. The point is on the curve.
func parsePoint(curve elliptic.Curve, b []byte) (*ecdsa.PublicKey, error) {
	size := (curve.Params().BitSize + 7) / 8
	if len(b) == 1+size && (b[0] == 2 || b[0] == 3) {
		x, y := elliptic.UnmarshalCompressed(curve, b)
		if x == nil {
			return nil, fail(ErrMalformed, "compressed point")
		}
		b = make([]byte, 1+2*size)
		b[0] = 4
		x.FillBytes(b[1 : 1+size])
		y.FillBytes(b[1+size:])
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, b)
	if err != nil {
		return nil, fail(ErrMalformed, "point not on the curve")
	}
	return key, nil
}
