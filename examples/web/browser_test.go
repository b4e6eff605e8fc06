//go:build !js

package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
	"github.com/gosmime/gosmime/sst"
)

// site builds the page into a folder and serves it.
func site(t *testing.T) (url string, size int64) {
	t.Helper()
	dir := t.TempDir()
	build := suites.Go(t, "build", "-ldflags=-s -w", "-o", filepath.Join(dir, "gosmime.wasm"), ".")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files := map[string]string{"wasm_exec.js": filepath.Join(suites.GOROOT(t), "lib", "wasm", "wasm_exec.js")}
	for _, name := range []string{"index.html", "style.css", "app.js"} {
		files[name] = filepath.Join("static", name)
	}
	for name, from := range files {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fi, err := os.Stat(filepath.Join(dir, "gosmime.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(srv.Close)
	return srv.URL, fi.Size()
}

// patience is for one tab, on a busy machine.
const patience = 8 * time.Minute

// A tab is a tab of a headless Chromium.
type tab struct {
	ctx context.Context
	url string

	mu       sync.Mutex
	console  []string // what it complains of
	requests []string // to anywhere
}

func newTab(t *testing.T, url string) *tab {
	t.Helper()
	path := suites.Tool(t, "chromium")
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	ctx, _ = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		// Waits until the process and its profile are gone.
		if err := chromedp.Cancel(ctx); err != nil {
			t.Error(err)
		}
	})
	tb := &tab{ctx: ctx, url: url}
	chromedp.ListenTarget(ctx, func(ev any) {
		tb.mu.Lock()
		defer tb.mu.Unlock()
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			tb.console = append(tb.console, ev.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			tb.console = append(tb.console, fmt.Sprint(ev.Type, ev.Args))
		case *log.EventEntryAdded:
			tb.console = append(tb.console, ev.Entry.Text)
		case *network.EventRequestWillBeSent:
			tb.requests = append(tb.requests, ev.Request.URL)
		}
	})
	return tb
}

// quiet fails if the console said anything or something was asked of anybody
// but the site.
func (tb *tab) quiet(t *testing.T) {
	t.Helper()
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if len(tb.console) > 0 {
		t.Errorf("console: %q", tb.console)
	}
	if len(tb.requests) == 0 {
		t.Error("no request was seen")
	}
	for _, r := range tb.requests {
		if !strings.HasPrefix(r, tb.url+"/") && !strings.HasPrefix(r, "data:") {
			t.Errorf("a request for %s", r)
		}
	}
}

// shown is what the page shows of a message.
type shown struct {
	Status, Summary, Secrecy, Text, Header string
	Failed                                 []string // verdicts
	Focus                                  string
	Elements                               int // that only HTML of a message could have made
}

const read = `({
	Status: $("status").textContent, Summary: $("summary").textContent, Secrecy: $("secrecy").textContent,
	Text: $("text").textContent, Header: $("header").innerText,
	Failed: [...document.querySelectorAll(".verdict.bad")].map((e) => e.dataset.name),
	Focus: document.activeElement.id,
	Elements: document.querySelectorAll("img, iframe, a, script:not([src])").length,
})`

// open loads the page, gives it the files and opens the message by the keyboard.
func (tb *tab) open(t *testing.T, mail []byte, roots, pfx string) (s shown) {
	t.Helper()
	actions := []chromedp.Action{
		chromedp.Navigate(tb.url),
		chromedp.Poll(`!$("go").disabled`, nil, chromedp.WithPollingTimeout(patience)),
		chromedp.SetUploadFiles("#message", []string{file(t, "message.eml", mail)}),
		chromedp.SetUploadFiles("#trust", []string{roots}),
		chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab), // to what else there is
	}
	if pfx == "" {
		actions = append(actions, chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	} else {
		actions = append(actions, chromedp.KeyEvent(kb.Enter),
			chromedp.SetUploadFiles("#pfx", []string{pfx}),
			chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("secret"+kb.Enter))
	}
	actions = append(actions,
		chromedp.Poll(`/^(Opened|This could not|Failed)/.test($("status").textContent)`, nil, chromedp.WithPollingTimeout(patience)),
		chromedp.Evaluate(read, &s))
	if err := chromedp.Run(tb.ctx, actions...); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPage(t *testing.T) {
	url, size := site(t)
	t.Logf("the module has %.1f MiB", float64(size)/(1<<20))
	tb := newTab(t, url)
	ca := smimetest.NewCA(t)
	alice, mallory := ca.Identity("alice@example.com"), ca.Identity("mallory@example.com")
	good, sealed := smimetest.Signed(t, alice, "good morning"), smimetest.Sealed(t, alice, "between us", alice)
	roots := file(t, "roots.pem", append(pemOf(ca.Root().Raw), pemOf(ca.Issuing().Raw)...))
	pfx, err := smime.MarshalPKCS12([]*smime.Identity{alice}, "secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	key := file(t, "alice.p12", pfx)
	const nobody = "Nobody vouches for this message"

	for _, tt := range []struct {
		name, pfx     string
		mail          []byte
		summary, text string
		failed        []string
	}{
		{name: "good", mail: good, summary: "Signed by alice@example.com", text: "good morning"},
		{name: "spoofed", mail: smimetest.Spoofed(t, mallory, "alice@example.com", "pay me"), summary: nobody, text: "pay me", failed: []string{"sender"}},
		{name: "tampered", mail: smimetest.Tamper(t, good), summary: nobody, failed: []string{"integrity"}},
		{name: "unsigned", mail: smimetest.Mail("alice@example.com", "bob@example.com", "hello"), summary: nobody, text: "hello"},
		{name: "encrypted", mail: sealed, pfx: key, summary: "Signed by alice@example.com", text: "between us"},
		{name: "locked", mail: sealed, summary: nobody, failed: []string{"opened"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tb.open(t, tt.mail, roots, tt.pfx)
			if !strings.HasPrefix(s.Status, "Opened") || s.Summary != tt.summary {
				t.Errorf("status %q, summary %q", s.Status, s.Summary)
			}
			if !strings.Contains(s.Text, tt.text) || tt.text == "" && strings.Contains(s.Text, "between us") {
				t.Errorf("text %q", s.Text)
			}
			for _, name := range tt.failed {
				if !slices.Contains(s.Failed, name) {
					t.Errorf("%s is not among the failed verdicts %q", name, s.Failed)
				}
			}
			if tt.failed == nil && strings.HasPrefix(tt.summary, "Signed") && tt.pfx == "" && len(s.Failed) > 0 {
				t.Errorf("failed: %q", s.Failed)
			}
			if secret := s.Secrecy == "Confidential"; secret != (tt.pfx != "") {
				t.Errorf("secrecy %q", s.Secrecy)
			}
			if s.Focus != "summary" {
				t.Errorf("the focus is on %q", s.Focus)
			}
		})
	}
	t.Run("markup", func(t *testing.T) {
		const markup = `<img src=x onerror="console.error(1)"><a href="//example.com">x</a>`
		mail := strings.Replace(string(smimetest.Mail("alice@example.com", "bob@example.com", markup)), "Subject: Test", "Subject: "+markup, 1)
		var signed bytes.Buffer
		if err := smime.Sign(t.Context(), &signed, strings.NewReader(mail), alice, nil); err != nil {
			t.Fatal(err)
		}
		s := tb.open(t, signed.Bytes(), roots, "")
		if s.Elements != 0 || !strings.Contains(s.Text, markup) || !strings.Contains(s.Header, markup) {
			t.Errorf("%d elements, text %q, header %q", s.Elements, s.Text, s.Header)
		}
	})
	t.Run("phone", func(t *testing.T) {
		var wide int
		if err := chromedp.Run(tb.ctx, chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile)); err != nil {
			t.Fatal(err)
		}
		tb.open(t, sealed, roots, "")
		if err := chromedp.Run(tb.ctx, chromedp.Evaluate(`document.documentElement.scrollWidth`, &wide)); err != nil {
			t.Fatal(err)
		}
		if wide > 360 {
			t.Errorf("%d pixels wide", wide)
		}
	})
	t.Run("light and dark", func(t *testing.T) { legible(t, tb, sealed, roots, key) })
	t.Run("store of Windows", func(t *testing.T) {
		var store bytes.Buffer
		if err := sst.Write(&store, sst.Of(ca.Root(), ca.Issuing())); err != nil {
			t.Fatal(err)
		}
		if s := tb.open(t, good, file(t, "roots.sst", store.Bytes()), ""); s.Summary != "Signed by alice@example.com" {
			t.Errorf("%+v", s)
		}
	})
	t.Run("dropped", func(t *testing.T) { dropped(t, tb) })
	t.Run("not mail", func(t *testing.T) {
		if s := tb.open(t, []byte{0, 1, 2}, roots, ""); strings.HasPrefix(s.Summary, "Signed") || strings.HasPrefix(s.Status, "Failed") {
			t.Errorf("%+v", s)
		}
	})
	t.Run("wrong trust", func(t *testing.T) {
		if s := tb.open(t, good, file(t, "roots.pem", []byte("nothing")), ""); !strings.Contains(s.Status, "trust") {
			t.Errorf("%+v", s)
		}
	})
	t.Run("1 MiB", func(t *testing.T) {
		mail := smimetest.Signed(t, alice, strings.Repeat(strings.Repeat("x", 70)+"\n", 1<<20/71))
		s := tb.open(t, mail, roots, "")
		if s.Summary != "Signed by alice@example.com" {
			t.Errorf("%q", s.Summary)
		}
		t.Log("1 MiB: ", s.Status)
	})
	tb.quiet(t)
	t.Run("policy", func(t *testing.T) { policy(t, url) })
}

// contrast is the least one of a text with what is behind it, as WCAG 2.2 has it.
const contrast = `(() => {
	const rgba = (c) => { const n = c.match(/[\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1]; };
	const light = (c) => {
		const [r, g, b] = c.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255]; };
	let least = { ratio: 99, text: "", seen: 0 };
	for (const e of document.querySelectorAll("main *")) {
		const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
		if (!own || !e.checkVisibility()) continue;
		least.seen++;
		const [a, b] = [light(rgba(getComputedStyle(e).color)), light(behind(e))];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < least.ratio) least = { ...least, ratio, text: e.textContent };
	}
	return least;
})()`

// legible holds every text of the page, good verdicts and bad ones, to a
// contrast of 4.5 on a light and on a dark screen.
func legible(t *testing.T, tb *tab, mail []byte, roots, key string) {
	backs := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		media := emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}})
		if err := chromedp.Run(tb.ctx, media); err != nil {
			t.Fatal(err)
		}
		for _, pfx := range []string{"", key} {
			tb.open(t, mail, roots, pfx)
			var least struct {
				Ratio float64
				Text  string
				Seen  int
			}
			var back string
			if err := chromedp.Run(tb.ctx, chromedp.Evaluate(contrast, &least), chromedp.Evaluate(`getComputedStyle(document.body).backgroundColor`, &back)); err != nil {
				t.Fatal(err)
			}
			backs[back] = true
			if least.Ratio < 4.5 || least.Seen < 20 {
				t.Errorf("%s: contrast %.1f of %q, the least of %d texts", scheme, least.Ratio, least.Text, least.Seen)
			}
		}
	}
	if len(backs) != 2 {
		t.Errorf("the page is as light as dark: %v", backs)
	}
}

// dropped holds that dropped files go where their names say.
func dropped(t *testing.T, tb *tab) {
	const drop = `(() => {
		const list = new DataTransfer();
		for (const name of ["a.EML", "roots.sst", "more.pem", "Key.P12"]) list.items.add(new File(["x"], name));
		document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: list, bubbles: true, cancelable: true }));
		return ["message", "trust", "pfx"].map((id) => [...$(id).files].map((f) => f.name).join(" ")).join("; ");
	})()`
	var got string
	if err := chromedp.Run(tb.ctx, chromedp.Navigate(tb.url), chromedp.Poll(`!$("go").disabled`, nil, chromedp.WithPollingTimeout(patience)), chromedp.Evaluate(drop, &got)); err != nil {
		t.Fatal(err)
	}
	if got != "a.EML; roots.sst more.pem; Key.P12" {
		t.Error(got)
	}
}

// policy holds that the page itself can't let anything out, whatever a message
// might bring it to do.
func policy(t *testing.T, url string) {
	tb := newTab(t, url)
	asked := make(chan string, 10)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	defer other.Close()
	tries := map[string]string{
		"connect-src":     `fetch("URL").catch(() => {})`,
		"img-src":         `(new Image().src = "URL")`,
		"script-src-elem": `document.head.append(Object.assign(document.createElement("script"), { src: "URL" }))`,
		"script-src-attr": `(document.body.insertAdjacentHTML("beforeend", "<b onclick='run = 1'>x</b>"), document.body.lastChild.click())`,
		"script-src":      `setTimeout(() => { try { eval("run = 1") } catch {} })`,
		"style-src-elem":  `document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: "URL" }))`,
		"frame-src":       `document.body.append(Object.assign(document.createElement("iframe"), { src: "URL" }))`,
		"form-action":     `(document.body.insertAdjacentHTML("beforeend", "<form action='URL'></form>"), document.body.lastChild.submit())`,
		"base-uri":        `document.head.append(Object.assign(document.createElement("base"), { href: "URL" }))`,
	}
	if err := chromedp.Run(tb.ctx, chromedp.Navigate(url), chromedp.Poll(`!$("go").disabled`, nil, chromedp.WithPollingTimeout(patience)),
		chromedp.Evaluate(`broken = []; run = 0; document.addEventListener("securitypolicyviolation", (e) => broken.push(e.effectiveDirective))`, nil)); err != nil {
		t.Fatal(err)
	}
	for directive, try := range tries {
		try = strings.ReplaceAll(try, "URL", other.URL+"/"+directive)
		if err := chromedp.Run(tb.ctx, chromedp.Evaluate("void "+try, nil), chromedp.Poll(fmt.Sprintf("broken.includes(%q)", directive), nil, chromedp.WithPollingTimeout(patience))); err != nil {
			t.Errorf("%s: %v", directive, err)
		}
	}
	var run int
	if err := chromedp.Run(tb.ctx, chromedp.Evaluate("run", &run)); err != nil || run != 0 {
		t.Errorf("code was run: %d, %v", run, err)
	}
	select {
	case path := <-asked:
		t.Errorf("a request for %s came out", path)
	default:
	}
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, bytes.Clone(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
