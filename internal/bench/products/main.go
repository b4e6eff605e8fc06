// Products prints what messages cost in which two counts are large at once: the
// processor time and peak memory of Verify, of Open with all that it returns, and
// of Unseal and Decrypt where there is encryption, each in a process of its own; the memory is what is above that of a small
// message. It needs Linux.
//
//	cd internal/bench && go run ./products
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gosmime/gosmime/internal/suites/products"
	"github.com/gosmime/gosmime/smime"
)

func main() {
	verb := flag.String("verb", "", "run this verb on the standard input (for internal use)")
	only := flag.String("run", "", "only rows whose name contains this `TEXT`")
	named := flag.Bool("named", false, "only the products with names of their own, not all pairs")
	over := flag.Duration("over", 0, "only rows that take longer than this, or more than 16 MiB")
	most := flag.Duration("most", 0, "begin no row after this long; 0: no limit")
	flag.Parse()
	err := run(*verb, *only, *named, *over, *most)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(verb, only string, named bool, over, most time.Duration) error {
	if verb != "" {
		return child(context.Background(), verb)
	}
	rows := products.Pairs()
	if named {
		rows = products.Named()
	}
	return table(rows, only, over, most)
}

// verbs are what is measured; the last two read only what is encrypted.
var verbs = [...]string{"verify", "open", "unseal", "decrypt"}

// table measures each row and prints it, and at the end what was the most. It
// ends early after that long.
func table(rows iter.Seq2[string, products.Spec], only string, over, most time.Duration) error {
	dir, err := os.MkdirTemp("", "products")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var floor [len(verbs)]measured
	for i, verb := range verbs {
		if floor[i], err = measure(verb, dir, products.Spec{Encrypted: i / 2}); err != nil {
			return err
		}
	}
	fmt.Println("| product | octets | " + strings.Join(verbs[:], " ms | MiB | outcome | ") + " ms | MiB | outcome |")
	fmt.Println("|---|---|" + strings.Repeat("---|---|---|", len(verbs)))
	var sum summary
	start := time.Now()
	for name, spec := range rows {
		if !strings.Contains(name, only) {
			continue
		}
		if most > 0 && time.Since(start) > most {
			fmt.Println("\nout of time, first of the rows left out: " + name)
			break
		}
		var text strings.Builder
		slow, size := false, 0
		for i, verb := range verbs {
			if i >= 2 && spec.Encrypted == 0 {
				text.WriteString("  | | |")
				continue
			}
			m, err := measure(verb, dir, spec)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			size = m.size
			m.peak -= floor[i].peak
			slow = sum.add(i, name, m) || slow || m.time > over
			fmt.Fprintf(&text, " %d | %.1f | %s |", m.time.Milliseconds(), mib(m.peak), m.outcome)
		}
		if over == 0 || slow {
			fmt.Printf("| %s | %d |%s\n", name, size, text.String())
		}
	}
	sum.print()
	return nil
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

// A summary has the most of each verb.
type summary [len(verbs)]struct {
	rows, over    int
	slow, large   measured
	slowR, largeR string // names of their rows
}

// add reports whether a row took more than one second or 16 MiB.
func (s *summary) add(verb int, name string, m measured) bool {
	v := &s[verb]
	v.rows++
	if m.time > v.slow.time {
		v.slow, v.slowR = m, name
	}
	if m.peak > v.large.peak {
		v.large, v.largeR = m, name
	}
	if m.time > time.Second || m.peak > 16<<20 {
		v.over++
		return true
	}
	return false
}

func (s *summary) print() {
	fmt.Println("\n| verb | products | over 1 s or 16 MiB | most ms | of | most MiB | of |\n|---|---|---|---|---|---|---|")
	for i := range s {
		v := &s[i]
		fmt.Printf("| %s | %d | %d | %d | %s | %.1f | %s |\n", verbs[i], v.rows, v.over, v.slow.time.Milliseconds(), v.slowR, mib(v.large.peak), v.largeR)
	}
}

type measured struct {
	size    int
	time    time.Duration
	peak    int64
	outcome string
}

func measure(verb, dir string, spec products.Spec) (measured, error) {
	mail, err := products.Message(spec)
	if err != nil {
		return measured{}, err
	}
	file := filepath.Join(dir, "mail")
	if err := os.WriteFile(file, mail, 0o600); err != nil {
		return measured{}, err
	}
	in, err := os.Open(file)
	if err != nil {
		return measured{}, err
	}
	defer in.Close()
	self, err := os.Executable()
	if err != nil {
		return measured{}, err
	}
	var out bytes.Buffer
	cmd := exec.Command(self, "-verb", verb)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return measured{}, err
	}
	m := measured{size: len(mail)}
	m.time = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	_, err = fmt.Sscan(out.String(), &m.peak, &m.outcome)
	return m, err
}

// child runs one verb on a message and prints how long it took and what came out.
func child(ctx context.Context, verb string) error {
	key, cert, err := products.Recipient()
	if err != nil {
		return err
	}
	id, err := smime.NewIdentity(key, cert)
	if err != nil {
		return err
	}
	keys := smime.Identities{id}
	switch verb {
	case "verify":
		_, err = smime.Verify(ctx, io.Discard, os.Stdin, nil, nil)
	case "open":
		err = open(ctx, keys)
	case "unseal":
		_, _, err = smime.Unseal(ctx, io.Discard, os.Stdin, keys, nil, nil)
	case "decrypt":
		_, err = smime.Decrypt(ctx, io.Discard, os.Stdin, keys, nil)
	default:
		return fmt.Errorf("no verb %q", verb)
	}
	outcome := "good"
	switch {
	case errors.Is(err, smime.ErrLimit):
		outcome = "limit"
	case err != nil:
		outcome = "refused"
	}
	peak, err := peak()
	if err == nil {
		fmt.Println(peak, outcome)
	}
	return err
}

// peak returns how much memory this process had at most. What the kernel tells
// a parent of it counts the memory of the parent.
func peak() (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, line, _ := strings.Cut(string(text), "VmHWM:")
	var kib int64
	_, err = fmt.Sscan(line, &kib)
	return kib << 10, err
}

// open reads all that a Message has.
func open(ctx context.Context, keys smime.Keyring) error {
	m, err := smime.Open(ctx, os.Stdin, &smime.OpenOptions{Keys: keys})
	if err != nil {
		return err
	}
	_, err = m.Signer()
	_ = m.String()
	_ = m.Header()
	for p := range m.Parts() {
		if r, err := p.Content(); err == nil {
			_, _ = io.Copy(io.Discard, r) // what can't be decoded costs too
		}
	}
	if err := m.WriteDisplay(io.Discard); err != nil {
		return errors.Join(err, m.Close())
	}
	return errors.Join(err, m.Close())
}
