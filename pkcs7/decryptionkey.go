package pkcs7

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/x509der"
)

// A DecryptionKey is a private key with the certificate by which messages
// refer to it. Key is a crypto.Decrypter (RSA), an ecdh.KeyExchanger (elliptic
// curves) or a crypto.Decapsulator (ML-KEM). A key that can be cancelled
// implements, beside that interface, WithContext(context.Context) crypto.PrivateKey.
type DecryptionKey struct {
	certificate *x509.Certificate
	key         crypto.PrivateKey
	id, secret  []byte
	kind        keyKind
	any         bool       // for recipients that the certificate does not name
	parsed      *parsedKey // of a key pair
}

// A parsedKey is what messages name a key pair by. It is made when the key is
// first used, once for all copies of the DecryptionKey.
type parsedKey struct {
	once   sync.Once
	cert   *x509der.Certificate // nil: it can't be read
	public *alg.PublicKey
	spki   []byte
	ids    [][]byte
	key    crypto.PrivateKey // in the form that is asked
}

func (k DecryptionKey) parse() *parsedKey {
	k.parsed.once.Do(func() {
		switch {
		case k.any && (k.certificate == nil || len(k.certificate.Raw) == 0):
			var err error
			if k.parsed.public, k.parsed.spki, err = alg.PublicOf(k.key); err != nil {
				return
			}
		default:
			cert, err := x509der.Parse(k.certificate.Raw)
			if err != nil {
				return
			}
			k.parsed.cert, k.parsed.ids, k.parsed.spki = cert, cert.KeyIDs(), cert.SPKI
			k.parsed.public, _ = alg.ParsePublicKey(cert.SPKI)
		}
		if !alg.Usable(k.key) {
			return
		}
		k.parsed.key = k.key
		if ec, ok := k.key.(*ecdsa.PrivateKey); ok {
			if exchanger, ok := alg.ECDHKey(ec); ok {
				k.parsed.key = exchanger
			}
		}
	})
	return k.parsed
}

type keyKind uint8

const (
	noKey keyKind = iota
	pairKey
	passwordKey
	kekKey
)

// KeyOf returns a key pair. The private key must belong to the certificate: a
// message is opened with it if it names the certificate.
func KeyOf(cert *x509.Certificate, key crypto.PrivateKey) DecryptionKey {
	return DecryptionKey{certificate: cert, key: key, kind: pairKey, parsed: new(parsedKey)}
}

// KeyForAnyRecipient returns a key that is tried for every recipient of its
// kind, whomever the message names: for mail to a former certificate of the same
// key, or to one that is lost. Cert is the certificate that [DecryptReader]
// reports; it may be nil. Recipients that other keys are named by come first, and
// each attempt counts for Limits.PrivateKeys.
//
// An attempt on a recipient who is somebody else fails, with one exception: RSA
// PKCS #1 v1.5 together with a cipher without authentication, such as AES-CBC.
// There only the padding of the content tells a wrong key from the right one, and
// a wrong key passes that check once in 256 attempts. The first key that passes is
// taken, so that the content can then be random octets although another key is
// right. With an authenticated cipher, such as AES-GCM, this does not happen.
func KeyForAnyRecipient(cert *x509.Certificate, key crypto.PrivateKey) DecryptionKey {
	return DecryptionKey{certificate: cert, key: key, kind: pairKey, any: true, parsed: new(parsedKey)}
}

// KeyFromPassword returns the secret that [ToPassword] encrypts to. It keeps
// password itself, which the caller may clear when all is decrypted.
func KeyFromPassword(password []byte) DecryptionKey {
	return DecryptionKey{secret: password, kind: passwordKey}
}

// KeyFromKEK returns the secret that [ToKey] encrypts to. For [Extract] of an
// EncryptedData, which names nobody, it is the content key itself. It keeps id and kek themselves.
func KeyFromKEK(id, kek []byte) DecryptionKey {
	return DecryptionKey{id: id, secret: kek, kind: kekKey}
}

// A KeyFunc returns the keys, if any, of the recipients named by a message.
// Those that the message does not name are not tried.
type KeyFunc func(ctx context.Context, to []CertID) ([]DecryptionKey, error)

// askKeys asks f, if there is one, for the keys of the recipients.
func askKeys(ctx context.Context, f KeyFunc, l *recipientList) ([]DecryptionKey, error) {
	if f == nil {
		return nil, nil
	}
	keys, err := f(ctx, slices.Clone(l.ids))
	if err != nil {
		return nil, fmt.Errorf("pkcs7: keys of the recipients: %w", err)
	}
	return keys, nil
}

// A matchKey is a DecryptionKey with what messages name it by.
type matchKey struct {
	DecryptionKey
	cert   *x509der.Certificate // nil: none, or it can't be read
	public *alg.PublicKey
}

// A keyring finds keys by identifier. If they are many it does so without
// comparing all with all.
type keyring struct {
	pairs, secrets    []matchKey
	any               []matchKey             // tried for every recipient
	bySerial, byKeyID map[string][]*matchKey // nil: few pairs
}

// fewKeys are compared with every recipient faster than they are indexed.
const fewKeys = 8

func newKeyring(keys []DecryptionKey) *keyring {
	r := new(keyring)
	for _, key := range keys {
		switch {
		case key.kind == passwordKey || key.kind == kekKey:
			r.secrets = append(r.secrets, matchKey{DecryptionKey: key})
			continue
		case key.kind != pairKey || key.certificate == nil && !key.any:
			continue
		}
		// A certificate that can't be read names no key and hides no other one.
		parsed := key.parse()
		key.key = parsed.key
		match := matchKey{DecryptionKey: key, cert: parsed.cert, public: parsed.public}
		if parsed.cert != nil {
			r.pairs = append(r.pairs, match)
		}
		if key.any && parsed.public != nil {
			r.any = append(r.any, match)
		}
	}
	if len(r.pairs) > fewKeys {
		r.index()
	}
	return r
}

func (r *keyring) index() {
	r.bySerial, r.byKeyID = map[string][]*matchKey{}, map[string][]*matchKey{}
	for i := range r.pairs {
		k := &r.pairs[i]
		serial := string(serialIndex(nil, k.cert.Serial))
		r.bySerial[serial] = append(r.bySerial[serial], k)
		for _, id := range k.parsed.ids {
			r.byKeyID[string(id)] = append(r.byKeyID[string(id)], k)
		}
	}
}

// serialIndex appends a form of a serial number by which keys are looked up.
func serialIndex(b []byte, serial *big.Int) []byte {
	if serial == nil {
		return b
	}
	b = append(b, byte(1+serial.Sign()))
	return append(b, serial.Bytes()...)
}

// find calls yield for each key that id names, with how well it does.
func (r *keyring) find(id CertID, yield func(key *matchKey, rank int)) {
	try := func(k *matchKey) {
		if rank := k.rank(id); rank > 0 {
			yield(k, rank)
		}
	}
	switch {
	case id.Kind != ByCertificate:
		for i := range r.secrets {
			try(&r.secrets[i])
		}
	case r.bySerial == nil:
		for i := range r.pairs {
			try(&r.pairs[i])
		}
	case id.Serial != nil:
		var scratch [24]byte
		for _, k := range r.bySerial[string(serialIndex(scratch[:0], id.Serial))] {
			try(k)
		}
	default:
		for _, k := range r.byKeyID[string(id.KeyID)] {
			try(k)
		}
	}
}

// rank says how well id names the key, 0 if it does not.
func (k *matchKey) rank(id CertID) int {
	switch {
	case id.Kind == ByPassword && k.kind == passwordKey,
		id.Kind == ByKEK && k.kind == kekKey && bytes.Equal(k.id, id.KeyID):
		return 1
	case id.Kind != ByCertificate || k.cert == nil:
		return 0
	case id.Serial != nil:
		return id.rank(k.cert)
	}
	// The identifiers of the certificate are known already.
	for i, keyID := range k.parsed.ids {
		if len(keyID) > 0 && bytes.Equal(keyID, id.KeyID) {
			return 3 - min(i, 1)
		}
	}
	return 0
}

// sameKey reports whether k and other are one key pair.
func (k *matchKey) sameKey(other *matchKey) bool {
	return bytes.Equal(k.parsed.spki, other.parsed.spki)
}

// unavailable reports whether err says something about the key or the caller
// and nothing about the ciphertext, so that it may be told.
func unavailable(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, ErrKeyUnavailable) || errors.Is(err, alg.ErrKeyUnavailable)
}
