package smime_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"testing"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestNamedPath holds a path to the certificates that the signer names (RFC 5035
// section 5.4.1), where that is required.
func TestNamedPath(t *testing.T) {
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
		var ids [][]byte
		for _, cert := range c.named {
			sum := sha1.Sum(cert.Raw)
			ids = append(ids, ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OctetString, false, sum[:])))
		}
		value := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.Sequence, true, ids...))
		var cms bytes.Buffer
		w, err := pkcs7.NewSignWriter(t.Context(), &cms, []pkcs7.SigningKey{{Certificate: alice, Key: key, Chain: []*x509.Certificate{ca.Issuing()},
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
		mail := []byte("From: alice@example.com\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
			base64.StdEncoding.EncodeToString(cms.Bytes()) + "\r\n")
		if _, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(mail), ca.Trust(), nil); err != nil {
			t.Errorf("%s, not required: %v", name, err)
		}
		if _, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(mail), ca.Trust(), &smime.VerifyOptions{RequireNamedPath: true}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, not %v", name, err, c.want)
		}
	}
}
