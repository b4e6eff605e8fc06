package pkcs7

import (
	"bufio"
	"io"
	"slices"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
)

const (
	unknownSize = -1
	noContent   = -2
	// maxHeld is how much content of known size is held back for the lengths in
	// front of it.
	maxHeld = 1 << 20
)

// An encapWriter writes a content type that has EncapsulatedContentInfo in its
// midst. It holds the content back as long as that is small, so that the
// lengths in front of it, and with them the output, can be DER. What is larger
// streams.
type encapWriter struct {
	dst   io.Writer
	outer oid.OID
	front []byte // what comes before encapContentInfo
	type_ oid.OID
	size  int64 // of the content: known, unknownSize or noContent
	tail  int   // length of what follows encapContentInfo, if that is known before: ≥ 0

	holdUpTo int64 // octets of content, beyond maxHeld

	held    []byte
	written int64
	out     *ber.Writer // nil: nothing was written yet
	content io.WriteCloser
}

// hold returns how much content to hold back.
func (w *encapWriter) hold() int64 {
	if w.size == unknownSize {
		return smallContent
	}
	if w.tail >= 0 {
		return 0
	}
	return max(maxHeld, w.holdUpTo)
}

func (w *encapWriter) Write(p []byte) (int, error) {
	if w.size >= 0 && int64(len(p)) > w.size-w.written {
		return 0, &SyntaxError{Offset: w.size, Field: "content", Reason: "longer than announced"}
	}
	w.written += int64(len(p))
	if w.out == nil && w.written <= w.hold() {
		if w.held == nil && w.size > 0 {
			w.held = make([]byte, 0, min(w.size, w.hold()))
		}
		w.held = append(w.held, p...)
		return len(p), nil
	}
	if err := w.stream(); err != nil {
		return 0, err
	}
	return w.content.Write(p)
}

// stream writes what comes before the content and the content so far.
func (w *encapWriter) stream() error {
	if w.out != nil {
		return nil
	}
	w.begin(w.size, w.tail)
	held := w.held
	w.held = nil
	if w.content == nil {
		return w.out.Err()
	}
	_, err := w.content.Write(held)
	return err
}

// begin writes up to the content, which has that size. If also tail, the
// length of what follows, is known, all lengths are definite.
func (w *encapWriter) begin(size int64, tail int) {
	typ := ber.Append(nil, ber.OID, false, []byte(w.type_))
	outer := ber.Append(nil, ber.OID, false, []byte(w.outer))

	str, explicit, encap, sd, ci0, ci := int64(-1), int64(-1), int64(-1), int64(-1), int64(-1), int64(-1)
	switch {
	case size == noContent:
		encap = int64(len(typ))
	case size >= 0:
		str = size
		explicit = total(ber.OctetString, str)
		encap = int64(len(typ)) + total(ber.Context(0), explicit)
	}
	if encap >= 0 && tail >= 0 {
		sd = int64(len(w.front)+tail) + total(ber.Sequence, encap)
		ci0 = total(ber.Sequence, sd)
		ci = int64(len(outer)) + total(ber.Context(0), ci0)
	}
	w.out = ber.NewWriter(w.dst)
	w.out.Begin(ber.Sequence, ci)
	w.out.Raw(outer)
	w.out.Begin(ber.Context(0), ci0)
	w.out.Begin(ber.Sequence, sd)
	w.out.Raw(w.front)
	w.out.Begin(ber.Sequence, encap)
	w.out.Raw(typ)
	if size != noContent {
		w.out.Begin(ber.Context(0), explicit)
		w.content = w.out.OctetString(ber.OctetString, str)
	}
}

// total returns the length of an element with its header.
func total(tag ber.Tag, length int64) int64 { return int64(ber.HeaderLen(tag, length)) + length }

// finish writes the rest, of which tail comes after encapContentInfo.
func (w *encapWriter) finish(tail []byte) error {
	if w.size >= 0 && w.written != w.size {
		return &SyntaxError{Offset: w.written, Field: "content", Reason: "shorter than announced"}
	}
	if w.out != nil {
		return w.end(tail)
	}
	size := w.written
	if w.size == noContent {
		size = noContent
	}
	// One write of it all, unless that copies much.
	buffered := bufio.NewWriterSize(w.dst, min(len(w.held), smallContent)+len(tail)+512)
	w.dst = buffered
	w.begin(size, len(tail))
	if w.content != nil {
		w.content.Write(w.held)
	}
	if err := w.end(tail); err != nil {
		return err
	}
	return buffered.Flush()
}

func (w *encapWriter) end(tail []byte) error {
	if w.content != nil {
		if err := w.content.Close(); err != nil {
			return err
		}
		w.out.End() // [0] of eContent
	}
	w.out.End() // EncapsulatedContentInfo
	w.out.Raw(tail)
	w.out.End() // the SEQUENCE of the outer type
	w.out.End() // [0] of content
	w.out.End() // ContentInfo
	return w.out.Err()
}

// encodeFront returns version and digestAlgorithms of a SignedData.
func encodeFront(version int, digests [][]byte) []byte {
	return append(ber.Append(nil, ber.Integer, false, []byte{byte(version)}), encodeSet(ber.Set, digests)...)
}

// encodeTail returns certificates, crls and signerInfos, in the order of DER or
// in the caller's: programs such as Thunderbird and SCEP clients look at the
// first certificate and the first signer only.
func encodeTail(sorted bool, certs, crls, signers [][]byte) []byte {
	encode := func(tag ber.Tag, list [][]byte) []byte {
		if sorted {
			return encodeSet(tag, slices.Clone(list))
		}
		return ber.Append(nil, tag, true, list...)
	}
	var tail []byte
	if len(certs) > 0 {
		tail = encode(ber.Context(0), certs)
	}
	if len(crls) > 0 {
		tail = append(tail, encode(ber.Context(1), crls)...)
	}
	return append(tail, encode(ber.Set, signers)...)
}

// signedVersion returns the version number that fits (RFC 5652 section 5.1).
func signedVersion(typ oid.OID, certs, crls [][]byte, byKeyID bool) int {
	tagged := func(list [][]byte, tag byte) bool {
		return slices.ContainsFunc(list, func(b []byte) bool { return len(b) > 0 && b[0] == tag })
	}
	switch {
	case tagged(certs, 0xa3), tagged(crls, 0xa1):
		return 5
	case tagged(certs, 0xa2):
		return 4
	case tagged(certs, 0xa1), byKeyID, typ != oid.Data:
		return 3
	}
	return 1
}

// appendNew appends what list does not have yet.
func appendNew(list [][]byte, more ...[]byte) [][]byte {
	var set elementSet
	for _, l := range [][][]byte{list, more} {
		for _, m := range l {
			set.add(m)
		}
	}
	return set.list
}
