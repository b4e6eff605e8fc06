package chain

import (
	"bytes"
	"crypto/x509"
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// Bounds of a cache. Certificates of paths that passed are kept to spare their
// parsing and their signatures, which are facts; paths only for cacheTime.
const (
	cachedCertificates = 4096
	cachedPaths        = 1024
	cacheTime          = time.Minute
	maxCachedSize      = 16 << 10 // of one certificate
	maxOverlay         = 32       // elements that came with a message
)

// A cache is shared by a Collection and those that With made of it.
type cache struct {
	once  sync.Once
	seed  maphash.Seed
	mu    sync.Mutex
	certs map[uint64]*certificate
	paths map[uint64]*cachedPath
	lists []*Entry // large CRLs that were fetched
}

type cachedPath struct {
	pathKey
	path *Path
}

// A pathKey is everything that a verdict depends on, beside the Collection that
// NewCollection made.
type pathKey struct {
	hash    uint64
	leaf    []byte
	overlay [][]byte // what With brought, in order
	kinds   [maxOverlay]Kind
	policy  policyKey
}

// A policyKey is the comparable part of a Policy.
type policyKey struct {
	purpose    Purpose
	mailbox    string
	any        bool
	at         time.Time
	revocation Revocation
	limits     Limits
	policies   string
	flags      [7]bool
}

func (c *cache) init() {
	c.once.Do(func() {
		c.seed = maphash.MakeSeed()
		c.certs = make(map[uint64]*certificate)
		c.paths = make(map[uint64]*cachedPath)
	})
}

// parse returns the certificate that der encodes, a known one if there is.
func (c *cache) parse(der []byte) (*certificate, error) {
	if known := c.known(der); known != nil {
		return known, nil
	}
	return parseCertificate(der)
}

// known returns the remembered certificate of that encoding, or nil.
func (c *cache) known(der []byte) *certificate {
	c.init()
	h := maphash.Bytes(c.seed, der)
	c.mu.Lock()
	found := c.certs[h]
	c.mu.Unlock()
	if found != nil && bytes.Equal(found.Raw, der) {
		return found
	}
	return nil
}

// remember keeps the certificates of a path that passed.
func (c *cache) remember(certs []*certificate) {
	for _, cert := range certs {
		if len(cert.Raw) > maxCachedSize {
			continue
		}
		h := maphash.Bytes(c.seed, cert.Raw)
		c.mu.Lock()
		if c.certs[h] == nil {
			if len(c.certs) >= cachedCertificates {
				dropOne(c.certs)
			}
			c.certs[h] = cert.detached()
		}
		c.mu.Unlock()
	}
}

// dropOne removes any element: maps are walked in random order.
func dropOne[V any](m map[uint64]V) {
	for k := range m {
		delete(m, k)
		return
	}
}

// detached returns a copy that doesn't keep the memory which the certificate
// was read from.
func (c *certificate) detached() *certificate {
	d, err := parseCertificate(bytes.Clone(c.Raw))
	if err != nil {
		return c
	}
	d.signers.Store(c.signers.Load())
	return d
}

// cached returns the key of the question, nil if its answer can't be cached,
// and the path if it is known.
func (c *Collection) cached(leaf []byte, p *Policy, now time.Time) (*pathKey, *Path) {
	s := c.shared
	s.init()
	key := &pathKey{leaf: leaf, policy: policyKeyOf(p)}
	if !c.overlay(key) {
		return nil, nil
	}
	var h maphash.Hash
	h.SetSeed(s.seed)
	maphash.WriteComparable(&h, key.policy)
	h.Write(leaf)
	for _, der := range key.overlay {
		h.Write(der)
	}
	key.hash = h.Sum64()
	s.mu.Lock()
	found := s.paths[key.hash]
	s.mu.Unlock()
	if found == nil || !found.equal(key) {
		return key, nil
	}
	path := found.path
	if now.Before(path.now) || now.Sub(path.now) > cacheTime {
		return key, nil
	}
	if p.At.IsZero() {
		if now.After(path.until) {
			return key, nil
		}
		renewed := *path
		renewed.at = now
		path = &renewed
	}
	if p.Check != nil && p.Check(path) != nil {
		return key, nil
	}
	return key, path
}

// overlay adds what With brought to the key. It is false if that, or what
// NewCollection had, can change or is not plain raw material.
func (c *Collection) overlay(key *pathKey) bool {
	for i, m := range c.members {
		mem, inMemory := m.src.(*memory)
		if !inMemory {
			return false
		}
		if i < c.base {
			continue
		}
		if m.role != roleUntrusted || len(key.overlay)+len(mem.entries) > maxOverlay || mem.err != nil {
			return false
		}
		for _, e := range mem.entries {
			key.kinds[len(key.overlay)] = e.kind
			key.overlay = append(key.overlay, e.der)
		}
	}
	return true
}

func policyKeyOf(p *Policy) policyKey {
	k := policyKey{
		purpose: p.Purpose, mailbox: p.Mailbox, any: p.InsecureAnyMailbox, at: p.At.UTC().Round(0),
		revocation: p.Revocation, limits: p.Limits,
		flags: [7]bool{p.RequireExplicitPolicy, p.InhibitPolicyMapping, p.InhibitAnyPolicy,
			p.InsecureSHA1, p.InsecureShortKeys, p.Fetcher != nil, p.RequireOCSPNonce},
	}
	if p.Policies != nil {
		k.policies = "set"
		for _, o := range p.Policies {
			k.policies += " " + o.String()
		}
	}
	return k
}

func (k *pathKey) equal(o *pathKey) bool {
	return k.policy == o.policy && k.kinds == o.kinds && bytes.Equal(k.leaf, o.leaf) &&
		slices.EqualFunc(k.overlay, o.overlay, bytes.Equal)
}

// store remembers a path. The key is copied: it points into a message.
func (c *cache) store(key *pathKey, path *Path) {
	size := 0
	kept := &cachedPath{pathKey: pathKey{hash: key.hash, kinds: key.kinds, leaf: bytes.Clone(key.leaf), policy: key.policy}}
	for _, der := range key.overlay {
		if size += len(der); size > maxCachedSize {
			return
		}
		kept.overlay = append(kept.overlay, bytes.Clone(der))
	}
	stored := *path
	stored.certs = slices.Clone(path.certs)
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, cert := range stored.certs {
		if known := c.certs[maphash.Bytes(c.seed, cert.Raw)]; known != nil && known.equal(cert) {
			stored.certs[i] = known
		}
	}
	kept.path = &stored
	if _, have := c.paths[key.hash]; !have && len(c.paths) >= cachedPaths {
		dropOne(c.paths)
	}
	c.paths[key.hash] = kept
}

// policiesOf returns the identifiers in the form that callers get.
func policiesOf(ids []string) []x509.OID {
	var out []x509.OID
	slices.Sort(ids)
	for _, id := range ids {
		var o x509.OID
		if o.UnmarshalBinary([]byte(id)) == nil {
			out = append(out, o)
		}
	}
	return out
}
