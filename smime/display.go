package smime

import (
	"io"
	"slices"

	"github.com/gosmime/gosmime/internal/headerprotection"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/internal/stream"
)

// withoutLegacyDisplay returns an entity without the Legacy Display Elements of
// the marked parts (RFC 9788 section 4.5.3).
func withoutLegacyDisplay(entity octets, marked []*mimetree.Part) io.Reader {
	var readers []io.Reader
	at := entity.Start
	for _, p := range marked {
		readers = append(readers, io.NewSectionReader(entity.at, at, p.Body-at))
		readers = append(readers, headerprotection.StripBody(p, octets{entity.at, p.BodyRange()}.reader()))
		at = p.End
	}
	return io.MultiReader(append(readers, io.NewSectionReader(entity.at, at, entity.End-at))...)
}

// writeDisplay writes an entity that was encrypted without its Legacy Display
// Elements. The entity is kept within the limits to find its parts first.
func (l *layerReader) writeDisplay(w io.Writer, r io.Reader) error {
	s := spool.New(l.work.cms.Budget(), l.work.cms.Dir)
	defer s.Close()
	opts := l.work.scanOptions()
	root, err := mimetree.Scan(io.TeeReader(stream.ContextReader(l.ctx, r), s), &opts)
	if err != nil {
		return cmsError(err)
	}
	// A part that is not in its transfer encoding is written as it is: an error
	// would tell of the plaintext, and come after something was written.
	marked := slices.DeleteFunc(headerprotection.Decorated(root), func(p *mimetree.Part) bool {
		decoded, err := mimetree.Decode(p, octets{s, p.BodyRange()}.reader())
		if err == nil {
			_, err = stream.Copy(io.Discard, stream.ContextReader(l.ctx, decoded))
		}
		return err != nil
	})
	if err := l.ctx.Err(); err != nil {
		return err
	}
	_, err = stream.Copy(w, withoutLegacyDisplay(octets{s, root.Range}, marked))
	return cmsError(err)
}
