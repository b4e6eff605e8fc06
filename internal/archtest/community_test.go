package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func readPage(t *testing.T, elem ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestContributingHasTheFloors compares the table of floors that people read
// with the one that the build obeys.
func TestContributingHasTheFloors(t *testing.T) {
	_, table, _ := strings.Cut(readPage(t, ".github", "CONTRIBUTING.md"), "## Where things are\n")
	table, _, _ = strings.Cut(table, "An import points")
	for _, p := range load(t) {
		name := p.name()
		if testOnly(name) || strings.HasPrefix(name, "examples/") {
			continue
		}
		want, ok := floor(name)
		if !ok {
			continue // another test says so
		}
		if got := floorIn(table, name); got != want {
			t.Errorf("%s is on floor %d, CONTRIBUTING has it on %d", name, want, got)
		}
	}
}

// floorIn returns the floor on which a table has a package, or -1. Packages of
// one floor follow each other; internal/ stands before the first of a line.
func floorIn(table, name string) int {
	floor := -1
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		if len(words) >= 2 && words[0] == "floor" {
			floor = int(words[1][0] - '0')
			words = words[2:]
		}
		inside := ""
		for _, word := range words {
			if strings.HasPrefix(word, "internal/") {
				inside = "internal/"
			}
			if word == name || inside+word == name {
				return floor
			}
		}
	}
	return -1
}

// TestExamplesAreListed holds that the index of the examples names each once
// and tells which are modules of their own.
func TestExamplesAreListed(t *testing.T) {
	index := readPage(t, "examples", "README.md")
	entries, err := os.ReadDir(filepath.Join("..", "..", "examples"))
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "internal" {
			continue
		}
		examples++
		_, err := os.Stat(filepath.Join("..", "..", "examples", e.Name(), "go.mod"))
		link := "[" + e.Name() + "](" + e.Name() + ")"
		if !strings.Contains(index, link) || strings.Contains(index, link+" ◇") != (err == nil) {
			t.Errorf("%s: listed %v, a module of its own %v", e.Name(), strings.Contains(index, link), err == nil)
		}
	}
	for _, m := range regexp.MustCompile(`\[(\w+)\]\((\w+)\)`).FindAllStringSubmatch(index, -1) {
		if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == m[2] }) || m[1] != m[2] {
			t.Errorf("there is no example %s", m[0])
		}
	}
	if examples < 10 {
		t.Errorf("%d examples", examples)
	}
}

// TestDependabotNamesEveryModule holds that dependencies of all modules are
// kept up to date.
func TestDependabotNamesEveryModule(t *testing.T) {
	root := filepath.Join("..", "..")
	var want []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "go.mod" {
			dir := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), filepath.ToSlash(root))
			want = append(want, "/"+strings.TrimPrefix(dir, "/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(readPage(t, ".github", "dependabot.yml"), "directories:\n")
	list, _, _ = strings.Cut(list, "schedule:")
	var got []string
	for _, m := range regexp.MustCompile(`- "(.*)"`).FindAllStringSubmatch(list, -1) {
		got = append(got, m[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || len(want) < 9 {
		t.Errorf("the file names %q, the modules are %q", got, want)
	}
}
