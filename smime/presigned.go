package smime

import (
	"errors"
	"fmt"
	"io"

	"github.com/gosmime/gosmime/internal/headerprotection"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/prepare"
	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/pkcs7"
)

// decidedOuter returns the outer fields of a message that is signed already.
// One that was signed for encryption has them recorded in its payload
// (RFC 9788 section 2.2); of any other nothing is hidden, since nobody could
// tell later what was.
func (d *draft) decidedOuter() ([]prepare.Field, error) {
	inside, err := d.innerHeader()
	if err != nil || inside == nil || inside.Type.Params["hp"] != "cipher" {
		return d.Fields, err
	}
	outer, err := headerprotection.Recorded(d.Fields, inside)
	return outer, sendError(err)
}

// innerHeader returns the header of what was signed, under however many
// signatures, or nil if the message is not a signed one.
func (d *draft) innerHeader() (*mimetree.Part, error) {
	inside, err := d.signedHeader(d.Root, d.Section(d.Root.Range), d.work.layers)
	if inside == d.Root {
		inside = nil
	}
	return inside, err
}

// signedHeader returns the header of what is under the signatures of part,
// which is entity, down to what is no signed layer; nil if that can't be found.
func (d *draft) signedHeader(part *mimetree.Part, entity *io.SectionReader, layers int) (*mimetree.Part, error) {
	if layers < 0 {
		return nil, fmt.Errorf("%w: layers of S/MIME", ErrLimit)
	}
	form, _ := mimetree.FormOf(part)
	switch form {
	case mimetree.FormClear:
		// The scan of the message did not look inside.
		tree, err := mimetree.Scan(entity, &mimetree.Options{
			Enter: func(parent, _ *mimetree.Part) bool { return parent == nil },
		})
		if err != nil || len(tree.Children) == 0 {
			return nil, inputError(err)
		}
		child := tree.Children[0]
		return d.signedHeader(child, io.NewSectionReader(entity, child.Start, child.Len()), layers-1)
	case mimetree.FormCMS:
		return d.opaqueHeader(part, entity, layers)
	}
	return part, nil
}

// opaqueHeader is signedHeader of an opaque-signed part.
func (d *draft) opaqueHeader(part *mimetree.Part, entity *io.SectionReader, layers int) (*mimetree.Part, error) {
	content := func() (io.Reader, error) {
		at := part.Body - part.Start
		body, err := decodeCMS(part, io.NewSectionReader(entity, at, entity.Size()-at))
		if err != nil {
			return nil, err
		}
		return pkcs7.NewSignedReader(body, nil, &pkcs7.ReadOptions{InsecureHistoric: true})
	}
	signed, err := content()
	if err = inputError(err); err != nil {
		if errors.Is(err, pkcs7.ErrSyntax) || errors.Is(err, pkcs7.ErrUnsupported) || errors.Is(err, ErrMalformed) {
			return part, nil // something else: encrypted, or for the reader to judge
		}
		return nil, err
	}
	inside, _, _, err := mimetree.ReadHeader(io.LimitReader(signed, 2<<20))
	if err != nil {
		if errors.Is(err, pkcs7.ErrSyntax) {
			return nil, nil
		}
		return nil, inputError(err)
	}
	if f, _ := mimetree.FormOf(inside); f == mimetree.FormPlain {
		return inside, nil
	}
	if signed, err = content(); err != nil {
		return nil, err
	}
	held := spool.New(d.work.cms.Budget(), d.work.cms.Dir)
	defer held.Close()
	if _, err := io.Copy(held, signed); err != nil {
		return nil, inputError(err)
	}
	return d.signedHeader(inside, io.NewSectionReader(held, 0, held.Size()), layers-1)
}
