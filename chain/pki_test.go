package chain_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
)

// judged is the time by which the tests judge.
var judged = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// A party is a certificate with its key.
type party struct {
	*x509.Certificate
	key crypto.Signer
}

type template = func(*x509.Certificate)

var serials atomic.Int64

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newP256(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// makeCert makes a certificate for key, signed by issuer; nil: self-signed.
func makeCert(t testing.TB, issuer *party, key crypto.Signer, name string, edit ...template) *party {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serials.Add(1)),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    judged.AddDate(-1, 0, 0),
		NotAfter:     judged.AddDate(1, 0, 0),
	}
	for _, f := range edit {
		f(c)
	}
	p := &party{key: key}
	if issuer == nil {
		issuer = &party{c, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, issuer.Certificate, key.Public(), issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	if p.Certificate, err = x509.ParseCertificate(der); err != nil {
		// Some tests make what crypto/x509 can't read.
		unread := *c
		unread.Raw = der
		p.Certificate = &unread
	}
	return p
}

func asCA(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid = true, true
	c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
}

func newRoot(t testing.TB, name string, edit ...template) *party {
	return makeCert(t, nil, newKey(t), name, append([]template{asCA}, edit...)...)
}

func (p *party) newCA(t testing.TB, name string, edit ...template) *party {
	return makeCert(t, p, newKey(t), name, append([]template{asCA}, edit...)...)
}

// newLeaf makes a certificate for the mailbox; "" gives none.
func (p *party) newLeaf(t testing.TB, mailbox string, edit ...template) *party {
	return makeCert(t, p, newKey(t), "Leaf", append([]template{func(c *x509.Certificate) {
		if mailbox != "" {
			c.EmailAddresses = []string{mailbox}
		}
		c.KeyUsage = x509.KeyUsageDigitalSignature
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	}}, edit...)...)
}

const alice = "alice@example.com"

// signing is the Policy of most tests.
func signing() chain.Policy {
	return chain.Policy{Purpose: chain.EmailSigning, Mailbox: alice, Options: chain.Options{At: judged}}
}

func certs(list ...*party) chain.Source {
	var out []*x509.Certificate
	for _, p := range list {
		out = append(out, p.Certificate)
	}
	return chain.Certs(out...)
}

// wantReason fails unless err is an Error for reason; 0: unless err is nil.
func wantReason(t testing.TB, err error, reason chain.Reason) {
	t.Helper()
	if reason == 0 {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	e, ok := errors.AsType[*chain.Error](err)
	if !ok || e.Reason != reason {
		t.Errorf("got %v, want %v", err, reason)
		return
	}
	for _, e := range append(e.Tried, e) {
		if e.Detail == "" && e.Err == nil {
			t.Errorf("%v says nothing", e)
		}
		if e.Cert == nil && reason != chain.ErrPolicy && reason != chain.ErrMalformed {
			t.Errorf("%v names no certificate", e)
		}
	}
}

func permitted(emails ...string) template {
	return func(c *x509.Certificate) {
		c.PermittedEmailAddresses = emails
		c.PermittedDNSDomainsCritical = true
	}
}

func excluded(emails ...string) template {
	return func(c *x509.Certificate) {
		c.ExcludedEmailAddresses = emails
		c.PermittedDNSDomainsCritical = true
	}
}

func pathLen(n int) template {
	return func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = n, n == 0 }
}

func until(at time.Time) template { return func(c *x509.Certificate) { c.NotAfter = at } }

func since(at time.Time) template { return func(c *x509.Certificate) { c.NotBefore = at } }

func usages(ku x509.KeyUsage, eku ...x509.ExtKeyUsage) template {
	return func(c *x509.Certificate) { c.KeyUsage, c.ExtKeyUsage = ku, eku }
}

func extension(id []int, critical bool, value []byte) template {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: value})
	}
}

func asBig(n int64) *big.Int { return big.NewInt(n) }
