package pkcs7_test

import (
	"encoding/pem"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
)

func TestPrivateKeysOfGoldens(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Kind == "key" })
	if len(rows) < 20 {
		t.Errorf("%d keys", len(rows))
	}
	for _, g := range rows {
		if strings.HasSuffix(g.File, ".pkcs1-enc.pem") {
			continue // PEM encryption (RFC 1423) is no matter of DER
		}
		der := g.Read(t, g.File)
		encrypted := strings.Contains(g.File, ".enc.")
		if block, _ := pem.Decode(der); block != nil {
			der, encrypted = block.Bytes, block.Type == "ENCRYPTED PRIVATE KEY"
		}
		var err error
		if encrypted {
			_, err = pkcs7.DecryptPrivateKey(der, []byte(g.Password))
			if _, wrong := pkcs7.DecryptPrivateKey(der, []byte(g.Password+"x")); wrong == nil {
				t.Errorf("%s: a wrong password is accepted", g.File)
			}
		} else {
			_, err = pkcs7.ParsePrivateKey(der)
		}
		if err == nil != (g.Expected != "fail") && !g.Optional {
			t.Errorf("%s (%s): %v", g.File, g.Notes, err)
		}
	}
}
