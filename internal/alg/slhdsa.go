package alg

import (
	"crypto"
	"strings"

	"github.com/cloudflare/circl/sign/slhdsa"
	"github.com/cloudflare/circl/xof"
	"github.com/gosmime/gosmime/internal/oid"
)

// slhdsaOIDs are the parameter sets of RFC 9909 section 3, pure ones first. The
// identifier of a key is that of the signatures it makes, so that a key signs
// either the message or its digest, never both.
var slhdsaOIDs = [...]oid.OID{
	oid.SLHDSA_SHA2_128s, oid.SLHDSA_SHA2_128f, oid.SLHDSA_SHA2_192s, oid.SLHDSA_SHA2_192f, oid.SLHDSA_SHA2_256s, oid.SLHDSA_SHA2_256f,
	oid.SLHDSA_SHAKE_128s, oid.SLHDSA_SHAKE_128f, oid.SLHDSA_SHAKE_192s, oid.SLHDSA_SHAKE_192f, oid.SLHDSA_SHAKE_256s, oid.SLHDSA_SHAKE_256f,
	oid.HashSLHDSA_SHA2_128s, oid.HashSLHDSA_SHA2_128f, oid.HashSLHDSA_SHA2_192s, oid.HashSLHDSA_SHA2_192f, oid.HashSLHDSA_SHA2_256s, oid.HashSLHDSA_SHA2_256f,
	oid.HashSLHDSA_SHAKE_128s, oid.HashSLHDSA_SHAKE_128f, oid.HashSLHDSA_SHAKE_192s, oid.HashSLHDSA_SHAKE_192f, oid.HashSLHDSA_SHAKE_256s, oid.HashSLHDSA_SHAKE_256f,
}

// slhdsaID returns the parameter set, whose name the one of the signature
// algorithm begins with; 0: none.
func slhdsaID(o oid.OID) slhdsa.ID {
	row := signatureRowOf(o)
	if row == nil {
		return 0
	}
	name, _, _ := strings.Cut(row.name, " with ")
	id, err := slhdsa.IDByName(name)
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

// verifySLHDSA checks a signature with an empty context, in the mode that the
// identifier of the key names (RFC 9814 section 3, RFC 9909 section 3).
func (p *PublicKey) verifySLHDSA(message, sig []byte) bool {
	key, ok := p.Key.(*slhdsa.PublicKey)
	row := signatureRowOf(p.Algorithm.OID)
	if !ok || row == nil {
		return false
	}
	m := slhdsa.NewMessage(message)
	if row.family == preHash {
		var err error
		if m, err = preHashed(row.hash, message); err != nil {
			return false
		}
	}
	return slhdsa.Verify(key, m, sig, nil)
}

// preHashed returns what HashSLH-DSA signs (FIPS 205 section 10.2.2).
func preHashed(h Hash, message []byte) (*slhdsa.Message, error) {
	var ph *slhdsa.PreHash
	var err error
	switch h {
	case SHAKE128:
		ph, err = slhdsa.NewPreHashWithXof(xof.SHAKE128)
	case SHAKE256:
		ph, err = slhdsa.NewPreHashWithXof(xof.SHAKE256)
	default:
		ph, err = slhdsa.NewPreHashWithHash(h.Crypto())
	}
	if err != nil {
		return nil, err
	}
	if _, err := ph.Write(message); err != nil {
		return nil, err
	}
	return ph.BuildMessage()
}

// parseSLHDSAPrivate reads the bare octets of RFC 9909 section 6. Keys for
// HashSLH-DSA are refused, because no message can be signed with them and the key
// that is returned would not know its mode.
func parseSLHDSAPrivate(id Identifier, private, _ []byte) (crypto.PrivateKey, error) {
	if row := signatureRowOf(id.OID); row == nil || row.family != pure {
		return nil, fail(ErrUnsupported, "private key %v", id.OID)
	}
	key := &slhdsa.PrivateKey{ID: slhdsaID(id.OID)}
	if len(id.Params) > 0 || key.UnmarshalBinary(private) != nil {
		return nil, fail(ErrMalformed, "SLH-DSA key")
	}
	return key, nil
}
