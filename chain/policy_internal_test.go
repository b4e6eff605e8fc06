package chain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
)

// A policyTree is the valid_policy_tree of RFC 5280 section 6.1, one node for
// each way, as an oracle for small inputs.
type policyTree struct {
	root  *treeNode
	depth int
}

type treeNode struct {
	policy   oid.OID
	expected []oid.OID
	children []*treeNode
}

func (t *policyTree) leaves(n *treeNode, depth int, f func(n *treeNode)) {
	if depth == 0 {
		f(n)
		return
	}
	for _, c := range n.children {
		t.leaves(c, depth-1, f)
	}
}

// prune removes what doesn't reach the given depth.
func prune(n *treeNode, depth int) bool {
	if depth == 0 {
		return true
	}
	n.children = slices.DeleteFunc(n.children, func(c *treeNode) bool { return !prune(c, depth-1) })
	return len(n.children) > 0
}

func (t *policyTree) null() bool { return t.root == nil }

func (t *policyTree) cut() {
	if t.root != nil && !prune(t.root, t.depth) {
		t.root = nil
	}
}

func (t *policyTree) add(d *details, takeAny bool) {
	if t.root == nil {
		return
	}
	for _, p := range d.policies {
		found := false
		t.leaves(t.root, t.depth, func(n *treeNode) {
			if slices.Contains(n.expected, p) {
				found = true
				n.children = append(n.children, &treeNode{policy: p, expected: []oid.OID{p}})
			}
		})
		if !found {
			t.leaves(t.root, t.depth, func(n *treeNode) {
				if n.policy == oid.AnyPolicy {
					n.children = append(n.children, &treeNode{policy: p, expected: []oid.OID{p}})
				}
			})
		}
	}
	if d.anyPolicy && takeAny {
		t.leaves(t.root, t.depth, func(n *treeNode) {
			for _, e := range n.expected {
				if !slices.ContainsFunc(n.children, func(c *treeNode) bool { return c.policy == e }) {
					n.children = append(n.children, &treeNode{policy: e, expected: []oid.OID{e}})
				}
			}
		})
	}
	t.depth++
	t.cut()
}

func (t *policyTree) mapPolicies(mappings []policyMapping, allowed bool) {
	if t.root == nil {
		return
	}
	to := make(map[oid.OID][]oid.OID)
	for _, m := range mappings {
		to[m.issuer] = append(to[m.issuer], m.subject)
	}
	for from, set := range to {
		if !allowed {
			drop(t.root, t.depth, from)
			continue
		}
		found := false
		t.leaves(t.root, t.depth, func(n *treeNode) {
			if n.policy == from {
				found = true
				n.expected = dedupe(set)
			}
		})
		if !found {
			// The node beside anyPolicy has the same parent.
			t.leaves(t.root, t.depth-1, func(n *treeNode) {
				if slices.ContainsFunc(n.children, func(c *treeNode) bool { return c.policy == oid.AnyPolicy }) {
					n.children = append(n.children, &treeNode{policy: from, expected: dedupe(set)})
				}
			})
		}
	}
	t.cut()
}

func drop(n *treeNode, depth int, p oid.OID) {
	if depth == 1 {
		n.children = slices.DeleteFunc(n.children, func(c *treeNode) bool { return c.policy == p })
		return
	}
	for _, c := range n.children {
		drop(c, depth-1, p)
	}
}

// authorities collects the policies below anyPolicy nodes.
func (t *policyTree) authorities() (set []oid.OID, any bool) {
	var walk func(n *treeNode, depth int)
	walk = func(n *treeNode, depth int) {
		if depth == t.depth && n.policy == oid.AnyPolicy {
			any = true
		}
		for _, c := range n.children {
			if n.policy == oid.AnyPolicy && c.policy != oid.AnyPolicy && !slices.Contains(set, c.policy) {
				set = append(set, c.policy)
			}
			walk(c, depth+1)
		}
	}
	if t.root != nil {
		walk(t.root, 0)
	}
	return set, any
}

// randomDetails draws a certificate's policies from a few identifiers.
func randomDetails(r *rand.Rand) *details {
	d := &details{hasPolicies: true, anyPolicy: r.IntN(3) == 0}
	for i := range 4 {
		if r.IntN(2) == 0 {
			d.policies = append(d.policies, oid.OID(fmt.Sprint("\x2a", i)))
		}
	}
	for range r.IntN(4) {
		d.mappings = append(d.mappings, policyMapping{
			oid.OID(fmt.Sprint("\x2a", r.IntN(4))), oid.OID(fmt.Sprint("\x2a", r.IntN(4)))})
	}
	return d
}

// comparePolicies runs graph and tree over the same certificates.
func comparePolicies(t *testing.T, seed uint64) (alive bool) {
	r := rand.New(rand.NewPCG(seed, 1))
	graph := newPolicyGraph()
	tree := &policyTree{root: &treeNode{policy: oid.AnyPolicy, expected: []oid.OID{oid.AnyPolicy}}}
	for range 1 + r.IntN(4) {
		d := randomDetails(r)
		takeAny, allowed := r.IntN(4) > 0, r.IntN(4) > 0
		if graph != nil {
			graph.add(d, takeAny)
		}
		tree.add(d, takeAny)
		if graph.null() != tree.null() {
			t.Fatalf("seed %d: after a certificate: null %v, by the tree %v", seed, graph.null(), tree.null())
		}
		if graph.null() {
			return false
		}
		graph.mapPolicies(d.mappings, allowed)
		tree.mapPolicies(d.mappings, allowed)
		if graph.null() != tree.null() {
			t.Fatalf("seed %d: after mapping: null %v, by the tree %v", seed, graph.null(), tree.null())
		}
		if graph.null() {
			return false
		}
	}
	got, gotAny := graph.authorities()
	want, wantAny := tree.authorities()
	slices.Sort(got)
	slices.Sort(want)
	if gotAny != wantAny || !slices.Equal(got, want) {
		t.Fatalf("seed %d: %q %v, by the tree %q %v", seed, got, gotAny, want, wantAny)
	}
	return true
}

// TestPolicyGraph compares RFC 9618's graph with the tree that it replaces.
func TestPolicyGraph(t *testing.T) {
	alive := 0
	for seed := range uint64(3000) {
		if comparePolicies(t, seed) {
			alive++
		}
	}
	if alive < 500 {
		t.Errorf("only %d of the graphs ended with a policy", alive)
	}
}

func FuzzPolicyGraph(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { comparePolicies(t, seed) })
}
