package chain

import (
	"context"
)

// A reachability has every certificate that can be reached from a leaf by names, and
// says how far each is from an anchor, going by what is known about
// signatures. It is drawn when a search gets long: in a mesh of CAs it keeps
// the search off the countless ways that lead nowhere, and among certificates
// that only look alike it finds, from the anchors down, those that are signed.
type reachability struct {
	distance map[*certificate]int            // certificates above it, the anchor included; absent: no way
	depth    map[*certificate]int            // certificates from the leaf on, itself included
	cost     map[*certificate]int            // cost of the way from the leaf
	below    map[*certificate][]*certificate // what names it as issuer
	top      []step                          // what names an anchor as issuer
	badEdges int                             // known when it was drawn
}

// A step is a certificate with one that may have issued it.
type step struct {
	child  *certificate
	parent issuer
	above  int // certificates above child, the anchor included
	cost   int
}

func (a step) before(b step) bool { return a.cost < b.cost }

// computeReachability visits each certificate that can be reached from leaf once.
func (v *verification) computeReachability(ctx context.Context, leaf *certificate) *reachability {
	c := &reachability{
		distance: make(map[*certificate]int), depth: map[*certificate]int{leaf: 1}, cost: make(map[*certificate]int),
		below: make(map[*certificate][]*certificate), badEdges: len(v.work.badEdges),
	}
	var ends []*certificate
	for queue := []*certificate{leaf}; len(queue) > 0; queue = queue[1:] {
		n := queue[0]
		issuers := v.issuersOf(ctx, n)
		if len(issuers) == 0 && v.policy.Fetcher != nil && len(n.details().caIssuers) > 0 {
			c.distance[n] = 1 // its issuer may be fetched
			ends = append(ends, n)
		}
		for _, x := range issuers {
			if v.work.badEdges[[2]*certificate{n, x.cert}] != nil {
				continue
			}
			if x.anchor {
				c.top = append(c.top, step{child: n, parent: x, above: 1})
				if c.distance[n] == 0 {
					c.distance[n] = 1
					ends = append(ends, n)
				}
				if x.cert.selfIssued() {
					continue
				}
			}
			c.below[x.cert] = append(c.below[x.cert], n)
			if c.depth[x.cert] == 0 {
				cost, _ := v.cost(n, x)
				c.depth[x.cert], c.cost[x.cert] = c.depth[n]+1, c.cost[n]+cost
				queue = append(queue, x.cert)
			}
		}
	}
	c.measure(ends)
	return c
}

// measure fills in the distances, from those that are next to an anchor.
func (c *reachability) measure(next []*certificate) {
	for distance := 2; len(next) > 0; distance++ {
		at := next
		next = nil
		for _, x := range at {
			for _, n := range c.below[x] {
				if c.distance[n] == 0 {
					c.distance[n] = distance
					next = append(next, n)
				}
			}
		}
	}
}

// verifyFromAnchors checks signatures from the anchors down, those first whose way to the
// leaf looks best, until one of leaf holds. It reports whether one
// does: then there is a path of good signatures.
func (v *verification) verifyFromAnchors(c *reachability, leaf *certificate) bool {
	var open heap[step]
	add := func(l step) {
		if length := l.above + c.depth[l.child]; length <= v.policy.Limits.Depth {
			cost, _ := v.cost(l.child, l.parent)
			l.cost = cost + c.cost[l.child]
			open.push(l)
		}
	}
	for _, l := range c.top {
		add(l)
	}
	done := make(map[*certificate]bool)
	for len(open) > 0 {
		l := open.pop()
		if done[l.child] {
			continue
		}
		if err := v.edge(l.child, l.parent.cert); err != nil {
			if isLimit(err) {
				return false
			}
			continue
		}
		if l.child == leaf {
			return true
		}
		done[l.child] = true
		for _, n := range c.below[l.child] {
			if !done[n] {
				add(step{child: n, parent: issuer{cert: l.child}, above: l.above + 1})
			}
		}
	}
	return false
}

// A heap gives back the least of its elements.
type heap[T ordered[T]] []T

type ordered[T any] interface{ before(T) bool }

func (h *heap[T]) push(x T) {
	*h = append(*h, x)
	s := *h
	for i := len(s) - 1; i > 0; {
		up := (i - 1) / 2
		if !s[i].before(s[up]) {
			return
		}
		s[i], s[up] = s[up], s[i]
		i = up
	}
}

func (h *heap[T]) pop() T {
	s := *h
	top, last := s[0], len(s)-1
	var none T
	s[0], s[last] = s[last], none
	s = s[:last]
	*h = s
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if s[child].before(s[least]) {
				least = child
			}
		}
		if least == i {
			return top
		}
		s[i], s[least] = s[least], s[i]
		i = least
	}
}
