package pkcs7

import (
	"bytes"
	"context"
	"io"
)

// Sign returns a SignedData with content inside and with definite lengths: DER,
// with SignOptions.Sorted or if there is one signer with one certificate.
// SignOptions.Size is not looked at. For content that does not fit in memory
// there is [NewSignWriter], for a signature beside the content [SignDetached].
func Sign(ctx context.Context, content []byte, signers []SigningKey, opts *SignOptions) ([]byte, error) {
	if opts == nil {
		opts = &SignOptions{}
	}
	s, err := newSigning(ctx, signers, opts)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	size := int64(len(content))
	s.out = s.writer(&out, size)
	s.out.holdUpTo = size
	if _, err := s.Write(content); err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Encrypt returns an EnvelopedData or AuthEnvelopedData in DER with content
// inside. EncryptOptions.Size is not looked at. The errors are those of
// [NewEncryptWriter], which is for content that does not fit in memory.
func Encrypt(ctx context.Context, content []byte, to []Recipient, opts *EncryptOptions) ([]byte, error) {
	if opts == nil {
		opts = &EncryptOptions{}
	}
	var out bytes.Buffer
	w, err := newEncryption(ctx, &out, to, opts, int64(len(content)))
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Decrypt returns the content of an EnvelopedData or AuthEnvelopedData, all of it
// or an error. Its errors and what has to be heeded are those of
// [NewDecryptReader], which is for content that does not fit in memory.
func Decrypt(ctx context.Context, message []byte, keys KeyFunc, opts *DecryptOptions) ([]byte, error) {
	r, err := NewDecryptReader(ctx, bytes.NewReader(message), keys, opts)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return content, nil
}
