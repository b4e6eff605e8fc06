// Package budget bounds the work that one message causes, all its layers
// together. A [Budget] is shared by everything that reads the message.
package budget

import (
	"fmt"
	"sync/atomic"
)

// A Resource is what a Budget counts.
type Resource uint8

const (
	Bytes        Resource = iota // encoded octets read
	Expanded                     // octets after decompression
	Memory                       // octets of content held in memory
	Held                         // octets of elements held in memory: certificates, signers, recipients
	Disk                         // octets in temporary files
	Signers                      // SignerInfos
	Recipients                   // RecipientInfos
	Certificates                 // certificates, CRLs and OCSP responses in messages
	Signatures                   // signature checks
	PrivateKeys                  // private-key operations
	Iterations                   // of password-based key derivation
	Layers                       // of S/MIME
	Parts                        // of MIME
	resources
)

// Limits has the limit of each Resource. Zero means none left, not no limit;
// so does a negative limit.
type Limits [resources]int64

// An Exceeded says which limit was reached.
type Exceeded struct {
	Resource Resource
	Limit    int64
}

func (e *Exceeded) Error() string { return fmt.Sprintf("limit of %d %v reached", e.Limit, e.Resource) }

// A Budget counts what is used. It is safe for concurrent use. The zero Budget
// has nothing to give.
type Budget struct {
	limits Limits
	left   [resources]atomic.Int64
}

// New returns a Budget with nothing used.
func New(l Limits) *Budget {
	b := &Budget{limits: l}
	for r, n := range l {
		b.left[r].Store(max(n, 0))
	}
	return b
}

// Take uses n of r. If that is more than is left, or n is negative, it returns
// an [*Exceeded] and takes nothing.
func (b *Budget) Take(r Resource, n int64) error {
	if r >= resources {
		return &Exceeded{Resource: r}
	}
	for {
		left := b.left[r].Load()
		if n < 0 || n > left {
			return &Exceeded{Resource: r, Limit: b.limits[r]}
		}
		if b.left[r].CompareAndSwap(left, left-n) {
			return nil
		}
	}
}

// Give returns n of r that was taken, such as freed memory. What is left never
// grows beyond the limit.
func (b *Budget) Give(r Resource, n int64) {
	if r >= resources || n <= 0 {
		return
	}
	limit := max(b.limits[r], 0)
	for {
		left := b.left[r].Load()
		now := limit
		if n < limit-left {
			now = left + n
		}
		if b.left[r].CompareAndSwap(left, now) {
			return
		}
	}
}

// Left returns how much of r is left.
func (b *Budget) Left(r Resource) int64 {
	if r >= resources {
		return 0
	}
	return b.left[r].Load()
}

func (r Resource) String() string {
	names := [...]string{
		Bytes: "bytes", Expanded: "expanded bytes", Memory: "bytes of memory", Held: "bytes of elements in memory", Disk: "bytes of disk",
		Signers: "signers", Recipients: "recipients", Certificates: "certificates", Signatures: "signature checks",
		PrivateKeys: "private-key operations", Iterations: "iterations", Layers: "layers", Parts: "parts",
	}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("resource %d", uint8(r))
}
