package sst

import (
	"bytes"
	"errors"
	"testing"
)

// One large element with many wrong hashes is hashed once: without that this
// test computes 2 TB of digests.
func TestMismatchesOfLargeElement(t *testing.T) {
	der := append([]byte{0x30, 0x83, 0x80, 0, 0}, make([]byte, 8<<20)...)
	e := Element{Kind: CRL, DER: der}
	const n = 250_000
	for range n {
		e.Properties = append(e.Properties, Property{ID: PropSHA1, Encoding: x509ASN, Value: bytes.Repeat([]byte{1}, 20)})
	}
	list := (&Store{Elements: []Element{e}}).Mismatches()
	if len(list) != n || !errors.Is(list[0], ErrMismatch) {
		t.Errorf("%d mismatches", len(list))
	}
}
