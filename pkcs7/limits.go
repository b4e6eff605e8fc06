package pkcs7

import (
	"crypto/x509"
	"fmt"
	"io"

	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/stream"
)

// ReadOptions are the options of reading; nil means the defaults.
type ReadOptions struct {
	Limits           Limits
	InsecureHistoric bool // SHA-1, P-224 and RSA from 1024 bits pass CheckSignature
	// PKCS7Content reads content that is not an OCTET STRING, as in the trust
	// lists and signed code of Microsoft: what Read returns, and what is hashed,
	// is then the contents octets of that element (RFC 5652 section 5.2.1).
	PKCS7Content bool
	// TrailingZeros accepts any number of NUL octets, and of blanks and line ends,
	// after the ContentInfo, as in the Contents of a PDF signature, which is as
	// long as was reserved for it. Without it, at most 16 may follow.
	TrailingZeros bool
	// Certificates may be those of signers, in addition to the certificates in
	// the message, and are among what a [TrustFunc] gets as extra. Nothing vouches
	// for them either.
	Certificates []*x509.Certificate
}

// Limits bound the work that one message may cause. A zero field has the
// default that its comment names.
type Limits struct {
	Bytes        int64 // encoded size; default 4 GiB
	Depth        int   // nesting of the encoding; default 32
	Signers      int   // default 16
	Recipients   int   // default 10 000
	Certificates int   // default 100

	Signatures  int    // signature checks, each counted by the size of its RSA key: 4096 bits and the exponent 65537 are one, twice the bits are four; default 100
	PrivateKeys int    // private-key operations; default 10
	Iterations  int    // of a password's KDF; default 10 000 000
	Expanded    int64  // size after decompression; default 1 GiB
	Ratio       int    // of expansion, beyond the first 8 MiB; default 250
	Memory      int64  // of content held in memory, and of elements such as certificates with what they consist of, each for all layers together; default 4 MiB
	Disk        int64  // of temporary files; default 4 GiB; negative: none
	Dir         string // of temporary files; empty: os.TempDir

	shared *budget.Budget
}

// Shared returns limits that count for everything they are passed to, together: one
// budget for all layers of a message. Limits that are shared already stay so.
func (l Limits) Shared() Limits {
	if l.shared != nil {
		return l
	}
	l = l.withDefaults()
	l.shared = l.newBudget()
	return l
}

// Budget returns what is left of l, for the packages of this module: that of
// [Limits.Shared], or a fresh one.
func (l Limits) Budget() *budget.Budget {
	if l.shared != nil {
		return l.shared
	}
	return l.withDefaults().newBudget()
}

func (l Limits) newBudget() *budget.Budget {
	return budget.New(budget.Limits{
		budget.Bytes:        l.Bytes,
		budget.Expanded:     l.Expanded,
		budget.Memory:       l.Memory,
		budget.Held:         l.Memory,
		budget.Disk:         l.Disk,
		budget.Signers:      int64(l.Signers),
		budget.Recipients:   int64(l.Recipients),
		budget.Certificates: int64(l.Certificates),
		budget.Signatures:   int64(l.Signatures),
		budget.PrivateKeys:  int64(l.PrivateKeys),
		budget.Iterations:   int64(l.Iterations),
	})
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.Bytes, 4<<30)
	setDefault(&l.Depth, 32)
	setDefault(&l.Signers, 16)
	setDefault(&l.Recipients, 10_000)
	setDefault(&l.Certificates, 100)
	setDefault(&l.Signatures, 100)
	setDefault(&l.PrivateKeys, 10)
	setDefault(&l.Iterations, 10_000_000)
	setDefault(&l.Expanded, 1<<30)
	setDefault(&l.Ratio, 250)
	setDefault(&l.Memory, 4<<20)
	setDefault(&l.Disk, 4<<30)
	return l
}

func setDefault[T int | int64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// take uses n of r and makes the error of an exhausted budget an ErrLimit.
func take(b *budget.Budget, r budget.Resource, n int64) error {
	if err := b.Take(r, n); err != nil {
		return fmt.Errorf("%w: %w", ErrLimit, err)
	}
	return nil
}

// A meteredReader takes what it reads from the Bytes of a budget.
type meteredReader struct {
	r io.Reader
	b *budget.Budget
}

func (m *meteredReader) Read(p []byte) (int, error) {
	n, err := stream.ReadSome(m.r, p)
	if n > 0 {
		if over := take(m.b, budget.Bytes, int64(n)); over != nil {
			return 0, over
		}
	}
	return n, err
}

// unshared returns limits of the same size with a budget of their own: what was
// counted once is not counted twice.
func (l Limits) unshared() Limits {
	l.shared = nil
	return l
}
