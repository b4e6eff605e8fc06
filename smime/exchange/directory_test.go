package exchange_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// property is one of PidTagUserX509Certificate.
func property(tag uint16, data []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, tag)
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(data)+4)), data...)
}

func TestTaggedForm(t *testing.T) {
	ca := smimetest.NewCA(t)
	sign, encrypt := ca.Identity("a@example.com", smimetest.SigningOnly()).Certificate(), ca.Identity("a@example.com", smimetest.EncryptionOnly()).Certificate()
	version := property(1, []byte{1, 0, 0, 0})
	hash, encryptHash := sha1.Sum(sign.Raw), sha1.Sum(encrypt.Raw)
	var many []byte
	for i := range 256 {
		many = append(many, property(uint16(0x1000+i), nil)...)
	}
	for _, tt := range []struct {
		name              string
		value             []byte
		encryption, other *x509.Certificate
		all               int
		ok                bool
	}{
		{"both", slices.Concat(version, property(3, encrypt.Raw), property(6, []byte{1, 0, 0, 0}), property(8, sign.Raw), property(0xB, []byte("A\x00")), property(0x20, []byte{7, 0, 0, 0}), property(0x51, []byte("A\x00\x00\x00"))), encrypt, sign, 2, true},
		{"encryption", slices.Concat(version, property(3, encrypt.Raw), property(9, hash[:])), encrypt, nil, 1, true},
		{"signing", slices.Concat(property(8, sign.Raw), version), nil, sign, 1, true},
		{"the same twice", slices.Concat(version, property(3, sign.Raw), property(8, sign.Raw)), sign, sign, 1, true},
		{"capabilities", slices.Concat(property(2, []byte{0x30, 0}), property(3, encrypt.Raw)), encrypt, nil, 1, true},
		{"unknown tag", slices.Concat(property(0xFFFF, []byte("?")), property(3, encrypt.Raw)), encrypt, nil, 1, true},
		{"empty property", slices.Concat(property(0x21, nil), property(3, encrypt.Raw)), encrypt, nil, 1, true},
		{"one certificate, for signing by its digest", slices.Concat(property(9, encryptHash[:]), property(3, encrypt.Raw)), encrypt, encrypt, 1, true},
		{"one certificate, for encryption by its digest", slices.Concat(property(8, sign.Raw), property(0x22, hash[:])), sign, sign, 1, true},
		{"digests of each other", slices.Concat(property(8, sign.Raw), property(3, encrypt.Raw), property(9, encryptHash[:]), property(0x22, hash[:])), encrypt, sign, 2, true},
		{"short digest", slices.Concat(property(3, encrypt.Raw), property(9, encryptHash[:19])), encrypt, nil, 1, true},
		{"bad signing certificate", slices.Concat(property(8, sign.Raw[:100]), property(3, encrypt.Raw)), encrypt, nil, 1, true},
		{"bad encryption certificate", slices.Concat(property(3, encrypt.Raw[:100]), property(8, sign.Raw)), nil, sign, 1, true},
		{"no certificate", version, nil, nil, 0, false},
		{"hashes alone", slices.Concat(version, property(9, hash[:]), property(0x22, hash[:])), nil, nil, 0, false},
		{"a tag twice", slices.Concat(version, property(3, encrypt.Raw), property(3, encrypt.Raw)), nil, nil, 0, false},
		{"bad certificate", slices.Concat(version, property(3, encrypt.Raw[:100])), nil, nil, 0, false},
		{"truncated header", append(slices.Concat(version, property(3, encrypt.Raw)), 1, 0, 4), nil, nil, 0, false},
		{"length below four", append(property(3, encrypt.Raw), 4, 0, 3, 0), nil, nil, 0, false},
		{"length beyond the end", append(property(3, encrypt.Raw), 4, 0, 5, 0), nil, nil, 0, false},
		{"too many", append(many, property(3, encrypt.Raw)...), nil, nil, 0, false},
		{"empty", nil, nil, nil, 0, false},
		{"one octet", []byte{1}, nil, nil, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := exchange.ParseUserSMIMECertificate(tt.value)
			if !tt.ok {
				if !errors.Is(err, exchange.ErrMalformed) || p != nil {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			if !same(p.Encryption, tt.encryption) || !same(p.Signing, tt.other) || len(p.All) != tt.all || p.Capabilities != nil {
				t.Errorf("%+v", p)
			}
		})
	}
}

func same(a, b *x509.Certificate) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(b)
}

// signed makes a SignedData as userSMIMECertificate has it.
func signed(t testing.TB, id *smime.Identity, content []byte, inside bool, attributes []pkcs7.Attribute, others ...*x509.Certificate) []byte {
	t.Helper()
	key, err := id.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	key.Chain, key.Attributes = append(slices.Clip(key.Chain), others...), attributes
	var b bytes.Buffer
	if !inside {
		if err := pkcs7.SignDetached(t.Context(), &b, bytes.NewReader(content), []pkcs7.SigningKey{key}, nil); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	w, err := pkcs7.NewSignWriter(t.Context(), &b, []pkcs7.SigningKey{key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func attribute(t testing.TB, oid string, der ...[]byte) pkcs7.Attribute {
	t.Helper()
	return pkcs7.Attribute{Type: mustOID(t, oid), Values: der}
}

// der is an element of less than 64 KiB.
func der(tag byte, content ...[]byte) []byte {
	body := slices.Concat(content...)
	switch {
	case len(body) < 128:
		return append([]byte{tag, byte(len(body))}, body...)
	case len(body) < 256:
		return append([]byte{tag, 0x81, byte(len(body))}, body...)
	}
	return append([]byte{tag, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
}

func TestSignedForm(t *testing.T) {
	const (
		capsOID, preferenceOID, microsoftOID = "1.2.840.113549.1.9.15", "1.2.840.113549.1.9.16.2.11", "1.3.6.1.4.1.311.16.4"
	)
	ca := smimetest.NewCA(t)
	id := ca.Identity("a@example.com", smimetest.SigningOnly())
	encrypt := ca.Identity("a@example.com", smimetest.EncryptionOnly()).Certificate()
	list, err := capabilities(t, oidAES256CBC).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	caps := attribute(t, capsOID, list)
	name := []byte(encrypt.RawIssuer)
	serial := der(2, encrypt.SerialNumber.Bytes())
	bare := attribute(t, microsoftOID, der(0x30, name, serial))
	byIssuer := attribute(t, preferenceOID, der(0xA0, name, serial))
	byKeyID := attribute(t, preferenceOID, der(0xA1, der(4, encrypt.SubjectKeyId)))
	bySKI := attribute(t, preferenceOID, der(0x82, encrypt.SubjectKeyId))
	with := func(list ...pkcs7.Attribute) []pkcs7.Attribute { return list }
	whole := signed(t, id, nil, false, with(caps, bare), encrypt)
	for _, tt := range []struct {
		name   string
		value  []byte
		signer bool
		marked bool
		caps   bool
	}{
		{"Microsoft's preference", whole, true, true, true},
		{"preference by issuer", signed(t, id, nil, false, with(byIssuer), encrypt), true, true, false},
		{"preference by recipient key", signed(t, id, nil, false, with(byKeyID), encrypt), true, true, false},
		{"preference by key identifier", signed(t, id, nil, false, with(bySKI, caps), encrypt), true, true, true},
		{"both preferences", signed(t, id, nil, false, with(byIssuer, bare), encrypt), true, true, false},
		{"content inside", signed(t, id, []byte("ignored"), true, with(caps, bare), encrypt), true, true, true},
		{"empty content inside", signed(t, id, nil, true, with(caps, bare), encrypt), true, true, true},
		{"no attribute", signed(t, id, nil, false, nil, encrypt), true, false, false},
		{"preference for nobody here", signed(t, id, nil, false, with(attribute(t, microsoftOID, der(0x30, name, der(2, []byte{0x7F})))), encrypt), true, false, false},
		{"negative serial number", signed(t, id, nil, false, with(attribute(t, microsoftOID, der(0x30, name, der(2, []byte{0x80})))), encrypt), true, false, false},
		{"malformed preference", signed(t, id, nil, false, with(attribute(t, microsoftOID, der(0x30, name))), encrypt), true, false, false},
		{"preference of another kind", signed(t, id, nil, false, with(attribute(t, preferenceOID, der(0xA5, name))), encrypt), true, false, false},
		{"malformed capabilities", signed(t, id, nil, false, with(attribute(t, capsOID, der(4))), encrypt), true, false, false},
		{"content that was signed is missing", signed(t, id, []byte("not empty"), false, with(caps, bare), encrypt), false, false, false},
		{"signature that does not hold", flipLast(whole), false, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := exchange.ParseUserSMIMECertificate(tt.value)
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			if len(p.All) != 3 {
				t.Errorf("%d certificates", len(p.All))
			}
			if (p.Signing != nil) != tt.signer || tt.signer && !p.Signing.Equal(id.Certificate()) {
				t.Errorf("signed by %v", p.Signing)
			}
			if (p.Encryption != nil) != tt.marked || tt.marked && !p.Encryption.Equal(encrypt) {
				t.Errorf("encryption %v", p.Encryption)
			}
			if (p.Capabilities != nil) != tt.caps {
				t.Errorf("capabilities %v", p.Capabilities)
			}
		})
	}
}

// flipLast changes the last octet, which is of the signature.
func flipLast(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

func TestSignedFormOthers(t *testing.T) {
	ca := smimetest.NewCA(t)
	id := ca.Identity("a@example.com")
	whole, err := exchange.NewUserSMIMECertificate(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	var certsOnly bytes.Buffer
	if err := pkcs7.WriteCertificates(&certsOnly, [][]byte{id.Certificate().Raw, ca.Issuing().Raw}, nil); err != nil {
		t.Fatal(err)
	}
	p, err := exchange.ParseUserSMIMECertificate(certsOnly.Bytes())
	if err != nil || len(p.All) != 2 || p.Signing != nil || p.Encryption != nil || p.Capabilities != nil {
		t.Errorf("certificates only: %+v %v", p, err)
	}
	for name, value := range map[string][]byte{
		"truncated":      whole[:len(whole)/2],
		"a certificate":  id.Certificate().Raw,
		"empty sequence": {0x30, 0},
		"no content":     {0x30, 11, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2},
		"data":           {0x30, 17, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1, 0xA0, 4, 4, 2, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := exchange.ParseUserSMIMECertificate(value); !errors.Is(err, exchange.ErrMalformed) || p != nil {
				t.Errorf("%v", err)
			}
		})
	}
	for i := range len(whole) {
		if p, err := exchange.ParseUserSMIMECertificate(whole[:i]); err == nil && len(p.All) == 0 {
			t.Errorf("the first %d octets are a value without certificates", i)
		}
	}
}

func TestParseUserCertificate(t *testing.T) {
	c := smimetest.NewCA(t).Identity("a@example.com").Certificate()
	p, err := exchange.ParseUserCertificate(c.Raw)
	if err != nil || len(p.All) != 1 || !p.All[0].Equal(c) || p.Encryption != nil || p.Signing != nil || p.Capabilities != nil {
		t.Errorf("%+v %v", p, err)
	}
	for _, bad := range [][]byte{nil, {0}, c.Raw[:len(c.Raw)-1], append(bytes.Clone(c.Raw), 0)} {
		if p, err := exchange.ParseUserCertificate(bad); !errors.Is(err, exchange.ErrMalformed) || p != nil {
			t.Errorf("%d octets: %v", len(bad), err)
		}
	}
}

func TestNewUserSMIMECertificate(t *testing.T) {
	ca := smimetest.NewCA(t)
	id := ca.Identity("a@example.com")
	signing := ca.Identity("a@example.com", smimetest.SigningOnly())
	encrypt := ca.Identity("a@example.com", smimetest.EncryptionOnly()).Certificate()
	for _, tt := range []struct {
		name       string
		id         *smime.Identity
		encryption *x509.Certificate
		want       *x509.Certificate
		all        int
	}{
		{"one certificate", id, nil, id.Certificate(), 2},
		{"the same", id, id.Certificate(), id.Certificate(), 2},
		{"two", signing, encrypt, encrypt, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			value, err := exchange.NewUserSMIMECertificate(t.Context(), tt.id, tt.encryption)
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			p, err := exchange.ParseUserSMIMECertificate(value)
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			if !same(p.Signing, tt.id.Certificate()) || !same(p.Encryption, tt.want) || len(p.All) != tt.all || !p.Capabilities.Reads(pkcs7.AES256GCM) {
				t.Errorf("%+v", p)
			}
			if list := exchange.ChooseEncryption([]*exchange.PublishedCertificate{p}, nil); len(list) == 0 || !list[0].Equal(tt.want) {
				t.Errorf("%d to encrypt to", len(list))
			}
			if list := exchange.ChooseSigning([]*exchange.PublishedCertificate{p}, nil); len(list) == 0 || !list[0].Equal(tt.id.Certificate()) {
				t.Errorf("%d to verify with", len(list))
			}
		})
	}
	if _, err := exchange.NewUserSMIMECertificate(t.Context(), signing, nil); !errors.Is(err, chain.ErrWrongPurpose) {
		t.Errorf("%v", err)
	}
	if _, err := exchange.NewUserSMIMECertificate(t.Context(), id, new(x509.Certificate)); err == nil {
		t.Error("an empty certificate was published")
	}
}

// TestOpenSSLReadsOurs holds that OpenSSL verifies what is published, and that
// what it signs is read.
func TestOpenSSLReadsOurs(t *testing.T) {
	openssl := suites.Tool(t, "openssl")
	ca := smimetest.NewCA(t)
	key := newKey(t)
	id := ca.Certify(key, "a@example.com")
	value, err := exchange.NewUserSMIMECertificate(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	root := write("root", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Root().Raw}))
	cert := write("cert", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.Certificate().Raw}))
	keyFile := write("key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	empty := write("empty", nil)
	out, err := suites.Command(t, openssl, "cms", "-verify", "-inform", "DER", "-in", write("value", value), "-content", empty, "-CAfile", root, "-out", os.DevNull).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for name, args := range map[string][]string{"detached": nil, "inside": {"-nodetach"}, "SHA-1": {"-md", "sha1"}} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, name)
			args = append([]string{"cms", "-sign", "-binary", "-in", empty, "-signer", cert, "-inkey", keyFile, "-outform", "DER", "-out", file}, args...)
			if out, err := suites.Command(t, openssl, args...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := exchange.ParseUserSMIMECertificate(b)
			if err != nil || !same(p.Signing, id.Certificate()) || p.Capabilities.Reads(pkcs7.AES256CBC) != (name != "SHA-1") {
				t.Errorf("%+v %v", p, err)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	ca := smimetest.NewCA(t)
	both, other := ca.Identity("a@example.com").Certificate(), ca.Identity("a@example.com").Certificate()
	sign, encrypt := ca.Identity("a@example.com", smimetest.SigningOnly()).Certificate(), ca.Identity("a@example.com", smimetest.EncryptionOnly()).Certificate()
	web := ca.Identity("a@example.com", smimetest.NotForMail()).Certificate()
	list := func(certs ...*x509.Certificate) *exchange.PublishedCertificate {
		return &exchange.PublishedCertificate{All: certs}
	}
	marked := &exchange.PublishedCertificate{All: []*x509.Certificate{sign, both, encrypt}, Encryption: encrypt, Signing: sign}
	type values = []*exchange.PublishedCertificate
	for _, tt := range []struct {
		name          string
		first, second values
		encrypt, sign []*x509.Certificate
	}{
		{"nothing", nil, nil, nil, nil},
		{"nil", values{nil}, values{nil}, nil, nil},
		{"marked first", values{marked}, nil, []*x509.Certificate{encrypt, both}, []*x509.Certificate{sign, both}},
		{"before plain ones", values{list(both)}, values{list(other)}, []*x509.Certificate{both, other}, []*x509.Certificate{both, other}},
		{"marked in the second value", values{list(both), marked}, nil, []*x509.Certificate{encrypt, both}, []*x509.Certificate{sign, both}},
		{"plain alone", nil, values{list(sign), list(encrypt)}, []*x509.Certificate{encrypt}, []*x509.Certificate{sign}},
		{"unfit", values{list(web, ca.Issuing(), ca.Root())}, values{list(web)}, nil, nil},
		{"marked but unfit", values{{All: []*x509.Certificate{sign, encrypt}, Encryption: sign, Signing: encrypt}}, nil, []*x509.Certificate{encrypt}, []*x509.Certificate{sign}},
		{"once each", values{marked, marked}, values{list(encrypt, both)}, []*x509.Certificate{encrypt, both}, []*x509.Certificate{sign, both}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := exchange.ChooseEncryption(tt.first, tt.second); !slices.EqualFunc(got, tt.encrypt, same) {
				t.Errorf("%d for encryption", len(got))
			}
			if got := exchange.ChooseSigning(tt.first, tt.second); !slices.EqualFunc(got, tt.sign, same) {
				t.Errorf("%d for signing", len(got))
			}
		})
	}
}

func FuzzParseUserSMIMECertificate(f *testing.F) {
	// The seeds are in testdata: one of each form.
	f.Add([]byte{3, 0, 4, 0})
	f.Fuzz(func(t *testing.T, value []byte) {
		p, err := exchange.ParseUserSMIMECertificate(value)
		if err != nil {
			if !errors.Is(err, exchange.ErrMalformed) || p != nil {
				t.Fatalf("%v", err)
			}
			return
		}
		if len(p.All) == 0 {
			t.Fatal("no certificate and no error")
		}
		for _, c := range []*x509.Certificate{p.Encryption, p.Signing} {
			if c != nil && !slices.ContainsFunc(p.All, c.Equal) {
				t.Fatal("a marked certificate that is not in the value")
			}
		}
		if p.Capabilities != nil && p.Signing == nil {
			t.Fatal("capabilities that nobody signed")
		}
	})
}
