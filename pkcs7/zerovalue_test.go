package pkcs7

import (
	"errors"
	"testing"
)

// A DecryptReader that nobody made returns nothing.
func TestZeroDecryptReader(t *testing.T) {
	t.Parallel()
	var r DecryptReader
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, ErrNotRead) {
		t.Errorf("%d, %v", n, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
