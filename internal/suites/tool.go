package suites

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Peers reports whether tests against other programs run: GOSMIME_PEERS is 1,
// as in the gate, where tests of one size for everyday and one for the gate
// take the larger one.
func Peers() bool { return os.Getenv("GOSMIME_PEERS") == "1" }

// Tool returns the path of an installed program that a test needs. Without
// [Peers] the test is skipped, whether or not the program is installed; with
// it a missing program fails the test.
func Tool(t testing.TB, name string) string {
	t.Helper()
	if !Peers() {
		t.Skipf("%s is not run: GOSMIME_PEERS is not 1", name)
	}
	path, err := exec.LookPath(name)
	if err != nil { // servers are where an ordinary user does not look
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil {
		t.Fatalf("%s is not installed", name)
	}
	return path
}

// Command returns the command that runs an installed program, found as [Tool]
// finds it.
func Command(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	return exec.Command(Tool(t, name), args...)
}

// Go returns the command that runs the go command, which every test may need:
// it needs no peers. Where the system runs no other program, the test is
// skipped.
func Go(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no go command on this system")
	}
	return exec.Command("go", args...)
}

// GOROOT returns the folder of the Go distribution that runs the test, without
// running anything: go test puts its bin folder first in the PATH. Elsewhere
// the test is skipped.
func GOROOT(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command")
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(filepath.Dir(path))
}

// Itself returns the command that runs the program of the running test again.
func Itself(args ...string) *exec.Cmd { return exec.Command(os.Args[0], args...) }
