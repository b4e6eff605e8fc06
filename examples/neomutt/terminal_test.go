package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/internal/suites"
)

// TestMain also is the command that NeoMutt runs.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "smime-neomutt" {
		cli.Main(run)
	}
	os.Exit(m.Run())
}

// A user is somebody with a home folder and NeoMutt.
type user struct {
	t             *testing.T
	home, socket  string
	tmux, neomutt string
}

func newUser(t *testing.T, address string) *user {
	t.Helper()
	u := &user{t: t, tmux: suites.Tool(t, "tmux"), neomutt: suites.Tool(t, "neomutt"), home: t.TempDir()}
	// The path of a socket has to be short.
	dir, err := os.MkdirTemp("", "tmux")
	if err != nil {
		t.Fatal(err)
	}
	u.socket = filepath.Join(dir, "s")
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"bin", "tmp", ".smime"} {
		if err := os.Mkdir(u.path(d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(self, u.path("bin/smime-neomutt")); err != nil {
		t.Fatal(err)
	}
	settings, err := filepath.Abs("smime.rc")
	if err != nil {
		t.Fatal(err)
	}
	u.write(t, "send", fmt.Sprintf("#!/bin/sh\ncat >%[1]s.part && mv %[1]s.part %[1]s\n", u.path("sent")), 0o700)
	u.write(t, "rc", fmt.Sprintf(`source %q
set from=%q real_name="" record="" folder=%q tmpdir=%q sendmail=%q
set autoedit fast_reply abort_unmodified=no abort_noattach=no editor=true quit=yes
set smime_ask_cert_label=no wait_key=no
`, settings, address, u.home, u.path("tmp"), u.path("send")), 0o600)
	return u
}

func (u *user) path(name string) string { return filepath.Join(u.home, name) }

func (u *user) write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(u.path(name), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// command runs tmux.
func (u *user) command(args ...string) (string, error) {
	cmd := suites.Command(u.t, u.tmux, append([]string{"-S", u.socket, "-f", "/dev/null"}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+u.home, "PATH="+u.path("bin")+":"+os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TERM=screen")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// start runs NeoMutt in a terminal until the test ends.
func (u *user) start(t *testing.T, args ...string) {
	t.Helper()
	session := append([]string{"new-session", "-d", "-x", "130", "-y", "45", u.neomutt, "-n", "-F", u.path("rc")}, args...)
	if out, err := u.command(session...); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := u.command("kill-server"); err != nil && !strings.Contains(out, "no server") {
			t.Errorf("%v: %s", err, out)
		}
		u.poll(t, "the end of NeoMutt", func() bool {
			_, err := u.command("has-session")
			return err != nil
		})
	})
}

// poll returns when the condition holds.
func (u *user) poll(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(2 * time.Minute) // on a busy machine
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			screen, err := u.command("capture-pane", "-p")
			t.Fatalf("no %s; the screen, %v:\n%s", what, err, screen)
		case <-tick.C:
		}
	}
}

// sees returns the screen when it has the text.
func (u *user) sees(t *testing.T, text string) (screen string) {
	t.Helper()
	u.poll(t, fmt.Sprintf("%q", text), func() bool {
		var err error
		screen, err = u.command("capture-pane", "-p")
		return err == nil && strings.Contains(screen, text)
	})
	return screen
}

// types presses keys.
func (u *user) types(t *testing.T, keys ...string) {
	t.Helper()
	if out, err := u.command(append([]string{"send-keys"}, keys...)...); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
