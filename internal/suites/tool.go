package suites

import (
	"os"
	"os/exec"
	"testing"
)

// Tool returns the path of a program that a test needs. Where it is missing the
// test is skipped, but in CI, which installs what it needs, it fails.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil { // servers are where an ordinary user does not look
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}
