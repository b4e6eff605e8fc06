package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/internal/suites/servertest"
	"github.com/gosmime/gosmime/smime"
)

// patience is for all look-ups of one message, on a busy machine.
const patience = 2 * time.Minute

// TestMain also is one process of the cluster.
func TestMain(m *testing.M) {
	if addr := os.Getenv("CLUSTER_REDIS"); addr != "" {
		if err := run(context.Background(), addr, os.Getenv("CLUSTER_ROOTS"), true, patience); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// startRedis starts a redis-server without persistence, at a socket in the file
// system.
func startRedis(t *testing.T) (addr string, stop func()) {
	t.Helper()
	path := suites.Tool(t, "redis-server")
	// The path of a socket has to be short.
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	addr = filepath.Join(dir, "s")
	s := servertest.Start(t, 0, func([]int) *exec.Cmd {
		return suites.Command(t, path, "--port", "0", "--unixsocket", addr, "--save", "", "--appendonly", "no", "--dir", dir)
	}, func([]int) error { return servertest.Dial("unix", addr) })
	return addr, s.Stop
}

// A pki has a CA with a CRL server and people with certificates that name it.
type pki struct {
	root    *x509.Certificate
	key     *ecdsa.PrivateKey
	url     string
	fetches atomic.Int64
	broken  atomic.Bool // serves no CRL
	crl     []byte
}

func newPKI(t *testing.T) *pki {
	t.Helper()
	p := &pki{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.fetches.Add(1)
		if p.broken.Load() {
			http.Error(w, "no CRL", http.StatusServiceUnavailable)
			return
		}
		if _, err := w.Write(p.crl); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(srv.Close)
	p.url = srv.URL + "/root.crl"
	p.root, p.key = p.issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Cluster Root " + srv.URL},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	})
	p.crl = p.list(t, p.root, p.key, 3)
	return p
}

// list returns a CRL with one revoked serial number.
func (p *pki) list(t *testing.T, issuer *x509.Certificate, key *ecdsa.PrivateKey, revoked int64) []byte {
	t.Helper()
	crl, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(revoked), RevocationTime: time.Now().Add(-time.Minute)}},
	}, issuer, key)
	if err != nil {
		t.Fatal(err)
	}
	return crl
}

func (p *pki) issue(t *testing.T, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := p.root, p.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// mail returns a message signed by a person with that serial number.
func (p *pki) mail(t *testing.T, serial int64) []byte {
	t.Helper()
	cert, key := p.issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "Alice"}, EmailAddresses: []string{"alice@example.com"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		CRLDistributionPoints: []string{p.url},
	})
	id, err := smime.NewIdentity(key, cert)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	plain := "From: alice@example.com\r\nTo: bob@example.com\r\nSubject: hello\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
	if err := smime.Sign(t.Context(), &b, strings.NewReader(plain), id, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A cluster is some processes behind one listener.
type cluster struct {
	address   string
	processes []*exec.Cmd
}

func startCluster(t *testing.T, n int, redisAddr string, root *x509.Certificate) *cluster {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &cluster{address: l.Addr().String()}
	for range n {
		cmd := suites.Itself()
		cmd.Env = append(os.Environ(), "CLUSTER_REDIS="+redisAddr, "CLUSTER_ROOTS="+roots)
		cmd.ExtraFiles = []*os.File{file}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		c.processes = append(c.processes, cmd)
	}
	t.Cleanup(func() {
		for _, p := range c.processes {
			c.kill(t, p)
		}
	})
	// Only the processes accept from now on.
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cluster) kill(t *testing.T, p *exec.Cmd) {
	if p.ProcessState != nil {
		return
	}
	if err := p.Process.Kill(); err != nil {
		t.Error(err)
	}
	if err := p.Wait(); err == nil {
		t.Error("a process ended by itself")
	}
}

// ask sends a message and returns the answer. A connection that a killed
// process had taken is tried again, as a mail server does.
func (c *cluster) ask(t *testing.T, mail []byte) string {
	t.Helper()
	for range 5 {
		conn, err := net.Dial("tcp", c.address)
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Write(mail)
		if err == nil {
			err = conn.(*net.TCPConn).CloseWrite()
		}
		if err == nil {
			answer, err := io.ReadAll(conn)
			conn.Close()
			if err == nil && len(answer) > 0 {
				return strings.TrimSpace(string(answer))
			}
			continue
		}
		conn.Close()
	}
	return "lost"
}

// askAll sends the message n times at once and returns how often each answer came.
func (c *cluster) askAll(t *testing.T, n int, mail []byte) map[string]int {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers := map[string]int{}
	for range n {
		wg.Go(func() {
			a := c.ask(t, mail)
			mu.Lock()
			defer mu.Unlock()
			answers[a]++
		})
	}
	wg.Wait()
	return answers
}

// TestSilentClient connects and sends nothing: it is told so after a while, and
// with the end of the process at once.
func TestSilentClient(t *testing.T) {
	for _, tt := range []struct {
		name     string
		patience time.Duration
		stop     time.Duration
		answered bool
	}{
		{"out of patience", 50 * time.Millisecond, time.Hour, true},
		{"the process ends", time.Hour, 50 * time.Millisecond, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			context.AfterFunc(ctx, func() { l.Close() })
			go (&Gateway{Patience: tt.patience}).Serve(ctx, l)
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			time.AfterFunc(tt.stop, cancel)
			line, _ := io.ReadAll(c)
			if answered := strings.HasPrefix(string(line), "bad "); answered != tt.answered {
				t.Errorf("%q", line)
			}
		})
	}
}

func TestCluster(t *testing.T) {
	addr, stopRedis := startRedis(t)
	p := newPKI(t)
	c := startCluster(t, 3, addr, p.root)
	good, revoked := p.mail(t, 2), p.mail(t, 3)
	const all = 30

	if got := c.askAll(t, all, good); got["good alice@example.com"] != all {
		t.Fatalf("answers %v", got)
	}
	if n := p.fetches.Load(); n != 1 {
		t.Errorf("the CRL was fetched %d times by 3 processes", n)
	}
	if got := c.ask(t, revoked); got != "revoked" {
		t.Errorf("revoked: %s", got)
	}

	// A process dies while it answers: who asks again is answered by another.
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		c.kill(t, c.processes[0])
	}()
	if got := c.askAll(t, 3*all, good); got["good alice@example.com"] != 3*all {
		t.Errorf("while a process was killed: %v", got)
	}
	<-killed

	stopRedis()
	if got := c.askAll(t, all, good); got["good alice@example.com"] != all {
		t.Errorf("without Redis: %v", got)
	}
	if got := c.ask(t, revoked); got != "revoked" {
		t.Errorf("revoked, without Redis: %s", got)
	}
	// One that has seen no CRL yet fetches it for itself.
	before := p.fetches.Load()
	late := startCluster(t, 1, addr, p.root)
	if got := late.askAll(t, all, good); got["good alice@example.com"] != all {
		t.Errorf("started without Redis: %v", got)
	}
	if n := p.fetches.Load() - before; n != 1 {
		t.Errorf("started without Redis: the CRL was fetched %d times", n)
	}
}

// TestPoison writes CRLs of somebody else's over the one in Redis: whom they
// acquit is not acquitted, whom they condemn is not condemned, and what they
// hide is found.
func TestPoison(t *testing.T) {
	addr, _ := startRedis(t)
	p, attacker := newPKI(t), newPKI(t)
	good, revoked := p.mail(t, 2), p.mail(t, 3)
	shared := redis.NewClient(&redis.Options{Addr: addr})
	defer shared.Close()
	// What the library keeps of a CRL that it checked must not help.
	stranger := &x509.Certificate{RawSubject: attacker.root.RawSubject, Subject: attacker.root.Subject, SubjectKeyId: attacker.root.SubjectKeyId, KeyUsage: x509.KeyUsageCRLSign}
	issuer := &x509.Certificate{RawSubject: p.root.RawSubject, Subject: p.root.Subject, SubjectKeyId: p.root.SubjectKeyId, KeyUsage: x509.KeyUsageCRLSign}
	key := fetchKey(chain.KindCRL, p.url, nil)
	for i, tt := range []struct {
		name  string
		value []byte
	}{
		{"forged", pack([][]byte{attacker.list(t, issuer, attacker.key, 2)})},
		{"of another CA", pack([][]byte{attacker.list(t, stranger, attacker.key, 2)})},
		{"cut", pack([][]byte{p.crl[:len(p.crl)-1]})},
		{"garbage", []byte("garbage")},
		{"nothing", nil},
	} {
		// A process of its own each time: it has seen no CRL yet.
		c := startCluster(t, 1, addr, p.root)
		for _, m := range []struct {
			mail []byte
			want string
		}{{good, "good alice@example.com"}, {revoked, "revoked"}} {
			if err := shared.Set(t.Context(), key, tt.value, time.Hour).Err(); err != nil {
				t.Fatal(err)
			}
			if got := c.ask(t, m.mail); got != m.want {
				t.Errorf("%s: %s, want %s", tt.name, got, m.want)
			}
		}
		if n := p.fetches.Load(); n < int64(i)+1 {
			t.Errorf("%s: the CRL was fetched %d times", tt.name, n)
		}
	}
	// Where nobody can be asked either, nothing is known of anybody.
	c := startCluster(t, 1, addr, p.root)
	p.broken.Store(true)
	if err := shared.Set(t.Context(), key, pack([][]byte{attacker.list(t, issuer, attacker.key, 2)}), time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	for name, mail := range map[string][]byte{"good": good, "revoked": revoked} {
		if got := c.ask(t, mail); got != "unknown" {
			t.Errorf("%s, and nobody to ask: %s", name, got)
		}
	}
}

// TestFailedFetch asks for a list that nobody serves: the next one to ask does
// not wait for the one who failed.
func TestFailedFetch(t *testing.T) {
	addr, _ := startRedis(t)
	shared := redis.NewClient(&redis.Options{Addr: addr})
	defer shared.Close()
	next := &failing{}
	f := &SharedFetcher{Redis: shared, Next: next, TTL: time.Hour, Wait: time.Hour}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 3 {
		if _, err := f.Fetch(ctx, chain.KindCRL, "http://example.com/crl", nil); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
	}
	if next.calls != 3 {
		t.Errorf("%d calls", next.calls)
	}
}

type failing struct{ calls int }

func (f *failing) Fetch(context.Context, chain.Kind, string, []byte) ([][]byte, error) {
	f.calls++
	return nil, io.ErrUnexpectedEOF
}

func TestDirectory(t *testing.T) {
	addr, _ := startRedis(t)
	p := newPKI(t)
	shared := redis.NewClient(&redis.Options{Addr: addr})
	defer shared.Close()
	d := &SharedDirectory{shared}
	cert, _ := p.issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "Bob"}, EmailAddresses: []string{"bob@example.com"},
		KeyUsage: x509.KeyUsageKeyAgreement, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	})
	if err := d.Publish(t.Context(), "bob@example.com", cert.Raw); err != nil {
		t.Fatal(err)
	}
	trust := chain.NewCollection(chain.Anchors(chain.Certs(p.root)), chain.Untrusted(d))
	if _, err := smime.FindRecipients(t.Context(), []string{"Bob@example.com"}, trust, nil); err != nil {
		t.Error(err)
	}
	if _, err := smime.FindRecipients(t.Context(), []string{"carol@example.com"}, trust, nil); err == nil {
		t.Error("found nobody's certificate")
	}
}
