package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/internal/suites/servertest"
)

// startDNS signs the zone signed.test with BIND's tools, serves it and an
// unsigned one with BIND, and puts Unbound before it, which validates. The hex
// digits forged are changed after the zone was signed.
func startDNS(t *testing.T, records []string, forged string) *Resolver {
	t.Helper()
	named, unbound := suites.Tool(t, "named"), suites.Tool(t, "unbound")
	keygen, signzone := suites.Tool(t, "dnssec-keygen"), suites.Tool(t, "dnssec-signzone")
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	const soa = "@ 300 IN SOA ns.%[1]s. admin.%[1]s. 1 3600 600 86400 300\n@ 300 IN NS ns.%[1]s.\nns 300 IN A 127.0.0.1\n"
	write(t, filepath.Join(dir, "signed.test"), "$ORIGIN signed.test.\n"+fmt.Sprintf(soa, "signed.test")+strings.Join(records, "\n")+"\n")
	write(t, filepath.Join(dir, "unsigned.test"), "$ORIGIN unsigned.test.\n"+fmt.Sprintf(soa, "unsigned.test"))
	command(t, dir, keygen, "-a", "ECDSAP256SHA256", "-f", "KSK", "signed.test")
	command(t, dir, keygen, "-a", "ECDSAP256SHA256", "signed.test")
	command(t, dir, signzone, "-S", "-o", "signed.test", "signed.test")
	forge(t, filepath.Join(dir, "signed.test.signed"), strings.ToUpper(forged))
	authority := servertest.Start(t, 1, func(ports []int) *exec.Cmd {
		conf := filepath.Join(dir, "named.conf")
		write(t, conf, fmt.Sprintf(`options { directory %q; listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; pid-file none; session-keyfile none; dnssec-validation no; };
controls { };
zone "signed.test" { type primary; file "signed.test.signed"; };
zone "unsigned.test" { type primary; file "unsigned.test"; };
`, dir, ports[0]))
		return suites.Command(t, named, "-g", "-c", conf)
	}, answers)
	write(t, filepath.Join(dir, "anchor"), trustAnchor(t, dir))
	resolver := servertest.Start(t, 1, func(ports []int) *exec.Cmd {
		conf := filepath.Join(dir, "unbound.conf")
		write(t, conf, fmt.Sprintf(`server:
  interface: 127.0.0.1
  port: %[1]d
  directory: %[2]q
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  do-not-query-localhost: no
  trust-anchor-file: "%[2]s/anchor"
  domain-insecure: "unsigned.test"
  local-zone: "test." nodefault
stub-zone:
  name: "signed.test"
  stub-addr: 127.0.0.1@%[3]d
stub-zone:
  name: "unsigned.test"
  stub-addr: 127.0.0.1@%[3]d
`, ports[0], dir, authority.Ports[0]))
		return suites.Command(t, unbound, "-d", "-c", conf)
	}, answers)
	return &Resolver{Server: fmt.Sprintf("127.0.0.1:%d", resolver.Ports[0]), Timeout: time.Minute}
}

// answers says whether the server at that port knows the signed zone.
func answers(ports []int) error {
	m := new(dns.Msg)
	m.SetQuestion("signed.test.", dns.TypeSOA)
	answer, _, err := (&dns.Client{Net: "tcp"}).Exchange(m, fmt.Sprintf("127.0.0.1:%d", ports[0]))
	if err == nil && len(answer.Answer) == 0 {
		err = errors.New("no answer")
	}
	return err
}

// forge changes digits in a signed zone.
func forge(t *testing.T, zone, digits string) {
	t.Helper()
	b, err := os.ReadFile(zone)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(b), digits) != 1 {
		t.Fatalf("%q is not once in the zone", digits)
	}
	write(t, zone, strings.Replace(string(b), digits, strings.Repeat("0", len(digits)), 1))
}

// trustAnchor returns the key-signing key as a DNSKEY record.
func trustAnchor(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "K*.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("DNSKEY 257 ")) {
			return string(b)
		}
	}
	t.Fatal("no key-signing key")
	return ""
}

func command(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := suites.Command(t, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// data returns what a record of that selector and matching type holds.
func data(t *testing.T, cert *x509.Certificate, selector, matching uint8) []byte {
	t.Helper()
	b := cert.Raw
	if selector == 1 {
		b = cert.RawSubjectPublicKeyInfo
	}
	switch matching {
	case 1:
		sum := sha256.Sum256(b)
		return sum[:]
	case 2:
		sum := sha512.Sum512(b)
		return sum[:]
	}
	return b
}
