package alg

import "fmt"

// A Problem is why something could not be done. It is an error and a constant.
type Problem uint8

const (
	_                 Problem = iota
	ErrMalformed              // parameters, key or signature are not as the standard has them
	ErrUnsupported            // known or unknown, but not implemented here
	ErrWeak                   // below the floor
	ErrSignature              // the signature does not match
	ErrMismatch               // key and algorithm, or two algorithms, do not fit together
	ErrDecrypt                // integrity check of a wrapped key failed
	ErrKeyUnavailable         // the key can't answer whatever it is asked
)

// Error returns the text of p.
func (p Problem) Error() string {
	switch p {
	case ErrMalformed:
		return "malformed algorithm, key or signature"
	case ErrUnsupported:
		return "unsupported algorithm"
	case ErrWeak:
		return "weak algorithm or key"
	case ErrSignature:
		return "signature does not match"
	case ErrMismatch:
		return "key and algorithm do not fit together"
	case ErrDecrypt:
		return "decryption failed"
	case ErrKeyUnavailable:
		return "key unavailable"
	}
	return fmt.Sprintf("problem %d", uint8(p))
}

// fail wraps p with what was wrong, in words of our own and identifiers only.
func fail(p Problem, format string, args ...any) error {
	return fmt.Errorf("%w: %s", p, fmt.Sprintf(format, args...))
}
