package cli

import (
	"crypto"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/smime"
)

// Keys are the flags of every command that needs private keys. The password of
// a PFX is not a flag: other users of the machine can see those.
type Keys struct {
	PFX, Key, Cert List
	PasswordFile   string
	AnyRecipient   bool      // try the keys for recipients that their certificates do not name, too
	Warn           io.Writer // says what was passed over in a PFX; nil: nobody hears
}

// Register adds the flags to fs.
func (k *Keys) Register(fs *flag.FlagSet) {
	k.Warn = fs.Output()
	fs.Var(&k.PFX, "pfx", "PKCS #12 `FILE` with key and certificate; may be repeated")
	fs.Var(&k.Key, "key", "PEM or DER `FILE` with a private key; belongs to the -cert at the same place; may be repeated")
	fs.Var(&k.Cert, "cert", "PEM or DER `FILE` with the certificate of -key; may be repeated")
	fs.StringVar(&k.PasswordFile, "password-file", "", "`FILE` with the password of the PFX or key; else the variable SMIME_PASSWORD has it")
}

// RegisterOpening adds the flags of a command that decrypts.
func (k *Keys) RegisterOpening(fs *flag.FlagSet) {
	k.Register(fs)
	fs.BoolVar(&k.AnyRecipient, "any-recipient", false, "try the keys for every recipient of a message, as after a renewal with the same key; a -key then needs no -cert")
}

// Identities reads all files: a key history if there are several.
func (k *Keys) Identities() (smime.Identities, error) {
	if len(k.Key) != len(k.Cert) && !(k.AnyRecipient && len(k.Cert) < len(k.Key)) {
		return nil, &UsageError{"each -key needs its -cert"}
	}
	var ids smime.Identities
	for _, name := range k.PFX {
		found, err := k.readPFX(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		ids = append(ids, found...)
	}
	for i := range k.Key {
		cert := ""
		if i < len(k.Cert) {
			cert = k.Cert[i]
		}
		id, err := k.readPair(k.Key[i], cert)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if k.AnyRecipient {
		for i, id := range ids {
			ids[i] = id.AnyRecipient()
		}
	}
	return ids, nil
}

func (k *Keys) readPFX(name string) ([]*smime.Identity, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	password, err := k.Password()
	if err != nil {
		return nil, err
	}
	if pfx, ok := PFX(b); ok {
		b = pfx
	}
	p, err := smime.ReadPKCS12(b, password)
	if err == nil && len(p.Identities) == 0 {
		_, err = smime.ParsePKCS12(b, password) // which says why
	}
	if errors.Is(err, smime.ErrPassword) {
		return nil, locked("file", password, err)
	}
	if err != nil {
		return nil, err
	}
	for _, skipped := range p.Skipped {
		if k.Warn != nil {
			fmt.Fprintf(k.Warn, "%s: passed over: %v\n", name, skipped)
		}
	}
	return p.Identities, nil
}

// PFX returns the PKCS #12 file in b, which is in DER or PEM, and whether it
// looks like one.
func PFX(b []byte) ([]byte, bool) {
	for block := range x509der.Blocks(b) {
		if block.Type == "PKCS12" {
			b = block.Bytes
			break
		}
	}
	s := cryptobyte.String(b)
	var version int // PFX ::= SEQUENCE { version INTEGER (3), ...
	return b, s.ReadASN1(&s, asn1.SEQUENCE) && s.ReadASN1Integer(&version) && version == 3
}

// Required is Identities, of which there must be one.
func (k *Keys) Required() (smime.Identities, error) {
	ids, err := k.Identities()
	if err == nil && len(ids) == 0 {
		err = &UsageError{"a key is missing: -pfx, or -key and -cert"}
	}
	return ids, err
}

// Password returns the password of the PFX or key.
func (k *Keys) Password() (string, error) {
	if k.PasswordFile == "" {
		return os.Getenv("SMIME_PASSWORD"), nil
	}
	b, err := os.ReadFile(k.PasswordFile)
	return strings.TrimRight(string(b), "\r\n"), err
}

// readPair reads a key and, if there is one, its certificate.
func (k *Keys) readPair(keyFile, certFile string) (*smime.Identity, error) {
	b, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, err
	}
	key, err := k.parseKey(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", keyFile, err)
	}
	if certFile == "" {
		return smime.AnyRecipient(key)
	}
	certs, err := ReadCertificates(certFile)
	if err != nil {
		return nil, err
	}
	var first error
	for i, c := range certs { // a file may have the chain, too
		id, err := smime.NewIdentity(key, c, slices.Delete(slices.Clone(certs), i, i+1)...)
		if err == nil {
			return id, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, fmt.Errorf("%s and %s: %w", keyFile, certFile, first)
}

// parseKey reads a DER key or the first one in PEM. One that is encrypted takes
// the password of the PFX.
func (k *Keys) parseKey(b []byte) (crypto.PrivateKey, error) {
	if x509der.BlocksBegun(b) == 0 {
		key, err := smime.ParsePrivateKey(b)
		if !errors.Is(err, smime.ErrMalformed) {
			return key, err
		}
		if key, locked := k.decryptKey(b); !errors.Is(locked, smime.ErrMalformed) {
			return key, locked
		}
		return nil, err // neither form; the first says more
	}
	for block := range x509der.Blocks(b) {
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY":
			return k.decryptKey(block.Bytes)
		case block.Headers["DEK-Info"] != "":
			password, err := k.Password()
			if err != nil {
				return nil, err
			}
			//lint:ignore SA1019 old files are encrypted in this weak way; reading them harms nobody
			der, err := x509.DecryptPEMBlock(block, []byte(password))
			if err != nil {
				return nil, locked("key", password, err)
			}
			return smime.ParsePrivateKey(der)
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return smime.ParsePrivateKey(block.Bytes)
		}
	}
	return nil, errors.New("no private key")
}

// decryptKey reads an EncryptedPrivateKeyInfo.
func (k *Keys) decryptKey(der []byte) (crypto.PrivateKey, error) {
	password, err := k.Password()
	if err != nil {
		return nil, err
	}
	key, err := smime.DecryptPrivateKey(der, []byte(password))
	if errors.Is(err, smime.ErrPassword) {
		return nil, locked("key", password, err)
	}
	return key, err
}

// locked says where the password of what is encrypted comes from.
func locked(what, password string, err error) error {
	const sources = "-password-file or the variable SMIME_PASSWORD"
	if password == "" {
		return fmt.Errorf("the %s is encrypted: give its password by %s: %w", what, sources, err)
	}
	return fmt.Errorf("the password of %s does not open the %s: %w", sources, what, err)
}
