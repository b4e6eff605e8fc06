package pkcs7

import (
	"bytes"
	"crypto/x509"
	"hash"
	"slices"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/oid"
)

// A Digester hashes detached content that arrives before its signature, as in
// multipart/signed.
type Digester struct {
	digests  []digest
	external bool     // written to by the caller
	keep     int      // octets of content to hold at most
	kept     [][]byte // content so far, in pieces; none beyond keep octets
	size     int64
	head     [8]byte // of the content
	finished bool
}

type digest struct {
	id   alg.Hash
	hash hash.Hash
	sum  []byte
}

const (
	// smallContent is what is always held of a content: to compute what the
	// message did not announce costs little then.
	smallContent = 64 << 10
	// externalContent is what a Digester holds where pure algorithms are likely.
	externalContent = 1 << 20
	// maxPiece is how long small writes make a piece of held content.
	maxPiece = 64 << 10
)

// NewDigester hashes by the given digest algorithms; none: SHA-256, SHA-384
// and SHA-512. Unknown ones are ignored.
func NewDigester(algorithms ...x509.OID) *Digester {
	var hashes []alg.Hash
	for _, a := range algorithms {
		if h, err := alg.HashOf(alg.Identifier{OID: oid.FromX509(a)}); err == nil {
			hashes = append(hashes, h)
		}
	}
	keep := smallContent
	for _, h := range hashes {
		if h == alg.SHA512 || h == alg.SHAKE256 {
			keep = externalContent
		}
	}
	d := newDigester(hashes, keep)
	d.external = true
	return d
}

// newDigester hashes by each of hashes once, or by the usual ones if there are
// none.
func newDigester(hashes []alg.Hash, keep int) *Digester {
	if len(hashes) == 0 {
		hashes = []alg.Hash{alg.SHA256, alg.SHA384, alg.SHA512}
	}
	d := &Digester{keep: keep, digests: make([]digest, 0, len(hashes))}
	for _, h := range hashes {
		if d.find(h) == nil {
			d.digests = append(d.digests, digest{id: h, hash: h.New()})
		}
	}
	return d
}

func (d *Digester) find(h alg.Hash) *digest {
	for i := range d.digests {
		if d.digests[i].id == h {
			return &d.digests[i]
		}
	}
	return nil
}

// Write hashes p. It never fails. Once a [SignedReader] has read its signers, it
// is too late: after a further Write none of them can be checked.
func (d *Digester) Write(p []byte) (int, error) {
	if d.finished {
		d.digests, d.kept, d.keep = nil, nil, -1
		return len(p), nil
	}
	if d.size < int64(len(d.head)) {
		copy(d.head[d.size:], p)
	}
	d.size += int64(len(p))
	if d.size <= int64(d.keep) {
		d.hold(p)
	} else {
		d.kept = nil
	}
	for i := range d.digests {
		d.digests[i].hash.Write(p)
	}
	return len(p), nil
}

// hold keeps a copy of p. Small writes share a piece.
func (d *Digester) hold(p []byte) {
	n := len(d.kept) - 1
	if n < 0 || len(d.kept[n])+len(p) > max(cap(d.kept[n]), maxPiece) {
		d.kept = append(d.kept, nil)
		n++
	}
	d.kept[n] = append(d.kept[n], p...)
}

// Clone returns a Digester that has read the same and goes on by itself. It
// returns nil if content was checked against d already, or if d has a hash
// that can't be copied.
func (d *Digester) Clone() *Digester {
	c := *d
	c.kept = nil
	for _, piece := range d.kept {
		c.kept = append(c.kept, slices.Clone(piece))
	}
	c.digests = slices.Clone(d.digests)
	for i := range c.digests {
		cloner, ok := c.digests[i].hash.(hash.Cloner)
		if !ok || d.finished {
			return nil
		}
		h, err := cloner.Clone()
		if err != nil {
			return nil
		}
		c.digests[i].hash = h
	}
	return &c
}

// finish computes the digests. Content that is still needed counts as memory
// from now on; if there is none left it is let go.
func (d *Digester) finish(b *budget.Budget, needed bool) {
	if d.finished {
		return
	}
	d.finished = true
	for i := range d.digests {
		d.digests[i].sum = d.digests[i].hash.Sum(nil)
	}
	if !d.external && (!needed || b.Take(budget.Memory, d.size) != nil) {
		d.kept, d.keep = nil, -1
	}
	if len(d.kept) > 1 {
		d.kept = [][]byte{slices.Concat(d.kept...)}
	}
}

// sameSums reports whether d and other were written the same. Neither must be
// finished.
func (d *Digester) sameSums(other *Digester) bool {
	if d.size != other.size {
		return false
	}
	for i := range d.digests {
		o := other.find(d.digests[i].id)
		if o == nil || !bytes.Equal(d.digests[i].hash.Sum(nil), o.hash.Sum(nil)) {
			return false
		}
	}
	return true
}

// content returns the content, if it is held, once d is finished.
func (d *Digester) content() ([]byte, bool) {
	if d.size > int64(d.keep) {
		return nil, false
	}
	if len(d.kept) == 0 {
		return nil, true
	}
	return d.kept[0], true
}

// sum returns the digest of the content. ok is false if it was not announced
// and the content is gone.
func (d *Digester) sum(h alg.Hash) (sum []byte, ok bool) {
	if x := d.find(h); x != nil {
		return x.sum, x.sum != nil
	}
	content, ok := d.content()
	if !ok {
		return nil, false
	}
	state := h.New()
	state.Write(content)
	return state.Sum(nil), true
}
