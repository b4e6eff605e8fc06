package pkcs7

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/ber"
)

const text = "Content-Type: text/plain\r\n\r\nSome text to sign.\r\n"

func trustAll(context.Context, *x509.Certificate, time.Time, [][]byte) error { return nil }

func sign(t testing.TB, content string, opts *SignOptions, keys ...SigningKey) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewSignWriter(context.Background(), &out, keys, opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func signDetached(t testing.TB, content string, opts *SignOptions, keys ...SigningKey) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := SignDetached(context.Background(), &out, strings.NewReader(content), keys, opts); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// verify returns the content of a message that must verify.
func verify(msg []byte, detached io.Reader, opts *ReadOptions) (string, []*x509.Certificate, error) {
	var out bytes.Buffer
	signers, err := Verify(context.Background(), &out, bytes.NewReader(msg), detached, trustAll, opts)
	var certs []*x509.Certificate
	for _, s := range signers {
		certs = append(certs, s.Certificate())
	}
	return out.String(), certs, err
}

func TestSignAndVerify(t *testing.T) {
	t.Parallel()
	schemes := map[string][]Scheme{
		"rsa":     {0, RSAPKCS1SHA256, RSAPKCS1SHA384, RSAPKCS1SHA512, RSAPSSSHA256, RSAPSSSHA384, RSAPSSSHA512},
		"p256":    {0, ECDSASHA256, ECDSASHA384, ECDSASHA512},
		"p384":    {0, ECDSASHA384},
		"p521":    {0, ECDSASHA512},
		"ed25519": {0, Ed25519},
	}
	n := 0
	for kind, list := range schemes {
		signer := newSigner(t, kind)
		for _, scheme := range list {
			for _, byKeyID := range []bool{false, true} {
				n++
				key := signer
				key.Scheme = scheme
				opts := &SignOptions{ByKeyID: byKeyID}
				for name, msg := range map[string][]byte{"opaque": sign(t, text, opts, key), "detached": signDetached(t, text, opts, key)} {
					var detached io.Reader
					if name == "detached" {
						detached = strings.NewReader(text)
					}
					got, certs, err := verify(msg, detached, nil)
					if err != nil || got != text {
						t.Errorf("%s %v %s: %q, %v", kind, scheme, name, got, err)
						continue
					}
					if len(certs) != 1 || !certs[0].Equal(key.Certificate) {
						t.Errorf("%s %v %s: other certificates", kind, scheme, name)
					}
					if err := ber.CheckDER(msg, true); err != nil {
						t.Errorf("%s %v %s: %v", kind, scheme, name, err)
					}
				}
			}
		}
	}
	if n != 34 {
		t.Errorf("%d cases", n)
	}
}

func TestVerifyWritesNothingUntrusted(t *testing.T) {
	t.Parallel()
	msg := sign(t, text, nil, newSigner(t, "p256"))
	refusal := errors.New("not trusted")
	var out bytes.Buffer
	_, err := Verify(context.Background(), &out, bytes.NewReader(msg), nil,
		func(context.Context, *x509.Certificate, time.Time, [][]byte) error { return refusal }, nil)
	if !errors.Is(err, refusal) || out.Len() != 0 {
		t.Errorf("%v, %d octets written", err, out.Len())
	}
}

func TestSignStreams(t *testing.T) {
	t.Parallel()
	content := strings.Repeat(text, 60_000) // 3 MB
	for _, kind := range []string{"rsa", "p256", "ed25519"} {
		t.Run(kind, func(t *testing.T) {
			for _, size := range []int64{0, int64(len(content))} {
				key := newSigner(t, kind)
				msg := sign(t, content, &SignOptions{Size: size}, key)
				got, _, err := verify(msg, nil, nil)
				if err != nil || got != content {
					t.Errorf("%s, size %d: %d octets, %v", kind, size, len(got), err)
				}
				isDER := ber.CheckDER(msg, false) == nil
				if want := size > 0 && kind != "p256"; isDER != want {
					t.Errorf("%s, size %d: DER is %v", kind, size, isDER)
				}
			}
		})
	}
}

func TestSizeIsHeld(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{int64(len(text)) - 1, int64(len(text)) + 1, 2 << 20} {
		w, err := NewSignWriter(context.Background(), io.Discard, []SigningKey{newSigner(t, "rsa")}, &SignOptions{Size: size})
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(w, text)
		if err == nil {
			err = w.Close()
		}
		if !errors.Is(err, ErrSyntax) {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

func TestNotReadToTheEnd(t *testing.T) {
	t.Parallel()
	r, err := NewSignedReader(bytes.NewReader(sign(t, text, nil, newSigner(t, "ed25519"))), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Signers(); !errors.Is(err, ErrNotRead) {
		t.Errorf("Signers: %v", err)
	}
	if _, err := r.UnverifiedElements(); !errors.Is(err, ErrNotRead) {
		t.Errorf("UnverifiedElements: %v", err)
	}
}

func TestDetachedWithContentInside(t *testing.T) {
	t.Parallel()
	msg := sign(t, text, nil, newSigner(t, "ed25519"))
	if _, _, err := verify(msg, strings.NewReader(text), nil); !errors.Is(err, ErrSyntax) {
		t.Errorf("with a reader: %v", err)
	}
	if _, err := NewDetachedReader(bytes.NewReader(msg), NewDigester(), nil); !errors.Is(err, ErrSyntax) {
		t.Errorf("with a digester: %v", err)
	}
}

func TestDigester(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p384")
	key.Scheme = ECDSASHA384
	msg := signDetached(t, text, nil, key)
	d := NewDigester()
	io.WriteString(d, text)
	r, err := NewDetachedReader(bytes.NewReader(msg), d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, r); n != 0 || err != nil {
		t.Fatalf("%d octets, %v", n, err)
	}
	signers, err := r.Signers()
	if err != nil || len(signers) != 1 {
		t.Fatal(err, len(signers))
	}
	if err := signers[0].CheckSignature(key.Certificate); err != nil {
		t.Error(err)
	}
	if err := signers[0].CheckSignature(newCert(t, newKey(t, "p384"), "other")); !errors.Is(err, ErrSignature) {
		t.Errorf("other certificate: %v", err)
	}
}

func TestNoSigner(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := WriteCertificates(&out, [][]byte{newSigner(t, "ed25519").Certificate.Raw}, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := verify(out.Bytes(), nil, nil); !errors.Is(err, ErrNoSigner) {
		t.Errorf("certs-only: %v", err)
	}
	if _, err := NewSignWriter(context.Background(), io.Discard, nil, nil); !errors.Is(err, ErrNoSigner) {
		t.Errorf("signing with no key: %v", err)
	}
	certs, crls, err := ReadCertificates(&out, nil)
	if err != nil || len(certs) != 1 || len(crls) != 0 {
		t.Errorf("%d certificates, %d CRLs, %v", len(certs), len(crls), err)
	}
}

// TestZeroValues shows that what nobody made vouches for nothing.
func TestZeroValues(t *testing.T) {
	t.Parallel()
	cert := newSigner(t, "ed25519").Certificate
	var s SignerInfo
	for name, err := range map[string]error{"CheckSignature": s.CheckSignature(cert), "Strength": s.Strength(cert)} {
		t.Run(name, func(t *testing.T) {
			if !errors.Is(err, ErrNotRead) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	var r SignedReader
	if _, err := r.Signers(); !errors.Is(err, ErrNotRead) {
		t.Error(err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, ErrNotRead) {
		t.Error(err)
	}
	d := &Digester{}
	io.WriteString(d, text)
	msg := signDetached(t, text, nil, newSigner(t, "ed25519"))
	detached, err := NewDetachedReader(bytes.NewReader(msg), d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, detached); err != nil {
		t.Fatal(err)
	}
	signers, _ := detached.Signers()
	if err := signers[0].CheckSignature(cert); err == nil {
		t.Error("verified with a Digester that hashed nothing")
	}
}
