package devices

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
)

// A Connector is what encrypts the passwords for Intune's certificate connector.
type Connector struct {
	Key *rsa.PublicKey // required, of 2048 bits or more; see [ParseConnectorKey]
	// ProviderName is the key storage provider that has the private key, and
	// KeyName its name there, as the administrator chose them. Both are
	// required.
	ProviderName, KeyName string
	Padding               Padding // zero: OAEPSHA512
}

// Padding is the paddingScheme of a userPFXCertificate. PKCS #1 v1.5 and OAEP
// with SHA-1 are no longer supported by the service.
type Padding uint8

const (
	OAEPSHA512 Padding = iota // the default of the service
	OAEPSHA384
	OAEPSHA256
)

// Bounds of a connector's key. Windows makes keys of up to 16384 bits.
const (
	minKeyBits   = 2048
	maxKeyBits   = 16384
	maxConnector = 64 << 10 // octets of a file
)

// ParseConnectorKey reads the public key of the connector from a file: PEM with
// a block PUBLIC KEY (X.509) or RSA PUBLIC KEY (PKCS #1), or an RSAPUBLICBLOB of
// CNG. The error wraps [ErrMalformed], [ErrWeakKey], or [ErrPrivateKey] for a
// file that has the private key, which must not leave the connector.
func ParseConnectorKey(file []byte) (*rsa.PublicKey, error) {
	if len(file) > maxConnector {
		return nil, fmt.Errorf("%w: connector key of %d octets", ErrMalformed, len(file))
	}
	var key *rsa.PublicKey
	var err error
	if len(file) >= 4 && (bytes.HasPrefix(file, []byte("RSA")) && file[3] >= '1' && file[3] <= '3') {
		key, err = parseBlob(file)
	} else {
		key, err = parsePEM(file)
	}
	if err != nil {
		return nil, err
	}
	return key, checkKey(key)
}

func checkKey(key *rsa.PublicKey) error {
	switch {
	case key == nil || key.N == nil:
		return fmt.Errorf("%w: no connector key", ErrMalformed)
	case key.N.BitLen() < minKeyBits:
		return fmt.Errorf("connector key of %d bits: %w", key.N.BitLen(), ErrWeakKey)
	case key.N.BitLen() > maxKeyBits || key.N.Bit(0) == 0 || key.E < 3 || key.E&1 == 0:
		return fmt.Errorf("%w: connector key", ErrMalformed)
	}
	return nil
}

func parsePEM(file []byte) (*rsa.PublicKey, error) {
	block, rest := pem.Decode(file)
	if block == nil {
		return nil, fmt.Errorf("%w: connector key: neither PEM nor an RSAPUBLICBLOB", ErrMalformed)
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, fmt.Errorf("%w: connector key: several PEM blocks", ErrMalformed)
	}
	switch {
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, fmt.Errorf("connector key: %w", ErrPrivateKey)
	case block.Type == "RSA PUBLIC KEY":
		key, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: connector key", ErrMalformed)
		}
		return key, nil
	case block.Type != "PUBLIC KEY":
		return nil, fmt.Errorf("%w: connector key: PEM block of another type", ErrMalformed)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: connector key", ErrMalformed)
	}
	r, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: connector key: not of RSA", ErrMalformed)
	}
	return r, nil
}

// blobHeader is BCRYPT_RSAKEY_BLOB, little-endian. The exponent and the modulus
// follow, big-endian.
type blobHeader struct {
	Magic, BitLength, Exponent, Modulus, Prime1, Prime2 uint32
}

const publicMagic = 0x31415352 // "RSA1"

func parseBlob(file []byte) (*rsa.PublicKey, error) {
	var h blobHeader
	r := bytes.NewReader(file)
	if err := binary.Read(r, binary.LittleEndian, &h); err != nil {
		return nil, fmt.Errorf("%w: connector key: the blob is too short", ErrMalformed)
	}
	if h.Magic != publicMagic {
		return nil, fmt.Errorf("connector key: %w", ErrPrivateKey) // "RSA2" or "RSA3"
	}
	if h.Prime1 != 0 || h.Prime2 != 0 || h.Exponent > 8 || uint64(r.Len()) != uint64(h.Exponent)+uint64(h.Modulus) {
		return nil, fmt.Errorf("%w: connector key: lengths in the blob", ErrMalformed)
	}
	body := file[len(file)-r.Len():]
	e, n := new(big.Int).SetBytes(body[:h.Exponent]), new(big.Int).SetBytes(body[h.Exponent:])
	if e.BitLen() > 31 || uint32(n.BitLen()) != h.BitLength {
		return nil, fmt.Errorf("%w: connector key: exponent or bit length", ErrMalformed)
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}
