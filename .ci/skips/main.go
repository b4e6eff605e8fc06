// Skips reads the output of go test -json, fails if a test failed or if a test
// was skipped that the list of allowed skips does not name with its reason, and
// prints how many ran.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type event struct{ Action, Package, Test, Output string }

func main() {
	allowed, err := readAllowed(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	passed, failed, skipped := 0, 0, 0
	output := map[string]*strings.Builder{}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text())
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output":
			if output[key] == nil {
				output[key] = &strings.Builder{}
			}
			output[key].WriteString(e.Output)
		case "pass":
			if e.Test != "" {
				passed++
			}
			delete(output, key)
		case "fail":
			failed++
			fmt.Println("failed:", key)
			if b := output[key]; b != nil {
				fmt.Print(b.String())
			}
		case "skip":
			if e.Test == "" { // a package without tests
				continue
			}
			if _, ok := allowed[key]; ok {
				allowed[key] = true
				continue
			}
			skipped++
			fmt.Println("skipped:", key)
			if b := output[key]; b != nil {
				fmt.Print(b.String())
			}
		}
	}
	for key, used := range allowed {
		if !used {
			failed++
			fmt.Println("allowed to be skipped, but was not:", key)
		}
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if err := in.Err(); err != nil || failed+skipped > 0 || passed == 0 {
		os.Exit(1)
	}
}

// readAllowed reads lines of package, test and reason; # begins a comment.
func readAllowed(name string) (map[string]bool, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	allowed := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0][0] == '#' {
			continue
		}
		if len(f) < 3 {
			return nil, fmt.Errorf("%s: a skip without a reason: %s", name, line)
		}
		allowed[f[0]+" "+f[1]] = false
	}
	return allowed, nil
}
