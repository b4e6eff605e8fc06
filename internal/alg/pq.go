package alg

import (
	"filippo.io/mldsa"
	"github.com/cloudflare/circl/sign/slhdsa"
	"github.com/gosmime/gosmime/internal/oid"
)

// mldsaParameters returns the parameter set with that name.
func mldsaParameters(o oid.OID) (mldsa.Parameters, bool) {
	switch o {
	case oid.MLDSA44:
		return mldsa.MLDSA44(), true
	case oid.MLDSA65:
		return mldsa.MLDSA65(), true
	case oid.MLDSA87:
		return mldsa.MLDSA87(), true
	}
	return mldsa.Parameters{}, false
}

// slhdsaID returns the parameter set with that name (RFC 9909 section 3); 0: none.
func slhdsaID(o oid.OID) slhdsa.ID {
	switch o {
	case oid.SLHDSA_SHA2_128s:
		return slhdsa.SHA2_128s
	case oid.SLHDSA_SHA2_128f:
		return slhdsa.SHA2_128f
	case oid.SLHDSA_SHA2_192s:
		return slhdsa.SHA2_192s
	case oid.SLHDSA_SHA2_192f:
		return slhdsa.SHA2_192f
	case oid.SLHDSA_SHA2_256s:
		return slhdsa.SHA2_256s
	case oid.SLHDSA_SHA2_256f:
		return slhdsa.SHA2_256f
	case oid.SLHDSA_SHAKE_128s:
		return slhdsa.SHAKE_128s
	case oid.SLHDSA_SHAKE_128f:
		return slhdsa.SHAKE_128f
	case oid.SLHDSA_SHAKE_192s:
		return slhdsa.SHAKE_192s
	case oid.SLHDSA_SHAKE_192f:
		return slhdsa.SHAKE_192f
	case oid.SLHDSA_SHAKE_256s:
		return slhdsa.SHAKE_256s
	case oid.SLHDSA_SHAKE_256f:
		return slhdsa.SHAKE_256f
	}
	return 0
}

// verifySLHDSA is pure mode with an empty context (RFC 9814 section 3).
func verifySLHDSA(key *slhdsa.PublicKey, message, sig []byte) bool {
	return slhdsa.Verify(key, slhdsa.NewMessage(message), sig, nil)
}
