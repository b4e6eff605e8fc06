package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/miekg/pkcs11"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

const pin = "2468"

// softHSM makes an empty token store for this test and returns the module and
// the folder of the store.
func softHSM(t *testing.T) (module, store string) {
	t.Helper()
	suites.Tool(t, "softhsm2-util")
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+dir+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	for _, file := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(file); err == nil {
			// The module keeps its store for as long as it is initialised.
			t.Cleanup(func() {
				if err := pkcs11.New(file).Finalize(); err != nil {
					t.Error(err)
				}
			})
			return file, dir
		}
	}
	t.Fatal("no module of SoftHSM")
	return "", ""
}

// initialise makes a token with a PIN.
func initialise(t *testing.T, label string) {
	t.Helper()
	out, err := suites.Command(t, "softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", pin).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// keyID is the CKA_ID that a private key shares with its certificate.
const keyID = 1

// generate makes a pair of keys on a token and returns the public one: the
// private key can't be read from outside, not even here.
func generate(t *testing.T, module, label string, mechanism uint, public []*pkcs11.Attribute) []*pkcs11.Attribute {
	t.Helper()
	public = append(public, pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_ID, []byte{keyID}))
	m, session := writable(t, module, label)
	private := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_ID, []byte{keyID}),
		pkcs11.NewAttribute(pkcs11.CKA_SIGN, true),
	}
	if mechanism == pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN {
		private = append(private, pkcs11.NewAttribute(pkcs11.CKA_DECRYPT, true))
	} else {
		private = append(private, pkcs11.NewAttribute(pkcs11.CKA_DERIVE, true))
	}
	pub, priv, err := m.GenerateKeyPair(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}, public, private)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.GetAttributeValue(session, priv, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)}); err == nil {
		t.Error("the private key can be read")
	}
	want := pkcs11.CKA_EC_POINT
	if mechanism == pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN {
		want = pkcs11.CKA_MODULUS
	}
	attrs, err := m.GetAttributeValue(session, pub, []*pkcs11.Attribute{pkcs11.NewAttribute(uint(want), nil)})
	if err := errors.Join(err, m.CloseSession(session)); err != nil {
		t.Fatal(err)
	}
	return attrs
}

// newRSA makes an RSA key on a token.
func newRSA(t *testing.T, module, label string) *rsaKey {
	t.Helper()
	attrs := generate(t, module, label, pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_MODULUS_BITS, 2048),
		pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}),
	})
	return &rsaKey{public: &rsa.PublicKey{N: new(big.Int).SetBytes(attrs[0].Value), E: 65537}}
}

// newEC makes a P-256 key on a token.
func newEC(t *testing.T, module, label string) *ecKey {
	t.Helper()
	attrs := generate(t, module, label, pkcs11.CKM_EC_KEY_PAIR_GEN, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, []byte("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07")), // prime256v1
	})
	// CKA_EC_POINT is an OCTET STRING.
	point := cryptobyte.String(attrs[0].Value)
	if !point.ReadASN1(&point, asn1.OCTET_STRING) {
		t.Fatal("no point")
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	exchange, err := pub.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	return &ecKey{public: pub, exchange: exchange}
}

// put adds the certificate of the key to a token.
func put(t *testing.T, module, label string, cert *x509.Certificate) {
	t.Helper()
	putDER(t, module, label, []byte{keyID}, cert.RawSubject, cert.Raw)
}

func putDER(t *testing.T, module, label string, id, subject, der []byte) {
	t.Helper()
	m, session := writable(t, module, label)
	_, err := m.CreateObject(session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE),
		pkcs11.NewAttribute(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_ID, id),
		pkcs11.NewAttribute(pkcs11.CKA_SUBJECT, subject),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE, der),
	})
	if err := errors.Join(err, m.CloseSession(session)); err != nil {
		t.Fatal(err)
	}
}

// writable returns a session that may change the token.
func writable(t *testing.T, module, label string) (*pkcs11.Ctx, pkcs11.SessionHandle) {
	t.Helper()
	tok, err := openToken(module, label, pin)
	if err != nil {
		t.Fatal(err)
	}
	info, err := tok.module.GetSessionInfo(tok.session)
	if err != nil {
		t.Fatal(err)
	}
	session, err := tok.module.OpenSession(info.SlotID, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err := errors.Join(err, tok.close()); err != nil {
		t.Fatal(err)
	}
	return tok.module, session
}

// removeToken deletes the token's files under the open session.
func removeToken(t *testing.T, tok *token, store string) {
	t.Helper()
	info, err := tok.module.GetSessionInfo(tok.session)
	if err != nil {
		t.Fatal(err)
	}
	slot, err := tok.module.GetTokenInfo(info.SlotID)
	if err != nil {
		t.Fatal(err)
	}
	// SoftHSM names the folder of a token for its serial number, in groups.
	dirs, err := filepath.Glob(filepath.Join(store, "*"+slot.SerialNumber[len(slot.SerialNumber)-12:]))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("%d folders, %v", len(dirs), err)
	}
	if err := os.RemoveAll(dirs[0]); err != nil {
		t.Fatal(err)
	}
}
