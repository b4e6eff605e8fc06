package smime_test

import (
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
)

func TestPrivateKeysOfGoldens(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Kind == "key" })
	if len(rows) < 20 {
		t.Errorf("%d keys", len(rows))
	}
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			if strings.HasSuffix(g.File, ".pkcs1-enc.pem") {
				return // PEM encryption (RFC 1423) is no matter of DER
			}
			der := g.Read(t, g.File)
			encrypted := strings.Contains(g.File, ".enc.")
			if block, _ := pem.Decode(der); block != nil {
				der, encrypted = block.Bytes, block.Type == "ENCRYPTED PRIVATE KEY"
			}
			var err error
			if encrypted {
				_, err = smime.DecryptPrivateKey(der, []byte(g.Password))
				if _, wrong := smime.DecryptPrivateKey(der, []byte(g.Password+"x")); g.Expected != "fail" && !errors.Is(wrong, smime.ErrPassword) {
					t.Errorf("%s: a wrong password: %v", g.File, wrong)
				}
			} else {
				_, err = smime.ParsePrivateKey(der)
			}
			if err == nil != (g.Expected != "fail") && !g.Optional {
				t.Errorf("%s (%s): %v", g.File, g.Notes, err)
			}
		})
	}
}

// A modulus that takes minutes to check is refused before that.
func TestParsePrivateKeySize(t *testing.T) {
	t.Parallel()
	if _, err := smime.ParsePrivateKey(make([]byte, 16<<10+1)); !errors.Is(err, smime.ErrUnsupported) {
		t.Errorf("%v", err)
	}
	if _, err := smime.ParsePrivateKey(make([]byte, 16<<10)); !errors.Is(err, smime.ErrMalformed) {
		t.Errorf("%v", err)
	}
}
