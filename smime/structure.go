package smime

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
)

// structureError returns [ErrAmbiguousStructure] with what it is about, or nil.
func structureError(d mimetree.Defect) error {
	var what []string
	for _, x := range [...]struct {
		defect mimetree.Defect
		text   string
	}{
		{mimetree.AmbiguousHeader, "a header line that is no field to every program"},
		{mimetree.AmbiguousType, "a type that programs read differently"},
		{mimetree.AmbiguousBoundary, "a boundary that programs read differently"},
		{mimetree.AmbiguousEncoding, "a transfer encoding on a multipart, and text outside of its parts"},
		{mimetree.AmbiguousDelimiter, "a line that only some programs take for a delimiter"},
	} {
		if d&x.defect != 0 {
			what = append(what, x.text)
		}
	}
	if len(what) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrAmbiguousStructure, strings.Join(what, ", "))
}

// uncover fails the coverage of signatures in an entity that other programs may
// show differently. Where the author is ambiguous too the error says so.
func uncover(reports []*SignerReport, structure error, who *authors) {
	if structure == nil {
		return
	}
	err := fmt.Errorf("%w: %w", ErrNotCovered, structure)
	if errors.Is(who.err, ErrAmbiguousSender) {
		err = fmt.Errorf("%w; %w", err, who.err)
	}
	for _, r := range reports {
		r.Coverage = failed(err)
		r.conclude()
	}
}
