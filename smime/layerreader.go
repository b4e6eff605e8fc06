package smime

import (
	"bytes"
	"context"
	"io"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/pkcs7"
)

// A layerReader reads the entity of one layer, as often as it takes.
type layerReader struct {
	ctx      context.Context
	work     *workload
	historic bool
}

// uncounted returns a layerReader for the same octets, which must not count twice.
func (l *layerReader) uncounted() *layerReader {
	work := Limits{CMS: l.work.uncounted(), Layers: l.work.layers, Depth: l.work.depth}.workload()
	return &layerReader{ctx: l.ctx, work: work, historic: l.historic}
}

// decompress returns what the CompressedData in an undecoded body holds.
func (l *layerReader) decompress(p *mimetree.Part, body io.Reader) (*spool.Spool, error) {
	decoded, err := decodeCMS(p, body)
	if err != nil {
		return nil, err
	}
	s := spool.New(l.work.cms.Budget(), l.work.cms.Dir)
	if err := pkcs7.Decompress(s, stream.ContextReader(l.ctx, decoded), &pkcs7.ReadOptions{Limits: l.work.cms}); err != nil {
		s.Close()
		return nil, cmsError(err)
	}
	return s, nil
}

// sniff returns the content type of the CMS object in an undecoded body, and a
// reader of all of the body.
func sniff(p *mimetree.Part, body io.Reader) (oid.OID, io.Reader, error) {
	raw := make([]byte, 2048)
	n, err := io.ReadFull(body, raw)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return "", nil, inputError(err)
	}
	raw = raw[:n]
	kind, err := sniffBytes(p, raw)
	return kind, io.MultiReader(bytes.NewReader(raw), body), err
}

// sniffBytes is sniff for the first octets of a body.
func sniffBytes(p *mimetree.Part, raw []byte) (oid.OID, error) {
	decoded, err := decodeCMS(p, bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	first := make([]byte, 64)
	n, err := io.ReadFull(decoded, first)
	if n == 0 && err != io.EOF {
		return "", inputError(err)
	}
	id, err := pkcs7.ContentType(first[:n])
	if err != nil {
		return "", cmsError(err)
	}
	return oid.FromX509(id), nil
}

// sameBody returns the body of an entity that src can be asked for again: it
// skips the header.
func sameBody(p *mimetree.Part, src func() (io.Reader, error)) func() (io.Reader, error) {
	return func() (io.Reader, error) {
		r, err := src()
		if err != nil {
			return nil, err
		}
		if _, err := io.CopyN(io.Discard, r, p.Body); err != nil {
			return nil, err
		}
		return decodeCMS(p, r)
	}
}

// drain reads what follows the CMS object in a body: nothing but what its
// encoding allows may be there.
func drain(body io.Reader) error {
	_, err := io.Copy(io.Discard, body)
	return inputError(err)
}

// toleranceNotes says what the decoder of a body let pass.
func toleranceNotes(body io.Reader) []Note {
	var what []string
	t := mimetree.Tolerated(body)
	if t&mimetree.UnlabelledBase64 != 0 {
		what = append(what, "not labelled")
	}
	if t&mimetree.BlanksInBase64 != 0 {
		what = append(what, "blanks")
	}
	if t&mimetree.MissingPadding != 0 {
		what = append(what, "no padding")
	}
	if t&mimetree.LongBase64Lines != 0 {
		what = append(what, "long lines")
	}
	var notes []Note
	for _, w := range what {
		notes = append(notes, Note{Code: NoteTransferEncoding, Detail: w})
	}
	return notes
}
