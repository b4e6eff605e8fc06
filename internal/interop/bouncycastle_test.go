package interop

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
)

const content = "Content-Type: text/plain\r\n\r\nGood morning from the orchard.\r\n"

func TestSignatures(t *testing.T) {
	p := startPeer(t)
	everybody := people(t, p)
	in := p.write("content", []byte(content))
	cases := []struct {
		person, algorithm string
		scheme            pkcs7.Scheme
	}{
		{"rsa", "SHA256withRSA", pkcs7.RSAPKCS1SHA256},
		{"rsa", "SHA384withRSA", pkcs7.RSAPKCS1SHA384},
		{"rsa", "SHA512withRSA", pkcs7.RSAPKCS1SHA512},
		{"rsa", "SHA256withRSAandMGF1", pkcs7.RSAPSSSHA256},
		{"rsa", "SHA384withRSAandMGF1", pkcs7.RSAPSSSHA384},
		{"rsa", "SHA512withRSAandMGF1", pkcs7.RSAPSSSHA512},
		{"p256", "SHA256withECDSA", pkcs7.ECDSASHA256},
		{"p384", "SHA384withECDSA", pkcs7.ECDSASHA384},
		{"p521", "SHA512withECDSA", pkcs7.ECDSASHA512},
		{"ed25519", "Ed25519", pkcs7.Ed25519},
	}
	for _, c := range cases {
		who := everybody[c.person]
		for _, form := range []string{"embedded", "detached"} {
			t.Run(c.algorithm+" "+form, func(t *testing.T) {
				theirs := filepath.Join(p.dir, "theirs.p7")
				if err := p.do("sign", who.keyFile, who.certFile, c.algorithm, in, theirs, form); err != nil {
					t.Fatal(err)
				}
				check(t, p.read(theirs), form == "detached", who, c.scheme)

				ours := p.write("ours.p7", sign(t, form == "detached", who, c.scheme))
				out := filepath.Join(p.dir, "out")
				words := []string{"verify", who.certFile, ours, out}
				if form == "detached" {
					words = append(words, in)
				}
				if err := p.do(words...); err != nil {
					t.Fatal(err)
				}
				if form == "embedded" && string(p.read(out)) != content {
					t.Error("the peer found another content")
				}
			})
		}
	}
}

func check(t *testing.T, cms []byte, detached bool, who *person, want pkcs7.Scheme) {
	t.Helper()
	var d io.Reader
	if detached {
		d = bytes.NewReader([]byte(content))
	}
	r, err := pkcs7.NewSignedReader(bytes.NewReader(cms), d, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != content {
		t.Errorf("content %q", got)
	}
	signers, err := r.Signers()
	if err != nil || len(signers) != 1 {
		t.Fatalf("%d signers, %v", len(signers), err)
	}
	if err := signers[0].CheckSignature(who.cert); err != nil {
		t.Fatal(err)
	}
	if !signers[0].ID().Matches(who.cert) {
		t.Error("the signer is not named")
	}
	if s := signers[0].Scheme(); s != want {
		t.Errorf("scheme %v, want %v", s, want)
	}
}

func sign(t *testing.T, detached bool, who *person, scheme pkcs7.Scheme) []byte {
	t.Helper()
	keys := []pkcs7.SigningKey{{Certificate: who.cert, Key: who.key, Scheme: scheme}}
	var out bytes.Buffer
	if detached {
		if err := pkcs7.SignDetached(t.Context(), &out, bytes.NewReader([]byte(content)), keys, nil); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	w, err := pkcs7.NewSignWriter(t.Context(), &out, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w)
	return out.Bytes()
}

func write(t *testing.T, w io.WriteCloser) {
	t.Helper()
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestEncryption(t *testing.T) {
	p := startPeer(t)
	everybody := people(t, p)
	in := p.write("content", []byte(content))
	ciphers := []struct {
		cipher pkcs7.Cipher
		oid    string
	}{
		{pkcs7.AES128CBC, "2.16.840.1.101.3.4.1.2"},
		{pkcs7.AES192CBC, "2.16.840.1.101.3.4.1.22"},
		{pkcs7.AES256CBC, "2.16.840.1.101.3.4.1.42"},
		{pkcs7.AES128GCM, "2.16.840.1.101.3.4.1.6"},
		{pkcs7.AES256GCM, "2.16.840.1.101.3.4.1.46"},
		{pkcs7.AES128CCM, "2.16.840.1.101.3.4.1.7"},
		{pkcs7.AES256CCM, "2.16.840.1.101.3.4.1.47"},
	}
	recipients := []struct{ kind, person string }{
		{"rsa", "rsa"}, {"oaep", "rsa"}, {"ecdh", "p256"}, {"ecdh", "p384"}, {"ecdh", "p521"}, {"password", ""}, {"kek", ""},
	}
	read, written := 0, 0
	for _, c := range ciphers {
		for _, r := range recipients {
			t.Run(r.kind+" "+r.person+" "+c.oid, func(t *testing.T) {
				who := everybody[r.person]
				cert, key := "-", "-"
				if who != nil {
					cert, key = who.certFile, who.keyFile
				}
				theirs := filepath.Join(p.dir, "theirs.p7")
				if err := p.do("encrypt", r.kind, cert, c.oid, in, theirs); err != nil {
					t.Fatal(err)
				}
				decrypt(t, p.read(theirs), r.kind, who, c.cipher)
				read++

				if c.cipher.Authenticated() && r.kind != "rsa" && r.kind != "oaep" {
					return // the peer's version has no reader for these
				}
				ours := p.write("ours.p7", encrypt(t, r.kind, who, c.cipher))
				out := filepath.Join(p.dir, "out")
				if err := p.do("decrypt", key, cert, ours, out); err != nil {
					t.Fatal(err)
				}
				if string(p.read(out)) != content {
					t.Error("the peer found another content")
				}
				written++
			})
		}
	}
	if read != 49 || written != 29 {
		t.Errorf("%d messages read and %d written", read, written)
	}
}

func decrypt(t *testing.T, cms []byte, kind string, who *person, want pkcs7.Cipher) {
	t.Helper()
	keys := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) {
		switch kind {
		case "password":
			return []pkcs7.DecryptionKey{pkcs7.KeyFromPassword([]byte("correct horse"))}, nil
		case "kek":
			return []pkcs7.DecryptionKey{pkcs7.KeyFromKEK([]byte{1, 2, 3}, make([]byte, 32))}, nil
		}
		return []pkcs7.DecryptionKey{pkcs7.KeyOf(who.cert, who.key)}, nil
	}
	r, err := pkcs7.NewDecryptReader(t.Context(), bytes.NewReader(cms), keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != content {
		t.Errorf("content %q", got)
	}
	if r.Cipher() != want {
		t.Errorf("cipher %v, want %v", r.Cipher(), want)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func encrypt(t *testing.T, kind string, who *person, c pkcs7.Cipher) []byte {
	t.Helper()
	var to pkcs7.Recipient
	switch kind {
	case "password":
		to = pkcs7.ToPassword([]byte("correct horse"))
	case "kek":
		to = pkcs7.ToKey([]byte{1, 2, 3}, make([]byte, 32))
	default:
		to = pkcs7.ToCertificate(who.cert, &pkcs7.RecipientOptions{PKCS1v15: kind == "rsa"})
	}
	var out bytes.Buffer
	w, err := pkcs7.NewEncryptWriter(t.Context(), &out, []pkcs7.Recipient{to}, &pkcs7.EncryptOptions{Cipher: c})
	if err != nil {
		t.Fatal(err)
	}
	write(t, w)
	return out.Bytes()
}
