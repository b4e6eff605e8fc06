package pkcs7

import (
	"io"
)

// Compress writes a CompressedData (RFC 3274, zlib) with the bytes of src.
func Compress(dst io.Writer, src io.Reader) error { panic("sketch") }

// Decompress writes the content of a CompressedData, within the limits.
func Decompress(dst io.Writer, src io.Reader, opts *ReadOptions) error { panic("sketch") }
