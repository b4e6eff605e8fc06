package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// startDNS signs the zone signed.test with BIND's tools, serves it and an
// unsigned one with BIND, and puts Unbound before it, which validates. The hex
// digits forged are changed after the zone was signed.
func startDNS(t *testing.T, records []string, forged string) *Resolver {
	t.Helper()
	for _, tool := range []string{"named", "dnssec-keygen", "dnssec-signzone", "unbound"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	const soa = "@ 300 IN SOA ns.%[1]s. admin.%[1]s. 1 3600 600 86400 300\n@ 300 IN NS ns.%[1]s.\nns 300 IN A 127.0.0.1\n"
	write(t, filepath.Join(dir, "signed.test"), "$ORIGIN signed.test.\n"+fmt.Sprintf(soa, "signed.test")+strings.Join(records, "\n")+"\n")
	write(t, filepath.Join(dir, "unsigned.test"), "$ORIGIN unsigned.test.\n"+fmt.Sprintf(soa, "unsigned.test"))
	command(t, dir, "dnssec-keygen", "-a", "ECDSAP256SHA256", "-f", "KSK", "signed.test")
	command(t, dir, "dnssec-keygen", "-a", "ECDSAP256SHA256", "signed.test")
	command(t, dir, "dnssec-signzone", "-S", "-o", "signed.test", "signed.test")
	forge(t, filepath.Join(dir, "signed.test.signed"), strings.ToUpper(forged))
	ports := freePorts(t, 2)
	write(t, filepath.Join(dir, "named.conf"), fmt.Sprintf(`options { directory %q; listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; pid-file none; session-keyfile none; dnssec-validation no; };
controls { };
zone "signed.test" { type primary; file "signed.test.signed"; };
zone "unsigned.test" { type primary; file "unsigned.test"; };
`, dir, ports[0]))
	write(t, filepath.Join(dir, "anchor"), trustAnchor(t, dir))
	write(t, filepath.Join(dir, "unbound.conf"), fmt.Sprintf(`server:
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
`, ports[1], dir, ports[0]))
	start(t, "named", "-g", "-c", filepath.Join(dir, "named.conf"))
	awaitAnswer(t, fmt.Sprintf("127.0.0.1:%d", ports[0]))
	start(t, "unbound", "-d", "-c", filepath.Join(dir, "unbound.conf"))
	server := fmt.Sprintf("127.0.0.1:%d", ports[1])
	awaitAnswer(t, server)
	return &Resolver{Server: server}
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

func start(t *testing.T, name string, args ...string) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if cmd.Wait() != nil && t.Failed() {
			t.Logf("%s: %s", name, log.String())
		}
	})
}

// awaitAnswer returns when the server answers a query.
func awaitAnswer(t *testing.T, server string) {
	t.Helper()
	m := new(dns.Msg)
	m.SetQuestion("signed.test.", dns.TypeSOA)
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-deadline.C:
			t.Fatalf("%s does not answer", server)
		case <-tick.C:
			if _, _, err := (&dns.Client{Net: "tcp"}).Exchange(m, server); err == nil {
				return
			}
		}
	}
}

func command(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
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
