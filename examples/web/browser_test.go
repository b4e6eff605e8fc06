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
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// site builds the page into a folder and serves it.
func site(t *testing.T) (url string, size int64) {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(dir, "gosmime.wasm"), ".")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"wasm_exec.js": filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js")}
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

// browser starts a headless Chromium; errs collects what its console complains of.
func browser(t *testing.T) (ctx context.Context, errs *[]string) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("Chromium is not installed")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	errs = new([]string)
	chromedp.ListenTarget(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			*errs = append(*errs, ev.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if ev.Type == runtime.APITypeError || ev.Type == runtime.APITypeWarning {
				*errs = append(*errs, fmt.Sprint(ev.Type, ev.Args))
			}
		}
	})
	return ctx, errs
}

func TestPage(t *testing.T) {
	ctx, errs := browser(t)
	url, size := site(t)
	t.Logf("the module has %.1f MiB", float64(size)/(1<<20))
	ca := smimetest.NewCA(t)
	alice, mallory := ca.Identity("alice@example.com"), ca.Identity("mallory@example.com")
	good := smimetest.Signed(t, alice, "good morning")
	roots := file(t, "roots.pem", append(pemOf(ca.Root().Raw), pemOf(ca.Issuing().Raw)...))
	pfx, err := smime.WritePKCS12([]*smime.Identity{alice}, "secret", false)
	if err != nil {
		t.Fatal(err)
	}
	key := file(t, "alice.p12", pfx)

	for _, tt := range []struct {
		name     string
		mail     []byte
		pfx      string
		signer   bool
		shows    string
		text     string
		notShown string
	}{
		{name: "good", mail: good, signer: true, shows: "Signed by alice@example.com", text: "good morning"},
		{name: "spoofed", mail: smimetest.Spoofed(t, mallory, "alice@example.com", "pay me"), shows: "Nobody vouches"},
		{name: "tampered", mail: smimetest.Tamper(t, good), shows: "Nobody vouches"},
		{name: "encrypted", mail: smimetest.Sealed(t, alice, "between us", alice), pfx: key, signer: true, shows: "Signed by alice@example.com", text: "between us"},
		{name: "locked", mail: smimetest.Sealed(t, alice, "between us", alice), shows: "Nobody vouches", notShown: "between us"},
		{name: "not mail", mail: []byte{0, 1, 2}, shows: ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var status, summary, text string
			actions := []chromedp.Action{
				chromedp.Navigate(url),
				chromedp.Poll(`!document.getElementById("go").disabled`, nil),
				chromedp.SetUploadFiles("#message", []string{file(t, "message.eml", tt.mail)}),
				chromedp.SetUploadFiles("#trust", []string{roots}),
			}
			if tt.pfx != "" {
				actions = append(actions, chromedp.SetUploadFiles("#pfx", []string{tt.pfx}), chromedp.SendKeys("#password", "secret"))
			}
			actions = append(actions,
				chromedp.Click("#go"),
				chromedp.Poll(`/^(Opened|Could not|Failed)/.test(document.getElementById("status").textContent)`, nil),
				chromedp.Evaluate(`document.getElementById("status").textContent`, &status),
				chromedp.Evaluate(`document.getElementById("summary").textContent`, &summary),
				chromedp.Evaluate(`document.getElementById("text").textContent`, &text))
			if err := chromedp.Run(ctx, actions...); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(status, "Failed") || !strings.HasPrefix(summary, tt.shows) {
				t.Errorf("status %q, summary %q", status, summary)
			}
			if !strings.Contains(text, tt.text) || tt.notShown != "" && strings.Contains(text, tt.notShown) {
				t.Errorf("text %q", text)
			}
		})
	}
	if len(*errs) > 0 {
		t.Errorf("console: %q", *errs)
	}
}

// TestLarge reports how long one MiB takes.
func TestLarge(t *testing.T) {
	ctx, _ := browser(t)
	url, _ := site(t)
	ca := smimetest.NewCA(t)
	mail := smimetest.Signed(t, ca.Identity("alice@example.com"), strings.Repeat(strings.Repeat("x", 70)+"\n", 1<<20/71))
	roots := file(t, "roots.pem", append(pemOf(ca.Root().Raw), pemOf(ca.Issuing().Raw)...))
	var status string
	err := chromedp.Run(ctx,
		chromedp.Navigate(url),
		chromedp.Poll(`!document.getElementById("go").disabled`, nil),
		chromedp.SetUploadFiles("#message", []string{file(t, "message.eml", mail)}),
		chromedp.SetUploadFiles("#trust", []string{roots}),
		chromedp.Click("#go"),
		chromedp.Poll(`/^(Opened|Could not|Failed)/.test(document.getElementById("status").textContent)`, nil),
		chromedp.Evaluate(`document.getElementById("status").textContent`, &status))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(status, "Opened") {
		t.Errorf("status %q", status)
	}
	t.Log("1 MiB: ", status)
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
