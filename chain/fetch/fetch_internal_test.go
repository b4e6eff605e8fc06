package fetch

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
)

// A pki is a CA with a CRL that is good for an hour from now on.
type pki struct {
	now     time.Time
	ca, crl []byte
}

func newPKI(t testing.TB) *pki {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &pki{now: time.Now().Truncate(time.Second)}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1},
		NotBefore: p.now.Add(-time.Hour), NotAfter: p.now.Add(time.Hour),
	}
	if p.ca, err = x509.CreateCertificate(nil, c, c, key.Public(), key); err != nil {
		t.Fatal(err)
	}
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: p.now.Add(-time.Minute), NextUpdate: p.now.Add(time.Hour)}
	if p.crl, err = x509.CreateRevocationList(nil, l, c, key); err != nil {
		t.Fatal(err)
	}
	return p
}

// local returns a Client that may reach the test servers.
func local() *Client { return &Client{InsecurePrivateAddresses: true} }

func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func text(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func TestForms(t *testing.T) {
	p := newPKI(t)
	var p7c bytes.Buffer
	if err := pkcs7.WriteCertificates(&p7c, [][]byte{p.ca}, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		kind chain.Kind
		body []byte
		want []byte // nil: ErrContent
	}{
		{"DER certificate", chain.KindCertificate, p.ca, p.ca},
		{"PEM certificate", chain.KindCertificate, append([]byte("CA:\n"), text("CERTIFICATE", p.ca)...), p.ca},
		{"certs-only", chain.KindCertificate, p7c.Bytes(), p.ca},
		{"PEM certs-only", chain.KindCertificate, text("PKCS7", p7c.Bytes()), p.ca},
		{"CRL for a certificate", chain.KindCertificate, p.crl, nil},
		{"text for a certificate", chain.KindCertificate, []byte("<html>"), nil},
		{"nothing for a certificate", chain.KindCertificate, nil, nil},
		{"PEM key for a certificate", chain.KindCertificate, text("PRIVATE KEY", p.ca), nil},
		{"cut certificate", chain.KindCertificate, p.ca[:100], nil},
		{"DER CRL", chain.KindCRL, p.crl, p.crl},
		{"PEM CRL", chain.KindCRL, text("X509 CRL", p.crl), p.crl},
		{"certificate for a CRL", chain.KindCRL, p.ca, nil},
		{"nothing for a CRL", chain.KindCRL, nil, nil},
		{"error status for OCSP", chain.KindOCSPResponse, []byte{0x30, 3, 0x0a, 1, 3}, []byte{0x30, 3, 0x0a, 1, 3}},
		{"certificate for OCSP", chain.KindOCSPResponse, p.ca, nil},
		{"no kind", 0, p.ca, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(c.body) })
			got, err := local().Fetch(t.Context(), c.kind, u, nil)
			switch {
			case c.want == nil:
				if !errors.Is(err, ErrContent) || got != nil {
					t.Errorf("%d elements, %v", len(got), err)
				}
			case err != nil || len(got) != 1 || !bytes.Equal(got[0], c.want):
				t.Errorf("%d elements, %v", len(got), err)
			}
		})
	}
}

func TestCache(t *testing.T) {
	p := newPKI(t)
	asked := 0
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case "/crl":
			w.Write(p.crl)
		default:
			http.NotFound(w, r)
		}
	})
	now := p.now
	c := local()
	c.clock = func() time.Time { return now }
	for _, step := range []struct {
		name  string
		after time.Duration
		path  string
		keep  bool // whether the answer is found to be genuine
		err   error
		asked int
	}{
		{"first", 0, "/crl", false, nil, 1},
		{"not kept without proof", 0, "/crl", true, nil, 2},
		{"kept", 0, "/crl", true, nil, 2},
		{"kept until nextUpdate", 59 * time.Minute, "/crl", false, nil, 2},
		{"at nextUpdate", time.Minute, "/crl", true, nil, 3},
		{"stale, but not asked for again at once", 0, "/crl", false, nil, 3},
		{"stale", time.Minute, "/crl", false, nil, 4},
		{"failure", 0, "/none", false, ErrStatus, 5},
		{"failure not long ago", 30 * time.Second, "/none", false, ErrStatus, 5},
		{"failure a minute ago", 30 * time.Second, "/none", false, ErrStatus, 6},
	} {
		t.Run(step.name, func(t *testing.T) {
			now = now.Add(step.after)
			elements, err := c.Fetch(t.Context(), chain.KindCRL, u+step.path, nil)
			if !errors.Is(err, step.err) {
				t.Fatalf("%v", err)
			}
			if asked != step.asked {
				t.Fatalf("asked %d times, want %d", asked, step.asked)
			}
			if step.keep {
				c.Keep(chain.KindCRL, u+step.path, nil, elements)
			}
		})
	}
}

func TestCacheIsBounded(t *testing.T) {
	var c cache
	c.init(100 << 10)
	now := time.Now()
	for i := range 1000 {
		key := string(rune('a' + i))
		c.put(key, answer{elements: [][]byte{make([]byte, 10<<10)}}, now.Add(time.Hour))
		if len(c.entries) > 9 || c.order.Len() != len(c.entries) || c.room < 0 {
			t.Fatalf("%d entries, room %d", len(c.entries), c.room)
		}
		if _, ok := c.get(key, now); !ok {
			t.Fatal("the newest is not there")
		}
	}
	c.put("big", answer{elements: [][]byte{make([]byte, 200<<10)}}, now.Add(time.Hour))
	if _, ok := c.get("big", now); ok {
		t.Error("kept what does not fit")
	}
	for key := range c.entries {
		if _, ok := c.get(key, now.Add(time.Hour)); ok {
			t.Error("kept what has run out")
		}
	}
	if len(c.entries) != 0 || c.room != 100<<10 {
		t.Errorf("%d entries, room %d", len(c.entries), c.room)
	}
}

func TestSingleFlight(t *testing.T) {
	c := local()
	c.once.Do(c.init)
	release := make(chan struct{})
	ran := 0
	get := func(ctx context.Context) (answer, time.Time) {
		ran++
		<-release
		return answer{elements: [][]byte{{1}}}, time.Time{}
	}
	first, _, _ := c.join(t.Context(), "k", get)
	for range 9 {
		if f, _, hit := c.join(t.Context(), "k", get); f != first || hit {
			t.Fatal("a second flight")
		}
	}
	for range 9 {
		c.leave(first)
	}
	close(release)
	<-first.done
	if ran != 1 || len(first.answer.elements) != 1 {
		t.Errorf("ran %d times", ran)
	}
}

// TestGivenUp holds that a fetch ends when the last caller gives up, and that
// one caller's giving up is no failure for the next.
func TestGivenUp(t *testing.T) {
	p := newPKI(t)
	arrived, gone := make(chan struct{}), make(chan struct{})
	first := true
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !first {
			w.Write(p.crl)
			return
		}
		first = false
		close(arrived)
		<-r.Context().Done()
		close(gone)
	})
	c := local()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := c.Fetch(ctx, chain.KindCRL, u, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	<-gone
	if _, err := c.Fetch(t.Context(), chain.KindCRL, u, nil); err != nil {
		t.Fatal(err)
	}
}

// TestLeaderGivesUp holds that who began a fetch and gives up takes nothing from
// those who wait for it too.
func TestLeaderGivesUp(t *testing.T) {
	p := newPKI(t)
	arrived, release := make(chan struct{}), make(chan struct{})
	asked := 0
	u := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		close(arrived)
		<-release
		w.Write(p.crl)
	})
	c := local()
	ctx, cancel := context.WithCancel(t.Context())
	leader := make(chan error)
	go func() {
		_, err := c.Fetch(ctx, chain.KindCRL, u, nil)
		leader <- err
	}()
	<-arrived
	f, _, hit := c.join(t.Context(), string(rune('0'+chain.KindCRL))+u+"\x00", nil)
	if hit {
		t.Fatal("no flight to join")
	}
	cancel()
	if err := <-leader; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(release)
	<-f.done
	if f.answer.err != nil || len(f.answer.elements) != 1 || asked != 1 {
		t.Errorf("%d elements, %v, asked %d times", len(f.answer.elements), f.answer.err, asked)
	}
}

func TestBadServers(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for _, c := range []struct {
		name string
		h    http.HandlerFunc
		want error // nil: any
	}{
		{"slow headers", func(_ http.ResponseWriter, r *http.Request) { wait(r, hang) }, context.DeadlineExceeded},
		{"slow body", func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte{0x30})
			w.(http.Flusher).Flush()
			wait(r, hang)
		}, context.DeadlineExceeded},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			chunk := make([]byte, 64<<10)
			for {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, ErrTooLarge},
		{"announced too large", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "99999999999") }, ErrTooLarge},
		{"announced more than sent", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte{0x30})
		}, io.ErrUnexpectedEOF},
		{"redirects for ever", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) }, ErrRedirect},
		{"redirects to a file", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, ErrURL},
		{"redirects to a user", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://user:pw@"+r.Host, http.StatusFound)
		}, ErrURL},
		{"status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, ErrStatus},
		{"no content", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, ErrStatus},
		{"gzip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write([]byte{0x1f, 0x8b})
		}, ErrContent},
		{"endless headers", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }, nil},
		{"hang up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := local()
			client.MaxBytes = 1 << 20
			if c.want == context.DeadlineExceeded {
				client.Timeout = 50 * time.Millisecond
			}
			got, err := client.Fetch(t.Context(), chain.KindCRL, serve(t, c.h), nil)
			if err == nil || got != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v", err)
			}
			if len(err.Error()) > 400 {
				t.Errorf("the error is %d octets long", len(err.Error()))
			}
		})
	}
}

func wait(r *http.Request, hang <-chan struct{}) {
	select {
	case <-r.Context().Done():
	case <-hang:
	}
}

// TestTraces holds that requests carry nothing of the user, and that no proxy
// of the environment is used.
func TestTraces(t *testing.T) {
	p := newPKI(t)
	var seen []http.Header
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header)
		http.SetCookie(w, &http.Cookie{Name: "id", Value: "1"})
		if r.URL.Path == "/a" {
			http.Redirect(w, r, "/b", http.StatusFound)
			return
		}
		w.Write(p.crl)
	})
	c := local()
	for _, path := range []string{"/a", "/c"} {
		if _, err := c.Fetch(t.Context(), chain.KindCRL, u+path, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 3 {
		t.Fatalf("%d requests", len(seen))
	}
	for i, h := range seen {
		for _, name := range []string{"Cookie", "Referer", "Authorization"} {
			if h.Get(name) != "" {
				t.Errorf("request %d has %s: %q", i, name, h.Get(name))
			}
		}
		if h.Get("Accept-Encoding") != "identity" {
			t.Errorf("request %d accepts %q", i, h.Get("Accept-Encoding"))
		}
	}
	if c.client.Transport.(*http.Transport).Proxy != nil || c.client.Jar != nil {
		t.Error("the client has a proxy or cookies")
	}
}

func TestOCSPMethods(t *testing.T) {
	type call struct {
		method string
		body   []byte
	}
	var calls []call
	status, page := http.StatusOK, "" // of the answer to a GET
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodGet {
			// The escaped form must survive: "/" within base64 is no path.
			enc, err := url.QueryUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/ocsp/"))
			if err != nil || strings.ContainsAny(r.RequestURI, "\r\n") {
				t.Error(err)
			}
			if body, err = base64.StdEncoding.DecodeString(enc); err != nil {
				t.Error(err)
			}
		}
		calls = append(calls, call{r.Method, body})
		if r.Method == http.MethodGet && (status != http.StatusOK || page != "") {
			w.WriteHeader(status)
			io.WriteString(w, page)
			return
		}
		w.Write([]byte{0x30, 3, 0x0a, 1, 3})
	}) + "/ocsp/"
	small, large := bytes.Repeat([]byte{0xfb, 0xff, 0x3e}, 20), bytes.Repeat([]byte{0xff}, 300)
	do := func(request []byte, want ...string) {
		t.Helper()
		calls = nil
		if _, err := local().Fetch(t.Context(), chain.KindOCSPResponse, u, request); err != nil {
			t.Fatal(err)
		}
		for i, c := range calls {
			if i >= len(want) || c.method != want[i] || !bytes.Equal(c.body, request) {
				t.Errorf("call %d: %s", i, c.method)
			}
		}
		if len(calls) != len(want) {
			t.Errorf("%d calls, want %d", len(calls), len(want))
		}
	}
	do(small, "GET")
	do(large, "POST")
	status = http.StatusMethodNotAllowed
	do(small, "GET", "POST")
	status = http.StatusOK
	for _, page = range []string{"<html>", "\x30\x03\x0a\x01\x01"} { // the second is malformedRequest
		do(small, "GET", "POST")
	}
	page = "\x30\x03\x0a\x01\x06" // unauthorized
	do(small, "GET")
}

func TestURLs(t *testing.T) {
	for s, want := range map[string]error{
		"http://example.com/a": nil, "https://example.com": nil, "http://example.com:80": nil, "https://example.com:443/": nil,
		"http://8.8.8.8/": nil, "http://[2606:4700::1]/": nil,
		"ftp://example.com": ErrURL, "ldap://example.com": ErrURL, "file:///etc/passwd": ErrURL, "http:///": ErrURL, "http:x": ErrURL, "": ErrURL,
		"http://example.com/" + strings.Repeat("a", maxURL): ErrURL,
		"//example.com": ErrURL, "http://user@example.com": ErrURL, "http://example.com:25": ErrURL, "http://example.com:8080": ErrURL,
		"http://exa mple.com": ErrURL, "http://example.com/\r\n": ErrURL, "http://example.com:99999999": ErrURL,
		"http://127.0.0.1": ErrAddress, "http://[::1]": ErrAddress, "http://169.254.169.254/latest": ErrAddress, "http://[::ffff:10.0.0.1]": ErrAddress,
		"http://[64:ff9b::7f00:1]": ErrAddress, "http://[fe80::1%25eth0]": ErrAddress, "http://[fe80::1]:80": ErrAddress, "http://0.0.0.0": ErrAddress,
		"HTTP://127.0.0.1": ErrAddress, "http://user:pw@127.0.0.1": ErrURL, "http://@example.com": ErrURL, "http://:80/": ErrURL,
		"ldap:///cn=x": ErrURL, "gopher://example.com": ErrURL, "javascript:alert(1)": ErrURL, "http://example.com:0": ErrURL, "http://example.com#x": nil,
	} {
		t.Run(s, func(t *testing.T) {
			var c Client
			if _, err := c.checkURL(s); !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("%v, want %v", err, want)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	for s, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "172.15.0.1": true, "172.32.0.1": true, "100.63.0.1": true, "100.128.0.1": true, "192.0.1.1": true,
		"223.255.255.255": true, "2606:4700::1": true, "2a00::1": true, "64:ff9b::808:808": true, "2002:808:808::1": true, "::ffff:8.8.8.8": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "127.0.0.1": false, "127.255.255.255": false, "169.254.169.254": false,
		"172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "100.64.0.1": false, "100.127.255.255": false, "192.0.0.1": false,
		"192.0.2.1": false, "192.88.99.1": false, "198.18.0.1": false, "198.19.255.255": false, "198.51.100.1": false, "203.0.113.1": false,
		"224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "fe80::1": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false, "::ffff:127.0.0.1": false,
		"::ffff:169.254.169.254": false, "64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false, "2002:7f00:1::1": false,
		"2001::1": false, "2001:db8::1": false, "3fff::1": false, "2001:10::1": false, "::7f00:1": false, "2606:4700::1%eth0": false, "100::1": false,
	} {
		t.Run(s, func(t *testing.T) {
			a := netip.MustParseAddr(s)
			if public(a) != want {
				t.Errorf("public(%s) is %v", s, !want)
			}
			var c Client
			err := c.control("tcp", netip.AddrPortFrom(a, 80).String(), nil)
			if (err == nil) != want || !want && !errors.Is(err, ErrAddress) {
				t.Errorf("control of %s: %v", s, err)
			}
		})
	}
	var c Client
	if err := c.control("unix", "/run/x", nil); !errors.Is(err, ErrAddress) {
		t.Error(err)
	}
}

// TestPrivate holds that loopback is refused after name resolution and on
// redirects, and that no connection is even tried.
func TestPrivate(t *testing.T) {
	asked := false
	u := serve(t, func(http.ResponseWriter, *http.Request) { asked = true })
	port := u[strings.LastIndexByte(u, ':'):]
	var c Client
	c.once.Do(c.init)
	// Other ways to write 127.0.0.1 are names to us: what they resolve to counts.
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+port, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.client.Do(req); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", host, err)
		}
	}
	for target, want := range map[string]error{
		"http://169.254.169.254/": ErrAddress, "http://example.com:22/": ErrURL, "gopher://example.com/": ErrURL, "https://example.com/": nil,
	} {
		t.Run(target, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.client.CheckRedirect(req, []*http.Request{req}); !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("redirect to %s: %v", target, err)
			}
		})
	}
	if asked {
		t.Error("the server was asked")
	}
}

// TestInsecureClient holds that a client of the caller's is what is used, with
// its trust, and that our bounds stay.
func TestInsecureClient(t *testing.T) {
	p := newPKI(t)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(p.crl) }))
	t.Cleanup(s.Close)
	c := &Client{InsecureClient: s.Client()}
	if list, err := c.Fetch(t.Context(), chain.KindCRL, s.URL, nil); err != nil || len(list) != 1 {
		t.Error(err)
	}
	c = &Client{InsecureClient: s.Client(), MaxBytes: 10}
	if _, err := c.Fetch(t.Context(), chain.KindCRL, s.URL, nil); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	var unknown x509.UnknownAuthorityError
	if _, err := local().Fetch(t.Context(), chain.KindCRL, s.URL, nil); !errors.As(err, &unknown) {
		t.Error(err)
	}
}

func TestProblems(t *testing.T) {
	for p := Problem(1); int(p) < len(problemText); p++ {
		if problemText[p] == "" || strings.Contains(p.Error(), "problem") {
			t.Errorf("%d has no text", p)
		}
	}
	if Problem(0).Error() == "" || Problem(200).Error() == "" {
		t.Error("unknown problems have no text")
	}
}
