// Package budget bounds the work that one message causes, all its layers
// together. A [Budget] is shared by everything that reads the message.
package budget

import "fmt"

// A Resource is what a Budget counts.
type Resource uint8

const (
	Bytes        Resource = iota // encoded octets read
	Expanded                     // octets after decompression
	Memory                       // octets held in memory
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

// Limits has the limit of each Resource. Zero means none left, not no limit.
type Limits [resources]int64

// An Exceeded says which limit was reached.
type Exceeded struct {
	Resource Resource
	Limit    int64
}

func (e *Exceeded) Error() string { return fmt.Sprintf("limit of %d %v reached", e.Limit, e.Resource) }

// A Budget counts what is used. It is safe for concurrent use.
type Budget struct{}

// New returns a Budget with nothing used.
func New(l Limits) *Budget { panic("sketch") }

// Take uses n of r. If that is more than is left it returns an [*Exceeded] and takes nothing.
func (b *Budget) Take(r Resource, n int64) error { panic("sketch") }

// Give returns n of r that was taken, such as freed memory.
func (b *Budget) Give(r Resource, n int64) { panic("sketch") }

// Left returns how much of r is left.
func (b *Budget) Left(r Resource) int64 { panic("sketch") }

func (r Resource) String() string { panic("sketch") }
