package chain

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/crl"
	"github.com/gosmime/gosmime/internal/ocsp"
	"github.com/gosmime/gosmime/internal/oid"
)

// maxURLs is how many locations of one kind are tried.
const maxURLs = 8

// fetch asks for what is missing: first the small OCSP response, then the CRLs
// of the distribution points, then their delta CRLs, also those of the CRLs at
// hand.
func (s *statusSearch) fetch(ctx context.Context) {
	// Responders and CRLs need not know certificates that have expired.
	if s.v.now.After(s.cert.NotAfter) {
		s.note(nil, "the certificate has expired: nothing was fetched")
		return
	}
	s.fetching = true
	defer func() { s.fetching = false }()
	if !s.decided() {
		if s.fetchOCSP(ctx) {
			return
		}
		for i := range s.points {
			s.fetchCRLs(ctx, s.points[i].URLs)
		}
		s.judgeCRLs(ctx)
	}
	if s.condemned == nil && s.settled.ocsp == nil {
		s.fetchDeltas(ctx)
	}
}

// fetchOCSP asks the responders that the certificate names, by SHA-256 as RFC
// 9919 wants and then by SHA-1, which is all that some know.
func (s *statusSearch) fetchOCSP(ctx context.Context) (decided bool) {
	for i, url := range s.cert.details().ocspURLs {
		if i == maxURLs {
			break
		}
		for _, h := range [...]alg.Hash{alg.SHA256, alg.SHA1} {
			request, err := ocsp.Request(ocsp.ID{Issuer: s.cert.Issuer, IssuerKey: s.issuer.KeyBits(), Serial: s.cert.SerialDER}, h, s.v.nonce())
			if err != nil {
				return false
			}
			entries, err := s.v.fetch(ctx, KindOCSPResponse, url, request)
			s.noAnswer(url, err)
			for _, e := range entries {
				s.judgeResponse(ctx, e)
			}
			if s.decided() {
				return true
			}
			if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
				break
			}
		}
	}
	return false
}

// nonceSize is what RFC 9654 section 2.1 asks of clients.
const nonceSize = 32

// nonce returns the nonce of this verification, nil if none is wanted.
func (v *verification) nonce() []byte {
	if !v.policy.RequireOCSPNonce {
		return nil
	}
	if v.work.nonce == nil {
		v.work.nonce = make([]byte, nonceSize)
		_, _ = rand.Read(v.work.nonce) // never fails
	}
	return v.work.nonce
}

// fetchCRLs takes the first answer of the URLs, which are alternatives (RFC
// 5280 section 4.2.1.13).
func (s *statusSearch) fetchCRLs(ctx context.Context, urls []string) {
	for i, url := range urls {
		if i == maxURLs {
			return
		}
		entries, err := s.v.fetch(ctx, KindCRL, url, nil)
		s.noAnswer(url, err)
		before := len(s.crls)
		for _, e := range entries {
			s.addCRL(e, fetchedRank)
		}
		if len(s.crls) > before {
			return
		}
	}
}

// noAnswer keeps why a fetch failed, if it did.
func (s *statusSearch) noAnswer(url string, err error) {
	if err == nil {
		return
	}
	if s.failed == nil {
		s.failed = err
		s.note(nil, "fetching "+quote(url)+" failed")
		return
	}
	s.note(nil, "fetching "+quote(url)+": "+err.Error())
}

// fetchDeltas gets the delta CRLs that the certificate or one of its genuine
// CRLs points at, unless a current one of our own is there. A forged CRL must
// not make us call anybody.
func (s *statusSearch) fetchDeltas(ctx context.Context) {
	points := s.freshestPoints(ctx)
	if len(points) == 0 {
		return
	}
	for i := range points[:min(len(points), maxURLs)] {
		s.fetchCRLs(ctx, points[i].URLs)
	}
	// What a CRL said without its delta may now be outdated.
	s.good.forgetCRLs()
	s.settled.forgetCRLs()
	s.judgeCRLs(ctx)
}

// freshestPoints returns where to look for delta CRLs.
func (s *statusSearch) freshestPoints(ctx context.Context) []crl.DistributionPoint {
	var points []crl.DistributionPoint
	known := make(map[string]bool)
	add := func(list []crl.DistributionPoint) {
		for _, p := range list {
			if key := strings.Join(p.URLs, "\x00"); !known[key] {
				known[key] = true
				points = append(points, p)
			}
		}
	}
	defer func() { s.strange = false }()
	updated := false
	for _, c := range s.crls {
		if len(points) >= maxURLs {
			break
		}
		s.strange = s.v.origin(c.rank) == strangeOrigin
		switch {
		case c.Delta():
		case s.hasOwnDelta(ctx, c.List):
			updated = true
		case c.Freshest != nil && s.signerOf(ctx, c.List).cert != nil:
			add(c.Freshest)
		}
	}
	if e := s.cert.Extension(oid.ExtFreshestCRL); e != nil && !updated {
		list, _ := crl.ParseDistributionPoints(e.Value, s.cert.issuer())
		add(list)
	}
	return points
}

// hasOwnDelta reports whether a current delta CRL for c is there that did not
// come with a message.
func (s *statusSearch) hasOwnDelta(ctx context.Context, c *crl.List) bool {
	d := s.deltaFor(ctx, c)
	return d != nil && slices.ContainsFunc(s.crls, func(r rankedCRL) bool {
		return r.List == d && s.v.origin(r.rank) != strangeOrigin
	})
}
