package thunderbird

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/internal/suites/servertest"
)

// A client is a running Thunderbird with a profile of its own.
type client struct {
	*marionette
	dir string
}

// start runs Thunderbird on a virtual screen until the test ends. It delivers
// what it sends to the SMTP server at smtp.
func start(t *testing.T, smtpPort int) *client {
	t.Helper()
	display := screen(t)
	c := &client{dir: t.TempDir()}
	prefs, err := os.ReadFile(filepath.Join("testdata", "user.js"))
	if err != nil {
		t.Fatal(err)
	}
	profile := filepath.Join(c.dir, "profile")
	if err := os.Mkdir(profile, 0o700); err != nil {
		t.Fatal(err)
	}
	running := servertest.Start(t, 1, func(ports []int) *exec.Cmd {
		own := fmt.Sprintf("user_pref(%q, %d);\nuser_pref(%q, %d);\n", "marionette.port", ports[0], "mail.smtpserver.smtp1.port", smtpPort)
		c.write(t, "profile/user.js", append([]byte(own), prefs...))
		cmd := suites.Command(t, "thunderbird", "--profile", profile, "--no-remote", "--marionette", "--remote-allow-system-access")
		// Its sandbox needs what containers may not have.
		cmd.Env = append(os.Environ(), "HOME="+c.dir, "DISPLAY="+display, "MOZ_DISABLE_CONTENT_SANDBOX=1", "MOZ_CRASHREPORTER_DISABLE=1", "LC_ALL=C.UTF-8", "GDK_BACKEND=x11")
		return cmd
	}, func(ports []int) error { return servertest.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[0])) })
	c.marionette = attach(t, fmt.Sprintf("127.0.0.1:%d", running.Ports[0]))
	return c
}

// screen starts a virtual screen and returns its name.
func screen(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	cmd := suites.Command(t, "Xvfb", "-displayfd", "3", "-screen", "0", "1400x1000x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{w}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // it was killed
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	n, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return ":" + strings.TrimSpace(n)
}

func (c *client) write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
