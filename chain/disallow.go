package chain

import "context"

// banned says whether a certificate of the role Disallowed bans c.
func (v *verification) banned(ctx context.Context, c *certificate) *Error {
	if !v.hasBans {
		return nil
	}
	if e, ok := v.work.bans[c]; ok {
		return e
	}
	e := v.lookForBan(ctx, c)
	if v.work.bans == nil {
		v.work.bans = make(map[*certificate]*Error)
	}
	v.work.bans[c] = e
	return e
}

func (v *verification) lookForBan(ctx context.Context, c *certificate) *Error {
	for _, m := range v.c.members {
		if m.role != roleDisallowed {
			continue
		}
		if mem, ok := m.src.(*memory); ok {
			for _, e := range mem.withKey(c) {
				if err := bannedBy(c, e); err != nil {
					return err
				}
			}
			if mem.err != nil {
				return errSource(mem.err).about(c)
			}
			if err := mem.unusableBan(); err != nil {
				return err.about(c)
			}
		}
		// A ban that can't be looked up may exist: that refuses.
		queries := []Query{{Kind: KindCertificate, Issuer: c.Issuer, Serial: c.Serial}, {Kind: KindCertificate, Subject: c.Subject}}
		if _, ok := m.src.(*memory); ok {
			queries = queries[:1]
		} else {
			for _, id := range c.KeyIDs() {
				queries = append(queries, Query{Kind: KindCertificate, KeyID: id})
			}
		}
		for _, q := range queries {
			l := newLookup(q)
			for e, err := range m.find(ctx, &l, v.policy.Limits.Candidates) {
				if err != nil {
					return errSource(err).about(c)
				}
				if err := bannedBy(c, e); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// issuedByBanned says whether a banned certificate issued the anchor: then the
// anchor is banned too, and no path leads over what bans it.
func (v *verification) issuedByBanned(ctx context.Context, anchor *certificate) *Error {
	if !v.hasBans || anchor.selfIssued() {
		return nil
	}
	l := newLookup(Query{Kind: KindCertificate, Subject: anchor.Issuer})
	for _, m := range v.c.members {
		if m.role != roleDisallowed {
			continue
		}
		for e, err := range m.find(ctx, &l, v.policy.Limits.Candidates) {
			if err != nil {
				return errSource(err).about(anchor)
			}
			b, err := e.cert()
			if err != nil {
				continue
			}
			if v.edge(anchor, b) == nil {
				return fail(ErrDisallowed, anchor, "anchor %s was issued by the banned %s", anchor.title(), b.title())
			}
		}
	}
	return nil
}

// bannedBy compares what Disallowed promises. Equal TBSCertificates have equal
// issuers and serial numbers.
func bannedBy(c *certificate, e *Entry) *Error {
	b, err := e.cert()
	if err != nil {
		return nil
	}
	switch {
	case b.Serial.Cmp(c.Serial) == 0 && b.issuer() == c.issuer():
		return fail(ErrDisallowed, c, "certificate %s is banned", c.title())
	case (b.isCA() || b.Version < 3) && b.keyID() == c.keyID():
		return fail(ErrDisallowed, c, "certificate %s has the key of the banned CA %s", c.title(), b.title())
	}
	return nil
}
