package archtest

import (
	"bytes"
	"flag"
	"go/ast"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExportedAPI compares what each package exports with a golden file, so
// that a change of the API is always seen in a review. -update writes them.
func TestExportedAPI(t *testing.T) {
	checked := 0
	for _, p := range load(t) {
		if !public(p) {
			continue
		}
		checked++
		got := api(t, p)
		file := filepath.Join("testdata", "api", strings.ReplaceAll(p.name(), "/", "_")+".txt")
		if updating() {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, d := range diff(string(want), got) {
			t.Errorf("%s: %s", p.name(), d)
		}
	}
	if checked < 7 {
		t.Errorf("only %d packages", checked)
	}
}

// TestInsecureNames lists every switch that turns a protection off.
func TestInsecureNames(t *testing.T) {
	var got []string
	for _, p := range load(t) {
		if !public(p) {
			continue
		}
		_, files := parse(t, p)
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if strings.HasPrefix(n.Name.Name, "Insecure") {
						got = append(got, p.name()+" "+n.Name.Name)
					}
					return false
				case *ast.StructType:
					for _, field := range n.Fields.List {
						for _, id := range field.Names {
							if strings.HasPrefix(id.Name, "Insecure") {
								got = append(got, p.name()+" "+id.Name)
							}
						}
					}
				case *ast.ValueSpec:
					for _, id := range n.Names {
						if strings.HasPrefix(id.Name, "Insecure") {
							got = append(got, p.name()+" "+id.Name)
						}
					}
				}
				return true
			})
		}
	}
	slices.Sort(got)
	text := strings.Join(got, "\n") + "\n"
	file := filepath.Join("testdata", "insecure.txt")
	if updating() {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range diff(string(want), text) {
		t.Error(d)
	}
}

// TestExportedNames keeps each package small enough to hold in the head:
// types and functions, constants and methods apart.
func TestExportedNames(t *testing.T) {
	most := map[string]int{"smime": 67, "pkcs7": 60, "chain": 50, "sst": 25, "smime/devices": 30}
	for _, p := range load(t) {
		max, ok := most[p.name()]
		if !ok {
			continue
		}
		delete(most, p.name())
		_, files := parse(t, p)
		var names []string
		for _, f := range files {
			for _, d := range f.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					if d.Recv == nil && d.Name.IsExported() {
						names = append(names, d.Name.Name)
					}
				case *ast.GenDecl:
					for _, s := range d.Specs {
						if s, ok := s.(*ast.TypeSpec); ok && s.Name.IsExported() {
							names = append(names, s.Name.Name)
						}
					}
				}
			}
		}
		t.Logf("%s exports %d of %d names", p.name(), len(names), max)
		if len(names) > max {
			slices.Sort(names)
			t.Errorf("%s exports %d names, at most %d: %s", p.name(), len(names), max, strings.Join(names, " "))
		}
	}
	if len(most) > 0 {
		t.Errorf("packages not found: %v", most)
	}
}

// updating reports whether the golden files are to be written: go test -run API -args update.
func updating() bool { return slices.Contains(flag.Args(), "update") }

// api returns the exported declarations of p without comments and bodies, one paragraph
// each, sorted.
func api(t *testing.T, p pkg) string {
	t.Helper()
	fset, files := parse(t, p)
	var decls []string
	for _, f := range files {
		f.Comments = nil
		if !ast.FileExports(f) {
			continue
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if !exportedReceiver(d) {
					continue
				}
				d.Body, d.Doc = nil, nil
				decls = append(decls, text(t, fset, d))
			case *ast.GenDecl:
				if d.Tok == token.IMPORT {
					continue
				}
				d.Doc = nil
				ast.Inspect(d, strip)
				if s := text(t, fset, d); !strings.HasPrefix(s, "var _") {
					decls = append(decls, s)
				}
			}
		}
	}
	slices.Sort(decls)
	return strings.Join(decls, "\n") + "\n"
}

func strip(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.Field:
		n.Doc, n.Comment = nil, nil
	case *ast.TypeSpec:
		n.Doc, n.Comment = nil, nil
	case *ast.ValueSpec:
		n.Doc, n.Comment = nil, nil
	}
	return true
}

func text(t *testing.T, fset *token.FileSet, n ast.Node) string {
	t.Helper()
	var b bytes.Buffer
	cfg := printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}
	if err := cfg.Fprint(&b, fset, n); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(b.String()) {
		if line = strings.TrimRight(line, " \t\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// diff returns the lines that only one of the two has.
func diff(want, got string) []string {
	count := map[string]int{}
	for line := range strings.Lines(want) {
		count[line]--
	}
	for line := range strings.Lines(got) {
		count[line]++
	}
	var out []string
	for line, n := range count {
		switch {
		case n > 0:
			out = append(out, "+ "+strings.TrimSpace(line))
		case n < 0:
			out = append(out, "- "+strings.TrimSpace(line))
		}
	}
	slices.Sort(out)
	return out
}
