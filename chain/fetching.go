package chain

import (
	"context"
	"strings"
	"time"
)

// Bounds of what one verification may fetch.
const (
	maxFetches      = 32
	maxFetched      = 256 // elements of one answer
	maxURL          = 2048
	defaultFetching = 10 * time.Second
)

// A formError says what is not done or can't be read.
type formError string

func (e formError) Error() string { return string(e) }

const errTooManyFetches formError = "too many fetches for one validation"

// An answer is what the Fetcher returned.
type answer struct {
	fetcher  Fetcher
	kind     Kind
	url      string
	request  []byte
	elements [][]byte
	entries  []*Entry
	err      error
	proved   bool // one of the elements did prove something
}

// fetch asks the Fetcher, at most once for each kind, URL and request within
// one verification, and returns the answer as entries. With no Fetcher it
// returns nothing. Errors of the Fetcher are returned; callers treat them as no
// answer.
func (v *verification) fetch(ctx context.Context, kind Kind, url string, request []byte) ([]*Entry, error) {
	if v.policy.Fetcher == nil || len(url) > maxURL || !isHTTP(url) {
		return nil, nil
	}
	w := v.work
	key := string(rune('0'+kind)) + url + "\x00" + string(request)
	if a, ok := w.answers[key]; ok {
		return a.entries, a.err
	}
	if w.fetches >= maxFetches {
		return nil, errTooManyFetches
	}
	if w.answers == nil {
		w.answers, w.answerOf = make(map[string]*answer), make(map[*byte]*answer)
		limit := v.policy.FetchTimeout
		if limit <= 0 {
			limit = defaultFetching
		}
		now := time.Now()
		w.fetchEnd, w.issuerEnd = now.Add(limit), now.Add(limit/2)
	}
	// Issuers take half at most: their locations may be those of a stranger,
	// and who hides a revocation must not make us wait until the end for them.
	end := w.fetchEnd
	if kind == KindCertificate {
		if w.issuerGot >= maxFetches/2 {
			return nil, errTooManyFetches
		}
		w.issuerGot++
		end = w.issuerEnd
	}
	w.fetches++
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	elements, err := v.policy.Fetcher.Fetch(ctx, kind, url, request)
	a := &answer{fetcher: v.policy.Fetcher, kind: kind, url: url, request: request, elements: elements, err: err}
	for i, der := range elements {
		if i == maxFetched || err != nil {
			break
		}
		if len(der) > 0 {
			w.answerOf[&der[0]] = a
		}
		e := v.c.shared.fetchedEntry(kind, der)
		a.entries = append(a.entries, e)
		w.fetched = append(w.fetched, e)
	}
	w.answers[key] = a
	return a.entries, a.err
}

// unproved reports whether der is of an answer that was not yet found to be
// genuine.
func (v *verification) unproved(der []byte) bool {
	a := v.work.answerOf[&der[0]]
	return a != nil && !a.proved
}

// proved tells a Fetcher that keeps answers that der, if it is of one, is
// genuine and was of use.
func (v *verification) proved(der []byte) {
	a := v.work.answerOf[&der[0]]
	if a == nil || a.proved {
		return
	}
	a.proved = true
	if k, ok := a.fetcher.(Keeper); ok {
		k.Keep(a.kind, a.url, a.request, a.elements)
	}
}

// isHTTP reports whether url is one of the web. Schemes have no case (RFC 3986
// section 3.1).
func isHTTP(url string) bool {
	scheme, _, ok := strings.Cut(url, "://")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// fetchedLists is how many large CRLs that were fetched are remembered.
const fetchedLists = 2

// fetchedEntry returns an entry for what a Fetcher returned. A large CRL that it
// returns again, as one with a cache does, keeps its index.
func (c *cache) fetchedEntry(kind Kind, der []byte) *Entry {
	e := NewEntry(kind, der, "", nil)
	if kind != KindCRL || len(der) < largeCRL {
		return e
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, known := range c.lists {
		if d := known.DER(); len(d) == len(der) && &d[0] == &der[0] {
			return known
		}
	}
	if len(c.lists) == fetchedLists {
		c.lists = append(c.lists[:0:0], c.lists[1:]...)
	}
	c.lists = append(c.lists, e)
	return e
}
