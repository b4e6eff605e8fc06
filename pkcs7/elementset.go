package pkcs7

import (
	"bytes"
	"slices"
)

// An elementSet is a list of elements without copies, in the order in which
// they came.
type elementSet struct {
	list [][]byte
	seen map[string]struct{} // nil: few
}

// fewElements are compared one by one faster than they are indexed.
const fewElements = 16

// add reports whether der was not there yet.
func (s *elementSet) add(der []byte) bool {
	switch {
	case s.seen != nil:
		if _, there := s.seen[string(der)]; there {
			return false
		}
		s.seen[string(der)] = struct{}{}
	case slices.ContainsFunc(s.list, func(b []byte) bool { return bytes.Equal(b, der) }):
		return false
	case len(s.list) == fewElements:
		s.seen = make(map[string]struct{})
		for _, b := range append(s.list, der) {
			s.seen[string(b)] = struct{}{}
		}
	}
	s.list = append(s.list, der)
	return true
}
