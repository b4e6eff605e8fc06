package chain

import (
	"github.com/gosmime/gosmime/internal/oid"
)

// A policyGraph is the valid_policy_graph of RFC 9618: at each depth one node
// for each policy, however many ways lead there, so that it grows with the
// size of the certificates and not with their combinations.
type policyGraph struct {
	levels []map[oid.OID]*policyNode // by depth; level 0 has anyPolicy alone
}

// A policyNode has the valid_policy, the expected_policy_set and the edges up.
type policyNode struct {
	policy   oid.OID
	expected []oid.OID
	parents  []*policyNode
	children int
}

func newPolicyGraph() *policyGraph {
	root := &policyNode{policy: oid.AnyPolicy, expected: []oid.OID{oid.AnyPolicy}}
	return &policyGraph{levels: []map[oid.OID]*policyNode{{oid.AnyPolicy: root}}}
}

func (g *policyGraph) last() map[oid.OID]*policyNode { return g.levels[len(g.levels)-1] }

// null reports whether the graph is NULL: the last depth has no node.
func (g *policyGraph) null() bool { return g == nil || len(g.last()) == 0 }

func link(parent, child *policyNode) {
	child.parents = append(child.parents, parent)
	parent.children++
}

// add is step (d) of RFC 5280 section 6.1.3 as RFC 9618 section 5.3 has it.
// takeAny says that anyPolicy may be used in this certificate.
func (g *policyGraph) add(d *details, takeAny bool) {
	above := g.last()
	expecting := make(map[oid.OID][]*policyNode, len(above))
	for _, n := range above {
		for _, e := range n.expected {
			expecting[e] = append(expecting[e], n)
		}
	}
	level := make(map[oid.OID]*policyNode, len(d.policies))
	create := func(p oid.OID, parents []*policyNode) {
		n := &policyNode{policy: p, expected: []oid.OID{p}}
		for _, parent := range parents {
			link(parent, n)
		}
		level[p] = n
	}
	for _, p := range d.policies { // (1)
		if parents := expecting[p]; len(parents) > 0 {
			create(p, parents)
		} else if root := above[oid.AnyPolicy]; root != nil {
			create(p, []*policyNode{root})
		}
	}
	if d.anyPolicy && takeAny { // (2)
		for p, parents := range expecting {
			if level[p] == nil {
				create(p, parents)
			}
		}
	}
	g.levels = append(g.levels, level)
	g.prune() // (3)
}

// prune removes what has no child from the depths above the last.
func (g *policyGraph) prune() {
	for i := len(g.levels) - 2; i >= 0; i-- {
		for p, n := range g.levels[i] {
			if n.children == 0 {
				g.remove(i, p)
			}
		}
	}
}

func (g *policyGraph) remove(level int, p oid.OID) {
	n := g.levels[level][p]
	for _, parent := range n.parents {
		parent.children--
	}
	delete(g.levels[level], p)
}

// mapPolicies is step (b) of RFC 5280 section 6.1.4 as RFC 9618 section 5.4
// has it. allowed is policy_mapping > 0.
func (g *policyGraph) mapPolicies(mappings []policyMapping, allowed bool) {
	if g.null() || len(mappings) == 0 {
		return
	}
	level := g.last()
	expected := make(map[oid.OID][]oid.OID)
	for _, m := range mappings {
		expected[m.issuer] = append(expected[m.issuer], m.subject)
	}
	if !allowed { // (2)
		for p := range expected {
			if level[p] != nil {
				g.remove(len(g.levels)-1, p)
			}
		}
		g.prune()
		return
	}
	root := level[oid.AnyPolicy]
	for p, set := range expected { // (1)
		n := level[p]
		if n == nil && root != nil {
			n = &policyNode{policy: p}
			for _, parent := range root.parents {
				link(parent, n)
			}
			level[p] = n
		}
		if n != nil {
			n.expected = dedupe(set)
		}
	}
}

func dedupe(list []oid.OID) []oid.OID {
	seen := make(map[oid.OID]bool, len(list))
	out := list[:0:0]
	for _, o := range list {
		if !seen[o] {
			seen[o] = true
			out = append(out, o)
		}
	}
	return out
}

// authorities returns the authority-constrained policy set in terms of the
// anchor's domain: the policies below an anyPolicy node that lead to the last
// depth, and anyPolicy if that is there itself (RFC 9618 section 5.5).
func (g *policyGraph) authorities() (set []oid.OID, any bool) {
	if g.null() {
		return nil, false
	}
	seen := make(map[oid.OID]bool)
	for i := 1; i < len(g.levels); i++ {
		for p, n := range g.levels[i] {
			if p == oid.AnyPolicy || seen[p] {
				continue
			}
			for _, parent := range n.parents {
				if parent.policy == oid.AnyPolicy {
					seen[p] = true
					set = append(set, p)
					break
				}
			}
		}
	}
	return set, g.last()[oid.AnyPolicy] != nil
}
