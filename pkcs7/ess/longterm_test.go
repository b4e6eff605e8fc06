package ess_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/pkcs7/ess"
)

const year = 365 * 24 * time.Hour

// An authority issues what a long-term signature needs.
type authority struct {
	t    *testing.T
	key  crypto.Signer
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, NotBefore: time.Now().Add(-5 * year), NotAfter: time.Now().Add(5 * year),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	key := a.issue(template)
	a.key, a.cert = key.Key, key.Certificate
	return a
}

// issue issues for a new key; without a key of its own yet, by that key.
func (a *authority) issue(template *x509.Certificate) pkcs7.SigningKey {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	parent, by := a.cert, a.key
	if parent == nil {
		parent, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return pkcs7.SigningKey{Certificate: cert, Key: key}
}

func (a *authority) crl(from time.Time, revoked ...*x509.Certificate) []byte {
	a.t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: from, NextUpdate: from.Add(year)}
	for _, c := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: from.Add(-time.Hour)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return der
}

// stamp returns a timestamp of a signature.
func stamp(t *testing.T, tsa pkcs7.SigningKey, signature []byte, at time.Time) pkcs7.Attribute {
	t.Helper()
	sum := sha256.Sum256(signature)
	seq := func(parts ...[]byte) []byte { return ber.Append(nil, ber.Sequence, true, parts...) }
	info := seq([]byte{2, 1, 1}, ber.Append(nil, ber.OID, false, []byte{0x2a, 3}),
		seq(alg.SHA256.Identifier().DER(), ber.Append(nil, ber.OctetString, false, sum[:])),
		[]byte{2, 1, 7}, ber.Append(nil, ber.GeneralizedTime, false, []byte(at.UTC().Format("20060102150405Z"))))
	var token bytes.Buffer
	w, err := pkcs7.NewSignWriter(context.Background(), &token, []pkcs7.SigningKey{tsa}, &pkcs7.SignOptions{ContentType: oid.TSTInfo.X509(), SigningTime: at})
	if err != nil {
		t.Fatal(err)
	}
	w.Write(info)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return pkcs7.Attribute{Type: oid.AttrTimestampToken.X509(), Values: [][]byte{token.Bytes()}}
}

func read(t *testing.T, msg []byte) (*pkcs7.SignerInfo, [][]byte) {
	t.Helper()
	r, err := pkcs7.NewSignedReader(bytes.NewReader(msg), strings.NewReader("a contract"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	signers, err := r.Signers()
	if err != nil {
		t.Fatal(err)
	}
	elements, err := r.UnverifiedElements()
	if err != nil {
		t.Fatal(err)
	}
	return signers[0], elements
}

// TestLongTerm verifies a signature whose certificate has expired by its
// timestamp and the CRL that it carries: CAdES B-B, then B-T, then B-LT.
func TestLongTerm(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	ca := newAuthority(t)
	signed := time.Now().Add(-2 * year)
	usage := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.EKUTimeStamping)))
	tsa := ca.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "TSA"}, NotBefore: time.Now().Add(-4 * year), NotAfter: time.Now().Add(4 * year),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}}})
	alice := ca.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "Alice"}, NotBefore: signed.Add(-year / 2), NotAfter: signed.Add(year),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, EmailAddresses: []string{"alice@example.com"}})

	var msg bytes.Buffer
	if err := pkcs7.SignDetached(ctx, &msg, strings.NewReader("a contract"), []pkcs7.SigningKey{alice}, &pkcs7.SignOptions{SigningTime: signed}); err != nil {
		t.Fatal(err)
	}
	trust := chain.NewCollection(chain.Anchors(chain.Certs(ca.cert)))
	mail := chain.Policy{Purpose: chain.EmailSigning, Mailbox: "alice@example.com"}
	mail.Revocation = chain.RevocationRequireLeaf
	s, elements := read(t, msg.Bytes())
	if l := ess.LevelOf(s, elements); l != ess.BB {
		t.Errorf("level %d, not B-B", l)
	}
	if err := trust.TrustFunc(mail)(ctx, alice.Certificate, time.Time{}, elements); !errors.Is(err, chain.ErrExpired) {
		t.Errorf("now: %v", err)
	}

	add := func(attr pkcs7.Attribute) {
		t.Helper()
		var out bytes.Buffer
		if err := pkcs7.AddUnsigned(&out, bytes.NewReader(msg.Bytes()), 0, attr); err != nil {
			t.Fatal(err)
		}
		msg = out
		s, elements = read(t, msg.Bytes())
		if err := s.CheckSignature(alice.Certificate); err != nil {
			t.Fatal(err)
		}
	}
	add(stamp(t, tsa, s.Signature(), signed.Add(time.Minute)))
	if l := ess.LevelOf(s, elements); l != ess.BT {
		t.Errorf("level %d, not B-T", l)
	}
	at, err := s.VerifyTimestamps(ctx, trust.TrustFunc(chain.Policy{Purpose: chain.TimeStamping}))
	if err != nil || at.Sub(signed).Abs() > time.Hour {
		t.Fatal(at, err)
	}
	if _, err := s.VerifyTimestamps(ctx, chain.NewCollection().TrustFunc(chain.Policy{Purpose: chain.TimeStamping})); err == nil {
		t.Error("timestamp of an authority that nobody knows")
	}
	if err := trust.TrustFunc(mail)(ctx, alice.Certificate, at, elements); err == nil {
		t.Error("good without any evidence on revocation")
	}

	evidence := func(crl []byte) pkcs7.Attribute {
		crls := ber.Append(nil, ber.Context(0), true, ber.Append(nil, ber.Sequence, true, crl))
		return pkcs7.Attribute{Type: oid.AttrRevocationValues.X509(), Values: [][]byte{ber.Append(nil, ber.Sequence, true, crls)}}
	}
	before := msg.Bytes()
	add(evidence(ca.crl(signed.Add(-time.Hour))))
	if l := ess.LevelOf(s, elements); l != ess.BLT {
		t.Errorf("level %d, not B-LT", l)
	}
	if err := trust.TrustFunc(mail)(ctx, alice.Certificate, at, elements); err != nil {
		t.Errorf("with a CRL: %v", err)
	}
	archived := msg
	add(pkcs7.Attribute{Type: oid.AttrArchiveTimestampV3.X509(), Values: [][]byte{{0x30, 0}}})
	if l := ess.LevelOf(s, elements); l != ess.BLTA {
		t.Errorf("level %d, not B-LTA", l)
	}
	msg = archived
	// The same in the message itself, where newer CAdES has it.
	var whole bytes.Buffer
	if err := pkcs7.AddElements(&whole, bytes.NewReader(before), ca.crl(signed.Add(-time.Hour)), ca.cert.Raw); err != nil {
		t.Fatal(err)
	}
	s, elements = read(t, whole.Bytes())
	if l := ess.LevelOf(s, elements); l != ess.BLT {
		t.Errorf("level %d, not B-LT", l)
	}
	if err := errors.Join(s.CheckSignature(alice.Certificate), trust.TrustFunc(mail)(ctx, alice.Certificate, at, elements)); err != nil {
		t.Errorf("with a CRL in the message: %v", err)
	}
	msg = *bytes.NewBuffer(before)
	add(evidence(ca.crl(signed.Add(-time.Hour), alice.Certificate)))
	if err := trust.TrustFunc(mail)(ctx, alice.Certificate, at, elements); !errors.Is(err, chain.ErrRevoked) {
		t.Errorf("revoked before: %v", err)
	}
}
