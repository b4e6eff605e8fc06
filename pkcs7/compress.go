package pkcs7

import (
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/stream"
)

// freeExpansion is how much may come out whatever the ratio.
const freeExpansion = 8 << 20

// Compress writes a CompressedData (RFC 3274, zlib) with the bytes of src.
//
//	CompressedData ::= SEQUENCE {
//	    version CMSVersion, -- 0
//	    compressionAlgorithm CompressionAlgorithmIdentifier,
//	    encapContentInfo EncapsulatedContentInfo }
func Compress(dst io.Writer, src io.Reader) error {
	front := append(ber.Append(nil, ber.Integer, false, []byte{0}), alg.Identifier{OID: oid.Zlib}.DER()...)
	w := &encapWriter{dst: dst, outer: oid.CompressedData, front: front, type_: oid.Data, size: unknownSize, tail: 0}
	z := zlib.NewWriter(w)
	if _, err := stream.Copy(z, src); err != nil {
		return fmt.Errorf("pkcs7: compressing: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("pkcs7: compressing: %w", err)
	}
	return w.finish(nil)
}

// Decompress writes the content of a CompressedData, within the limits. What
// was written before an error is not all of the content.
func Decompress(dst io.Writer, src io.Reader, opts *ReadOptions) error {
	if opts == nil {
		opts = &ReadOptions{}
	}
	p := newParser(src, opts.Limits)
	if err := p.beginCompressed(); err != nil {
		return err
	}
	const field = "CompressedData.encapContentInfo.eContent"
	content, err := p.String(ber.OctetString)
	if err != nil {
		return p.wrap(err, field)
	}
	if err := p.inflate(dst, content); err != nil {
		return err
	}
	for range 2 { // eContent and EncapsulatedContentInfo
		if err := p.leave(field); err != nil {
			return err
		}
	}
	if err := p.leave("CompressedData"); err != nil {
		return err
	}
	return p.endContentInfo()
}

// beginCompressed reads up to the content. A version other than 0 changes
// nothing.
func (p *parser) beginCompressed() error {
	if _, err := p.contentInfoOf(oid.CompressedData); err != nil {
		return err
	}
	if err := p.enter(ber.Sequence, "CompressedData"); err != nil {
		return err
	}
	if _, err := p.version("CompressedData.version"); err != nil {
		return err
	}
	id, err := p.algorithm("CompressedData.compressionAlgorithm")
	if err != nil {
		return err
	}
	// RFC 3274 section 2: parameters are absent; NULL occurs.
	if !id.Equal(alg.Identifier{OID: oid.Zlib}) {
		return fmt.Errorf("%w: compression algorithm %s", ErrUnsupported, id.OID)
	}
	if err := p.enter(ber.Sequence, "CompressedData.encapContentInfo"); err != nil {
		return err
	}
	if _, err := p.oid("CompressedData.encapContentInfo.eContentType"); err != nil {
		return err
	}
	return p.enter(ber.Context(0), "CompressedData.encapContentInfo.eContent")
}

// inflate writes what content expands to, which counts for all layers of a
// message together.
func (p *parser) inflate(dst io.Writer, content io.Reader) error {
	const field = "CompressedData.encapContentInfo.eContent"
	in := &countingReader{r: content}
	in.fill()
	if len(in.rest) > 1 && in.rest[1]&0x20 != 0 {
		// RFC 1950 section 2.2: FDICT. There is no dictionary in RFC 3274.
		return p.fail(field, "wants a preset dictionary")
	}
	z, err := zlib.NewReader(in)
	if err != nil {
		return p.inflateError(err, in)
	}
	buf := make([]byte, chunkSize)
	for total := int64(0); ; {
		n, err := z.Read(buf)
		if n > 0 {
			total += int64(n)
			if over := take(p.budget, budget.Expanded, int64(n)); over != nil {
				return over
			}
			if total > freeExpansion && (p.lim.Ratio < 0 || total/int64(p.lim.Ratio) > in.n) {
				return fmt.Errorf("%w: expands more than %d times", ErrLimit, p.lim.Ratio)
			}
			if _, err := stream.WriteFull(dst, buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return p.inflateError(err, in)
		}
	}
	// zlib reads by the octet: what is left is not of the stream.
	if n, err := in.Read(buf[:1]); n > 0 || err != io.EOF {
		if err != nil && err != io.EOF {
			return p.inflateError(err, in)
		}
		return p.fail(field, "data after the compressed stream")
	}
	return nil
}

func (p *parser) inflateError(err error, in *countingReader) error {
	const field = "CompressedData.encapContentInfo.eContent"
	if in.err != nil && in.err != io.EOF {
		return wrapError(in.err, field)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return p.fail(field, "compressed stream is cut off")
	}
	return p.fail(field, "not a zlib stream")
}

// A countingReader is a buffered reader, and an io.ByteReader, that counts what
// was taken from it.
type countingReader struct {
	r    io.Reader
	buf  [4096]byte
	rest []byte
	n    int64
	err  error
}

func (c *countingReader) fill() {
	if len(c.rest) == 0 && c.err == nil {
		var n int
		n, c.err = c.r.Read(c.buf[:])
		c.rest = c.buf[:n]
	}
}

func (c *countingReader) Read(p []byte) (int, error) {
	c.fill()
	if len(c.rest) == 0 {
		return 0, c.err
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	c.n += int64(n)
	return n, nil
}

func (c *countingReader) ReadByte() (byte, error) {
	c.fill()
	if len(c.rest) == 0 {
		if c.err == nil {
			return 0, io.ErrNoProgress
		}
		return 0, c.err
	}
	b := c.rest[0]
	c.rest = c.rest[1:]
	c.n++
	return b, nil
}
