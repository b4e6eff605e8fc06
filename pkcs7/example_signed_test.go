package pkcs7_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/gosmime/gosmime/pkcs7"
)

// signOnlyDER returns a certificate of a key that can't be encrypted to.
func signOnlyDER() []byte {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Signer"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return der
}

// In multipart/signed the content arrives first: it is hashed as it passes and
// checked when the signature is there.
func ExampleNewDetachedReader() {
	alice := newKey()
	var signature bytes.Buffer
	err := pkcs7.SignDetached(context.Background(), &signature, strings.NewReader("The content."), []pkcs7.SigningKey{alice}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	digester := pkcs7.NewDigester()
	if _, err := io.Copy(digester, strings.NewReader("The content.")); err != nil {
		fmt.Println(err)
		return
	}
	r, err := pkcs7.NewDetachedReader(&signature, digester, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		fmt.Println(err)
		return
	}
	signers, err := r.Signers()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range signers {
		fmt.Println(s.CheckSignature(alice.Certificate))
	}
	// Output: <nil>
}

// Who knows the digest from micalg computes no other.
func ExampleNewDigester() {
	sha256, err := x509.ParseOID("2.16.840.1.101.3.4.2.1")
	if err != nil {
		fmt.Println(err)
		return
	}
	d := pkcs7.NewDigester(sha256)
	if _, err := io.WriteString(d, "The content"); err != nil {
		fmt.Println(err)
		return
	}
	other := d.Clone() // one content with two ends, such as with another line end
	fmt.Fprint(d, ".")
	fmt.Fprint(other, "!")

	alice := newKey()
	var signature bytes.Buffer
	err = pkcs7.SignDetached(context.Background(), &signature, strings.NewReader("The content."), []pkcs7.SigningKey{alice}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range []*pkcs7.Digester{d, other} {
		r, err := pkcs7.NewDetachedReader(bytes.NewReader(signature.Bytes()), d, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			fmt.Println(err)
			return
		}
		signers, err := r.Signers()
		if err != nil {
			fmt.Println(err)
			return
		}
		err = signers[0].CheckSignature(alice.Certificate)
		fmt.Println(err == nil, errors.Is(err, pkcs7.ErrDigest))
	}
	// Output:
	// true false
	// false true
}

// What the message carries proves nothing; what the signer says counts once
// the signature was checked.
func ExampleSignedReader_Signers() {
	alice := newKey()
	project, err := x509.ParseOID("1.3.6.1.4.1.32473.2")
	if err != nil {
		fmt.Println(err)
		return
	}
	alice.Attributes = []pkcs7.Attribute{{Type: project, Values: [][]byte{{0x02, 0x01, 0x2a}}}}
	var message bytes.Buffer
	opts := &pkcs7.SignOptions{SigningTime: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), NoCertificates: true}
	w, err := pkcs7.NewSignWriter(context.Background(), &message, []pkcs7.SigningKey{alice}, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := io.WriteString(w, "The content."); err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}

	r, err := pkcs7.NewSignedReader(&message, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = r.Signers()
	fmt.Println("too early:", errors.Is(err, pkcs7.ErrNotRead))
	if _, err := io.Copy(io.Discard, r); err != nil {
		fmt.Println(err)
		return
	}
	signers, err := r.Signers()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range signers {
		if err := s.CheckSignature(alice.Certificate); err != nil {
			fmt.Println(err)
			continue
		}
		claimed, ok := s.ClaimedTime()
		fmt.Println(claimed.Format(time.DateOnly), ok)
		for _, a := range s.Signed() {
			if a.Type.Equal(project) {
				fmt.Printf("%x\n", a.Values[0])
			}
		}
	}
	// Output:
	// too early: true
	// 2026-06-01 true
	// 02012a
}

// A signature that is to be verified after years takes along what that needs.
func ExampleAddElements() {
	alice, issuer := newKey(), newKey()
	var message, longterm bytes.Buffer
	err := pkcs7.SignDetached(context.Background(), &message, strings.NewReader("The content."), []pkcs7.SigningKey{alice}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := pkcs7.AddElements(&longterm, &message, issuer.Certificate.Raw); err != nil {
		fmt.Println(err)
		return
	}
	r, err := pkcs7.NewSignedReader(&longterm, strings.NewReader("The content."), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		fmt.Println(err)
		return
	}
	elements, err := r.UnverifiedElements() // a TrustFunc judges them
	fmt.Println(len(elements), err)
	// Output: 2 <nil>
}

// A TrustFunc says who may vouch, and when; here the evidence that came with
// the message does not matter.
func ExampleTrustFunc() {
	alice := newKey()
	var trust pkcs7.TrustFunc = func(_ context.Context, cert *x509.Certificate, at time.Time, extra [][]byte) error {
		if at.IsZero() {
			at = time.Now()
		}
		if !cert.Equal(alice.Certificate) || at.After(cert.NotAfter) {
			return errors.New("nobody we know")
		}
		return nil
	}
	var message, content bytes.Buffer
	err := pkcs7.SignDetached(context.Background(), &message, strings.NewReader("The content."), []pkcs7.SigningKey{alice}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := pkcs7.Verify(context.Background(), &content, &message, strings.NewReader("The content."), trust, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(content.String())
	// Output: The content.
}

// A SyntaxError says where a message is broken.
func ExampleSyntaxError() {
	var message bytes.Buffer
	if err := pkcs7.WriteCertificates(&message, [][]byte{newKey().Certificate.Raw}, nil); err != nil {
		fmt.Println(err)
		return
	}
	message.Truncate(40)
	_, _, err := pkcs7.ReadCertificates(&message, nil)
	if e, ok := errors.AsType[*pkcs7.SyntaxError](err); ok {
		fmt.Println(errors.Is(err, pkcs7.ErrSyntax), e.Offset <= 40, e.Field != "")
	}
	// Output: true true true
}

// A Problem is a constant to switch on.
func ExampleProblem() {
	_, err := pkcs7.NewSignedReader(strings.NewReader("text"), nil, nil)
	for _, p := range []pkcs7.Problem{pkcs7.ErrUnsupported, pkcs7.ErrSyntax} {
		if errors.Is(err, p) {
			fmt.Println("not CMS")
		}
	}
	// Output: not CMS
}

// digested is a DigestedData with SHA-256.
const digested = "MF4GCSqGSIb3DQEHBaBRME8CAQAwCwYJYIZIAWUDBAIBMBsGCSqGSIb3DQEHAaAOBAxU" +
	"aGUgY29udGVudC4EIHwBRlsJjGHLutRUftzp+ZERtGcDUf0JldHbexjY7z3a"

// ContentType tells what a message is before it is read.
func ExampleContentType() {
	head, err := base64.StdEncoding.DecodeString(digested)
	if err != nil {
		fmt.Println(err)
		return
	}
	typ, err := pkcs7.ContentType(head)
	if err != nil {
		fmt.Println(err)
		return
	}
	switch typ.String() {
	case "1.2.840.113549.1.7.2":
		fmt.Println("signed") // NewSignedReader
	case "1.2.840.113549.1.7.3", "1.2.840.113549.1.9.16.1.23":
		fmt.Println("encrypted") // NewDecryptReader
	default:
		fmt.Println("something else:", typ)
	}
	// Output: something else: 1.2.840.113549.1.7.5
}

// A digest says that the content is whole, and nothing of who wrote it.
func ExampleExtract() {
	message, err := base64.StdEncoding.DecodeString(digested)
	if err != nil {
		fmt.Println(err)
		return
	}
	var content bytes.Buffer
	extracted, err := pkcs7.Extract(context.Background(), &content, bytes.NewReader(message), nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(extracted.Type, extracted.Weak, content.Len())

	content.Reset()
	changed := bytes.Replace(message, []byte("The"), []byte("Two"), 1)
	_, err = pkcs7.Extract(context.Background(), &content, bytes.NewReader(changed), nil, nil)
	fmt.Println(errors.Is(err, pkcs7.ErrDigest), content.Len())
	// Output:
	// 1.2.840.113549.1.7.5 <nil> 12
	// true 0
}

// A strict program refuses what others tolerate.
func ExampleDeviation() {
	alice := newKey()
	var message bytes.Buffer
	w, err := pkcs7.NewSignWriter(context.Background(), &message, []pkcs7.SigningKey{alice}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}
	r, err := pkcs7.NewSignedReader(&message, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		fmt.Println(err)
		return
	}
	signers, err := r.Signers()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range signers {
		fmt.Println(len(s.Deviations()) == 0, s.CheckSignature(alice.Certificate))
	}
	fmt.Println(pkcs7.DigestNotAnnounced)
	// Output:
	// true <nil>
	// digest algorithm not announced
}
