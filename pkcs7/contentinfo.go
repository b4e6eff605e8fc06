package pkcs7

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
)

// ContentType returns the content type of the ContentInfo that begins head, so
// that a caller can choose what to do with a message before reading it.
func ContentType(head []byte) (x509.OID, error) {
	p := newParser(bytes.NewReader(head), Limits{})
	if err := p.enter(ber.Sequence, "ContentInfo"); err != nil {
		return x509.OID{}, err
	}
	id, err := p.oid("ContentInfo.contentType")
	if err != nil {
		return x509.OID{}, err
	}
	return id.X509(), nil
}

// maxSmall bounds an element that has no reason to be large, such as an
// AlgorithmIdentifier.
const maxSmall = 64 << 10

// A parser is a ber.Reader whose errors are those of this package. Each method
// takes the name of the field for its error.
type parser struct {
	*ber.Reader
	lim      Limits // with defaults
	budget   *budget.Budget
	copies   bool // elements keeps what is there twice
	unparsed bool // elements are kept for the caller alone
	filler   bool // ReadOptions.TrailingZeros
}

func newParser(src io.Reader, lim Limits) *parser {
	b := lim.Budget()
	lim = lim.withDefaults()
	// The budget counts the octets, so that all layers together are bounded.
	r := ber.NewReader(&meteredReader{src, b}, ber.Limits{Bytes: math.MaxInt64, Depth: lim.Depth})
	return &parser{Reader: r, lim: lim, budget: b}
}

// fail returns a SyntaxError at the current offset.
func (p *parser) fail(field, reason string) error {
	return &SyntaxError{Offset: p.Offset(), Field: field, Reason: reason}
}

// wrap makes err one of this package's. io.EOF is the end of the enclosing
// container: the field is missing.
func (p *parser) wrap(err error, field string) error {
	switch err {
	case nil:
		return nil
	case io.EOF:
		return p.fail(field, "missing")
	}
	return wrapFailure(err, field)
}

// wrapError is small so that it costs nothing where there is no error.
func wrapError(err error, field string) error {
	if err == nil {
		return nil
	}
	return wrapFailure(err, field)
}

func wrapFailure(err error, field string) error {
	var syntax *ber.SyntaxError
	var limit *ber.LimitError
	var over *budget.Exceeded
	switch {
	case errors.As(err, &syntax):
		return &SyntaxError{Offset: syntax.Offset, Field: field, Reason: syntax.Reason}
	case errors.As(err, &limit), errors.As(err, &over) && !errors.Is(err, ErrLimit):
		return fmt.Errorf("%w: %s: %w", ErrLimit, field, err)
	default:
		return fmt.Errorf("pkcs7: %s: %w", field, err)
	}
}

func (p *parser) enter(tag ber.Tag, field string) error { return p.wrap(p.Enter(tag), field) }
func (p *parser) leave(field string) error              { return p.wrap(p.Leave(), field) }

// more returns the next element of the container; ok is false at its end.
func (p *parser) more(field string) (e ber.Element, ok bool, err error) {
	e, err = p.Next()
	if err == io.EOF {
		return ber.Element{}, false, nil
	}
	return e, err == nil, p.wrap(err, field)
}

// at reports whether the next element has that tag.
func (p *parser) at(tag ber.Tag, field string) (bool, error) {
	e, ok, err := p.more(field)
	return ok && e.Tag == tag, err
}

// small returns the next element, of whatever kind, as DER. Nothing bigger
// than maxSmall is taken.
func (p *parser) small(field string) ([]byte, error) {
	offset := p.Offset()
	raw, err := p.Raw(maxSmall)
	if err != nil {
		return nil, p.wrap(err, field)
	}
	return toDER(raw, offset, field)
}

// toDER converts a BER element that began at offset.
func toDER(raw []byte, offset int64, field string) ([]byte, error) {
	der, err := ber.ToDER(raw, false, 4*len(raw)+16)
	if err == nil {
		return der, nil
	}
	err = wrapFailure(err, field)
	if syntax, ok := err.(*SyntaxError); ok {
		syntax.Offset += offset
	}
	return nil, err
}

// keep returns the next element as it came and counts it against what may be
// held in memory.
func (p *parser) keep(field string) ([]byte, error) {
	raw, err := p.Raw(int(min(p.budget.Left(budget.Held), math.MaxInt32)))
	if err != nil {
		return nil, p.wrap(err, field)
	}
	return raw, take(p.budget, budget.Held, int64(len(raw)))
}

// elementCost is about what an element inside of one that is kept takes in
// memory once that is parsed: a name, an attribute value, an extension.
const elementCost = 48

// octetCost is how many octets an octet of such an element takes: its own, and
// copies such as those of names in the form in which they are compared.
const octetCost = 5

// keepParsed is keep for an element that is going to be parsed, and returns
// also what was counted.
func (p *parser) keepParsed(field string) (raw []byte, cost int64, err error) {
	if raw, cost, err = p.keepTimes(octetCost, field); err != nil {
		return nil, 0, err
	}
	more := elementCost * int64(ber.CountElements(raw))
	return raw, cost + more, take(p.budget, budget.Held, more)
}

// keepTimes is keep for an element that takes so many octets for each of its own.
func (p *parser) keepTimes(n int64, field string) (raw []byte, cost int64, err error) {
	if raw, err = p.Raw(int(min(p.budget.Left(budget.Held)/n, math.MaxInt32))); err != nil {
		return nil, 0, p.wrap(err, field)
	}
	cost = n * int64(len(raw))
	return raw, cost, take(p.budget, budget.Held, cost)
}

// keepMember keeps a certificate, which is parsed, or a CRL, which is copied once
// and looked through.
func (p *parser) keepMember(tag ber.Tag, field string) (raw []byte, cost int64, err error) {
	switch {
	case p.unparsed:
		return p.keepTimes(1, field)
	case tag == ber.Context(0):
		return p.keepParsed(field)
	}
	return p.keepTimes(2, field)
}

// octets returns the contents of the next element, an OCTET STRING with that
// tag in one piece or in segments, of at most limit octets.
func (p *parser) octets(tag ber.Tag, limit int, field string) ([]byte, error) {
	b, err := p.Octets(tag, limit)
	if err != nil {
		return nil, p.wrap(err, field)
	}
	return b, nil
}

func (p *parser) oid(field string) (oid.OID, error) {
	der, err := p.small(field)
	if err != nil {
		return "", err
	}
	var id oid.OID
	if s := cryptobyte.String(der); !oid.Read(&s, &id) {
		return "", p.fail(field, "not an OBJECT IDENTIFIER")
	}
	return id, nil
}

func (p *parser) algorithm(field string) (alg.Identifier, error) {
	der, err := p.small(field)
	if err != nil {
		return alg.Identifier{}, err
	}
	var id alg.Identifier
	s := cryptobyte.String(der)
	if !alg.ReadIdentifier(&s, &id) || !s.Empty() {
		return alg.Identifier{}, p.fail(field, "not an AlgorithmIdentifier")
	}
	return id, nil
}

// version reads a CMSVersion. A wrong number is not rejected (RFC 5652 section
// 1.3) and never chooses how to read on, but it must be one: not negative and
// of one octet.
func (p *parser) version(field string) (int, error) {
	b, err := p.Contents(ber.Integer, 16)
	_, long := errors.AsType[*ber.LimitError](err)
	if err != nil && !long {
		return 0, p.wrap(err, field)
	}
	v, ok := versionOf(b)
	if !ok { // also one that is longer than any number of a version
		return 0, p.fail(field, "not a version number")
	}
	return v, nil
}

func versionOf(contents []byte) (int, bool) {
	for len(contents) > 1 && contents[0] == 0 {
		contents = contents[1:]
	}
	if len(contents) != 1 || contents[0] >= 0x80 {
		return 0, false
	}
	return int(contents[0]), true
}

// contentInfo opens a ContentInfo up to its content and returns the type.
//
//	ContentInfo ::= SEQUENCE {
//	    contentType ContentType,
//	    content [0] EXPLICIT ANY DEFINED BY contentType }
func (p *parser) contentInfo() (oid.OID, error) {
	if err := p.enter(ber.Sequence, "ContentInfo"); err != nil {
		return "", err
	}
	id, err := p.oid("ContentInfo.contentType")
	if err != nil {
		return "", err
	}
	return id, p.enter(ber.Context(0), "ContentInfo.content")
}

// contentInfoOf opens a ContentInfo that must have one of the given types.
func (p *parser) contentInfoOf(types ...oid.OID) (oid.OID, error) {
	id, err := p.contentInfo()
	if err != nil {
		return "", err
	}
	for _, t := range types {
		if id == t {
			return id, nil
		}
	}
	return "", fmt.Errorf("%w: content type %s", ErrUnsupported, id)
}

// endContentInfo closes what contentInfo opened. Nothing may follow: what one
// reader ignores there another one shows.
func (p *parser) endContentInfo() error {
	if err := p.leave("ContentInfo.content"); err != nil {
		return err
	}
	if err := p.leave("ContentInfo"); err != nil {
		return err
	}
	end := p.End
	if p.filler {
		end = p.EndFiller
	}
	return p.wrap(end(), "end of ContentInfo")
}

// elements reads a SET OF whose members are kept as they came, such as
// CertificateSet and RevocationInfoChoices, without what is there twice.
// Members that mean nothing are the business of who looks at them.
func (p *parser) elements(tag ber.Tag, field string) ([][]byte, error) {
	if err := p.enter(tag, field); err != nil {
		return nil, err
	}
	var seen elementSet
	var all [][]byte
	for copies := 0; ; {
		_, ok, err := p.more(field)
		if err != nil {
			return nil, err
		}
		if !ok {
			return all, p.leave(field)
		}
		raw, cost, err := p.keepMember(tag, field)
		if err != nil {
			return nil, err
		}
		all = append(all, raw)
		if !seen.add(raw) {
			// Many copies of one certificate are harmless, but not without end.
			if copies++; copies > 10*p.lim.Certificates {
				return nil, fmt.Errorf("%w: %d copies in %s", ErrLimit, copies, field)
			}
			if !p.copies {
				all = all[:len(all)-1]
				p.budget.Give(budget.Held, cost)
			}
			continue
		}
		if err := take(p.budget, budget.Certificates, 1); err != nil {
			return nil, err
		}
	}
}
