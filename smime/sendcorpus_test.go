package smime_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
)

// TestForwardCorpus signs and seals every message of the corpus once more, as a
// gateway would that knows nothing about them: what is accepted is safe for
// transport, and comes out as it went in.
func TestForwardCorpus(t *testing.T) {
	root := suites.Corpus(t)
	w := newSendFixture(t)
	signed, refused := 0, 0
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".eml" {
			return err
		}
		in, err := os.ReadFile(path)
		if err != nil || len(in) > 256<<10 {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		var out, content, sealed bytes.Buffer
		if err := smime.Sign(t.Context(), &out, bytes.NewReader(in), w.alice, &smime.SignOptions{InsecureAnySender: true}); err != nil {
			refused++
			if !isAny(err, sendErrors()) || out.Len() > 0 {
				t.Errorf("%s: %d bytes, undocumented error %v", name, out.Len(), err)
			}
			return nil
		}
		signed++
		if err := fitForTransport(out.Bytes(), in); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := smime.Verify(t.Context(), &content, &out, w.trust, &smime.VerifyOptions{InsecureAnySender: true}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := smime.Encrypt(t.Context(), &sealed, bytes.NewReader(in), w.toBob, nil); err != nil {
			t.Errorf("%s: signed, but not encrypted: %v", name, err)
			return nil
		}
		content.Reset()
		if _, err := smime.Decrypt(t.Context(), &content, &sealed, smime.Identities{w.bob}, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d signed, %d refused", signed, refused)
	if signed < 500 {
		t.Errorf("only %d messages", signed)
	}
}
