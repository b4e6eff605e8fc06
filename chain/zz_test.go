package chain_test

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
)

func TestZZ(t *testing.T) {
	dir := "/work/shared/corpus/pkits/"
	var suite struct {
		Time  time.Time `json:"verification_time"`
		Tests []pkitsCase
	}
	b, _ := os.ReadFile(dir + "pkits_expectations.json")
	json.Unmarshal(b, &suite)
	for _, c := range suite.Tests {
		if !strings.HasPrefix(c.Number, "4.4.") && !strings.HasPrefix(c.Number, "4.14") && !strings.HasPrefix(c.Number, "4.15") && !strings.HasPrefix(c.Number, "4.7.") && !strings.HasPrefix(c.Number, "4.5.") {
			continue
		}
		var bag [][]byte
		for _, n := range c.Certs {
			x, _ := os.ReadFile(dir + "certs/" + n)
			bag = append(bag, x)
		}
		for _, n := range c.CRLs {
			x, _ := os.ReadFile(dir + "crls/" + n)
			bag = append(bag, x)
		}
		ta, _ := os.ReadFile(dir + "certs/" + c.TrustAnchor)
		x, _ := os.ReadFile(dir + "certs/" + c.Target)
		trust := chain.NewCollection(chain.Anchors(chain.DER(ta)), chain.Untrusted(chain.DER(bag...)))
		_, err := trust.Verify(t.Context(), &x509.Certificate{Raw: x}, chain.Policy{Purpose: chain.InsecureAnyPurpose, Options: chain.Options{At: suite.Time, Revocation: chain.RevocationRequireAll, InsecureSHA1: true, InsecureShortKeys: true}})
		if err != nil {
			s := err.Error()
			fmt.Println(c.Number, c.Title, "=>", s)
		}
	}
}
