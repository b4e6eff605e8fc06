package pkcs7

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
)

// A peer is a program with files that it reads.
type peer struct {
	t    *testing.T
	path string
	dir  string
}

func newPeer(t *testing.T, name string) *peer {
	return &peer{t: t, path: suites.Tool(t, name), dir: t.TempDir()}
}

func (p *peer) file(name string, b []byte) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// keyFiles writes a certificate and its key as PEM.
func (p *peer) keyFiles(k testKey) (cert, key string) {
	p.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		p.t.Fatal(err)
	}
	cert = p.file(k.name+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.cert.Raw}))
	return cert, p.file(k.name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func (p *peer) run(stdin []byte, args ...string) ([]byte, error) {
	cmd := suites.Command(p.t, p.path, args...)
	cmd.Dir = p.dir
	cmd.Stdin = bytes.NewReader(stdin)
	var out, report bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &report
	err := cmd.Run()
	if err != nil {
		p.t.Logf("%s %s: %s", filepath.Base(p.path), strings.Join(args, " "), report.String())
	}
	return out.Bytes(), err
}

// interopKeys are the keys that OpenSSL 3.0 encrypts to.
func interopKeys() []testKey { return testKeys()[:4] }

func TestOpenSSLDecryptsOurs(t *testing.T) {
	t.Parallel()
	ssl := newPeer(t, "openssl")
	content := []byte("Content-Type: text/plain\r\n\r\n" + strings.Repeat("what is to be hidden\r\n", 500))
	kek := noise(32)
	in := func(msg []byte) string { return ssl.file("msg.der", msg) }
	checked := 0
	check := func(name string, msg []byte, args ...string) {
		t.Helper()
		got, err := ssl.run(nil, append([]string{"cms", "-decrypt", "-binary", "-inform", "DER", "-in", in(msg)}, args...)...)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: %v", name, err)
		}
		checked++
	}
	for _, c := range []Cipher{AES128GCM, AES192GCM, AES256GCM, AES128CBC, AES192CBC, AES256CBC} {
		for _, der := range []bool{false, true} {
			opts := &EncryptOptions{Cipher: c}
			if der {
				opts.Size = int64(len(content))
			}
			for i, k := range interopKeys() {
				cert, key := ssl.keyFiles(k)
				msg := encryptTo(t, content, opts, ToCertificate(k.cert, &RecipientOptions{ByKeyID: der != (i == 0)}))
				check(c.String()+" to "+k.name, msg, "-recip", cert, "-inkey", key)
			}
			msg := encryptTo(t, content, opts, ToKey([]byte{1, 2}, kek))
			check(c.String()+" to a KEK", msg, "-secretkey", hex.EncodeToString(kek), "-secretkeyid", "0102")
		}
	}
	rsaKey := testRSA()
	cert, key := ssl.keyFiles(rsaKey)
	msg := encryptTo(t, content, nil, ToCertificate(rsaKey.cert, &RecipientOptions{PKCS1v15: true}))
	check("PKCS #1 v1.5", msg, "-recip", cert, "-inkey", key)
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		for _, mgf := range []crypto.Hash{0, crypto.SHA1, crypto.SHA256} {
			msg := encryptTo(t, content, nil, ToCertificate(rsaKey.cert, &RecipientOptions{OAEPHash: h, MGFHash: mgf}))
			check("OAEP "+h.String(), msg, "-recip", cert, "-inkey", key)
		}
	}
	// OpenSSL has passwords for CBC ciphers only.
	msg = encryptTo(t, content, &EncryptOptions{Cipher: AES256CBC}, ToPassword([]byte("pass word")))
	check("password", msg, "-pwri_password", "pass word")
	if checked != 6*2*5+1+15+1 {
		t.Errorf("%d messages checked", checked)
	}
}

func TestOpenSSLEncryptsToUs(t *testing.T) {
	t.Parallel()
	ssl := newPeer(t, "openssl")
	content := []byte("Content-Type: text/plain\r\n\r\n" + strings.Repeat("what is to be hidden\r\n", 500))
	plain := ssl.file("plain", content)
	checked := 0
	check := func(keys KeyFunc, recip []string, args ...string) {
		t.Helper()
		all := append([]string{"cms", "-encrypt", "-binary", "-outform", "DER", "-in", plain}, args...)
		msg, err := ssl.run(nil, append(all, recip...)...)
		if err != nil {
			t.Errorf("%v: %v", args, err)
			return
		}
		got, err := decryptAll(bytes.NewReader(msg), keys, &DecryptOptions{InsecureHistoric: true})
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%v: %v", args, err)
		}
		checked++
	}
	ciphers := []string{"-aes-128-cbc", "-aes-192-cbc", "-aes-256-cbc", "-aes-128-gcm", "-aes-192-gcm", "-aes-256-gcm", "-des3"}
	for _, k := range interopKeys() {
		cert, _ := ssl.keyFiles(k)
		for _, c := range ciphers {
			check(k.keyFunc(), []string{cert}, c)
		}
		for _, flag := range []string{"-stream", "-indef", "-keyid"} {
			check(k.keyFunc(), []string{cert}, "-aes-128-cbc", flag)
			check(k.keyFunc(), []string{cert}, "-aes-256-gcm", flag)
		}
	}
	for _, k := range interopKeys()[1:] {
		cert, _ := ssl.keyFiles(k)
		for _, md := range []string{"sha1", "sha224", "sha256", "sha384", "sha512"} {
			for _, wrap := range []string{"-aes128-wrap", "-aes192-wrap", "-aes256-wrap", "-des3-wrap"} {
				check(k.keyFunc(), nil, "-aes-128-gcm", wrap, "-recip", cert, "-keyopt", "ecdh_kdf_md:"+md, "-keyopt", "ecdh_cofactor_mode:"+string('0'+md[3]%2))
			}
		}
	}
	cert, _ := ssl.keyFiles(testRSA())
	for _, md := range []string{"sha1", "sha224", "sha256", "sha384", "sha512"} {
		t.Run(md, func(t *testing.T) {
			for _, mgf := range []string{"sha1", "sha256", "sha512"} {
				check(testRSA().keyFunc(), nil, "-aes-256-gcm", "-recip", cert, "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:"+md, "-keyopt", "rsa_mgf1_md:"+mgf)
			}
		})
	}
	check(testRSA().keyFunc(), nil, "-aes-256-gcm", "-recip", cert, "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_label:6c6162656c")
	check(fixed(KeyFromPassword([]byte("pass word"))), nil, "-aes-256-cbc", "-pwri_password", "pass word")
	for _, n := range []int{16, 24, 32} {
		secret := noise(n)
		check(fixed(KeyFromKEK([]byte("id"), secret)), nil, "-aes-128-gcm", "-secretkey", hex.EncodeToString(secret), "-secretkeyid", hex.EncodeToString([]byte("id")))
	}
	if want := 4*7 + 4*6 + 3*5*4 + 15 + 1 + 1 + 3; checked != want {
		t.Errorf("%d messages checked, want %d", checked, want)
	}
}

func TestOpenSSLExtract(t *testing.T) {
	t.Parallel()
	ssl := newPeer(t, "openssl")
	content := bytes.Repeat([]byte("known to many\r\n"), 1000)
	plain := ssl.file("plain", content)
	key := noise(32)
	tests := []struct {
		args []string
		keys KeyFunc
		weak bool
	}{
		{[]string{"-digest_create", "-md", "sha256"}, nil, false},
		{[]string{"-digest_create", "-md", "sha512"}, nil, false},
		{[]string{"-digest_create", "-md", "sha1"}, nil, true},
		{[]string{"-EncryptedData_encrypt", "-aes-256-cbc", "-secretkey", hex.EncodeToString(key)}, fixed(KeyFromKEK(nil, key)), false},
		{[]string{"-EncryptedData_encrypt", "-aes-128-cbc", "-secretkey", hex.EncodeToString(key[:16])}, fixed(KeyFromKEK(nil, key[:16])), false},
		{[]string{"-EncryptedData_encrypt", "-des3", "-secretkey", hex.EncodeToString(key[:24])}, fixed(KeyFromKEK(nil, key[:24])), true},
	}
	for _, tt := range tests {
		msg, err := ssl.run(nil, append([]string{"cms", "-binary", "-outform", "DER", "-in", plain}, tt.args...)...)
		if err != nil {
			t.Errorf("%v: %v", tt.args, err)
			continue
		}
		var out bytes.Buffer
		x, err := Extract(context.Background(), &out, unseekable(msg), tt.keys, &DecryptOptions{InsecureHistoric: true})
		if err != nil || !bytes.Equal(out.Bytes(), content) || (x.Weak != nil) != tt.weak {
			t.Errorf("%v: %v", tt.args, err)
		}
		out.Reset()
		_, err = Extract(context.Background(), &out, bytes.NewReader(msg), tt.keys, nil)
		if (err != nil) != tt.weak || tt.weak && out.Len() > 0 {
			t.Errorf("%v by default: %v", tt.args, err)
		}
	}
}
