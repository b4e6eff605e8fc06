package vectors

import (
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
)

// A group and a vector have the fields of all schemas of Wycheproof that are read here.
type group struct {
	KeySize, IvSize, TagSize int
	Sha, MgfSha, Mgf, Curve  string
	SLen                     int
	PublicKeyDer             string
	PrivateKeyPkcs8          string
	PrivateSeed              *string
	PublicKey                json.RawMessage
	ParameterSet             string
	Tests                    []*vector

	rsa *rsa.PrivateKey // parsed once
}

type vector struct {
	TcID           int `json:"tcId"`
	Comment        string
	Flags          []string
	Key, Iv, Aad   octets
	Msg, Ct, Tag   octets
	Sig            octets
	Ctx            octets
	Mu             *octets
	Ikm, Salt      octets
	Info, Okm      octets
	Size           int
	Password, Dk   octets
	IterationCount int
	DkLen          int
	Label          octets
	Public         string
	Private        string
	Shared         octets
	Seed, Ek, C, M octets
	K              octets
	Result         string
}

// octets are written in hexadecimal.
type octets []byte

func (o *octets) UnmarshalText(b []byte) (err error) {
	*o, err = hex.DecodeString(string(b))
	return err
}

var (
	errRefused = errors.New("refused")
	errWrong   = errors.New("other result")
)

// A suite is one file and what is expected of it. All vectors have the outcome
// of the file but those that except picks, which have the other, for that reason. A
// vector that except picks without need, a stale exception, fails.
type suite struct {
	file     string
	run      func(g *group, v *vector) error
	tests    int
	accepted int // of them
	except   func(g *group, v *vector) bool
	excepted int
	reason   string
}

func TestWycheproof(t *testing.T) {
	dir := suites.Corpus(t, "wycheproof", "testvectors_v1")
	total := 0
	seen := map[string]bool{}
	for _, s := range allSuites() {
		seen[s.file] = true
		total += s.tests
		t.Run(s.file, func(t *testing.T) {
			t.Parallel()
			s.check(t, dir)
		})
	}
	files, err := filepath.Glob(filepath.Join(dir, "*_test.json"))
	if err != nil || len(files) != 113 {
		t.Errorf("%d files: %v", len(files), err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), "_test.json"); !seen[name] {
			t.Errorf("%s is not run", name)
		}
	}
	if total != 24054 {
		t.Errorf("%d vectors", total)
	}
}

func (s *suite) check(t *testing.T, dir string) {
	b, err := os.ReadFile(filepath.Join(dir, s.file+"_test.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ TestGroups []*group }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if testing.Short() && s.file == "rsa_oaep_misc" {
		t.Skip("hundreds of private keys")
	}
	tests, accepted, excepted := 0, 0, 0
	for _, g := range file.TestGroups {
		for _, v := range g.Tests {
			tests++
			if s.run == nil {
				continue
			}
			err := s.run(g, v)
			if err == nil {
				accepted++
			}
			right := v.Result == "acceptable" || (err == nil) == (v.Result == "valid")
			picked := s.except != nil && s.except(g, v)
			if picked {
				excepted++
			}
			if right == picked {
				t.Errorf("vector %d (%s, %s, %q): %v, excepted: %v", v.TcID, v.Result, v.Flags, v.Comment, err, picked)
			}
		}
	}
	if tests != s.tests || accepted != s.accepted || excepted != s.excepted {
		t.Errorf("%d vectors, %d accepted, %d excepted, want %d, %d, %d", tests, accepted, excepted, s.tests, s.accepted, s.excepted)
	}
	if (s.except != nil || s.run == nil) != (s.reason != "") {
		t.Error("an exception without a reason, or the reverse")
	}
}
