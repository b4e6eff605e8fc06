package smime

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gosmime/gosmime/internal/headerprotection"
	"github.com/gosmime/gosmime/internal/prepare"
)

// A draft is a message that is to be signed or encrypted, with what it may cost.
type draft struct {
	*prepare.Message
	work *workload
}

// readDraft reads a message for sending.
func readDraft(ctx context.Context, r io.Reader, limits Limits) (*draft, error) {
	work := limits.workload()
	m, err := prepare.Read(ctx, r, prepare.Options{Scan: work.scanOptions(), Budget: work.cms.Budget(), Dir: work.cms.Dir})
	if err != nil {
		return nil, inputError(sendError(err))
	}
	return &draft{m, work}, nil
}

// sendError makes an error of package prepare one of this package.
func sendError(err error) error {
	e, ok := errors.AsType[*prepare.Error](err)
	if !ok {
		return err
	}
	problem := ErrMalformed
	switch e.Problem {
	case prepare.BadHeader:
		problem = ErrHeader
	case prepare.Unsafe:
		problem = ErrNotTransportSafe
	}
	if errors.Is(err, problem) {
		return err
	}
	return fmt.Errorf("%w: %w", problem, err)
}

// A payload is what is to be signed or encrypted.
type payload struct{ *headerprotection.Payload }

// newPayload makes the payload of a draft.
func (d *draft) newPayload(how headerprotection.Options) (payload, error) {
	p, err := headerprotection.Compose(d.Message, how)
	return payload{p}, sendError(err)
}

func (p payload) write(w io.Writer) error { return sendError(p.Write(w)) }
