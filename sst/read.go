package sst

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"math"
)

// ReadOptions are the options of [Read]; nil means the defaults.
type ReadOptions struct {
	MaxBytes    int64 // default 64 MiB
	MaxElements int   // default 100000
	MaxProperty int   // octets of one property; default 1 MiB
	// Lenient accepts, and lists in Store.Warnings, what Windows itself
	// tolerates: a missing end marker, bytes after it, trailing properties,
	// property identifiers above 0xffff. Hashes that are wrong, which are no
	// error for a strict reader either, are listed as well: see Store.Mismatches.
	Lenient bool
}

// propertiesPerElement bounds the properties of a store together with
// MaxElements. Real certificates have at most a dozen.
const propertiesPerElement = 32

func (o *ReadOptions) withDefaults() ReadOptions {
	var d ReadOptions
	if o != nil {
		d = *o
	}
	if d.MaxBytes <= 0 {
		d.MaxBytes = 64 << 20
	}
	d.MaxBytes = min(d.MaxBytes, math.MaxInt64-1)
	if d.MaxElements <= 0 {
		d.MaxElements = 100_000
	}
	if d.MaxProperty <= 0 {
		d.MaxProperty = 1 << 20
	}
	return d
}

// Read reads a whole store. The error is an [*Error] unless r failed; of a file
// in another format it says which. [ReadAny] reads those.
//
//	store   = header element* end
//	header  = version 0, "CERT"
//	element = property* context
//	record  = id, encoding type 1, length, value     for property and context
//	end     = twelve zero octets
//
// All numbers are 32 bits, little-endian.
func Read(r io.Reader, opts *ReadOptions) (*Store, error) {
	o := opts.withDefaults()
	b, err := readAll(r, o.MaxBytes)
	if err != nil {
		return nil, err
	}
	return parse(b, o)
}

// readAll reads to the end of r. Memory grows with what is there.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	size := int64(64 << 10)
	switch l := r.(type) {
	case interface{ Len() int }:
		size = int64(l.Len()) + 1
	case interface{ Stat() (fs.FileInfo, error) }:
		if info, err := l.Stat(); err == nil {
			size = max(info.Size(), 0) + 1
		}
	}
	b := make([]byte, 0, max(1, min(size, limit+1, 1<<20)))
	for {
		if len(b) == cap(b) {
			grown := make([]byte, len(b), min(2*int64(cap(b)), limit+1))
			copy(grown, b)
			b = grown
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if int64(len(b)) > limit {
			return nil, &Error{Problem: ErrLimit, Offset: limit, Element: -1, Reason: fmt.Sprintf("more than %d octets", limit)}
		}
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return nil, fmt.Errorf("sst: %w", err)
		}
	}
}

func parse(b []byte, o ReadOptions) (*Store, error) {
	p := newParser(b, o)
	if err := p.header(); err != nil {
		return nil, err
	}
	for {
		if p.at == len(b) {
			if err := p.tolerate(ErrEndMarker, int64(p.at), "no end marker"); err != nil {
				return nil, err
			}
			return p.end()
		}
		r, err := p.record()
		if err != nil {
			return nil, err
		}
		switch {
		case r.id == 0:
			return p.endMarker(r)
		case isContext(r.id):
			err = p.context(r)
		default:
			err = p.property(r)
		}
		if err != nil {
			return nil, err
		}
	}
}

const (
	headerSize = 8
	recordSize = 12
	fileType   = 0x54524543 // "CERT"
	x509ASN    = 1          // X509_ASN_ENCODING
)

// A parser reads records. What it makes points into its input.
type parser struct {
	b     []byte
	at    int
	opts  ReadOptions
	store *Store
	props []Property // of all elements, in blocks
	first int        // index in props of the first that has no element yet
	total int
	// dangling is the offset of that property.
	dangling int64
}

// A record is a property, a context or the end marker.
type record struct {
	offset int64
	id     uint32
	enc    uint32
	length uint32
	value  []byte
}

func newParser(b []byte, o ReadOptions) *parser { return &parser{b: b, opts: o, store: new(Store)} }

// header reads the version and the magic number.
func (p *parser) header() error {
	switch {
	case !isStore(p.b):
		if what := sniff(p.b); what != "" {
			return p.fail(ErrNotStore, 0, "this is "+what)
		}
		if len(p.b) < headerSize {
			return p.fail(ErrNotStore, int64(len(p.b)), "shorter than the header")
		}
		return p.fail(ErrNotStore, 4, `no "CERT"`)
	case binary.LittleEndian.Uint32(p.b) != 0:
		return p.fail(ErrVersion, 0, fmt.Sprintf("version %d", binary.LittleEndian.Uint32(p.b)))
	}
	p.at = headerSize
	return nil
}

// record reads the next record. The value of what has the id 0 is not read.
func (p *parser) record() (record, error) {
	b := p.b[p.at:]
	r := record{offset: int64(p.at)}
	if len(b) < recordSize {
		return r, p.fail(ErrTruncated, r.offset, fmt.Sprintf("%d octets where a record is due", len(b)))
	}
	r.id = binary.LittleEndian.Uint32(b)
	r.enc = binary.LittleEndian.Uint32(b[4:])
	r.length = binary.LittleEndian.Uint32(b[8:])
	p.at += recordSize
	b = b[recordSize:]
	switch {
	case r.id == 0:
		return r, nil
	case r.enc != x509ASN:
		return r, p.fail(ErrEncoding, r.offset, fmt.Sprintf("encoding type %d", r.enc))
	case uint64(r.length) > uint64(len(b)):
		return r, p.fail(ErrTruncated, r.offset, fmt.Sprintf("a value of %d octets where %d are left", r.length, len(b)))
	}
	r.value = b[:r.length:r.length]
	p.at += int(r.length)
	return r, nil
}

func isContext(id uint32) bool { return id >= uint32(Certificate) && id <= uint32(CTL) }

// property adds a property to the next element.
func (p *parser) property(r record) error {
	if r.id > math.MaxUint16 {
		if err := p.tolerate(ErrPropertyID, r.offset, fmt.Sprintf("property identifier %#x", r.id)); err != nil {
			return err
		}
	}
	if int64(r.length) > int64(p.opts.MaxProperty) {
		return p.fail(ErrLimit, r.offset, fmt.Sprintf("a property of more than %d octets", p.opts.MaxProperty))
	}
	if p.total++; (p.total-1)/propertiesPerElement >= p.opts.MaxElements {
		return p.fail(ErrLimit, r.offset, "too many properties")
	}
	if len(p.props) == cap(p.props) {
		// The elements before keep the block that is full.
		block := make([]Property, 0, max(512, 2*(len(p.props)-p.first)))
		p.props = append(block, p.props[p.first:]...)
		p.first = 0
	}
	if len(p.props) == p.first {
		p.dangling = r.offset
	}
	p.props = append(p.props, Property{ID: PropertyID(r.id), Encoding: r.enc, Value: r.value})
	return nil
}

// pending returns the properties that have no element yet.
func (p *parser) pending() []Property {
	l := p.props[p.first:len(p.props):len(p.props)]
	p.first = len(p.props)
	if len(l) == 0 {
		return nil
	}
	return l
}

// context ends an element.
func (p *parser) context(r record) error {
	if !isSequence(r.value) {
		return p.fail(ErrNotDER, r.offset, Kind(r.id).String()+" is not one DER element of its length")
	}
	if len(p.store.Elements) >= p.opts.MaxElements {
		return p.fail(ErrLimit, r.offset, fmt.Sprintf("more than %d elements", p.opts.MaxElements))
	}
	p.store.Elements = append(p.store.Elements, Element{Kind: Kind(r.id), DER: r.value, Properties: p.pending(), offset: r.offset})
	return nil
}

func (p *parser) endMarker(r record) (*Store, error) {
	if r.enc != 0 || r.length != 0 {
		if err := p.tolerate(ErrEndMarker, r.offset, "end marker is not zero"); err != nil {
			return nil, err
		}
	}
	if p.at < len(p.b) {
		if err := p.tolerate(ErrTrailing, int64(p.at), fmt.Sprintf("%d octets after the end marker", len(p.b)-p.at)); err != nil {
			return nil, err
		}
	}
	return p.end()
}

func (p *parser) end() (*Store, error) {
	if len(p.props) > p.first {
		if err := p.tolerate(ErrDangling, p.dangling, fmt.Sprintf("%d properties after the last element", len(p.props)-p.first)); err != nil {
			return nil, err
		}
	}
	if p.opts.Lenient {
		wrong := p.store.Mismatches()
		p.store.Warnings = append(p.store.Warnings, wrong[:min(len(wrong), maxWarnings)]...)
	}
	return p.store, nil
}

func (p *parser) fail(problem Problem, off int64, reason string) *Error {
	return &Error{Problem: problem, Offset: off, Element: -1, Reason: reason}
}

// maxWarnings bounds Store.Warnings.
const maxWarnings = 1000

// tolerate makes a warning of what is an error unless reading is lenient.
func (p *parser) tolerate(problem Problem, off int64, reason string) error {
	e := p.fail(problem, off, reason)
	if !p.opts.Lenient {
		return e
	}
	if len(p.store.Warnings) >= maxWarnings {
		return p.fail(ErrLimit, off, "too many warnings")
	}
	p.store.Warnings = append(p.store.Warnings, e)
	return nil
}
