package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gosmime/gosmime/examples/internal/cli"
)

// longInput is the size of a file from which on a person wants to see that
// something happens.
const longInput = 16 << 20

// withProgress shows on a terminal how much of a long input file was read. The
// returned function removes the line.
func withProgress(std cli.Std) (cli.Std, func()) {
	in, ok := std.In.(*os.File)
	if !ok {
		return std, func() {}
	}
	terminal, ok := std.Err.(*os.File)
	if !ok || !isTerminal(terminal) {
		return std, func() {}
	}
	info, err := in.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() < longInput {
		return std, func() {}
	}
	p := &progress{in: in, size: info.Size(), show: terminal, next: time.Now().Add(500 * time.Millisecond)}
	std.In = p
	return std, p.clear
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// A progress reads a file and says how far it is. It stays an io.Seeker, so
// that the library reads the file twice instead of keeping a copy.
type progress struct {
	in   io.ReadSeeker
	size int64
	at   int64
	show io.Writer
	next time.Time
	last int64 // percent shown
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.in.Read(b)
	p.at += int64(n)
	if percent := p.at * 100 / p.size; percent != p.last && time.Now().After(p.next) {
		p.last = percent
		filled := int(percent / 5)
		fmt.Fprintf(p.show, "\r[%-20.*s] %3d %%", filled, "####################", percent)
	}
	return n, err
}

func (p *progress) Seek(offset int64, whence int) (int64, error) {
	at, err := p.in.Seek(offset, whence)
	if err == nil {
		p.at = at
	}
	return at, err
}

// clear removes the bar, if one was shown.
func (p *progress) clear() {
	if p.last > 0 {
		fmt.Fprint(p.show, "\r\x1b[K")
	}
}
