package chain

import "slices"

// maxTried is how many attempts an Error has.
const maxTried = 100

// attempts are the errors of the paths that a search tried.
type attempts struct {
	list     []*Error
	reported map[[2]*certificate]bool // signatures whose fault is in the list
	revoked  []*Error                 // certificates that are known to be
}

// add keeps e. Where there are too many, those that got furthest are kept.
func (a *attempts) add(e *Error) {
	if e.Reason == ErrRevoked {
		a.revoked = append(a.revoked, e)
	}
	if len(a.list) < maxTried {
		a.list = append(a.list, e)
		return
	}
	least := 0
	for i, t := range a.list {
		if t.progress < a.list[least].progress {
			least = i
		}
	}
	if a.list[least].progress < e.progress {
		a.list[least] = e
	}
}

// report notes that the fault of a signature is in the list.
func (a *attempts) report(edge [2]*certificate) {
	if a.reported == nil {
		a.reported = make(map[[2]*certificate]bool)
	}
	a.reported[edge] = true
}

// addBadSignature adds the bad signature above bad once, however many paths it
// is part of.
func (a *attempts) addBadSignature(w *work, bad *partial) {
	edge := bad.edge()
	if a.reported[edge] {
		return
	}
	a.report(edge)
	e := badEdge(w.badEdges[edge], edge[0], edge[1], bad.mismatch)
	e.progress = progressBadSignature
	a.add(e)
}

// revokes returns the error of another path that one of the certificates of p
// is revoked: the issuer of the CRL that says so may have no path to the anchor
// of p.
func (a *attempts) revokes(p *Path) *Error {
	for _, e := range a.revoked {
		if slices.ContainsFunc(p.certs, e.cert.equal) {
			return e
		}
	}
	return nil
}

// furthest sorts the attempts, nearest to success first, and returns the first,
// nil if there is none.
func (a *attempts) furthest() *Error {
	slices.SortStableFunc(a.list, func(x, y *Error) int { return y.progress - x.progress })
	if len(a.list) == 0 {
		return nil
	}
	return a.list[0]
}
