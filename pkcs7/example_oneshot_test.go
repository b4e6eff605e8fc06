package pkcs7_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/gosmime/gosmime/pkcs7"
)

// A SCEP message is signed content with attributes of its own (RFC 8894).
func ExampleSign() {
	transactionID, err := x509.ParseOID("2.16.840.1.113733.1.9.7")
	if err != nil {
		fmt.Println(err)
		return
	}
	attribute, err := pkcs7.NewAttribute(transactionID, "7")
	if err != nil {
		fmt.Println(err)
		return
	}
	key := newKey()
	key.Attributes = []pkcs7.Attribute{attribute}
	message, err := pkcs7.Sign(context.Background(), []byte("The content."), []pkcs7.SigningKey{key}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	var content bytes.Buffer
	signers, err := pkcs7.Verify(context.Background(), &content, bytes.NewReader(message), nil, only(key.Certificate), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	got, ok := signers[0].Info().SignedAttribute(transactionID)
	var id string
	fmt.Println(content.String(), ok, got.Unmarshal(&id), id)
	// Output: The content. true <nil> 7
}

// A caller that judges certificates itself gets what the signers signed, and
// never a message without a signature that holds.
func ExampleInsecureAnySigner() {
	key := newKey()
	message, err := pkcs7.Sign(context.Background(), []byte("The content."), []pkcs7.SigningKey{key}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var content bytes.Buffer
	signers, err := pkcs7.Verify(context.Background(), &content, bytes.NewReader(message), nil, pkcs7.InsecureAnySigner, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range signers {
		fmt.Println(s.Certificate().Subject, s.Info().Scheme())
	}

	var bag bytes.Buffer
	if err := pkcs7.WriteCertificates(&bag, [][]byte{key.Certificate.Raw}, nil); err != nil {
		fmt.Println(err)
		return
	}
	_, err = pkcs7.Verify(context.Background(), &content, &bag, nil, pkcs7.InsecureAnySigner, nil)
	fmt.Println(errors.Is(err, pkcs7.ErrNoSigner))
	// Output:
	// CN=Alice ECDSA with SHA-256
	// true
}

// The certificate of the signer may be known from elsewhere.
func ExampleSigner() {
	key := newKey()
	message, err := pkcs7.Sign(context.Background(), []byte("The content."), []pkcs7.SigningKey{key}, &pkcs7.SignOptions{NoCertificates: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	var content bytes.Buffer
	signers, err := pkcs7.Verify(context.Background(), &content, bytes.NewReader(message), nil, only(key.Certificate),
		&pkcs7.ReadOptions{Certificates: []*x509.Certificate{key.Certificate}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(signers), signers[0].Certificate().Equal(key.Certificate))
	// Output: 1 true
}

func ExampleEncrypt() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		fmt.Println(err)
		return
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Bob"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		fmt.Println(err)
		return
	}
	bob, err := x509.ParseCertificate(der)
	if err != nil {
		fmt.Println(err)
		return
	}
	message, err := pkcs7.Encrypt(context.Background(), []byte("The content."), []pkcs7.Recipient{pkcs7.ToCertificate(bob, nil)}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	keys := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) {
		return []pkcs7.DecryptionKey{pkcs7.KeyOf(bob, key)}, nil
	}
	content, err := pkcs7.Decrypt(context.Background(), message, keys, nil)
	fmt.Println(string(content), err)
	// Output: The content. <nil>
}

func ExampleDecrypt() {
	message, err := pkcs7.Encrypt(context.Background(), []byte("The content."), []pkcs7.Recipient{pkcs7.ToPassword([]byte("correct horse"))}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, password := range []string{"correct horse", "battery staple"} {
		keys := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) {
			return []pkcs7.DecryptionKey{pkcs7.KeyFromPassword([]byte(password))}, nil
		}
		content, err := pkcs7.Decrypt(context.Background(), message, keys, nil)
		fmt.Printf("%q %v\n", content, errors.Is(err, pkcs7.ErrDecrypt))
	}
	// Output:
	// "The content." false
	// "" true
}

// The digest and its name in the header of a multipart/signed go with the scheme.
func ExampleSchemeFor() {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, hash := range []crypto.Hash{0, crypto.SHA512} {
		scheme, err := pkcs7.SchemeFor(key.Public(), hash)
		fmt.Println(scheme, scheme.Hash(), scheme.Micalg(), err)
	}
	_, err = pkcs7.SchemeFor(key.Public(), crypto.SHA1)
	fmt.Println(errors.Is(err, pkcs7.ErrUnsupported))
	// Output:
	// ECDSA with SHA-384 SHA-384 sha-384 <nil>
	// ECDSA with SHA-512 SHA-512 sha-512 <nil>
	// true
}

func ExampleNewAttribute() {
	typ, err := x509.ParseOID("1.3.6.1.4.1.32473.1")
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := pkcs7.NewAttribute(typ, 7)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%x\n", a.Values)
	// Output: [020107]
}

func ExampleAttribute_Unmarshal() {
	typ, err := x509.ParseOID("1.3.6.1.4.1.32473.1")
	if err != nil {
		fmt.Println(err)
		return
	}
	var n int
	fmt.Println(pkcs7.Attribute{Type: typ, Values: [][]byte{{2, 1, 7}}}.Unmarshal(&n), n)
	// Output: <nil> 7
}

// An attribute without values is taken off.
func ExampleSetUnsigned() {
	typ, err := x509.ParseOID("1.3.6.1.4.1.32473.1")
	if err != nil {
		fmt.Println(err)
		return
	}
	message, err := pkcs7.Sign(context.Background(), []byte("The content."), []pkcs7.SigningKey{newKey()}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, values := range [][][]byte{{{2, 1, 7}}, {{2, 1, 8}}, nil} {
		var changed bytes.Buffer
		if err := pkcs7.SetUnsigned(&changed, bytes.NewReader(message), 0, pkcs7.Attribute{Type: typ, Values: values}); err != nil {
			fmt.Println(err)
			return
		}
		message = changed.Bytes()
		signers, err := pkcs7.Verify(context.Background(), &bytes.Buffer{}, &changed, nil, pkcs7.InsecureAnySigner, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		a, ok := signers[0].Info().UnsignedAttribute(typ)
		fmt.Printf("%v %x\n", ok, a.Values)
	}
	// Output:
	// true [020107]
	// true [020108]
	// false []
}

// A PDF has a place of fixed length for the signature, which zeros fill up.
func ExampleSignOptions_MaxSize() {
	keys := []pkcs7.SigningKey{newKey()}
	opts := &pkcs7.SignOptions{CertificateHash: crypto.SHA384}
	size, err := opts.MaxSize(keys)
	if err != nil {
		fmt.Println(err)
		return
	}
	place := make([]byte, size+100)
	var signature bytes.Buffer
	if err := pkcs7.SignDetached(context.Background(), &signature, strings.NewReader("The document."), keys, opts); err != nil {
		fmt.Println(err)
		return
	}
	copy(place, signature.Bytes())

	var document bytes.Buffer
	_, err = pkcs7.Verify(context.Background(), &document, bytes.NewReader(place), strings.NewReader("The document."), only(keys[0].Certificate),
		&pkcs7.ReadOptions{TrailingZeros: true})
	fmt.Println(signature.Len() <= size, document.String(), err)
	// Output: true The document. <nil>
}

// newAuthority makes a key with a certificate for time stamping alone.
func newAuthority() pkcs7.SigningKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	// extendedKeyUsage, critical: id-kp-timeStamping (RFC 3161 section 2.3).
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "TSA"}, NotAfter: time.Now().Add(time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return pkcs7.SigningKey{Certificate: cert, Key: key}
}

// stamp makes the token that an authority returns for a file.
func stamp(authority pkcs7.SigningKey, file string) ([]byte, error) {
	digest := sha256.Sum256([]byte(file))
	info, err := asn1.Marshal(struct {
		Version int
		Policy  asn1.ObjectIdentifier
		Imprint struct {
			Algorithm pkix.AlgorithmIdentifier
			Digest    []byte
		}
		Serial *big.Int
		Time   time.Time `asn1:"generalized"`
	}{1, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 1}, struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}}, digest[:]},
		big.NewInt(7), time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)})
	if err != nil {
		return nil, err
	}
	tstInfo, err := x509.ParseOID("1.2.840.113549.1.9.16.1.4")
	if err != nil {
		return nil, err
	}
	return pkcs7.Sign(context.Background(), info, []pkcs7.SigningKey{authority}, &pkcs7.SignOptions{ContentType: tstInfo})
}

// A token by itself says when a file was there.
func ExampleVerifyTimestamp() {
	authority := newAuthority()
	token, err := stamp(authority, "The document.")
	if err != nil {
		fmt.Println(err)
		return
	}
	trust := only(authority.Certificate) // programs use a chain.Collection with the purpose chain.TimeStamping
	at, err := pkcs7.VerifyTimestamp(context.Background(), token, strings.NewReader("The document."), trust, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(at.Time, "number", at.Serial, "by", at.TSA.Subject)

	_, err = pkcs7.VerifyTimestamp(context.Background(), token, strings.NewReader("Another document."), trust, nil)
	fmt.Println(errors.Is(err, pkcs7.ErrDigest))
	// Output:
	// 2026-12-01 08:00:00 +0000 UTC number 7 by CN=TSA
	// true
}
