// Command timing asks whether the ways in which decryption fails can be told
// apart by a clock: a broken padding of the key transport, a key of the wrong
// length, another key, a broken key wrap, a broken padding of the content and a
// wrong tag. Of Open and Unseal, which read what is inside, also other contents
// with the right padding are measured. Whoever could tell them apart would have an oracle (RFC 3218
// section 2.3, RFC 8551 section 6).
//
// The classes of a group are measured in turns, in random order. Of each class
// the slower half, which is what else the machine does, is left out, and what
// is left is compared with the first class by Welch's test. A t of more than
// 4.5 in several runs, with a difference that does not shrink as samples grow,
// says that there is something to look for.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/gosmime/gosmime/pkcs7"
)

// A class is one way to fail, with messages that do.
type class struct {
	name     string
	messages [][]byte
	times    []float64 // nanoseconds
}

// A group has the classes that must take the same time.
type group struct {
	name    string
	open    func(msg []byte) error // an error is ErrDecrypt
	classes []*class
}

func main() {
	samples := flag.Int("n", 2000, "samples of each class")
	only := flag.String("group", "", "name of the one group to measure")
	flag.Parse()
	if err := run(*samples, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(samples int, only string) error {
	groups, err := groups()
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "group\tclass\tmedian\tdifference\tt\t")
	for _, g := range groups {
		if only != "" && only != g.name {
			continue
		}
		if err := g.measure(samples); err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		first := g.classes[0].kept()
		for _, c := range g.classes {
			kept := c.kept()
			difference := mean(kept) - mean(first)
			fmt.Fprintf(out, "%s\t%s\t%.1f µs\t%+.0f ns (%+.2f %%)\t%+.1f\t\n", g.name, c.name, kept[len(kept)/2]/1e3,
				difference, 100*difference/mean(first), welch(kept, first))
		}
	}
	return out.Flush()
}

// measure takes the samples, all classes in turns.
func (g *group) measure(samples int) error {
	const warm = 50
	order := make([]int, len(g.classes))
	for i := range order {
		order[i] = i
	}
	for n := range samples + warm {
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			c := g.classes[i]
			msg := c.messages[rand.IntN(len(c.messages))]
			start := time.Now()
			err := g.open(msg)
			took := time.Since(start)
			if err != nil && !errors.Is(err, pkcs7.ErrDecrypt) {
				return fmt.Errorf("%s: %w instead of ErrDecrypt", c.name, err)
			}
			// The random key in the place of a broken one has the right padding once
			// in 256 times.
			if n >= warm && err != nil {
				c.times = append(c.times, float64(took))
			}
		}
	}
	return nil
}

// open does what a program does with a message.
func open(msg []byte, key pkcs7.DecryptionKey) error {
	keys := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) {
		return []pkcs7.DecryptionKey{key}, nil
	}
	r, err := pkcs7.NewDecryptReader(context.Background(), bytes.NewReader(msg), keys, &pkcs7.DecryptOptions{Withhold: true})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}

// kept returns the faster half of the times, sorted.
func (c *class) kept() []float64 {
	sorted := slices.Sorted(slices.Values(c.times))
	return sorted[:len(sorted)/2]
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// welch returns the t of Welch's test of two samples.
func welch(a, b []float64) float64 {
	spread := variance(a)/float64(len(a)) + variance(b)/float64(len(b))
	if spread == 0 {
		return 0
	}
	return (mean(a) - mean(b)) / math.Sqrt(spread)
}

func variance(x []float64) float64 {
	m, sum := mean(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(x)-1)
}
