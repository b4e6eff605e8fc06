package fetch

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
)

// A hierarchy is a CA, a namesake with another key, and a leaf whose
// certificate points at a server.
type hierarchy struct {
	ca, namesake *x509.Certificate
	key, other   ed25519.PrivateKey
}

func newHierarchy(t *testing.T) *hierarchy {
	t.Helper()
	h := &hierarchy{}
	for _, x := range []struct {
		cert **x509.Certificate
		key  *ed25519.PrivateKey
	}{{&h.ca, &h.key}, {&h.namesake, &h.other}} {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		}
		der, err := x509.CreateCertificate(nil, c, c, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		if *x.cert, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		*x.key = key
	}
	return h
}

func (h *hierarchy) leaf(t *testing.T, key ed25519.PrivateKey, edit func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "Alice"}, EmailAddresses: []string{"alice@example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	edit(c)
	der, err := x509.CreateCertificate(nil, c, h.ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c
}

// crl makes a CRL that lists the leaf or not.
func (h *hierarchy) crl(t *testing.T, key ed25519.PrivateKey, age time.Duration, lists bool) []byte {
	t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-age), NextUpdate: time.Now().Add(30*time.Minute - age)}
	if lists {
		l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(5), RevocationTime: time.Now().Add(-2 * time.Hour)}}
	}
	der, err := x509.CreateRevocationList(nil, l, h.ca, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (h *hierarchy) verify(ctx context.Context, leaf *x509.Certificate, f chain.Fetcher) error {
	trust := chain.NewCollection(chain.Anchors(chain.Certs(h.ca)))
	_, err := trust.Verify(ctx, leaf, chain.Policy{
		Purpose: chain.EmailSigning, Mailbox: "alice@example.com",
		Options: chain.Options{Fetcher: f, Revocation: chain.RevocationRequireLeaf, FetchTimeout: time.Minute},
	})
	return err
}

// TestPoison has a server, or somebody before it, whose first answer proves
// nothing: it is not kept, and the true one is.
func TestPoison(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	scope := h.crl(t, h.key, 0, false)
	for _, c := range []struct {
		name  string
		first []byte
		reqs  int32 // until the true answer is known, and kept
	}{
		{"a CRL of another key", h.crl(t, h.other, 0, false), 2},
		{"a CRL that is out of date", h.crl(t, h.key, 40*time.Minute, false), 2},
		{"a spoiled CRL", append(scope[:len(scope)-1:len(scope)-1], scope[len(scope)-1]^1), 2},
		{"the true one", h.crl(t, h.key, 0, true), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked atomic.Int32
			u := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if asked.Add(1) == 1 {
					w.Write(c.first)
					return
				}
				w.Write(h.crl(t, h.key, 0, true))
			})
			leaf := h.leaf(t, h.key, func(l *x509.Certificate) { l.CRLDistributionPoints = []string{u} })
			client := local()
			want := chain.ErrRevoked
			if c.reqs > 1 {
				want = chain.ErrRevocationUnknown
			}
			for i := range 4 {
				if err := h.verify(t.Context(), leaf, client); !errors.Is(err, want) {
					t.Errorf("%d: %v, want %v", i, err, want)
				}
				want = chain.ErrRevoked
			}
			if n := asked.Load(); n != c.reqs {
				t.Errorf("asked %d times, want %d", n, c.reqs)
			}
		})
	}
}

// TestKeptIssuers has a server whose first answer is not the issuer.
func TestKeptIssuers(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	var answer []byte
	u := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.Write(h.namesake.Raw)
			return
		}
		w.Write(answer)
	})
	sub := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Sub"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	if answer, err = x509.CreateCertificate(nil, sub, h.ca, key.Public(), h.key); err != nil {
		t.Fatal(err)
	}
	if sub, err = x509.ParseCertificate(answer); err != nil {
		t.Fatal(err)
	}
	below := &hierarchy{ca: sub}
	leaf := below.leaf(t, key, func(l *x509.Certificate) { l.IssuingCertificateURL = []string{u} })
	client := local()
	for i, want := range []error{chain.ErrUnknownIssuer, chain.ErrRevocationUnknown, chain.ErrRevocationUnknown} {
		if err := h.verify(t.Context(), leaf, client); !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", i, err, want)
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// TestStarving has mails of strangers that name issuers on servers that never
// answer: they hold some slots, and revocation is looked up as before.
func TestStarving(t *testing.T) {
	t.Parallel()
	h := newHierarchy(t)
	release := make(chan struct{})
	var under, most atomic.Int32
	var full sync.Once
	busy := make(chan struct{})
	slow := func(_ http.ResponseWriter, r *http.Request) {
		n := under.Add(1)
		defer under.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == slotsOfKind {
			full.Do(func() { close(busy) })
		}
		wait(r, release)
	}
	one, two, three := serve(t, slow), serve(t, slow), serve(t, slow)
	good := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(h.crl(t, h.key, 0, true)) })
	client := local()
	client.Timeout = time.Minute
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for i := range 60 {
		u := []string{one, two, three}[i%3]
		wg.Go(func() { client.Fetch(ctx, chain.KindCertificate, fmt.Sprint(u, "/", i), nil) })
	}
	<-busy
	leaf := h.leaf(t, h.key, func(l *x509.Certificate) { l.CRLDistributionPoints = []string{good} })
	if err := h.verify(t.Context(), leaf, client); !errors.Is(err, chain.ErrRevoked) {
		t.Error(err)
	}
	if n := most.Load(); n > slotsOfKind {
		t.Errorf("%d requests for issuers at a time", n)
	}
	cancel()
	wg.Wait()
	close(release)
	if len(client.hosts) != 0 || len(client.flights) != 0 {
		// Flights end after their callers.
		client.mu.Lock()
		defer client.mu.Unlock()
		if len(client.flights) != 0 {
			t.Errorf("%d flights are left", len(client.flights))
		}
	}
}

// TestOneSlowHost leaves slots of a kind to other hosts.
func TestOneSlowHost(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	release := make(chan struct{})
	defer close(release)
	var under atomic.Int32
	busy := make(chan struct{})
	slow := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if under.Add(1) == slotsOfHost {
			close(busy)
		}
		wait(r, release)
	})
	good := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(p.ca) })
	client := local()
	client.Timeout = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for i := range 40 {
		go client.Fetch(ctx, chain.KindCertificate, fmt.Sprint(slow, "/", i), nil)
	}
	<-busy
	if _, err := client.Fetch(t.Context(), chain.KindCertificate, good, nil); err != nil {
		t.Error(err)
	}
	if n := under.Load(); n > slotsOfHost {
		t.Errorf("%d requests to one host", n)
	}
}

// TestBoundsOfKinds has answers that are too large for what was asked.
func TestBoundsOfKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind chain.Kind
		most int64
	}{{chain.KindCertificate, maxIssuers}, {chain.KindOCSPResponse, maxResponse}, {chain.KindCRL, 2 << 20}} {
		for _, announced := range []bool{false, true} {
			t.Run(fmt.Sprint(c.kind, announced), func(t *testing.T) {
				var sent atomic.Int64
				u := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					if announced {
						w.Header().Set("Content-Length", fmt.Sprint(c.most+1))
					}
					block := make([]byte, 32<<10)
					for range 4 << 30 >> 15 {
						n, err := w.Write(block)
						sent.Add(int64(n))
						if err != nil {
							return
						}
					}
				})
				client := local()
				client.MaxBytes = 2 << 20
				if _, err := client.Fetch(t.Context(), c.kind, u, []byte{0x30, 0}); !errors.Is(err, ErrTooLarge) {
					t.Error(err)
				}
				if sent.Load() > c.most+32<<20 { // what lies in buffers of the system
					t.Errorf("%d octets were sent", sent.Load())
				}
			})
		}
	}
	small := local()
	small.MaxBytes = 1000
	if n := small.most(chain.KindCertificate); n != 1000 {
		t.Errorf("MaxBytes does not bound issuers: %d", n)
	}
}

// TestRebinding has a name that is public when it is looked at and private when
// it is called: the address of the connection decides.
func TestRebinding(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	u := serve(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	_, port, err := net.SplitHostPort(strings.TrimPrefix(u, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{}
	c.once.Do(c.init)
	dial := c.client.Transport.(*http.Transport).DialContext
	for _, network := range []string{"tcp", "tcp4", "tcp6"} {
		for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"} {
			conn, err := dial(t.Context(), network, host+":"+port)
			if err == nil {
				conn.Close()
				t.Errorf("%s %s was dialled", network, host)
			}
		}
	}
	// However a URL leads there: by name, or by a redirect of a public server.
	front := httptest.NewServer(http.RedirectHandler("http://localhost:80/", http.StatusFound))
	t.Cleanup(front.Close)
	if _, err := c.Fetch(t.Context(), chain.KindCRL, "http://localhost/", nil); !errors.Is(err, ErrAddress) {
		t.Error(err)
	}
	first := true
	c = &Client{}
	c.once.Do(c.init)
	inner := c.client.Transport.(*http.Transport).DialContext
	c.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if first { // stands for the public server
			first = false
			return (&net.Dialer{}).DialContext(ctx, network, front.Listener.Addr().String())
		}
		return inner(ctx, network, address)
	}
	if _, err := c.Fetch(t.Context(), chain.KindCRL, "http://public.example/", nil); !errors.Is(err, ErrAddress) {
		t.Error(err)
	}
	if asked.Load() != 0 {
		t.Error("the private server was asked")
	}
}

// TestFailuresTakeNoRoom has many URLs that fail: what was kept stays.
func TestFailuresTakeNoRoom(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	asked := 0
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/crl" {
			asked++
			w.Write(p.crl)
			return
		}
		http.NotFound(w, r)
	})
	c := local()
	list, err := c.Fetch(t.Context(), chain.KindCRL, u+"/crl", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Keep(chain.KindCRL, u+"/crl", nil, list)
	c.failed.init(20 << 10)
	for i := range 100 {
		c.Fetch(t.Context(), chain.KindCertificate, fmt.Sprint(u, "/", i), nil)
	}
	if _, err := c.Fetch(t.Context(), chain.KindCRL, u+"/crl", nil); err != nil || asked != 1 {
		t.Errorf("%v, asked %d times", err, asked)
	}
	if n := len(c.failed.entries); n == 0 || n > 20 {
		t.Errorf("%d failures are kept", n)
	}
}
