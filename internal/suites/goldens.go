package suites

import (
	"bufio"
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A Golden is one row of the manifest of corpus/goldens/open.
type Golden struct {
	File, Case, Producer, Kind, Operation string
	Expected                              string   // ok, fail, ok-with-warning
	Accept                                []string // all verdicts that a correct library may give
	Reason, Notes, Body                   string
	Legacy, Optional, Malleated, NoCerts  bool
	Keys                                  []struct{ Cert, Key string }
	KEK, Password, Content, Request       string
	KEKID                                 string `json:"kek_id"`
	SecretKey                             string `json:"secret_key"`
	Certs, Trust, Intermediates, CRLs     []string
	From                                  string
	PlaintextSHA256                       string    `json:"plaintext_sha256"`
	PlaintextLen                          int64     `json:"plaintext_len"`
	VerifyTime                            time.Time `json:"verify_time"`
	MaxSeconds                            int       `json:"max_seconds"`
	Group, Generate, Usage, Serial        string
	KeyAlg                                string `json:"key_alg"`
	NCerts                                int    `json:"n_certs"`
	NCRLs                                 int    `json:"n_crls"`
	Expanded                              int64
	Checks                                map[string]string
	Signers, Recipients                   []GoldenParty
	SubjectEmails                         []string `json:"subject_emails"`
	Layers                                []GoldenLayer
	Algorithms                            json.RawMessage
	Contains                              []json.RawMessage
	Timestamp                             *struct {
		TSA   string
		Valid bool
	}

	root string
}

// Late reports whether what a correct library does in the seconds of the
// manifest, or in five, took so long that a busy machine is no excuse.
func (g *Golden) Late(took time.Duration) bool {
	const busy = 10
	return took > busy*time.Duration(cmp.Or(g.MaxSeconds, 5))*time.Second
}

// A GoldenParty is a signer or recipient of a [Golden].
type GoldenParty struct {
	ID, Serial string
	Emails     []string
}

// A GoldenLayer is one layer of a nested [Golden], outermost first.
type GoldenLayer struct {
	Type            string
	PlaintextSHA256 string `json:"plaintext_sha256"`
}

// Goldens returns the rows of corpus/goldens/open that keep returns true for,
// those without a stored file excepted. It fails if there are none.
func Goldens(t testing.TB, keep func(*Golden) bool) []*Golden {
	t.Helper()
	root := Corpus(t, "goldens", "open")
	f, err := os.Open(filepath.Join(root, "manifest.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []*Golden
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		g := &Golden{root: root}
		if err := json.Unmarshal(lines.Bytes(), g); err != nil {
			t.Fatal(err)
		}
		if g.Generate == "" && keep(g) {
			rows = append(rows, g)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		t.Fatal("no golden case selected")
	}
	return rows
}

// Accepts reports whether verdict is one that a correct library may give.
func (g *Golden) Accepts(verdict string) bool {
	return verdict == g.Expected || slices.Contains(g.Accept, verdict)
}

// Path returns the path of a file that the row names, such as g.File.
func (g *Golden) Path(name string) string { return filepath.Join(g.root, filepath.FromSlash(name)) }

// Read returns the contents of a file that the row names.
func (g *Golden) Read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(g.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
