package pkcs7

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/gosmime/gosmime/internal/budget"
)

// An unwrapper asks keys for the content key of one message.
type unwrapper struct {
	ctx    context.Context
	budget *budget.Budget
	keyLen int
	anyLen bool  // keys that a wrap protects may have another length
	failed error // why a candidate could not be asked
}

// A contentKey is what one candidate gave.
type contentKey struct {
	cek []byte
	// wrong says that it is known to be wrong, and cek random. The same work is
	// done with it, so that only the outcome tells.
	wrong bool
	// derived says that the key for the recipient was not derived as the standard
	// says.
	derived bool
	key     *matchKey
}

// unwrap asks the keys of the given candidates. It fails only for reasons that
// anyone may know.
func (u *unwrapper) unwrap(list []candidate) ([]contentKey, error) {
	var keys []contentKey
	for _, c := range list {
		if err := u.ctx.Err(); err != nil {
			return nil, err
		}
		err := take(u.budget, budget.PrivateKeys, 1)
		if err == nil {
			err = take(u.budget, budget.Iterations, c.iterations)
		}
		if err != nil {
			u.fail(err)
			break
		}
		random := make([]byte, u.keyLen)
		if _, err := rand.Read(random); err != nil {
			return nil, err
		}
		cek, err := c.open(u.ctx, u.keyLen)
		// Asked of success too, so that it takes as long.
		why := err
		if why == nil {
			why = ErrDecrypt
		}
		if gone := unavailable(u.ctx, why); gone && err != nil {
			u.fail(unavailableError(u.ctx, err))
			continue
		}
		k := contentKey{cek: cek, key: c.key, derived: c.derived}
		if err != nil || len(cek) != u.keyLen && !(u.anyLen && c.selfChecking && len(cek) > 0) {
			clear(cek)
			k.cek, k.wrong = random, true
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func (u *unwrapper) fail(err error) {
	if u.failed == nil {
		u.failed = err
	}
}

func unavailableError(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return cause
	}
	if errors.Is(err, ErrKeyUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrKeyUnavailable, err)
}
