package spool

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// sealedSize is that of a block in the file: AES-256-GCM with its nonce before
// it and its tag after it.
const sealedSize = blockSize + 12 + 16

// A file holds full blocks. Each is sealed with its number, so that none can be
// changed, moved or taken from elsewhere.
type file struct {
	f       *os.File
	name    string // still to be removed; empty: unlinked
	aead    cipher.AEAD
	count   int
	scratch []byte // of sealedSize
	cache   []byte // the plaintext of block cached
	cached  int
}

func newFile(dir string) (*file, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	clear(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, "gosmime-*.tmp") // 0600
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	name := f.Name()
	if unlinkOpen && os.Remove(name) == nil {
		name = ""
	}
	return &file{f: f, name: name, aead: aead, scratch: make([]byte, 0, sealedSize), cached: -1}, nil
}

// append writes one full block.
func (f *file) append(block []byte) error {
	sealed := f.aead.Seal(f.scratch[:0], nil, block, number(f.count))
	if _, err := f.f.WriteAt(sealed, int64(f.count)*sealedSize); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	f.count++
	return nil
}

// read copies from block i what begins at an offset into it.
func (f *file) read(p []byte, i, at int) (int, error) {
	if at == 0 && len(p) >= blockSize && i != f.cached {
		return f.open(p, i)
	}
	if i != f.cached {
		if f.cache == nil {
			f.cache = make([]byte, blockSize)
		}
		f.cached = -1
		if _, err := f.open(f.cache, i); err != nil {
			return 0, err
		}
		f.cached = i
	}
	return copy(p, f.cache[at:]), nil
}

// open decrypts block i into dst.
func (f *file) open(dst []byte, i int) (int, error) {
	sealed := f.scratch[:sealedSize]
	if _, err := f.f.ReadAt(sealed, int64(i)*sealedSize); err == io.EOF {
		return 0, ErrChanged
	} else if err != nil {
		return 0, fmt.Errorf("spool: %w", err)
	}
	// No more capacity than a block, so that nothing behind it is touched.
	b, err := f.aead.Open(dst[:0:blockSize], nil, sealed, number(i))
	if err != nil || len(b) != blockSize {
		return 0, ErrChanged
	}
	return blockSize, nil
}

func (f *file) close() error {
	err := f.f.Close()
	if f.name != "" {
		if e := os.Remove(f.name); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

func number(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }
