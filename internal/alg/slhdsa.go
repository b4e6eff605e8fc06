package alg

import (
	"crypto"

	"github.com/cloudflare/circl/sign/slhdsa"
	"github.com/gosmime/gosmime/internal/oid"
)

// slhdsaOIDs are the parameter sets of RFC 9909 section 3.
var slhdsaOIDs = [...]oid.OID{
	oid.SLHDSA_SHA2_128s, oid.SLHDSA_SHA2_128f, oid.SLHDSA_SHA2_192s, oid.SLHDSA_SHA2_192f, oid.SLHDSA_SHA2_256s, oid.SLHDSA_SHA2_256f,
	oid.SLHDSA_SHAKE_128s, oid.SLHDSA_SHAKE_128f, oid.SLHDSA_SHAKE_192s, oid.SLHDSA_SHAKE_192f, oid.SLHDSA_SHAKE_256s, oid.SLHDSA_SHAKE_256f,
}

// slhdsaID returns the parameter set, which has the name of the signature
// algorithm; 0: none.
func slhdsaID(o oid.OID) slhdsa.ID {
	row := signatureRowOf(o)
	if row == nil {
		return 0
	}
	id, err := slhdsa.IDByName(row.name)
	if err != nil {
		return 0
	}
	return id
}

func (p *PublicKey) parseSLHDSA() error {
	if len(p.Algorithm.Params) > 0 {
		return fail(ErrMalformed, "parameters of SLH-DSA") // RFC 9909 section 3
	}
	key := &slhdsa.PublicKey{ID: slhdsaID(p.Algorithm.OID)}
	if key.UnmarshalBinary(p.raw) != nil {
		return fail(ErrMalformed, "SLH-DSA key")
	}
	p.Kind, p.Bits, p.Key = SLHDSA, 8*len(p.raw), key
	return nil
}

// verifySLHDSA is pure mode with an empty context (RFC 9814 section 3).
func (p *PublicKey) verifySLHDSA(message, sig []byte) bool {
	key, ok := p.Key.(*slhdsa.PublicKey)
	return ok && slhdsa.Verify(key, slhdsa.NewMessage(message), sig, nil)
}

// parseSLHDSAPrivate reads the bare octets of RFC 9909 section 6.
func parseSLHDSAPrivate(id Identifier, private, _ []byte) (crypto.PrivateKey, error) {
	key := &slhdsa.PrivateKey{ID: slhdsaID(id.OID)}
	if len(id.Params) > 0 || key.UnmarshalBinary(private) != nil {
		return nil, fail(ErrMalformed, "SLH-DSA key")
	}
	return key, nil
}
