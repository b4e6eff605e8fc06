// Package suites finds the corpus of real messages, keys and suites that tests
// read. It is for tests only.
package suites

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Corpus returns the path of a folder or file of the corpus. It skips the test
// where there is no corpus: that is, where $GOSMIME_CORPUS is not set and
// shared/corpus does not stand beside the module.
func Corpus(t testing.TB, elem ...string) string {
	t.Helper()
	root := os.Getenv("GOSMIME_CORPUS")
	if root == "" {
		_, file, _, ok := runtime.Caller(0)
		if !ok {
			t.Fatal("no caller information")
		}
		root = filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(root); err != nil {
		t.Skip("no corpus")
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the corpus is there but has no %s", filepath.Join(elem...))
	}
	return path
}
