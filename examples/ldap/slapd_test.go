package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/internal/suites/servertest"
)

// A server is a slapd of Debian with a directory of its own.
type server struct {
	url, plain, socket string
	tls                *tls.Config
	ca                 string // file of the certificate that the server shows
}

// manager may change the directory.
const manager, secret = "cn=manager,dc=example,dc=com", "for this test alone"

// person is an inetOrgPerson.
type person struct {
	mail               string
	proxies            []string // of Exchange, such as smtp:alias@example.com
	certificate, smime []byte
}

// startSlapd fills a directory and serves it on loopback, by LDAPS and LDAP.
func startSlapd(t *testing.T, people []person) *server {
	t.Helper()
	slapd := suites.Tool(t, "slapd")
	dir := t.TempDir()
	s := &server{}
	certFile, keyFile := filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	s.ca = certFile
	s.tls = serverCertificate(t, certFile, keyFile)
	conf := filepath.Join(dir, "slapd.conf")
	db := filepath.Join(dir, "db")
	if err := os.Mkdir(db, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, conf, fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.2.840.113556.1.5.9999 NAME 'proxyPerson' SUP top AUXILIARY MAY proxyAddresses )
pidfile %[1]s/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile %[2]s
TLSCertificateKeyFile %[3]s
database mdb
maxsize 16777216
suffix "dc=example,dc=com"
rootdn "%[5]s"
rootpw "%[6]s"
directory %[4]s
`, dir, certFile, keyFile, db, manager, secret))
	ldif := filepath.Join(dir, "people.ldif")
	write(t, ldif, ldifOf(people))
	if out, err := suites.Command(t, slapd, "-T", "add", "-f", conf, "-l", ldif).CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v\n%s", err, out)
	}
	socket := "ldapi://" + strings.ReplaceAll(filepath.Join(dir, "ldapi"), "/", "%2F")
	urls := func(ports []int) (ldaps, ldap string) {
		return fmt.Sprintf("ldaps://127.0.0.1:%d", ports[0]), fmt.Sprintf("ldap://127.0.0.1:%d", ports[1])
	}
	run := servertest.Start(t, 2, func(ports []int) *exec.Cmd {
		ldaps, ldap := urls(ports)
		return suites.Command(t, slapd, "-f", conf, "-h", ldaps+"/ "+ldap+"/ "+socket, "-d", "0")
	}, func(ports []int) error { return servertest.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[0])) })
	s.url, s.plain = urls(run.Ports)
	s.socket = socket
	return s
}

func ldifOf(people []person) string {
	var b strings.Builder
	b.WriteString("dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n")
	for i, p := range people {
		fmt.Fprintf(&b, "dn: uid=%d,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: %d\ncn: %d\nsn: %d\nmail:: %s\n", i, i, i, i,
			base64.StdEncoding.EncodeToString([]byte(p.mail)))
		for i, a := range p.proxies {
			if i == 0 {
				b.WriteString("objectClass: proxyPerson\n")
			}
			fmt.Fprintf(&b, "proxyAddresses: %s\n", a)
		}
		if p.certificate != nil {
			fmt.Fprintf(&b, "userCertificate;binary:: %s\n", base64.StdEncoding.EncodeToString(p.certificate))
		}
		if p.smime != nil {
			fmt.Fprintf(&b, "userSMIMECertificate:: %s\n", base64.StdEncoding.EncodeToString(p.smime))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func serverCertificate(t *testing.T, certFile, keyFile string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	write(t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{RootCAs: pool}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
