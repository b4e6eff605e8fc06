package smime

import (
	"fmt"
	"io"
	"iter"
	"maps"
	"mime"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gosmime/gosmime/internal/headerprotection"
	"github.com/gosmime/gosmime/internal/mimetree"
)

// A Part is one leaf of the MIME tree of a message, such as a text or an
// attachment, with what was found out about exactly its octets. An attached
// message (message/rfc822) is a Part too, and the Parts inside it follow it.
type Part struct {
	// Path holds the indices that lead from the message to the part. A step into
	// an attached message, and a step through an S/MIME layer, is index 0. No two
	// parts of a message have the same Path.
	Path []int
	// Within lists the media types of the multiparts around the part, the
	// outermost first, without multipart/signed layers. Of the parts directly
	// within one "multipart/alternative" a program shows the last that it knows.
	Within []string
	// Type is the media type in lower case, and Params are its parameters, with
	// names in lower case (RFC 2045 section 5, RFC 2231).
	Type   string
	Params map[string]string
	// Disposition is "inline", "attachment" or another word in lower case, and
	// empty where the part has no Content-Disposition (RFC 2183).
	Disposition string
	// FileName is the decoded file name without drive, directories, control
	// characters and characters that change the direction of text, or empty. Two parts can
	// have the same.
	FileName string
	// ContentID is the Content-ID without its angle brackets, or empty
	// (RFC 2392: what cid: URLs in HTML refer to).
	ContentID string
	// Layer is the layer that the part lies in: a PlainLayer, or a layer that
	// could not be opened.
	Layer Layer
	// Message is the attached message that the part lies in, or nil.
	Message *Part

	size         int64
	open         func() (io.Reader, error)
	signer       *Signer
	signerErr    error
	confidential error
}

// Content returns the content of the part with its transfer encoding undone.
// Text is not converted from its charset. Legacy display text (RFC 9788 section
// 2.1.2) is left out. The content of a layer that could not be opened is the
// CMS object. The error is [ErrMalformed] if the transfer encoding is not known;
// the reader fails with it where the content is not in that encoding.
//
// The octets are unverified unless [Part.Signer] returns no error.
func (p *Part) Content() (io.Reader, error) {
	if p.open == nil {
		return nil, ErrUnchecked
	}
	return p.open()
}

// Size returns the number of octets of the content before its transfer encoding
// is undone.
func (p *Part) Size() int64 { return p.size }

// Signer returns who signed these octets: the signer of the innermost good
// signature around the part, not counting signatures outside of encryption. It
// may be another person than [Message.Signer], who signed all of the message: the
// signer of an attached message, or of one part of a digest. The error is
// [ErrNotSigned] where nobody signed the part, [ErrLocked] where only those who
// have the key can tell, [ErrNotCovered] where other programs may show something
// else than a layer around it, and else that of the innermost signature around it.
func (p *Part) Signer() (*Signer, error) {
	if p.signer == nil && p.signerErr == nil {
		return nil, ErrUnchecked
	}
	return p.signer, p.signerErr
}

// Confidential is [Message.Confidential] for this part alone.
func (p *Part) Confidential() error {
	if p.open == nil {
		return ErrUnchecked
	}
	return p.confidential
}

// Parts returns the leaf parts of the message in the order in which they stand,
// which is the order in which they are shown, at any depth: those of the
// innermost entity, of attached messages, and of layers outside of the
// cryptographic envelope (see [Layer.Errant]). A layer that could not be opened
// is one part. The signatures of multipart/signed layers are not parts.
func (m *Message) Parts() iter.Seq[*Part] {
	return func(yield func(*Part) bool) {
		if m.root != nil {
			w := partWalk{m.decorated(), yield}
			w.layer(m.root, surroundings{})
		}
	}
}

// A partWalk yields the parts of a message.
type partWalk struct {
	marked []*mimetree.Part // have a Legacy Display Element
	yield  func(*Part) bool
}

// The surroundings of a part are what is around it.
type surroundings struct {
	path    []int
	within  []string
	layers  []Layer // outermost first
	message *Part
}

// step returns the surroundings of what stands at an index.
func (s surroundings) step(index int) surroundings {
	s.path = append(slices.Clip(s.path), index)
	return s
}

func (w *partWalk) layer(l Layer, s surroundings) bool {
	n := nodeOf(l)
	if plain, ok := l.(*PlainLayer); ok {
		s.layers = append(slices.Clip(s.layers), l)
		return w.entity(plain, n.tree, nil, s)
	}
	s.layers = append(slices.Clip(s.layers), l)
	if len(n.children) == 1 {
		return w.layer(n.children[0], s.step(0))
	}
	if n.tree.Type.Type == "multipart/signed" && len(n.tree.Children) > 0 {
		// A broken signature hides nothing of what it should have covered.
		for i, c := range n.tree.Children {
			if i == 1 && mimetree.IsSignatureType(c.Type.Type) {
				continue
			}
			if !w.entity(l, c, []int{i}, s.step(i)) {
				return false
			}
		}
		return true
	}
	return w.yield(w.part(l, n.tree, s))
}

// entity walks through a MIME entity of a layer; at is its place in the layer.
func (w *partWalk) entity(l Layer, p *mimetree.Part, at []int, s surroundings) bool {
	for _, c := range nodeOf(l).children {
		if len(at) > 0 && slices.Equal(c.Part(), at) {
			return w.layer(c, s)
		}
	}
	if len(p.Children) == 0 {
		return w.yield(w.part(l, p, s))
	}
	if p.IsMessage() {
		attached := w.part(l, p, s)
		if !w.yield(attached) {
			return false
		}
		s.message = attached
	} else {
		s.within = append(slices.Clip(s.within), p.Type.Type)
	}
	for i, c := range p.Children {
		if !w.entity(l, c, append(slices.Clip(at), i), s.step(i)) {
			return false
		}
	}
	return true
}

// part makes the Part of an entity of a layer.
func (w *partWalk) part(l Layer, p *mimetree.Part, s surroundings) *Part {
	body := octets{nodeOf(l).raw.at, p.BodyRange()}
	part := &Part{
		Path: slices.Clone(s.path), Within: slices.Clone(s.within), Layer: l, Message: s.message,
		Type: p.Type.Type, Params: maps.Clone(p.Type.Params), size: body.Len(),
	}
	part.describe(p)
	_, plain := l.(*PlainLayer)
	marked := slices.Contains(w.marked, p)
	part.open = func() (io.Reader, error) {
		if !plain {
			return decodeCMS(p, body.reader())
		}
		r, err := mimetree.Decode(p, body.reader())
		if err == nil && marked {
			r = headerprotection.Strip(p, r)
		}
		return &partReader{r}, inputError(err)
	}
	part.signer, part.signerErr = signerOf(s.layers)
	part.confidential = confidentialOf(s.layers)
	return part
}

// A partReader makes errors of a transfer encoding ErrMalformed.
type partReader struct{ r io.Reader }

func (p *partReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	return n, inputError(err)
}

// describe reads the fields that say how to show the part.
func (p *Part) describe(from *mimetree.Part) {
	for _, v := range from.Header.Get("Content-Disposition") {
		if d, err := mimetree.ParseMediaType(v); err == nil && p.Disposition == "" {
			p.Disposition, p.FileName = d.Type, fileName(d.Params["filename"])
		}
	}
	if p.FileName == "" {
		p.FileName = fileName(p.Params["name"])
	}
	for _, v := range from.Header.Get("Content-ID") {
		p.ContentID = strings.TrimSuffix(strings.TrimPrefix(v, "<"), ">")
	}
}

// fileName returns what may be shown of a file name that a sender wrote, which
// many programs encode as RFC 2047 forbids.
func fileName(written string) string {
	if decoded, err := new(mime.WordDecoder).DecodeHeader(written); err == nil {
		written = decoded
	}
	name := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, written)
	name = strings.TrimSpace(name[strings.LastIndexAny(name, `/\`)+1:])
	if len(name) > 1 && name[1] == ':' {
		name = strings.TrimSpace(name[2:]) // a drive of Windows
	}
	if name == "." || name == ".." {
		return ""
	}
	return name
}

// signerOf returns who signed what lies within layers, given outermost first.
func signerOf(layers []Layer) (*Signer, error) {
	var first error
	for _, l := range slices.Backward(layers) {
		switch l := l.(type) {
		case *SignedLayer:
			signer, err := l.ContentSigner()
			if err == nil {
				if err = ambiguous(layers); err == nil {
					return signer, nil
				}
				err = fmt.Errorf("%w: %w", ErrNotCovered, err)
			}
			if first == nil {
				first = err
			}
		case *EncryptedLayer:
			if err := l.final.opened.Err(); err != nil {
				return nil, lockedError(err)
			}
			if first == nil {
				first = ErrNotSigned
			}
			return nil, first
		}
	}
	if first == nil {
		first = ErrNotSigned
	}
	return nil, first
}

// confidentialOf returns nil if what lies within layers, given outermost first,
// was encrypted such that nobody without the key could change it.
func confidentialOf(layers []Layer) error {
	var first error
	signed := false
	if slices.ContainsFunc(layers, func(l Layer) bool { _, ok := l.(*EncryptedLayer); return ok }) {
		if err := ambiguous(layers); err != nil {
			return err
		}
	}
	for _, l := range slices.Backward(layers) {
		switch l := l.(type) {
		case *SignedLayer:
			_, err := l.ContentSigner()
			signed = signed || err == nil
		case *EncryptedLayer:
			err := l.confidential(signed)
			if err == nil {
				return nil
			}
			if first == nil {
				first = err
			}
		}
	}
	if first == nil {
		first = ErrNotEncrypted
	}
	return first
}
