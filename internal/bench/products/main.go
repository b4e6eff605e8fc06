// Products prints what messages cost in which two counts are large at once: the
// processor time and peak memory of Verify and of Open with all that it returns,
// each in a process of its own; the memory is what is above that of a small
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
	flag.Parse()
	err := run(*verb, *only, *named, *over)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(verb, only string, named bool, over time.Duration) error {
	if verb != "" {
		return child(context.Background(), verb)
	}
	rows := products.Pairs()
	if named {
		rows = products.Named()
	}
	return table(rows, only, over)
}

// table measures each row and prints it.
func table(rows iter.Seq2[string, products.Spec], only string, over time.Duration) error {
	dir, err := os.MkdirTemp("", "products")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	floor := map[string]measured{}
	for _, verb := range []string{"verify", "open"} {
		if floor[verb], err = measure(verb, dir, products.Spec{}); err != nil {
			return err
		}
	}
	fmt.Println("| product | octets | verify ms | MiB | open ms | MiB | outcome |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for name, spec := range rows {
		if !strings.Contains(name, only) {
			continue
		}
		var text strings.Builder
		slow := false
		var last measured
		for _, verb := range []string{"verify", "open"} {
			if last, err = measure(verb, dir, spec); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			above := last.peak - floor[verb].peak
			slow = slow || last.time > over || above > 16<<20
			fmt.Fprintf(&text, " %d | %.1f |", last.time.Milliseconds(), float64(above)/(1<<20))
		}
		if over == 0 || slow {
			fmt.Printf("| %s | %d |%s %s |\n", name, last.size, text.String(), last.outcome)
		}
	}
	return nil
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
	var err error
	switch verb {
	case "verify":
		_, err = smime.Verify(ctx, io.Discard, os.Stdin, nil, nil)
	case "open":
		err = open(ctx)
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
func open(ctx context.Context) error {
	m, err := smime.Open(ctx, os.Stdin, nil)
	if err != nil {
		return err
	}
	_, err = m.Signer()
	_ = m.String()
	_ = m.Header()
	if err := m.WriteDisplay(io.Discard); err != nil {
		return errors.Join(err, m.Close())
	}
	return errors.Join(err, m.Close())
}
