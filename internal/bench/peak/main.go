// Peak measures the memory of the four verbs on a large message, each in a
// process of its own, above what the same process needs for a small one.
//
//	cd internal/bench && go run ./peak -size 536870912
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

func main() {
	size := flag.Int64("size", 512<<20, "size of the message in bytes")
	verb := flag.String("verb", "", "run this verb in this process (for internal use)")
	pipe := flag.Bool("pipe", false, "read the input as a stream that can't be read twice")
	dir := flag.String("dir", "", "where the files are (for internal use)")
	flag.Parse()
	var err error
	if *verb != "" {
		err = child(context.Background(), *verb, *dir, *size, *pipe)
	} else {
		err = parent(*size)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// parent prepares messages of two sizes with the verbs themselves and reports
// the difference of their peaks.
func parent(size int64) error {
	dir, err := os.MkdirTemp("", "peak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	const small = 64 << 10
	for _, n := range []int64{small, size} {
		if err := writeMessage(filepath.Join(dir, name("plain", n)), n); err != nil {
			return err
		}
	}
	fmt.Println("| verb | input | floor MiB | peak MiB | above MiB |")
	fmt.Println("|---|---|---|---|---|")
	for _, verb := range []string{"sign", "sign-opaque", "verify", "verify-opaque", "encrypt", "decrypt", "encrypt-cbc", "decrypt-cbc"} {
		for _, pipe := range []bool{false, true} {
			floor, err := peak(verb, dir, small, pipe)
			if err != nil {
				return err
			}
			top, err := peak(verb, dir, size, pipe)
			if err != nil {
				return err
			}
			input := "file"
			if pipe {
				input = "pipe"
			}
			fmt.Printf("| %s | %s | %.1f | %.1f | %.1f |\n", verb, input, mib(floor), mib(top), mib(top-floor))
		}
	}
	return nil
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

// peak runs one verb and returns its largest resident set.
func peak(verb, dir string, size int64, pipe bool) (int64, error) {
	cmd := exec.Command(os.Args[0], "-verb", verb, "-dir", dir, "-size", strconv.FormatInt(size, 10), "-pipe="+strconv.FormatBool(pipe))
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%s: %w", verb, err)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, fmt.Errorf("no resource usage on this system")
	}
	return usage.Maxrss << 10, nil
}

func name(what string, size int64) string { return what + "-" + strconv.FormatInt(size, 10) }

// writeMessage writes a message with one text part of that size.
func writeMessage(file string, size int64) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(f, "From: alice@example.com\r\nTo: bob@example.com\r\nSubject: large\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"); err != nil {
		return err
	}
	line := []byte("A line of plain text of the usual length, as mail has them by the million.\r\n")
	block := make([]byte, 0, 1<<20)
	for len(block)+len(line) < cap(block) {
		block = append(block, line...)
	}
	for n := int64(0); n < size; n += int64(len(block)) {
		if _, err := f.Write(block[:min(int64(len(block)), size-n)]); err != nil {
			return err
		}
	}
	return f.Close()
}
