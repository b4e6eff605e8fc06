package smime

import (
	"errors"
	"fmt"

	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/pkcs7"
)

// Limits bound the work that one message may cause. Each zero field has the
// default that its comment names.
type Limits struct {
	CMS    pkcs7.Limits // for the whole message, all layers together
	Layers int          // default 8
	Parts  int          // MIME parts; default 1000
	Depth  int          // of MIME; default 32
	Header int64        // octets of memory that the headers of all parts take, each field and parameter counted with what it costs beside its text; default 4 MiB
}

// A workload is what one message may still cost.
type workload struct {
	cms    pkcs7.Limits // shared
	mime   *budget.Budget
	depth  int
	layers int // left
}

func (l Limits) workload() *workload {
	parts := l.Parts
	if parts == 0 {
		parts = 1000
	}
	w := &workload{cms: l.CMS.Shared(), depth: l.Depth, layers: l.Layers}
	if w.layers == 0 {
		w.layers = 8
	}
	header := l.Header
	if header == 0 {
		header = 4 << 20
	}
	w.mime = budget.New(budget.Limits{budget.Parts: int64(parts), budget.Memory: header})
	return w
}

// uncounted returns the limits for what is done to the same octets once more: they
// were within the limits and must not count twice.
func (w *workload) uncounted() pkcs7.Limits {
	l := w.cms
	fresh := pkcs7.Limits{
		Bytes: l.Bytes, Depth: l.Depth, Signers: l.Signers, Recipients: l.Recipients, Certificates: l.Certificates,
		Signatures: l.Signatures, PrivateKeys: l.PrivateKeys, Iterations: l.Iterations,
		Expanded: l.Expanded, Ratio: l.Ratio, Memory: l.Memory, Disk: l.Disk, Dir: l.Dir,
	}
	return fresh
}

// layer counts one more layer.
func (w *workload) layer() error {
	if w.layers--; w.layers < 0 {
		return fmt.Errorf("%w: layers of S/MIME", ErrLimit)
	}
	return nil
}

// scanOptions returns those for reading MIME within the limits.
func (w *workload) scanOptions() mimetree.Options {
	return mimetree.Options{Depth: w.depth, Budget: w.mime}
}

// inputError makes errors of limits ErrLimit, wherever they were met.
func inputError(err error) error {
	if err == nil || errors.Is(err, ErrLimit) {
		return err
	}
	var ex *budget.Exceeded
	var le *mimetree.LimitError
	if errors.As(err, &ex) || errors.As(err, &le) {
		return fmt.Errorf("%w: %w", ErrLimit, err)
	}
	var be *mimetree.Base64Error
	var ee *mimetree.EncodingError
	if errors.As(err, &be) || errors.As(err, &ee) {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return err
}

// cmsError makes an error of package pkcs7 one of this package.
func cmsError(err error) error {
	if err == nil {
		return nil
	}
	if e := inputError(err); e != err {
		return e
	}
	return fmt.Errorf("smime: %w", err)
}
