package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/miekg/pkcs11"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// A token is a logged-in session with a smart card or hardware module. A
// session does one operation at a time, so its users take turns.
type token struct {
	mu      sync.Mutex
	module  *pkcs11.Ctx
	session pkcs11.SessionHandle
}

// openToken opens the token with that label through a PKCS #11 module.
func openToken(modulePath, label, pin string) (*token, error) {
	m := pkcs11.New(modulePath)
	if m == nil {
		return nil, fmt.Errorf("%w: no PKCS #11 module at %s", pkcs7.ErrKeyUnavailable, modulePath)
	}
	if err := m.Initialize(); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		return nil, unavailable(err)
	}
	slots, err := m.GetSlotList(true)
	if err != nil {
		return nil, unavailable(err)
	}
	for _, slot := range slots {
		info, err := m.GetTokenInfo(slot)
		if err != nil || info.Label != label {
			continue
		}
		session, err := m.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
		if err != nil {
			return nil, unavailable(err)
		}
		err = m.Login(session, pkcs11.CKU_USER, pin)
		if err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_ALREADY_LOGGED_IN)) {
			return nil, errors.Join(unavailable(err), m.CloseSession(session))
		}
		return &token{module: m, session: session}, nil
	}
	return nil, fmt.Errorf("%w: no token with the label %q", pkcs7.ErrKeyUnavailable, label)
}

// close ends the session. The keys of the token are unavailable from then on.
func (t *token) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.module.CloseSession(t.session)
}

// unavailable wraps an error that says nothing about a ciphertext.
func unavailable(err error) error { return fmt.Errorf("%w: %w", pkcs7.ErrKeyUnavailable, err) }

// keyError wraps err as unavailable if it is about the token, the session or
// the user. Everything else may depend on the ciphertext and must look like
// any other failure of decryption, which the library sees to.
func keyError(err error) error {
	var e pkcs11.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e {
	case pkcs11.CKR_DEVICE_ERROR, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_TOKEN_NOT_RECOGNIZED,
		pkcs11.CKR_SESSION_CLOSED, pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_USER_NOT_LOGGED_IN, pkcs11.CKR_PIN_EXPIRED,
		pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_LOCKED, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED, pkcs11.CKR_OBJECT_HANDLE_INVALID,
		pkcs11.CKR_KEY_HANDLE_INVALID, pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED, pkcs11.CKR_MECHANISM_INVALID,
		pkcs11.CKR_FUNCTION_NOT_SUPPORTED:
		return unavailable(err)
	}
	return err
}

// find returns the objects of a class, with that identifier if id is not nil.
func (t *token) find(class uint, id []byte) ([]pkcs11.ObjectHandle, error) {
	template := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class)}
	if id != nil {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_ID, id))
	}
	if err := t.module.FindObjectsInit(t.session, template); err != nil {
		return nil, keyError(err)
	}
	const most = 100
	found, _, err := t.module.FindObjects(t.session, most)
	return found, errors.Join(keyError(err), keyError(t.module.FindObjectsFinal(t.session)))
}

// identities returns an identity for each certificate on the token that has its
// private key there. One that can't be read hides no other.
func (t *token) identities() (smime.Identities, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	certs, err := t.find(pkcs11.CKO_CERTIFICATE, nil)
	if err != nil {
		return nil, err
	}
	var ids smime.Identities
	for _, object := range certs {
		attrs, err := t.module.GetAttributeValue(t.session, object, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil), pkcs11.NewAttribute(pkcs11.CKA_ID, nil)})
		if err != nil {
			return nil, keyError(err)
		}
		cert, err := x509.ParseCertificate(attrs[0].Value)
		if err != nil {
			continue
		}
		keys, err := t.find(pkcs11.CKO_PRIVATE_KEY, attrs[1].Value)
		if err != nil {
			return nil, err
		}
		if len(keys) != 1 {
			continue
		}
		key, err := t.key(keys[0], attrs[1].Value, cert)
		if err != nil {
			return nil, err
		}
		if key == nil {
			continue
		}
		if id, err := smime.NewIdentity(key, cert); err == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// key returns the private key as that of a certificate with the same CKA_ID, nil
// if it is not: the identifier is a label that anybody may write.
func (t *token) key(object pkcs11.ObjectHandle, id []byte, cert *x509.Certificate) (crypto.PrivateKey, error) {
	attrs, err := t.module.GetAttributeValue(t.session, object, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, nil)})
	if err != nil {
		return nil, keyError(err)
	}
	kind := func(k uint) bool {
		return bytes.Equal(attrs[0].Value, pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, k).Value)
	}
	switch pub := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if !kind(pkcs11.CKK_RSA) {
			return nil, nil
		}
		attrs, err := t.module.GetAttributeValue(t.session, object, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_MODULUS, nil)})
		if err != nil {
			return nil, keyError(err)
		}
		if new(big.Int).SetBytes(attrs[0].Value).Cmp(pub.N) == 0 {
			return &rsaKey{token: t, object: object, public: pub}, nil
		}
	case *ecdsa.PublicKey:
		exchange, err := pub.ECDH()
		if err != nil || !kind(pkcs11.CKK_EC) {
			return nil, nil
		}
		// The private key does not tell its point; the public one beside it does.
		points, err := t.find(pkcs11.CKO_PUBLIC_KEY, id)
		if err != nil {
			return nil, err
		}
		for _, p := range points {
			attrs, err := t.module.GetAttributeValue(t.session, p, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, nil)})
			if err != nil || !bytes.HasSuffix(attrs[0].Value, exchange.Bytes()) { // in an OCTET STRING, or bare
				return nil, keyError(err)
			}
		}
		return &ecKey{token: t, object: object, public: pub, exchange: exchange}, nil
	}
	return nil, nil
}
