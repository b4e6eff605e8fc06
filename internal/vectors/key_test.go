package vectors

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte/asn1"
)

func rsaKey(g *group) (*rsa.PrivateKey, error) {
	if g.rsa != nil {
		return g.rsa, nil
	}
	b, err := hex.DecodeString(g.PrivateKeyPkcs8)
	if err != nil {
		return nil, err
	}
	key, err := alg.ParsePrivateKey(b)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%T", key)
	}
	g.rsa = private
	return private, nil
}

// runPKCS1 decrypts as for a content-encryption key: a failure leaves the random one.
func runPKCS1(g *group, v *vector) error {
	key, err := rsaKey(g)
	if err != nil {
		return err
	}
	n := len(v.Msg)
	if v.Result != "valid" {
		n = 32
	}
	cek := make([]byte, n)
	_, _ = rand.Read(cek)
	before := bytes.Clone(cek)
	//lint:ignore SA1019 the vectors are of this padding
	if err := rsa.DecryptPKCS1v15SessionKey(nil, key, v.Ct, cek); err != nil {
		return err
	}
	if n > 0 && bytes.Equal(cek, before) {
		return errRefused
	}
	if !bytes.Equal(cek, v.Msg) {
		return errWrong
	}
	return nil
}

func runOAEP(g *group, v *vector) error {
	key, err := rsaKey(g)
	if err != nil {
		return err
	}
	id := (&alg.OAEP{Hash: hashNamed(g.Sha).Crypto(), MGF: hashNamed(g.MgfSha).Crypto(), Label: v.Label}).Identifier()
	o, err := alg.OAEPOf(id)
	if err != nil {
		return err
	}
	got, err := key.Decrypt(nil, v.Ct, &rsa.OAEPOptions{Hash: o.Hash, MGFHash: o.MGF, Label: o.Label})
	if err != nil {
		return err
	}
	if !bytes.Equal(got, v.Msg) {
		return errWrong
	}
	return nil
}

// curve returns a curve and the length of its scalars.
func curve(g *group) (ecdh.Curve, int) {
	switch g.Curve {
	case "secp256r1":
		return ecdh.P256(), 32
	case "secp384r1":
		return ecdh.P384(), 48
	}
	return ecdh.P521(), 66
}

// runECDH takes the public key as an OriginatorPublicKey.
func runECDH(g *group, v *vector) error {
	public, err := hex.DecodeString(v.Public)
	if err != nil {
		return err
	}
	scalar, ok := new(big.Int).SetString(v.Private, 16)
	c, size := curve(g)
	if !ok || scalar.BitLen() > 8*size {
		return errRefused
	}
	key, err := c.NewPrivateKey(scalar.FillBytes(make([]byte, size)))
	if err != nil {
		return err
	}
	return agree(key, public, v)
}

func runECPoint(g *group, v *vector) error {
	point, err := hex.DecodeString(v.Public)
	if err != nil {
		return err
	}
	w := *v
	w.Public = hex.EncodeToString(der(asn1.SEQUENCE, named(oid.ECPublicKey).DER(), der(asn1.BIT_STRING, []byte{0}, point)))
	return runECDH(g, &w)
}

func runECPEM(_ *group, v *vector) error {
	public, _ := pem.Decode([]byte(v.Public))
	private, _ := pem.Decode([]byte(v.Private))
	if public == nil || private == nil {
		return errRefused
	}
	key, err := alg.ParsePrivateKey(private.Bytes)
	if err != nil {
		return err
	}
	return agree(key, public.Bytes, v)
}

func agree(key crypto.PrivateKey, public []byte, v *vector) error {
	z, err := alg.Agree(key, public)
	if err != nil {
		return err
	}
	if !bytes.Equal(z, v.Shared) {
		return errWrong
	}
	return nil
}

// runXDH makes keys of RFC 8410 out of the raw ones.
func runXDH(o oid.OID) func(*group, *vector) error {
	return func(_ *group, v *vector) error {
		public, err := hex.DecodeString(v.Public)
		if err != nil {
			return err
		}
		private, err := hex.DecodeString(v.Private)
		if err != nil {
			return err
		}
		key, err := alg.ParsePrivateKey(pkcs8(o, der(asn1.OCTET_STRING, private)))
		if err != nil {
			return err
		}
		return agree(key, der(asn1.SEQUENCE, named(o).DER(), der(asn1.BIT_STRING, []byte{0}, public)), v)
	}
}

func runXDHASN(_ *group, v *vector) error {
	public, err := hex.DecodeString(v.Public)
	if err != nil {
		return err
	}
	private, err := hex.DecodeString(v.Private)
	if err != nil {
		return err
	}
	key, err := alg.ParsePrivateKey(private)
	if err != nil {
		return err
	}
	return agree(key, public, v)
}

func mlkemOID(g *group) oid.OID {
	switch g.ParameterSet {
	case "ML-KEM-512":
		return oid.MLKEM512
	case "ML-KEM-768":
		return oid.MLKEM768
	}
	return oid.MLKEM1024
}

func decapsulate(o oid.OID, private []byte, v *vector) error {
	key, err := alg.ParsePrivateKey(pkcs8(o, private))
	if err != nil {
		return err
	}
	d, ok := key.(crypto.Decapsulator)
	if !ok || len(v.Ek) > 0 && !bytes.Equal(d.Encapsulator().Bytes(), v.Ek) {
		return errWrong
	}
	secret, err := (&alg.KEM{ID: named(o)}).Decapsulate(key, v.C)
	if err != nil {
		return err
	}
	if !bytes.Equal(secret, v.K) {
		return errWrong
	}
	return nil
}

func runMLKEM(g *group, v *vector) error {
	return decapsulate(mlkemOID(g), der(asn1.Tag(0).ContextSpecific(), v.Seed), v)
}

func runMLKEMExpanded(g *group, v *vector) error {
	return decapsulate(mlkemOID(g), der(asn1.OCTET_STRING, v.Dk), v)
}

// runMLKEMKeygen reads both forms together, which must agree.
func runMLKEMKeygen(g *group, v *vector) error {
	both := der(asn1.SEQUENCE, der(asn1.OCTET_STRING, v.Seed), der(asn1.OCTET_STRING, v.Dk))
	key, err := alg.ParsePrivateKey(pkcs8(mlkemOID(g), both))
	if err != nil {
		return err
	}
	if d, ok := key.(crypto.Decapsulator); !ok || !bytes.Equal(d.Encapsulator().Bytes(), v.Ek) {
		return errWrong
	}
	return nil
}

// runMLKEMEncaps holds the public keys to the checks of FIPS 203 section 7.2;
// the randomness of the encapsulation can't be chosen.
func runMLKEMEncaps(g *group, v *vector) error {
	pub, err := alg.ParsePublicKey(der(asn1.SEQUENCE, named(mlkemOID(g)).DER(), der(asn1.BIT_STRING, []byte{0}, v.Ek)))
	if err != nil {
		return err
	}
	ct, secret, err := alg.Encapsulate(pub)
	if err != nil {
		return err
	}
	if len(ct) != len(v.C) || len(secret) != mlkem.SharedKeySize {
		return errWrong
	}
	return nil
}
