package smime_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestNamedPath holds a path to the certificates that the signer names (RFC 5035
// section 5.4.1), where that is required.
func TestNamedPath(t *testing.T) {
	t.Parallel()
	ca, stranger := smimetest.NewCA(t), smimetest.NewCA(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	alice := ca.Certify(key, "alice@example.com").Certificate()
	for name, c := range map[string]struct {
		named []*x509.Certificate
		want  error
	}{
		"the signer alone":     {[]*x509.Certificate{alice}, nil},
		"all":                  {[]*x509.Certificate{alice, ca.Issuing()}, nil},
		"all and others":       {[]*x509.Certificate{alice, stranger.Issuing(), ca.Issuing()}, nil},
		"another intermediate": {[]*x509.Certificate{alice, stranger.Issuing()}, pkcs7.ErrSignature},
		"only the root":        {[]*x509.Certificate{alice, ca.Root()}, pkcs7.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			mail := naming(t, key, alice, []*x509.Certificate{ca.Issuing()}, c.named)
			if _, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(mail), ca.Trust(), nil); err != nil {
				t.Errorf("not required: %v", err)
			}
			if _, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(mail), ca.Trust(), &smime.VerifyOptions{RequireNamedPath: true}); !errors.Is(err, c.want) {
				t.Errorf("%v, not %v", err, c.want)
			}
		})
	}
}

// TestNamedPathAmongOthers finds the path that the signer names where there are
// several, whichever would be taken else.
func TestNamedPathAmongOthers(t *testing.T) {
	usage := func(c *x509.Certificate) *x509.Certificate {
		c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(5), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		if c.EmailAddresses == nil {
			c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		}
		return c
	}
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	certify := func(c, issuer *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, usage(c), issuer, key.Public(), by)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	subKey, key := newKey(), newKey()
	var roots, subs []*x509.Certificate
	for _, name := range []string{"One", "Two"} {
		rootKey := newKey()
		template := &x509.Certificate{Subject: pkix.Name{CommonName: name}}
		root := certify(template, template, rootKey, rootKey)
		roots = append(roots, root)
		subs = append(subs, certify(&x509.Certificate{Subject: pkix.Name{CommonName: "Sub"}}, root, subKey, rootKey))
	}
	alice := certify(&x509.Certificate{Subject: pkix.Name{CommonName: "Alice"}, EmailAddresses: []string{"alice@example.com"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}, subs[0], key, subKey)
	trust := chain.NewCollection(chain.Anchors(chain.Certs(roots...)))
	for i, sub := range subs {
		t.Run(fmt.Sprintf("path %d", i), func(t *testing.T) {
			mail := naming(t, key, alice, subs, []*x509.Certificate{alice, sub})
			signer, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(mail), trust, &smime.VerifyOptions{RequireNamedPath: true})
			if err != nil {
				t.Errorf("%d: %v", i, err)
			} else if !signer.Path().Anchor().Equal(roots[i]) {
				t.Errorf("%d: the path of %s", i, signer.Path().Anchor().Subject)
			}
		})
	}
}

// naming returns a message of alice whose signingCertificate attribute names
// these certificates.
func naming(t *testing.T, key crypto.Signer, alice *x509.Certificate, extra, named []*x509.Certificate) []byte {
	t.Helper()
	var ids [][]byte
	for _, cert := range named {
		sum := sha1.Sum(cert.Raw)
		ids = append(ids, ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OctetString, false, sum[:])))
	}
	value := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.Sequence, true, ids...))
	var cms bytes.Buffer
	w, err := pkcs7.NewSignWriter(t.Context(), &cms, []pkcs7.SigningKey{{Certificate: alice, Key: key, Chain: extra,
		Attributes: []pkcs7.Attribute{{Type: oid.AttrSigningCertificate.X509(), Values: [][]byte{value}}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "Content-Type: text/plain\r\n\r\nhello\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return []byte("From: alice@example.com\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString(cms.Bytes()) + "\r\n")
}
