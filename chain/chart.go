package chain

import (
	"context"
)

// A chart says how far certificates are from an anchor, going by names and by
// what is known about signatures. In a mesh of CAs it keeps the search off the
// countless ways that lead nowhere.
type chart struct {
	distance map[*certificate]int // certificates above it, the anchor included; absent: no way
	badEdges int                  // known when it was drawn
}

// draw visits each certificate that can be reached from leaf once.
func (v *verification) draw(ctx context.Context, leaf *certificate) *chart {
	c := &chart{distance: make(map[*certificate]int), badEdges: len(v.work.badEdges)}
	below := make(map[*certificate][]*certificate)
	seen := map[*certificate]bool{leaf: true}
	var next []*certificate // at the distance that is being looked at
	for queue := []*certificate{leaf}; len(queue) > 0; queue = queue[1:] {
		n := queue[0]
		issuers := v.issuersOf(ctx, n)
		if len(issuers) == 0 && v.policy.Fetcher != nil && len(n.details().caIssuers) > 0 {
			c.distance[n] = 1 // its issuer may be fetched
			next = append(next, n)
		}
		for _, x := range issuers {
			if v.work.badEdges[[2]*certificate{n, x.cert}] != nil {
				continue
			}
			if x.anchor {
				if c.distance[n] == 0 {
					c.distance[n] = 1
					next = append(next, n)
				}
				if x.cert.selfIssued() {
					continue
				}
			}
			below[x.cert] = append(below[x.cert], n)
			if !seen[x.cert] {
				seen[x.cert] = true
				queue = append(queue, x.cert)
			}
		}
	}
	for far := 2; len(next) > 0; far++ {
		at := next
		next = nil
		for _, x := range at {
			for _, n := range below[x] {
				if c.distance[n] == 0 {
					c.distance[n] = far
					next = append(next, n)
				}
			}
		}
	}
	return c
}
