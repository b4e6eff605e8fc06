package vectors

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"fmt"

	"filippo.io/mldsa"
	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// hashNamed returns the Hash with a name of Wycheproof.
func hashNamed(name string) alg.Hash {
	for h := alg.SHA1; h.Size() > 0; h++ {
		if h.String() == name {
			return h
		}
	}
	return 0
}

func publicKey(g *group) (*alg.PublicKey, error) {
	b, err := hex.DecodeString(g.PublicKeyDer)
	if err != nil {
		return nil, err
	}
	return alg.ParsePublicKey(b)
}

// verify checks a signature under an algorithm that certificates name.
func verify(id alg.Identifier, g *group, v *vector) error {
	pub, err := publicKey(g)
	if err != nil {
		return err
	}
	s, err := alg.SignatureOf(id, 0)
	if err != nil {
		return err
	}
	return s.VerifyMessage(pub, v.Msg, v.Sig)
}

func runRSA(g *group, v *vector) error {
	pub, err := publicKey(g)
	if err != nil {
		return err
	}
	s, err := alg.SignatureOf(named(oid.RSAEncryption, der(asn1.NULL)), hashNamed(g.Sha))
	if err != nil {
		return err
	}
	return s.VerifyMessage(pub, v.Msg, v.Sig)
}

func runPSS(g *group, v *vector) error {
	if g.Mgf != "MGF1" {
		o := oid.RSAPSSSHAKE128
		if g.Sha == "SHAKE256" {
			o = oid.RSAPSSSHAKE256
		}
		return verify(named(o), g, v)
	}
	explicit := func(tag uint8, content []byte) []byte {
		return der(asn1.Tag(tag).ContextSpecific().Constructed(), content)
	}
	hashID := func(name string) []byte {
		return named(hashNamed(name).Identifier().OID, der(asn1.NULL)).DER()
	}
	params := der(asn1.SEQUENCE, explicit(0, hashID(g.Sha)), explicit(1, named(oid.MGF1, hashID(g.MgfSha)).DER()),
		explicit(2, integer(int64(g.SLen))))
	return verify(named(oid.RSASSAPSS, params), g, v)
}

func runECDSA(g *group, v *vector) error {
	o := map[string]oid.OID{"SHA-256": oid.ECDSAWithSHA256, "SHA-384": oid.ECDSAWithSHA384, "SHA-512": oid.ECDSAWithSHA512}[g.Sha]
	return verify(named(o), g, v)
}

func runDSA(g *group, v *vector) error { return verify(named(oid.DSAWithSHA256), g, v) }

func runEd25519(g *group, v *vector) error { return verify(named(oid.Ed25519), g, v) }
func runEd448(g *group, v *vector) error   { return verify(named(oid.Ed448), g, v) }

// runMLDSA verifies with the empty context, the only one of CMS.
func runMLDSA(o oid.OID) func(*group, *vector) error {
	return func(g *group, v *vector) error {
		var key octets
		if err := key.UnmarshalText(bytes.Trim(g.PublicKey, `"`)); err != nil {
			return err
		}
		pub, err := alg.ParsePublicKey(der(asn1.SEQUENCE, named(o).DER(), der(asn1.BIT_STRING, []byte{0}, key)))
		if err != nil {
			return err
		}
		s, err := alg.SignatureOf(named(o), 0)
		if err != nil {
			return err
		}
		return s.VerifyMessage(pub, v.Msg, v.Sig)
	}
}

// runMLDSASign signs deterministically, as the vectors do.
func runMLDSASign(o oid.OID) func(*group, *vector) error {
	return func(g *group, v *vector) error {
		seed, err := hex.DecodeString(*g.PrivateSeed)
		if err != nil {
			return err
		}
		key, err := alg.ParsePrivateKey(pkcs8(o, der(asn1.Tag(0).ContextSpecific(), seed)))
		if err != nil {
			return err
		}
		private, ok := key.(*mldsa.PrivateKey)
		if !ok {
			return fmt.Errorf("%T", key)
		}
		if v.Msg == nil { // only the hash of it is there
			return errRefused
		}
		sig, err := private.SignDeterministic(v.Msg, &mldsa.Options{Context: string(v.Ctx)})
		if err != nil {
			return err
		}
		if !bytes.Equal(sig, v.Sig) {
			return errWrong
		}
		return nil
	}
}

func pkcs8(o oid.OID, key []byte) []byte {
	return der(asn1.SEQUENCE, integer(0), named(o).DER(), der(asn1.OCTET_STRING, key))
}

var _ crypto.Signer = (*mldsa.PrivateKey)(nil)
