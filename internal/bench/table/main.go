// Table measures this module's pkcs7 against libcrypto in-process, two Go
// peers, and the sum of the primitives, side by side in one run, and prints the
// ratios: how many times as fast as each this module is.
//
//	cd internal/bench && go run ./table [-sizes 1024,1048576,67108864]
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	sizes := flag.String("sizes", "1024,1048576,67108864", "content sizes in bytes")
	each := flag.Duration("time", 300*time.Millisecond, "time for each figure and round")
	flag.Parse()
	if err := run(*sizes, *each); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(sizes string, each time.Duration) error {
	people, err := newPeople()
	if err != nil {
		return err
	}
	fmt.Println("| operation | size | ours | libcrypto | digitorus | smallstep | primitives |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, s := range strings.Split(sizes, ",") {
		size, err := strconv.Atoi(s)
		if err != nil {
			return err
		}
		rows, err := newRows(people, size)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := r.print(size, each); err != nil {
				return fmt.Errorf("%s %d: %w", r.name, size, err)
			}
		}
	}
	return nil
}

// A row is one operation done by everybody who can; a nil function can't.
type row struct {
	name string
	runs [5]func() error // in the order of the columns
}

// print runs everybody in turn for three rounds and prints the medians and ratios.
func (r row) print(size int, each time.Duration) error {
	var took [5][]time.Duration
	for range 3 {
		for i, f := range r.runs {
			if f == nil {
				continue
			}
			d, err := measure(f, each)
			if err != nil {
				return fmt.Errorf("column %d: %w", i, err)
			}
			took[i] = append(took[i], d)
		}
	}
	ours := median(took[0])
	cells := []string{r.name, strconv.Itoa(size), ours.String()}
	for _, t := range took[1:] {
		if t == nil {
			cells = append(cells, "–")
			continue
		}
		m := median(t)
		cells = append(cells, fmt.Sprintf("%v (%.2f ×)", m, float64(m)/float64(ours)))
	}
	fmt.Println("| " + strings.Join(cells, " | ") + " |")
	return nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// measure returns the time of one call.
func measure(f func() error, each time.Duration) (time.Duration, error) {
	start, n := time.Now(), 0
	for time.Since(start) < each || n == 0 {
		if err := f(); err != nil {
			return 0, err
		}
		n++
	}
	return (time.Since(start) / time.Duration(n)).Round(100 * time.Nanosecond), nil
}
