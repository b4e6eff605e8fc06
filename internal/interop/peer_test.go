package interop

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
)

// A peer is a running Java program that does one command a line.
type peer struct {
	t   *testing.T
	dir string
	in  io.Writer
	out *bufio.Reader
}

// startPeer compiles testdata/Peer.java against Debian's Bouncy Castle and
// starts it.
func startPeer(t *testing.T) *peer {
	t.Helper()
	javac, java := suites.Tool(t, "javac"), suites.Tool(t, "java")
	var jars []string
	for _, name := range []string{"bcmail", "bcpkix", "bcprov", "bcutil"} {
		jar := filepath.Join("/usr/share/java", name+".jar")
		if _, err := os.Stat(jar); err != nil {
			t.Fatal(err)
		}
		jars = append(jars, jar)
	}
	dir := t.TempDir()
	path := strings.Join(append(jars, dir), string(os.PathListSeparator))
	if out, err := suites.Command(t, javac, "-nowarn", "-cp", path, "-d", dir, filepath.Join("testdata", "Peer.java")).CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	cmd := suites.Command(t, java, "-cp", path, "Peer")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			t.Error(err)
		}
	})
	return &peer{t: t, dir: dir, in: in, out: bufio.NewReader(out)}
}

// do runs one command.
func (p *peer) do(words ...string) error {
	if _, err := fmt.Fprintln(p.in, strings.Join(words, " ")); err != nil {
		return err
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		return err
	}
	if line = strings.TrimSpace(line); line != "ok" {
		return errors.New(line)
	}
	return nil
}

// write writes a file for the peer to read.
func (p *peer) write(name string, b []byte) string {
	p.t.Helper()
	file := filepath.Join(p.dir, name)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		p.t.Fatal(err)
	}
	return file
}

// read reads a file that the peer wrote.
func (p *peer) read(file string) []byte {
	p.t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}
