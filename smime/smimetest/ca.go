package smimetest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

// Now returns the time at which everything made by this package is valid
// unless it was asked to be otherwise. So it is at the time of the test.
func Now() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }

// day returns the first instant of a year.
func day(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }

// A CA issues certificates for one test. Its keys are made anew, so that
// nothing that one CA made is known to another. It is safe for concurrent use.
type CA struct {
	t             testing.TB
	root, issuing *x509.Certificate
	rootKey, key  *ecdsa.PrivateKey

	mu      sync.Mutex
	serial  int64
	revoked []x509.RevocationListEntry
}

// NewCA returns a CA with a root and an issuing certificate, both valid at
// [Now].
func NewCA(t testing.TB) *CA {
	t.Helper()
	ca := &CA{t: t, rootKey: newKey(t), key: newKey(t), serial: 100}
	unique := make([]byte, 4)
	_, _ = rand.Read(unique) // never fails
	tpl := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{Organization: []string{"smimetest"}, CommonName: "Root " + hex.EncodeToString(unique)},
		NotBefore:    day(2015), NotAfter: day(2049),
		BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	ca.root = create(t, tpl, tpl, ca.rootKey.Public(), ca.rootKey)
	tpl.SerialNumber = big.NewInt(2)
	tpl.Subject.CommonName = "Issuing " + hex.EncodeToString(unique)
	tpl.MaxPathLenZero = true
	tpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	ca.issuing = create(t, tpl, ca.root, ca.key.Public(), ca.rootKey)
	return ca
}

// Root returns the certificate of the root.
func (ca *CA) Root() *x509.Certificate { return ca.root }

// Issuing returns the certificate by which the root lets the CA issue others.
func (ca *CA) Issuing() *x509.Certificate { return ca.issuing }

// Identity returns a new ECDSA P-256 key with a certificate for mailbox, which
// signs and decrypts. Each flaw spoils it in one way.
func (ca *CA) Identity(mailbox string, flaws ...Flaw) *smime.Identity {
	ca.t.Helper()
	return ca.Certify(newKey(ca.t), mailbox, flaws...)
}

// Certify is [CA.Identity] for a key of the caller's, such as one in hardware.
func (ca *CA) Certify(key crypto.Signer, mailbox string, flaws ...Flaw) *smime.Identity {
	ca.t.Helper()
	ca.mu.Lock()
	ca.serial++
	serial := ca.serial
	ca.mu.Unlock()
	tpl := &template{mailbox: mailbox, cert: x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: mailbox},
		NotBefore: day(2020), NotAfter: day(2040),
		KeyUsage: usageFor(key.Public()), SubjectKeyId: keyID(ca.t, key.Public()),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}}
	for _, f := range flaws {
		f(tpl)
	}
	if tpl.mailbox != "" {
		tpl.cert.ExtraExtensions = append(tpl.cert.ExtraExtensions, subjectAltName(ca.t, tpl.mailbox))
	}
	cert := create(ca.t, &tpl.cert, ca.issuing, key.Public(), ca.key)
	id, err := smime.NewIdentity(key, cert, ca.issuing)
	if err != nil {
		ca.t.Fatalf("smimetest: %v", err)
	}
	return id
}

// Trust returns a collection whose anchor is the root, with the issuing
// certificate and the current CRLs. To find recipients in it, add their
// certificates: see [CA.Directory].
func (ca *CA) Trust() *chain.Collection {
	ca.t.Helper()
	return chain.NewCollection(
		chain.Anchors(chain.Certs(ca.root)),
		chain.Untrusted(chain.Certs(ca.issuing)),
		chain.Untrusted(chain.DER(ca.CRLs()...)),
	)
}

// Directory returns what [CA.Trust] does, with the certificates of people to
// encrypt to.
func (ca *CA) Directory(people ...*smime.Identity) *chain.Collection {
	ca.t.Helper()
	certs := make([]*x509.Certificate, len(people))
	for i, id := range people {
		certs[i] = id.Certificate()
	}
	return ca.Trust().With(chain.Untrusted(chain.Certs(certs...)))
}

// Recipient returns id as a verified recipient at its first mailbox.
func (ca *CA) Recipient(id *smime.Identity) *smime.Recipient {
	ca.t.Helper()
	boxes := id.Mailboxes()
	if len(boxes) == 0 {
		ca.t.Fatal("smimetest: the certificate names no mailbox")
	}
	r, err := smime.NewRecipient(ca.t.Context(), boxes[0], id.Certificate(), ca.Trust(), nil)
	if err != nil {
		ca.t.Fatalf("smimetest: %v", err)
	}
	return r
}

// Revoke adds the certificate of id to the CRL of collections that Trust
// returns from then on.
func (ca *CA) Revoke(id *smime.Identity) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	ca.revoked = append(ca.revoked, x509.RevocationListEntry{
		SerialNumber: id.Certificate().SerialNumber, RevocationTime: day(2021),
	})
}

// CRLs returns the current lists of the root and of the issuing certificate,
// in DER.
func (ca *CA) CRLs() [][]byte {
	ca.t.Helper()
	ca.mu.Lock()
	defer ca.mu.Unlock()
	list := &x509.RevocationList{
		Number: big.NewInt(int64(len(ca.revoked)) + 1), ThisUpdate: day(2022), NextUpdate: day(2048),
	}
	root, err := x509.CreateRevocationList(rand.Reader, list, ca.root, ca.rootKey)
	if err != nil {
		ca.t.Fatalf("smimetest: %v", err)
	}
	list.RevokedCertificateEntries = ca.revoked
	issuing, err := x509.CreateRevocationList(rand.Reader, list, ca.issuing, ca.key)
	if err != nil {
		ca.t.Fatalf("smimetest: %v", err)
	}
	return [][]byte{root, issuing}
}

// keyID returns a subject key identifier (RFC 7093 section 2, method 1).
func keyID(t testing.TB, pub crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatalf("smimetest: %v", err)
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		t.Fatalf("smimetest: %v", err)
	}
	sum := sha256.Sum256(info.Key.Bytes)
	return sum[:20]
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("smimetest: %v", err)
	}
	return key
}

func create(t testing.TB, tpl, parent *x509.Certificate, pub any, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tpl, parent, pub, key)
	if err != nil {
		t.Fatalf("smimetest: %v", err)
	}
	cert, err := x509.ParseCertificate(bytes.Clone(der))
	if err != nil {
		t.Fatalf("smimetest: %v", err)
	}
	return cert
}
