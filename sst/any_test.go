package sst

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
)

// As many elements as fit into the limits are told apart without comparing
// all with all.
func TestManyInPKCS7(t *testing.T) {
	const n = 90_000
	list := make([][]byte, n)
	for i := range list {
		list[i] = binary.BigEndian.AppendUint32(append([]byte{0x30, 64}, make([]byte, 60)...), uint32(i))
	}
	var b bytes.Buffer
	if err := pkcs7.WriteCertificates(&b, list, nil); err != nil {
		t.Fatal(err)
	}
	s, err := ReadAny(&b, nil)
	if err != nil || len(s.Elements) != n {
		t.Errorf("%v", err)
	}
}
