package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func TestVerbs(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"none", nil}, {"unknown", []string{"frobnicate"}}, {"help", []string{"help"}}, {"-h", []string{"-h"}},
		{"pfx alone", []string{"pfx"}}, {"sst alone", []string{"sst"}}, {"seal without keys", []string{"seal"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if o := clitest.Run(t, run, nil, tt.args...); o.Code != 2 || o.Out.Len() > 0 || o.Err.Len() == 0 {
				t.Errorf("exit %d, %q", o.Code, o.Out.String())
			}
		})
	}
	for _, v := range verbs() {
		t.Run(v.name+" -h", func(t *testing.T) {
			if o := clitest.Run(t, run, nil, v.name, "-h"); o.Code != 2 || !strings.Contains(o.Err.String(), v.name) {
				t.Errorf("exit %d: %s", o.Code, o.Err.String())
			}
		})
	}
}

func TestSealAndUnseal(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice, bob := clitest.NewPerson(t, ca, "alice@example.com"), clitest.NewPerson(t, ca, "bob@example.com")
	roots := clitest.Roots(t, ca)
	mail := smimetest.Mail("alice@example.com", "bob@example.com", "Lunch at noon?")
	sealed := clitest.Run(t, run, mail, append([]string{"seal", "-pfx", alice.PFX, "-to", bob.Cert}, roots...)...)
	if sealed.Code != 0 || bytes.Contains(sealed.Out.Bytes(), []byte("noon")) {
		t.Fatalf("exit %d: %s", sealed.Code, sealed.Err.String())
	}
	for _, person := range []*clitest.Person{bob, alice} {
		o := clitest.Run(t, run, sealed.Out.Bytes(), append([]string{"unseal", "-pfx", person.PFX}, roots...)...)
		if o.Code != 0 || !strings.Contains(o.Out.String(), "Lunch at noon?") || !strings.Contains(o.Err.String(), "signed by alice@example.com") {
			t.Errorf("exit %d: %s", o.Code, o.Err.String())
		}
	}
	t.Run("open as JSON", func(t *testing.T) {
		o := clitest.Run(t, run, sealed.Out.Bytes(), append([]string{"open", "-json", "-pfx", bob.PFX}, roots...)...)
		var got struct {
			Signature, Encryption struct{ Code, Severity, Text string }
			Signer                string
			Parts                 []struct{ Type string }
			Notes                 []string
		}
		if err := json.Unmarshal(o.Out.Bytes(), &got); err != nil || o.Code != 0 {
			t.Fatalf("exit %d, %v: %s", o.Code, err, o.Out.String())
		}
		if got.Signature.Code != "signed" || got.Encryption.Code != "encrypted" || got.Signer != "alice@example.com" || len(got.Parts) != 1 || got.Notes == nil {
			t.Errorf("%+v", got)
		}
	})
	t.Run("open of locked mail", func(t *testing.T) {
		o := clitest.Run(t, run, sealed.Out.Bytes(), append([]string{"open"}, roots...)...)
		if o.Code != 1 || !strings.HasPrefix(o.Out.String(), "[none] ") {
			t.Errorf("exit %d: %s", o.Code, o.Out.String())
		}
	})
	t.Run("a recipient nobody vouches for", func(t *testing.T) {
		stranger := clitest.NewPerson(t, smimetest.NewCA(t), "carol@example.com")
		o := clitest.Run(t, run, mail, append([]string{"seal", "-pfx", alice.PFX, "-to", bob.Cert + "," + stranger.Cert}, roots...)...)
		if o.Code != 1 || o.Out.Len() > 0 || !strings.Contains(o.Err.String(), "carol@example.com") {
			t.Errorf("exit %d: %s", o.Code, o.Err.String())
		}
	})
}

func TestPFX(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice, bob := clitest.NewPerson(t, ca, "alice@example.com"), clitest.NewPerson(t, ca, "bob@example.com")
	dir := t.TempDir()
	password, out := filepath.Join(dir, "new.txt"), filepath.Join(dir, "all.p12")
	if err := os.WriteFile(password, []byte("another\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := clitest.Run(t, run, nil, "pfx", "build", "-out", out, "-new-password-file", password, "-pfx", alice.PFX, "-pfx", bob.PFX); o.Code != 0 {
		t.Fatalf("exit %d: %s", o.Code, o.Err.String())
	}
	info, err := os.Stat(out)
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
	o := clitest.Run(t, run, nil, "pfx", "list", "-password-file", password, out)
	if o.Code != 0 || !strings.Contains(o.Out.String(), "alice@example.com") || !strings.Contains(o.Out.String(), "bob@example.com") {
		t.Errorf("exit %d: %s%s", o.Code, o.Out.String(), o.Err.String())
	}
	if o := clitest.Run(t, run, nil, "pfx", "list", out); o.Code != 1 || o.Out.Len() > 0 {
		t.Errorf("another password: exit %d", o.Code)
	}
}

// A progress bar changes nothing of what is read.
func TestProgress(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 1000)
	var shown bytes.Buffer
	p := &progress{in: bytes.NewReader(data), size: int64(len(data)), show: &shown, next: time.Time{}}
	for range 2 {
		got, err := io.ReadAll(p)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%d octets, %v", len(got), err)
		}
		if _, err := p.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
	}
	p.clear()
	if !strings.Contains(shown.String(), "100 %") || !strings.HasSuffix(shown.String(), "\x1b[K") {
		t.Errorf("%q", shown.String())
	}
	std, done := withProgress(cli.Std{In: bytes.NewReader(data), Err: &shown})
	done()
	if _, ok := std.In.(*progress); ok {
		t.Error("a bar for what is no file")
	}
}
