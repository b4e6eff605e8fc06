package pkcs7

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/digitorus/pkcs7"
	"github.com/gosmime/gosmime/internal/suites"
)

// run runs a tool and returns what it writes.
func run(t *testing.T, in []byte, name string, args ...string) ([]byte, error) {
	t.Helper()
	cmd := suites.Command(t, name, args...)
	cmd.Stdin = bytes.NewReader(in)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		t.Logf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, errs.Bytes())
	}
	return out.Bytes(), err
}

func writeTemp(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// openSSLKinds are the keys with the options that sign by each scheme.
func openSSLKinds() map[string][]string {
	pss := []string{"-keyopt", "rsa_padding_mode:pss"}
	return map[string][]string{
		"rsa sha256":          {"-md", "sha256"},
		"rsa sha384":          {"-md", "sha384"},
		"rsa sha512":          {"-md", "sha512"},
		"rsa pss sha256":      append([]string{"-md", "sha256"}, pss...),
		"rsa pss sha384":      append([]string{"-md", "sha384"}, pss...),
		"rsa pss sha512":      append([]string{"-md", "sha512"}, pss...),
		"rsa pss digest salt": append([]string{"-md", "sha256"}, append(pss, "-keyopt", "rsa_pss_saltlen:-1")...),
		"p256 sha256":         {"-md", "sha256"},
		"p384 sha384":         {"-md", "sha384"},
		"p521 sha512":         {"-md", "sha512"},
	}
}

func TestReadOpenSSL(t *testing.T) {
	t.Parallel()
	openssl := suites.Tool(t, "openssl")
	input := writeTemp(t, "content", []byte(text))
	variants := [][]string{
		{"-nodetach"}, {"-nodetach", "-stream"}, {"-nodetach", "-indef"}, {"-nodetach", "-keyid"}, {"-nodetach", "-nocerts"},
		{"-nodetach", "-noattr"}, {"-nodetach", "-cades"}, {}, {"-keyid"}, {"-noattr"}, {"-nosmimecap"},
	}
	signers := map[string]SigningKey{}
	n := 0
	for name, options := range openSSLKinds() {
		kind, _, _ := strings.Cut(name, " ")
		signer, ok := signers[kind]
		if !ok {
			signer = newSigner(t, kind)
			signers[kind] = signer
		}
		cert, key := writeFiles(t, signer)
		for _, variant := range variants {
			if strings.Contains(name, "pss") && (slices.Contains(variant, "-stream") || slices.Contains(variant, "-indef")) {
				continue // OpenSSL 3.0 fails to write that
			}
			args := append([]string{"cms", "-sign", "-binary", "-outform", "DER", "-in", input, "-signer", cert, "-inkey", key}, variant...)
			msg, err := run(t, nil, openssl, append(args, options...)...)
			if err != nil {
				t.Errorf("%s %v: %v", name, variant, err)
				continue
			}
			var detached io.Reader
			if len(variant) == 0 || variant[0] != "-nodetach" {
				detached = strings.NewReader(text)
			}
			r, err := NewSignedReader(bytes.NewReader(msg), detached, nil)
			if err != nil {
				t.Errorf("%s %v: %v", name, variant, err)
				continue
			}
			content, err := io.ReadAll(r)
			if err != nil || string(content) != text {
				t.Errorf("%s %v: %q, %v", name, variant, content, err)
				continue
			}
			list, _ := r.Signers()
			if len(list) != 1 || !list[0].ID().Matches(signer.Certificate) {
				t.Errorf("%s %v: %d signers", name, variant, len(list))
				continue
			}
			if err := list[0].CheckSignature(signer.Certificate); err != nil {
				t.Errorf("%s %v: %v", name, variant, err)
			}
			n++
		}
	}
	if n != 102 {
		t.Errorf("%d messages", n)
	}
}

func TestOpenSSLReads(t *testing.T) {
	t.Parallel()
	openssl := suites.Tool(t, "openssl")
	content := writeTemp(t, "content", []byte(text))
	n := 0
	for kind, schemes := range map[string][]Scheme{
		"rsa":  {RSAPKCS1SHA256, RSAPKCS1SHA384, RSAPKCS1SHA512, RSAPSSSHA256, RSAPSSSHA384, RSAPSSSHA512},
		"p256": {ECDSASHA256}, "p384": {ECDSASHA384}, "p521": {ECDSASHA512},
	} {
		t.Run(kind, func(t *testing.T) {
			signer := newSigner(t, kind)
			cert, _ := writeFiles(t, signer)
			for _, scheme := range schemes {
				signer.Scheme = scheme
				for _, opts := range []*SignOptions{nil, {ByKeyID: true}, {Size: int64(len(text))}} {
					check := []string{"cms", "-verify", "-binary", "-inform", "DER", "-CAfile", cert, "-purpose", "any", "-cades"}
					if opts != nil && opts.ByKeyID {
						check = append(check, "-certfile", cert)
					}
					got, err := run(t, sign(t, text, opts, signer), openssl, check...)
					if err != nil || string(got) != text {
						t.Errorf("%s %d opaque: %q, %v", kind, scheme, got, err)
					}
					got, err = run(t, signDetached(t, text, opts, signer), openssl, append(check, "-content", content)...)
					if err != nil || string(got) != text {
						t.Errorf("%s %d detached: %q, %v", kind, scheme, got, err)
					}
					n += 2
				}
			}
			// Streamed, in BER.
			long := strings.Repeat(text, 5000)
			got, err := run(t, sign(t, long, nil, signer), openssl, "cms", "-verify", "-binary", "-inform", "DER", "-CAfile", cert, "-purpose", "any")
			if err != nil || string(got) != long {
				t.Errorf("%s streamed: %d octets, %v", kind, len(got), err)
			}
			got, err = run(t, sign(t, text, nil, signer), openssl, "smime", "-verify", "-binary", "-inform", "DER", "-CAfile", cert, "-purpose", "any")
			if scheme := signer.Scheme; (scheme < RSAPSSSHA256 || scheme > RSAPSSSHA512) && (err != nil || string(got) != text) {
				t.Errorf("%s smime: %q, %v", kind, got, err)
			}
		})
	}
	if n != 54 {
		t.Errorf("%d messages", n)
	}
}

func TestGpgsmReads(t *testing.T) {
	t.Parallel()
	gpgsm := suites.Tool(t, "gpgsm")
	signer := newSigner(t, "rsa")
	cert, _ := writeFiles(t, signer)
	home := t.TempDir()
	trust := strings.ToUpper(fingerprint(signer.Certificate)) + " S relax\n"
	for name, b := range map[string]string{"trustlist.txt": trust, "gpgsm.conf": "disable-crl-checks\n", "gpg-agent.conf": "disable-scdaemon\n"} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(home, name), []byte(b), 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
	defer suites.Command(t, "gpgconf", "--homedir", home, "--kill", "all").Run()
	base := []string{"--homedir", home, "--batch", "--status-fd", "2"}
	if _, err := run(t, nil, gpgsm, append(base, "--import", cert)...); err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []Scheme{RSAPKCS1SHA256, RSAPKCS1SHA512, RSAPSSSHA256} {
		signer.Scheme = scheme
		msg := writeTemp(t, "msg.der", sign(t, text, nil, signer))
		out := filepath.Join(t.TempDir(), "out")
		if _, err := run(t, nil, gpgsm, append(base, "--output", out, "--verify", msg)...); err != nil {
			t.Errorf("scheme %d opaque: %v", scheme, err)
		}
		if got, _ := os.ReadFile(out); string(got) != text {
			t.Errorf("scheme %d: %q", scheme, got)
		}
		long := strings.Repeat(text, 5000)
		msg = writeTemp(t, "msg.ber", sign(t, long, nil, signer))
		if _, err := run(t, nil, gpgsm, append(base, "--yes", "--output", out, "--verify", msg)...); err != nil {
			t.Errorf("scheme %d streamed: %v", scheme, err)
		}
		if got, _ := os.ReadFile(out); string(got) != long {
			t.Errorf("scheme %d streamed: %d octets", scheme, len(got))
		}
		sig := writeTemp(t, "sig.der", signDetached(t, text, nil, signer))
		if _, err := run(t, nil, gpgsm, append(base, "--verify", sig, writeTemp(t, "content", []byte(text)))...); err != nil {
			t.Errorf("scheme %d detached: %v", scheme, err)
		}
	}
}

func TestNSSReads(t *testing.T) {
	t.Parallel()
	cmsutil, certutil := suites.Tool(t, "cmsutil"), suites.Tool(t, "certutil")
	signer := newSigner(t, "rsa")
	cert, _ := writeFiles(t, signer)
	db := t.TempDir()
	if _, err := run(t, nil, certutil, "-N", "-d", "sql:"+db, "--empty-password"); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, nil, certutil, "-A", "-d", "sql:"+db, "-n", "signer", "-t", "CTP,CTP,CTP", "-i", cert); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, scheme := range []Scheme{RSAPKCS1SHA256, RSAPKCS1SHA384, RSAPKCS1SHA512} {
		signer.Scheme = scheme
		for _, opts := range []*SignOptions{nil, {ByKeyID: true}} {
			got, err := run(t, nil, cmsutil, "-D", "-d", "sql:"+db, "-i", writeTemp(t, "msg.der", sign(t, text, opts, signer)))
			if err != nil || string(got) != text {
				t.Errorf("scheme %d: %q, %v", scheme, got, err)
			}
			long := strings.Repeat(text, 5000)
			got, err = run(t, nil, cmsutil, "-D", "-d", "sql:"+db, "-i", writeTemp(t, "msg.ber", sign(t, long, opts, signer)))
			if err != nil || string(got) != long {
				t.Errorf("scheme %d streamed: %d octets, %v", scheme, len(got), err)
			}
			n++
		}
	}
	if n != 6 {
		t.Errorf("%d messages", n)
	}
}

func TestDigitorusSigned(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"rsa", "p256", "p384"} {
		t.Run(kind, func(t *testing.T) {
			signer := newSigner(t, kind)
			for _, detached := range []bool{false, true} {
				msg := sign(t, text, nil, signer)
				if detached {
					msg = signDetached(t, text, nil, signer)
				}
				p7, err := pkcs7.Parse(msg)
				if err != nil {
					t.Fatalf("%s: %v", kind, err)
				}
				if detached {
					p7.Content = []byte(text)
				}
				if err := p7.Verify(); err != nil || string(p7.Content) != text {
					t.Errorf("%s, detached %v: %v", kind, detached, err)
				}

				sd, err := pkcs7.NewSignedData([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
				if err := sd.AddSigner(signer.Certificate, signer.Key, pkcs7.SignerInfoConfig{}); err != nil {
					t.Fatal(err)
				}
				var content io.Reader
				if detached {
					sd.Detach()
					content = strings.NewReader(text)
				}
				theirs, err := sd.Finish()
				if err != nil {
					t.Fatal(err)
				}
				if got, _, err := verify(theirs, content, nil); err != nil || got != text {
					t.Errorf("theirs, %s, detached %v: %v", kind, detached, err)
				}
			}
		})
	}
}
