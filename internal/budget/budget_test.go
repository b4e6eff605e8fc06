package budget

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
)

func TestTake(t *testing.T) {
	var l Limits
	l[Bytes], l[Disk], l[Memory] = 10, -1, math.MaxInt64
	b := New(l)
	for _, c := range []struct {
		r    Resource
		n    int64
		ok   bool
		left int64
	}{
		{Bytes, 4, true, 6},
		{Bytes, 7, false, 6},
		{Bytes, 6, true, 0},
		{Bytes, 0, true, 0},
		{Bytes, 1, false, 0},
		{Bytes, -1, false, 0},
		{Disk, 0, true, 0},
		{Disk, 1, false, 0},
		{Signers, 1, false, 0},
		{Memory, math.MaxInt64, true, 0},
		{Memory, math.MaxInt64, false, 0},
		{resources, 1, false, 0},
	} {
		err := b.Take(c.r, c.n)
		if (err == nil) != c.ok {
			t.Errorf("Take(%v, %d) = %v", c.r, c.n, err)
		}
		e, ok := errors.AsType[*Exceeded](err)
		if !c.ok && (!ok || e.Resource != c.r) {
			t.Errorf("Take(%v, %d) = %v, want an Exceeded that names it", c.r, c.n, err)
		}
		if got := b.Left(c.r); got != c.left {
			t.Errorf("after Take(%v, %d): %d left, want %d", c.r, c.n, got, c.left)
		}
	}
}

func TestGive(t *testing.T) {
	var l Limits
	l[Memory] = 10
	b := New(l)
	if err := b.Take(Memory, 8); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ n, left int64 }{{3, 5}, {-5, 5}, {0, 5}, {math.MaxInt64, 10}, {1, 10}} {
		b.Give(Memory, c.n)
		if got := b.Left(Memory); got != c.left {
			t.Errorf("after Give(%d): %d left, want %d", c.n, got, c.left)
		}
	}
}

func TestConcurrent(t *testing.T) {
	var l Limits
	l[Parts] = 1000
	b := New(l)
	var taken [8]int
	var wg sync.WaitGroup
	for i := range taken {
		wg.Go(func() {
			for b.Take(Parts, 1) == nil {
				taken[i]++
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range taken {
		sum += n
	}
	if sum != 1000 || b.Left(Parts) != 0 {
		t.Errorf("%d taken, %d left", sum, b.Left(Parts))
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for r := range resources + 1 {
		s := r.String()
		if s == "" || seen[s] || strings.HasPrefix(s, "resource") != (r == resources) {
			t.Errorf("resource %d is named %q", uint8(r), s)
		}
		seen[s] = true
	}
}

func BenchmarkTake(b *testing.B) {
	var l Limits
	l[Bytes] = math.MaxInt64
	x := New(l)
	b.ReportAllocs()
	for b.Loop() {
		if err := x.Take(Bytes, 1); err != nil {
			b.Fatal(err)
		}
	}
}
