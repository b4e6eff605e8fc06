package smime

import (
	"fmt"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
)

// TestMicalg reads the names of RFC 8551 section 3.5.3.2, of RFC 8692, and
// those of older programs.
func TestMicalg(t *testing.T) {
	t.Parallel()
	for micalg, want := range map[string][]oid.OID{
		"md5": {oid.MD5}, "sha-1": {oid.SHA1}, "SHA1": {oid.SHA1}, "rsa-sha1": {oid.SHA1}, "rsa-md5": {oid.MD5}, "sha-224": {oid.SHA224},
		"sha-256": {oid.SHA256}, "sha256": {oid.SHA256}, "SHA-384": {oid.SHA384}, "sha-512": {oid.SHA512}, "shake128": {oid.SHAKE128}, "shake256": {oid.SHAKE256},
		"sha3-256": {oid.SHA3_256}, "sha-256,sha-512": {oid.SHA256, oid.SHA512}, "sha-256, shake256": {oid.SHA256, oid.SHAKE256}, "2.16.840.1.101.3.4.2.3": {oid.SHA512},
		"unknown": nil, "": nil, "sha-256,unknown": nil, "sha-256,sha-256,sha-256,sha-256,sha-256": nil, "1.2.": nil,
	} {
		t.Run(fmt.Sprintf("%q", micalg), func(t *testing.T) {
			got := digestsOf(micalg)
			if len(got) != len(want) {
				t.Error(got)
				return
			}
			for i := range want {
				if oid.FromX509(got[i]) != want[i] {
					t.Error(got)
				}
			}
		})
	}
}
