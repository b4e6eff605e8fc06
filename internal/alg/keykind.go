package alg

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"slices"

	"filippo.io/mldsa"
	"github.com/cloudflare/circl/sign/ed448"
	"github.com/cloudflare/circl/sign/slhdsa"
	"github.com/gosmime/gosmime/internal/oid"
)

// KeyKind is the kind of a public key.
type KeyKind uint8

const (
	_ KeyKind = iota
	RSA
	RSAPSS  // id-RSASSA-PSS: signs only, perhaps with fixed parameters
	RSAOAEP // id-RSAES-OAEP: encrypts only
	EC      // named curve of the NIST
	Ed25519Key
	Ed448Key
	X25519Key
	X448Key
	MLDSA
	SLHDSA
	MLKEM
	RSAKEM
	DSA        // recognised only
	OtherCurve // recognised only: brainpool, secp256k1
	keyKinds
)

// A Transport is how the content-encryption key of a message reaches the owner
// of a key: it chooses the type of RecipientInfo.
type Transport uint8

const (
	NoTransport      Transport = iota // the key does not encrypt
	KeyTransport                      // KeyTransRecipientInfo
	KeyAgreement                      // KeyAgreeRecipientInfo
	KeyEncapsulation                  // KEMRecipientInfo
)

// A keyKindRow has the facts of a KeyKind.
type keyKindRow struct {
	oids      []oid.OID                                    // of SubjectPublicKeyInfo
	parse     func(*PublicKey) error                       // nil: recognised only
	family    family                                       // of the signatures it makes; 0: none
	verify    func(p *PublicKey, message, sig []byte) bool // of a pure family
	transport Transport
	signs     bool    // also where no signature can be checked here
	agreement oid.OID // the key agreement that every owner of such a key reads
	baseline  bool    // S/MIME Baseline Requirements section 7.1.3.1 allows it
}

// keyKindTable has one row for each KeyKind. What reads private keys is in
// privateParsers, so that a program that only verifies does not contain it.
var keyKindTable = [keyKinds]keyKindRow{
	RSA:        {oids: []oid.OID{oid.RSAEncryption}, parse: (*PublicKey).parsePlainRSA, family: rsaPKCS1, signs: true, transport: KeyTransport, baseline: true},
	RSAPSS:     {oids: []oid.OID{oid.RSASSAPSS}, parse: (*PublicKey).parsePSSKey, family: rsaPSS, signs: true},
	RSAOAEP:    {oids: []oid.OID{oid.RSAESOAEP}, parse: (*PublicKey).parseOAEPKey, transport: KeyTransport},
	EC:         {oids: []oid.OID{oid.ECPublicKey, oid.ECDH}, parse: (*PublicKey).parseEC, family: ecdsaSig, signs: true, transport: KeyAgreement, agreement: oid.DHStdSHA256KDF, baseline: true},
	Ed25519Key: {oids: []oid.OID{oid.Ed25519}, parse: (*PublicKey).parseEd25519, family: pure, verify: (*PublicKey).verifyEd25519, signs: true, baseline: true},
	Ed448Key:   {oids: []oid.OID{oid.Ed448}, parse: (*PublicKey).parseEd448, family: pure, verify: (*PublicKey).verifyEd448, signs: true, baseline: true},
	X25519Key:  {oids: []oid.OID{oid.X25519}, parse: (*PublicKey).parseX25519, transport: KeyAgreement, agreement: oid.DHHKDFSHA256},
	X448Key:    {oids: []oid.OID{oid.X448}, parse: (*PublicKey).parseX448, transport: KeyAgreement, agreement: oid.DHHKDFSHA256},
	MLDSA:      {oids: []oid.OID{oid.MLDSA44, oid.MLDSA65, oid.MLDSA87}, parse: (*PublicKey).parseMLDSA, family: pure, verify: (*PublicKey).verifyMLDSA, signs: true, baseline: true},
	SLHDSA:     {oids: slhdsaOIDs[:], parse: (*PublicKey).parseSLHDSA, family: pure, verify: (*PublicKey).verifySLHDSA, signs: true},
	MLKEM:      {oids: []oid.OID{oid.MLKEM512, oid.MLKEM768, oid.MLKEM1024}, parse: (*PublicKey).parseMLKEM, transport: KeyEncapsulation, baseline: true},
	RSAKEM:     {oids: []oid.OID{oid.RSAKEMSPKI, oid.RSAKEM}, parse: (*PublicKey).parseRSAKEM, transport: KeyEncapsulation},
	DSA:        {oids: []oid.OID{oid.DSA}, signs: true},
	OtherCurve: {signs: true, transport: KeyAgreement},
}

// privateParsers reads the private keys of each kind.
var privateParsers = [keyKinds]func(id Identifier, private, pkcs8 []byte) (crypto.PrivateKey, error){
	RSA: parseRSAPrivate, RSAPSS: parseRSAPrivate, RSAOAEP: parseRSAPrivate, RSAKEM: parseRSAPrivate,
	EC:         parseECPrivate,
	Ed25519Key: parse25519Private, X25519Key: parse25519Private,
	Ed448Key: parse448Private, X448Key: parse448Private,
	MLDSA: parseMLDSAPrivate, SLHDSA: parseSLHDSAPrivate, MLKEM: parseMLKEMPrivate,
}

// Software reports whether key is of a type of the standard library or of this
// module's dependencies: it is in memory, and its public key tells what its
// signatures will verify with.
func Software(key crypto.PrivateKey) bool {
	switch key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey, ed448.PrivateKey, *Ed448PrivateKey,
		*mldsa.PrivateKey, *MLDSAExpandedKey, *slhdsa.PrivateKey, slhdsa.PrivateKey:
		return true
	}
	return false
}

// PublicKeyOf returns a public key of the standard library or of this module's
// dependencies as a PublicKey without the restrictions that an identifier can
// have. It is good for choosing algorithms: it has no encoding.
func PublicKeyOf(key crypto.PublicKey) (*PublicKey, error) {
	p := &PublicKey{Key: key}
	name := ""
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k != nil && k.N != nil {
			p.Kind, p.Bits, p.Algorithm.OID = RSA, k.N.BitLen(), oid.RSAEncryption
		}
	case *ecdsa.PublicKey:
		if k != nil && k.Curve != nil {
			p.Kind, p.Bits, p.Algorithm.OID = EC, k.Curve.Params().BitSize, oid.ECPublicKey
		}
	case ed25519.PublicKey:
		p.Kind, name = Ed25519Key, "Ed25519"
	case ed448.PublicKey:
		p.Kind, name = Ed448Key, "Ed448"
	case *mldsa.PublicKey:
		if k != nil {
			p.Kind, name = MLDSA, k.Parameters().String()
		}
	case *slhdsa.PublicKey:
		if k != nil {
			p.Kind, name = SLHDSA, k.ID.String()
		}
	case slhdsa.PublicKey:
		p.Kind, name = SLHDSA, k.ID.String()
	}
	for s := Scheme(1); s < schemes && name != ""; s++ {
		if s.row().name == name {
			p.Algorithm.OID = s.row().oid
		}
	}
	if p.Algorithm.OID == "" {
		return nil, fail(ErrUnsupported, "public key of type %T", key)
	}
	return p, nil
}

// kindOf returns the kind of key that an identifier names, zero if unknown.
func kindOf(o oid.OID) KeyKind {
	for k := KeyKind(1); k < keyKinds; k++ {
		if slices.Contains(keyKindTable[k].oids, o) {
			return k
		}
	}
	return 0
}

func (k KeyKind) row() *keyKindRow {
	if k >= keyKinds {
		k = 0
	}
	return &keyKindTable[k]
}

// Signs reports whether keys of that kind sign.
func (k KeyKind) Signs() bool { return k.row().signs }

// Transport returns how a content-encryption key reaches the owner of the key.
func (k KeyKind) Transport() Transport { return k.row().transport }

// EncryptionUsage returns the keyUsage for encrypting to keys of that kind (RFC
// 5652 section 6.2, RFC 9629 section 3); 0: they don't encrypt.
func (k KeyKind) EncryptionUsage() x509.KeyUsage {
	switch k.Transport() {
	case NoTransport:
		return 0
	case KeyAgreement:
		return x509.KeyUsageKeyAgreement
	}
	return x509.KeyUsageKeyEncipherment
}

// AnnouncedAgreement returns the key agreement to announce for keys of that
// kind; "" if they have none.
func (k KeyKind) AnnouncedAgreement() oid.OID { return k.row().agreement }

// IsRSA reports whether the key is a modulus, whatever it is for.
func (p *PublicKey) IsRSA() bool {
	_, ok := p.Key.(*rsa.PublicKey)
	return ok
}

// BaselineIdentifier reports whether id is, octet for octet, one of the key
// algorithms that section 7.1.3.1 of the S/MIME Baseline Requirements allows.
func BaselineIdentifier(id Identifier) bool {
	kind := kindOf(id.OID)
	if !kind.row().baseline {
		return false
	}
	switch kind {
	case RSA:
		return string(id.Params) == nullDER
	case EC:
		return id.OID == oid.ECPublicKey && id.namesCurve() && string(id.Params[2:]) != string(oid.P224)
	}
	return len(id.Params) == 0
}
