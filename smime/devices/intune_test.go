package devices_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"hash"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/devices"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// cngBlob returns an RSAPUBLICBLOB.
func cngBlob(key *rsa.PublicKey) []byte {
	e, n := big.NewInt(int64(key.E)).Bytes(), key.N.Bytes()
	b := []byte("RSA1")
	for _, v := range []int{key.N.BitLen(), len(e), len(n), 0, 0} {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return slices.Concat(b, e, n)
}

func pkixPEM(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestParseConnectorKey(t *testing.T) {
	key := connectorKey(t)
	for name, file := range map[string][]byte{
		"PEM":       pkixPEM(t, &key.PublicKey),
		"PEM PKCS1": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&key.PublicKey)}),
		"CNG blob":  cngBlob(&key.PublicKey),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := devices.ParseConnectorKey(file)
			if err != nil || !key.PublicKey.Equal(got) {
				t.Errorf("%v", err)
			}
		})
	}
	small := rsaKey(t, 1024)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	blob := cngBlob(&key.PublicKey)
	change := func(at int, b byte) []byte {
		c := bytes.Clone(blob)
		c[at] = b
		return c
	}
	for _, tt := range []struct {
		name string
		file []byte
		want error
	}{
		{"nothing", nil, devices.ErrMalformed},
		{"text", []byte("hello"), devices.ErrMalformed},
		{"too large", make([]byte, 1<<20), devices.ErrMalformed},
		{"private PEM", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), devices.ErrPrivateKey},
		{"private blob", change(3, '2'), devices.ErrPrivateKey},
		{"full private blob", change(3, '3'), devices.ErrPrivateKey},
		{"a certificate", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pkcs8}), devices.ErrMalformed},
		{"two keys", append(pkixPEM(t, &key.PublicKey), pkixPEM(t, &key.PublicKey)...), devices.ErrMalformed},
		{"elliptic curve", pkixPEM(t, curve.Public()), devices.ErrMalformed},
		{"broken PEM", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkcs8[:20]}), devices.ErrMalformed},
		{"1024 bits", pkixPEM(t, &small.PublicKey), devices.ErrWeakKey},
		{"1024 bits in a blob", cngBlob(&small.PublicKey), devices.ErrWeakKey},
		{"cut header", blob[:20], devices.ErrMalformed},
		{"cut modulus", blob[:len(blob)-1], devices.ErrMalformed},
		{"more than the modulus", append(bytes.Clone(blob), 0), devices.ErrMalformed},
		{"other bit length", change(4, 1), devices.ErrMalformed},
		{"long exponent", change(8, 9), devices.ErrMalformed},
		{"a prime", change(16, 1), devices.ErrMalformed},
		{"even modulus", change(len(blob)-1, 2), devices.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := devices.ParseConnectorKey(tt.file); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

// FuzzParseConnectorKey asserts that what is read is a key that can be written
// and read again.
func FuzzParseConnectorKey(f *testing.F) {
	key := connectorKey(f)
	f.Add(cngBlob(&key.PublicKey))
	f.Add(pkixPEM(f, &key.PublicKey))
	f.Add([]byte("RSA1\x00\x08\x00\x00\x03\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, file []byte) {
		key, err := devices.ParseConnectorKey(file)
		if err != nil {
			return
		}
		again, err := devices.ParseConnectorKey(cngBlob(key))
		if err != nil || !key.Equal(again) || key.N.BitLen() < 2048 {
			t.Errorf("%v", err)
		}
	})
}

// TestUserPFXCertificates makes the resources of a history and opens each PFX
// with the password that the connector decrypts.
func TestUserPFXCertificates(t *testing.T) {
	ca := smimetest.NewCA(t)
	ids := history(t, ca)
	key := connectorKey(t)
	now := time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)
	for _, tt := range []struct {
		name    string
		padding devices.Padding
		hash    func() hash.Hash
		legacy  bool
	}{
		{"oaepSha512", devices.OAEPSHA512, sha512.New, true},
		{"oaepSha384", devices.OAEPSHA384, sha512.New384, true},
		{"oaepSha256", devices.OAEPSHA256, sha256.New, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &devices.Connector{Key: &key.PublicKey, ProviderName: "Microsoft Software Key Storage Provider", KeyName: "PFXKey", Padding: tt.padding}
			list, err := devices.UserPFXCertificates(c, user, append(ids, ids[1]), &devices.PFXOptions{InsecureLegacy: tt.legacy, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			if len(list) != len(ids) {
				t.Fatalf("%d resources", len(list))
			}
			passwords := make(map[string]bool)
			for i, u := range list {
				m := members(t, u)
				cert := ids[i].Certificate()
				purpose := []string{"smimeEncryption", "smimeEncryption", "smimeSigning"}[i]
				for name, want := range map[string]string{
					"thumbprint": thumbprint(cert), "intendedPurpose": purpose, "userPrincipalName": user,
					"startDateTime": cert.NotBefore.Format(time.RFC3339), "expirationDateTime": cert.NotAfter.Format(time.RFC3339),
					"createdDateTime": "2026-03-04T05:06:07Z", "lastModifiedDateTime": "2026-03-04T05:06:07Z",
					"providerName": "Microsoft Software Key Storage Provider", "keyName": "PFXKey", "paddingScheme": tt.name,
				} {
					if m[name] != want {
						t.Errorf("%s: %q, want %q", name, m[name], want)
					}
				}
				if len(m) != 12 {
					t.Errorf("%d members", len(m))
				}
				sealed, err := base64.StdEncoding.DecodeString(m["encryptedPfxPassword"])
				if err != nil {
					t.Fatal(err)
				}
				password, err := rsa.DecryptOAEP(tt.hash(), nil, key, sealed, nil)
				if err != nil {
					t.Fatal(err)
				}
				if passwords[string(password)] || len(password) < 26 || bytes.ContainsFunc(password, func(r rune) bool { return r <= ' ' || r > '~' }) {
					t.Error("a password that is short, used twice or not ASCII")
				}
				passwords[string(password)] = true
				pfx, err := base64.StdEncoding.DecodeString(m["encryptedPfxBlob"])
				if err != nil {
					t.Fatal(err)
				}
				got, err := smime.ParsePKCS12(pfx, string(password))
				if err != nil || len(got) != 1 || !got[0].Certificate().Equal(cert) {
					t.Errorf("%d identities, %v", len(got), err)
				}
			}
		})
	}
}

// members returns the JSON of a resource as text, after a round trip.
func members(t *testing.T, u *devices.UserPFXCertificate) map[string]string {
	t.Helper()
	text, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	var back devices.UserPFXCertificate
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("%s is not %s: %v", again, text, err)
	}
	m := make(map[string]string)
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestIntuneWithPeers has OpenSSL decrypt the passwords as a connector would, and
// other programs read each PFX.
func TestIntuneWithPeers(t *testing.T) {
	openssl := suites.Tool(t, "openssl")
	ca := smimetest.NewCA(t)
	ids := history(t, ca)
	key := connectorKey(t)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	private := write(t, dir, "connector.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	public, err := devices.ParseConnectorKey(run(t, nil, openssl, "pkey", "-in", private, "-pubout"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		padding devices.Padding
		digest  string
		legacy  bool
	}{
		{devices.OAEPSHA512, "sha512", true},
		{devices.OAEPSHA384, "sha384", false},
		{devices.OAEPSHA256, "sha256", true},
	} {
		t.Run(tt.digest, func(t *testing.T) {
			list, err := devices.UserPFXCertificates(&devices.Connector{Key: public, ProviderName: "p", KeyName: "k", Padding: tt.padding}, user, ids, &devices.PFXOptions{InsecureLegacy: tt.legacy})
			if err != nil {
				t.Fatal(err)
			}
			for i, u := range list {
				sealed := write(t, dir, "sealed", u.EncryptedPFXPassword)
				password := run(t, nil, openssl, "pkeyutl", "-decrypt", "-inkey", private, "-in", sealed,
					"-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:"+tt.digest, "-pkeyopt", "rsa_mgf1_md:"+tt.digest)
				readByOthers(t, u.EncryptedPFXBlob, string(password), ids[i], tt.legacy)
			}
		})
	}
}

// TestGPGSM imports the PFX of a user into gpgsm. Version 2.2 can't import one
// PKCS #12 file in about 64, whoever made it.
func TestGPGSM(t *testing.T) {
	suites.Tool(t, "gpgsm")
	ca := smimetest.NewCA(t)
	id := ca.Certify(rsaKey(t, 2048), user)
	key := connectorKey(t)
	var err error
	for range 4 {
		list, e := devices.UserPFXCertificates(&devices.Connector{Key: &key.PublicKey, ProviderName: "p", KeyName: "k"}, user, []*smime.Identity{id}, &devices.PFXOptions{InsecureLegacy: true})
		if e != nil {
			t.Fatal(e)
		}
		password, e := rsa.DecryptOAEP(sha512.New(), nil, key, list[0].EncryptedPFXPassword, nil)
		if e != nil {
			t.Fatal(e)
		}
		if err = importGPGSM(t, list[0].EncryptedPFXBlob, string(password)); err == nil {
			return
		}
	}
	t.Error(err)
}

func TestUserPFXCertificatesRefuses(t *testing.T) {
	ca := smimetest.NewCA(t)
	ids := []*smime.Identity{ca.Identity(user)}
	key := connectorKey(t)
	small := rsaKey(t, 1024)
	good := devices.Connector{Key: &key.PublicKey, ProviderName: "p", KeyName: "k"}
	with := func(change func(c *devices.Connector)) *devices.Connector {
		c := good
		change(&c)
		return &c
	}
	inCard := rsaKey(t, 2048)
	onCard := must(smime.NewIdentity(hardware{inCard}, ca.Certify(inCard, user).Certificate()))
	for _, tt := range []struct {
		name string
		c    *devices.Connector
		user string
		ids  []*smime.Identity
		opts *devices.PFXOptions
		want error
	}{
		{"no connector", nil, user, ids, nil, devices.ErrMalformed},
		{"no key", with(func(c *devices.Connector) { c.Key = nil }), user, ids, nil, devices.ErrMalformed},
		{"empty key", with(func(c *devices.Connector) { c.Key = new(rsa.PublicKey) }), user, ids, nil, devices.ErrMalformed},
		{"weak key", with(func(c *devices.Connector) { c.Key = &small.PublicKey }), user, ids, nil, devices.ErrWeakKey},
		{"no provider", with(func(c *devices.Connector) { c.ProviderName = "" }), user, ids, nil, devices.ErrMalformed},
		{"no key name", with(func(c *devices.Connector) { c.KeyName = "" }), user, ids, nil, devices.ErrMalformed},
		{"unknown padding", with(func(c *devices.Connector) { c.Padding = 9 }), user, ids, nil, devices.ErrMalformed},
		{"no user", &good, "", ids, nil, devices.ErrMalformed},
		{"no domain", &good, "alice@", ids, nil, devices.ErrMalformed},
		{"user with a line break", &good, "a\n@example.com", ids, nil, devices.ErrMalformed},
		{"no identity", &good, user, nil, nil, devices.ErrNoIdentity},
		{"nil identity", &good, user, []*smime.Identity{nil}, nil, devices.ErrNoIdentity},
		{"web server", &good, user, []*smime.Identity{ca.Identity(user, smimetest.NotForMail())}, nil, devices.ErrNotForMail},
		{"smart card", &good, user, []*smime.Identity{ids[0], onCard}, nil, devices.ErrNotExportable},
		{"unknown purpose", &good, user, ids, &devices.PFXOptions{Purpose: func(*x509.Certificate) devices.Purpose { return 3 }}, devices.ErrMalformed},
		{"caller's purpose", &good, user, []*smime.Identity{ca.Identity(user, smimetest.NotForMail())}, &devices.PFXOptions{Purpose: func(*x509.Certificate) devices.Purpose { return devices.PurposeVPN }}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := devices.UserPFXCertificates(tt.c, tt.user, tt.ids, tt.opts)
			if !errors.Is(err, tt.want) || err != nil && list != nil {
				t.Errorf("%d, %v, want %v", len(list), err, tt.want)
			}
		})
	}
}

// TestErrorsHoldNoSecrets reads broken files with a marker in place of a key.
func TestErrorsHoldNoSecrets(t *testing.T) {
	const marker = "c2VjcmV0LWtleS1tYXRlcmlhbA"
	for _, file := range []string{
		"-----BEGIN PRIVATE KEY-----\n" + marker + "==\n-----END PRIVATE KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\n" + marker + "==\n-----END PUBLIC KEY-----\n",
		"-----BEGIN " + marker + "-----\n" + marker + "==\n-----END " + marker + "-----\n",
		"RSA2" + marker, "RSA1" + marker + marker + marker, marker,
	} {
		_, err := devices.ParseConnectorKey([]byte(file))
		if err == nil || strings.Contains(err.Error(), marker[:8]) || strings.Contains(err.Error(), hex.EncodeToString([]byte(marker))[:16]) {
			t.Errorf("%v", err)
		}
	}
	var u devices.UserPFXCertificate
	for _, text := range []string{`{"paddingScheme":"` + marker + `"}`, `{"encryptedPfxPassword":"!` + marker + `"}`, `{"intendedPurpose":"` + marker + `"}`, `{"paddingScheme":"pkcs1"}`, `{"paddingScheme":"oaepSha1"}`} {
		if err := json.Unmarshal([]byte(text), &u); err == nil || strings.Contains(err.Error(), marker) {
			t.Errorf("%v", err)
		}
	}
	if err := json.Unmarshal([]byte(`{"paddingScheme":"none","unknown":1}`), &u); err != nil || u.PaddingScheme != devices.OAEPSHA512 {
		t.Errorf("%v", err)
	}
	if _, err := json.Marshal(devices.UserPFXCertificate{PaddingScheme: 7}); !errors.Is(err, devices.ErrMalformed) {
		t.Errorf("%v", err)
	}
}
