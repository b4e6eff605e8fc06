package chain

import (
	"bytes"
	"context"
	"fmt"
	"slices"
)

// Bounds of the search, beside those of Limits. They are wide of any honest
// collection and keep a hostile one from costing more than milliseconds.
const (
	maxSteps       = 2500 // partial paths that are looked at
	maxVisits      = 8    // times that one certificate is built upon
	maxEvaluations = 200  // paths that reached an anchor
	maxSecond      = 8    // evaluations after one passed, for more knowledge about revocation
	maxAIA         = 8    // issuers fetched
	mapAfter       = 64   // steps after which it is worth to find out what leads to an anchor at all
	maxKeyed       = 10   // certificates in a path that is remembered as evaluated
)

// An issuer is a certificate that may have issued another: its subject is that
// issuer's name.
type issuer struct {
	cert   *certificate
	entry  *Entry
	anchor bool
	rank   int // of the member it came from
}

// A partial is a path from the leaf up to cert. It shares what is below.
type partial struct {
	cert     *certificate
	below    *partial
	depth    int
	cost     int
	order    int    // among equal costs the first found comes first
	anchor   *Entry // not nil: the path is complete
	mismatch bool   // the key identifiers below and here differ
}

// A search looks for the best path from one leaf. Partial paths wait in a heap
// by their cost, so that what looks right is tried first. No signature is
// checked before an anchor is reached, and then from the anchor down: only
// keys that the anchor leads to are ever used.
type search struct {
	v            *verification
	leaf         *certificate
	heap         heap[*partial]
	pushed       int
	visits       map[*certificate]int
	deadEnd      []*partial // without issuer: where fetching can help
	attempts     attempts
	evaluations  int // paths that reached an anchor
	best         *Path
	extra        int // evaluations after one passed
	aia          int
	steps        int
	reachability *reachability
	// confirmed restricts the search to signatures that are known to be good.
	confirmed bool
	seenPaths map[[maxKeyed]*certificate]bool // paths evaluated
}

// search builds and validates paths from leaf.
func (v *verification) search(ctx context.Context, leaf *certificate) (*Path, *Error) {
	s := &search{v: v, leaf: leaf, visits: make(map[*certificate]int)}
	start := &partial{cert: leaf, depth: 1}
	s.push(start)
	for _, x := range v.anchorsFor(ctx, leaf) {
		s.push(&partial{cert: leaf, depth: 1, anchor: x.entry})
	}
	for {
		for len(s.heap) > 0 {
			if err := ctx.Err(); err != nil {
				return nil, s.fail(&Error{Reason: ErrLimit, Err: err})
			}
			if v.work.steps++; v.work.steps > maxSteps || s.evaluations > maxEvaluations {
				v.recordLimit("too many paths to look at")
				return s.end()
			}
			if s.step(ctx) {
				return s.end()
			}
		}
		switch {
		case s.best != nil:
			return s.end()
		case s.confirmed:
			s.restart(false)
		case !s.fetch(ctx):
			return s.end()
		}
	}
}

// restart begins anew with what is known by now.
func (s *search) restart(confirmed bool) {
	s.confirmed = confirmed
	s.heap = nil
	clear(s.visits)
	s.push(&partial{cert: s.leaf, depth: 1})
}

// evaluated reports whether the path was evaluated before. Anchors with constraints
// may differ in them.
func (s *search) evaluated(n *partial) bool {
	if n.depth > maxKeyed || len(n.anchor.constraints) > 0 {
		return false
	}
	var key [maxKeyed]*certificate
	for p := n; p != nil; p = p.below {
		key[p.depth-1] = p.cert
	}
	if s.seenPaths[key] {
		return true
	}
	if s.seenPaths == nil {
		s.seenPaths = make(map[[maxKeyed]*certificate]bool)
	}
	s.seenPaths[key] = true
	return false
}

// step looks at the most promising partial path. It reports whether the search
// is over.
func (s *search) step(ctx context.Context) (done bool) {
	n := s.heap.pop()
	if n.anchor == nil {
		s.expand(ctx, n)
		return false
	}
	if bad := n.knownBad(s.v.work); bad != nil {
		s.attempts.addBadSignature(s.v.work, bad)
		return false
	}
	if s.evaluated(n) {
		return false
	}
	s.evaluations++
	path, err := s.v.evaluate(ctx, n)
	if err == nil {
		err = s.attempts.revokes(path)
	}
	if err != nil {
		s.attempts.add(err)
		if err.Reason == ErrRevoked {
			if s.best != nil && s.attempts.revokes(s.best) != nil {
				s.best = nil
			}
		}
		if bad := n.knownBad(s.v.work); bad != nil {
			s.attempts.report(bad.edge())
		}
		return err.cert == s.leaf && err.unmendable() && s.best == nil
	}
	if s.best == nil || path.better(s.best) {
		s.best = path
	}
	s.extra++
	return s.extra > maxSecond || path.settled == len(path.revocation) || !s.v.mayKnowMore()
}

// unmendable reports whether e, about the leaf, is the fault of the leaf alone:
// another path doesn't mend it. What the evidence of one anchor leaves unknown,
// that of another may tell, and a Check may want another path.
func (e *Error) unmendable() bool {
	return e.progress >= progressLeaf && e.progress < progressRevocation || e.Reason == ErrRevoked
}

// end returns the best path or the error of the attempt that got furthest.
func (s *search) end() (*Path, *Error) {
	if s.best != nil {
		return s.best, nil
	}
	w := s.v.work
	top := s.attempts.furthest()
	// An anchor vouched for every signature of an attempt that got beyond
	// them: its reason is one. Else work left undone or a Source that failed
	// may have hidden a good path.
	if top == nil || top.progress < progressSigned {
		switch {
		case w.limit != nil:
			return nil, s.fail(w.limit)
		case w.source != nil:
			return nil, s.fail(w.source)
		}
	}
	if top == nil {
		top = fail(ErrUnknownIssuer, s.leaf, "no path was found for certificate %s", s.leaf.title())
	}
	return nil, s.fail(top)
}

// fail returns e as the reason, with every attempt.
func (s *search) fail(e *Error) *Error {
	out := *e
	if out.cert == nil {
		out.cert = s.leaf
	}
	out.Tried = s.attempts.list
	return &out
}

// expand pushes the partial paths that are longer by one certificate.
func (s *search) expand(ctx context.Context, n *partial) {
	v := s.v
	if s.steps++; s.steps > mapAfter {
		if s.reachability == nil {
			s.reachability = v.computeReachability(ctx, s.leaf)
			if v.verifyFromAnchors(s.reachability, s.leaf) {
				s.restart(true)
				return
			}
		}
		if s.reachability.badEdges != len(v.work.badEdges) {
			s.reachability = v.computeReachability(ctx, s.leaf)
		}
		if distance, ok := s.reachability.distance[n.cert]; !ok || n.depth+distance > v.policy.Limits.Depth {
			s.reportDropped(ctx, n)
			return
		}
	}
	if s.visits[n.cert]++; s.visits[n.cert] > maxVisits {
		v.recordLimit("certificate %s is in too many paths", n.cert.title())
		return
	}
	found := false
	for _, x := range v.issuersOf(ctx, n.cert) {
		if n.contains(x.cert) {
			continue
		}
		found = true
		if s.confirmed && !n.cert.knownSigner(x.cert.SPKI) {
			continue
		}
		if n.depth >= v.policy.Limits.Depth {
			e := fail(ErrLimit, n.cert, "a path of more than %d certificates", v.policy.Limits.Depth)
			e.progress = n.depth
			s.attempts.add(e)
			return
		}
		s.extend(n, x)
	}
	if !found {
		s.deadEnd = append(s.deadEnd, n)
		s.attempts.add(v.unknownIssuer(n))
	}
}

func (v *verification) unknownIssuer(n *partial) *Error {
	e := fail(ErrUnknownIssuer, n.cert, "no certificate at hand for %s, the issuer of certificate %s",
		nameText(n.cert.Issuer), n.cert.title())
	if id := n.cert.AuthorityKeyID; id != nil && len(id) <= 64 {
		e.Detail += fmt.Sprintf(", key identifier %x", id)
	}
	if n.cert.selfIssued() {
		e.Detail = fmt.Sprintf("certificate %s is self-signed and no anchor", n.cert.title())
	}
	e.progress = n.depth
	return e
}

// extend pushes the path that goes on with x, as its anchor and, where x is not
// the top of a hierarchy, on the way to another.
func (s *search) extend(n *partial, x issuer) {
	cost, mismatch := s.v.cost(n.cert, x)
	next := partial{cert: x.cert, below: n, depth: n.depth + 1, cost: n.cost + cost, mismatch: mismatch}
	if x.anchor {
		end := next
		end.anchor = x.entry
		s.push(&end)
		if x.cert.selfIssued() {
			return
		}
	}
	s.push(&next)
}

// cost says how promising x is as issuer of c; less is better. Nothing is
// excluded by it: key identifiers are hints (RFC 4158 section 3.5).
func (v *verification) cost(c *certificate, x issuer) (cost int, mismatch bool) {
	cost = 10
	if x.anchor {
		cost = 2 // a path that is complete is looked at soon
	}
	if c.AuthorityKeyID != nil && x.cert.SubjectKeyID != nil {
		if !bytes.Equal(c.AuthorityKeyID, x.cert.SubjectKeyID) {
			cost += 40
			mismatch = true
		}
	} else {
		cost += 5
	}
	if !bytes.Equal(c.Issuer, x.cert.Subject) {
		cost++
	}
	if c.knownSigner(x.cert.SPKI) {
		cost -= 5
	}
	if !x.anchor {
		cost += 5
		if x.rank >= v.c.base {
			cost += 60 // came with a message: after all that was there before
		}
		if !v.namesAnchor(x.cert) {
			cost += 5
		}
	}
	if v.flawed(x.cert) {
		cost += 1000
	}
	return cost, mismatch
}

// flawed reports whether c will not do as an issuer for reasons of its own. The
// path is still tried, last, to say why.
func (v *verification) flawed(c *certificate) bool {
	if f, ok := v.flaws[c]; ok {
		return f
	}
	if v.flaws == nil {
		v.flaws = make(map[*certificate]bool)
	}
	f := v.at.Before(c.NotBefore) || v.at.After(c.NotAfter) || v.keyStrength(c) != nil ||
		checkExtensions(c) != nil || checkIssuing(c) != nil
	v.flaws[c] = f
	return f
}

// namesAnchor reports whether the issuer of c has the name of an anchor in
// memory: the path may end there.
func (v *verification) namesAnchor(c *certificate) bool {
	name := c.issuer()
	if is, ok := v.anchorNames[name]; ok {
		return is
	}
	if v.anchorNames == nil {
		v.anchorNames = make(map[string]bool)
	}
	is := v.lookForAnchor(&lookup{Query: Query{Kind: KindCertificate, Subject: c.Issuer}, subject: name})
	v.anchorNames[name] = is
	return is
}

func (v *verification) lookForAnchor(l *lookup) bool {
	for _, m := range v.c.members {
		mem, ok := m.src.(*memory)
		if !ok || m.role != roleAnchor && m.role != roleBag {
			continue
		}
		for _, e := range mem.lookup(l) {
			if a, err := e.cert(); err == nil && a.subject() == l.subject && (m.role == roleAnchor || a.selfIssued()) {
				return true
			}
		}
	}
	return false
}

// issuersOf returns the certificates whose subject is the issuer of c.
func (v *verification) issuersOf(ctx context.Context, c *certificate) []issuer {
	name := c.issuer()
	if list, ok := v.issuers[name]; ok {
		return list
	}
	var list []issuer
	v.findMembers(ctx, Query{Kind: KindCertificate, Subject: c.Issuer}, func(e *Entry, m Member, rank int) bool {
		if x, ok := v.newIssuer(e, m, rank); ok && !slices.ContainsFunc(list, x.same) {
			list = append(list, x)
		}
		return true
	})
	// A copy of an anchor leads nowhere that the anchor doesn't.
	var anchors []issuer
	for _, x := range list {
		if x.anchor {
			anchors = append(anchors, x)
		}
	}
	list = slices.DeleteFunc(list, func(x issuer) bool {
		return !x.anchor && x.cert.selfIssued() &&
			slices.ContainsFunc(anchors, func(y issuer) bool { return y.cert.equal(x.cert) })
	})
	if v.issuers == nil {
		v.issuers = make(map[string][]issuer)
	}
	v.issuers[name] = list
	return list
}

// same reports whether y offers nothing that x doesn't.
func (x issuer) same(y issuer) bool {
	return x.cert.equal(y.cert) && x.anchor == y.anchor &&
		(!x.anchor || len(x.entry.constraints)+len(y.entry.constraints) == 0)
}

func (v *verification) newIssuer(e *Entry, m Member, rank int) (issuer, bool) {
	c, err := e.cert()
	if err != nil {
		return issuer{}, false
	}
	x := issuer{cert: c, entry: e, rank: rank}
	switch m.role {
	case roleAnchor:
		x.anchor = true
	case roleBag:
		x.anchor = c.isCA() && c.selfSigned()
	}
	if v.pinned != nil {
		x.anchor = x.anchor && c.sameEntity(v.pinned)
	}
	return x, true
}

// anchorsFor returns the anchors that are the leaf itself: a user may have
// chosen to trust just that.
func (v *verification) anchorsFor(ctx context.Context, leaf *certificate) []issuer {
	var list []issuer
	l := lookup{Query: Query{Kind: KindCertificate, Issuer: leaf.Issuer, Serial: leaf.Serial}, issuer: leaf.issuer()}
	for i, m := range v.c.members {
		if m.role != roleAnchor && m.role != roleBag {
			continue
		}
		for e, err := range m.find(ctx, &l, v.policy.Limits.Candidates) {
			if err != nil {
				v.recordSourceError(errSource(err))
			} else if x, ok := v.newIssuer(e, m, i); ok && x.anchor && x.cert.equal(leaf) {
				list = append(list, x)
			}
			if len(list) == maxVisits {
				return list
			}
		}
	}
	return list
}

// contains reports whether the path already has the name and key of c.
func (n *partial) contains(c *certificate) bool {
	for ; n != nil; n = n.below {
		if n.cert.sameEntity(c) {
			return true
		}
	}
	return false
}

// knownBad returns the lower end of the first signature from the leaf on that is
// known to be bad, or nil.
func (n *partial) knownBad(w *work) *partial {
	if len(w.badEdges) == 0 {
		return nil
	}
	for ; n.below != nil; n = n.below {
		if w.badEdges[n.edge()] != nil {
			return n
		}
	}
	return nil
}

// edge is the signature that joins n to what is below it.
func (n *partial) edge() [2]*certificate { return [2]*certificate{n.below.cert, n.cert} }

// reportDropped notes what is known to be wrong above a path that is given up.
func (s *search) reportDropped(ctx context.Context, n *partial) {
	for _, x := range s.v.issuersOf(ctx, n.cert) {
		if s.v.work.badEdges[[2]*certificate{n.cert, x.cert}] != nil {
			_, mismatch := s.v.cost(n.cert, x)
			s.attempts.addBadSignature(s.v.work, &partial{cert: x.cert, below: n, mismatch: mismatch})
		}
	}
}

// certificates returns the path, leaf first.
func (n *partial) certificates() []*certificate {
	list := make([]*certificate, n.depth)
	for i := n.depth - 1; i >= 0; i-- {
		list[i] = n.cert
		n = n.below
	}
	return list
}

// fetch asks for the issuers that the leaf, and then the dead ends, point at
// (RFC 5280 section 4.2.2.1) and goes on from those that got an answer. It
// reports whether there are any.
func (s *search) fetch(ctx context.Context) bool {
	v := s.v
	if v.policy.Fetcher == nil {
		return false
	}
	slices.SortStableFunc(s.deadEnd, func(a, b *partial) int { return a.depth - b.depth })
	ends := s.deadEnd
	if len(ends) == 0 || ends[0].cert != s.leaf {
		ends = append([]*partial{{cert: s.leaf, depth: 1}}, ends...)
	}
	s.deadEnd = nil
	again := false
	for _, n := range ends {
		got := false
		for _, url := range n.cert.details().caIssuers {
			if s.aia++; s.aia > maxAIA {
				return again
			}
			before := v.work.fetches
			entries, err := v.fetch(ctx, KindCertificate, url, nil)
			got = got || err == nil && len(entries) > 0 && v.work.fetches > before
		}
		if got {
			delete(v.issuers, n.cert.issuer())
			delete(s.visits, n.cert)
			s.reachability = nil
			s.push(n)
			again = true
		}
	}
	return again
}

func (s *search) push(n *partial) {
	n.order = s.pushed
	s.pushed++
	s.heap.push(n)
}

func (n *partial) before(m *partial) bool {
	if n.cost != m.cost {
		return n.cost < m.cost
	}
	return n.order < m.order
}
