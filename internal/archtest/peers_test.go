package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestProgramsAreRunByPeersOnly allows tests of all modules to run or look for
// a program through internal/suites alone, which knows whether peers are
// wanted. Otherwise a verdict would depend on what a machine has installed.
func TestProgramsAreRunByPeersOnly(t *testing.T) {
	root := filepath.Join("..", "..")
	tests, seen := 0, false
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		if d.IsDir() {
			if path != root && strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || name == "internal/bench" {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if imported(f, "testing") == "" {
			return nil
		}
		tests++
		for _, at := range starts(f) {
			if strings.HasPrefix(name, "internal/suites/") {
				seen = true
				continue
			}
			p := fset.Position(at)
			t.Errorf("%s:%d: runs a program, but not through internal/suites", name, p.Line)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if tests < 100 || !seen {
		t.Errorf("%d files of tests, internal/suites among them: %v", tests, seen)
	}
}

// starts returns where a file starts a program or looks for one.
func starts(f *ast.File) []token.Pos {
	names := map[string]map[string]bool{
		imported(f, "os/exec"): {"Command": true, "CommandContext": true, "LookPath": true},
		imported(f, "os"):      {"StartProcess": true},
		imported(f, "syscall"): {"Exec": true, "ForkExec": true, "StartProcess": true},
	}
	delete(names, "")
	var found []token.Pos
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && names[x.Name][n.Sel.Name] {
				found = append(found, n.Pos())
			}
		case *ast.CompositeLit:
			s, ok := n.Type.(*ast.SelectorExpr)
			if !ok {
				break
			}
			if x, ok := s.X.(*ast.Ident); ok && names[x.Name]["LookPath"] && s.Sel.Name == "Cmd" {
				found = append(found, n.Pos())
			}
		}
		return true
	})
	return found
}

// imported returns the name by which a file knows a package, or "".
func imported(f *ast.File, path string) string {
	for _, s := range f.Imports {
		if p, err := strconv.Unquote(s.Path.Value); err != nil || p != path {
			continue
		}
		if s.Name != nil {
			return s.Name.Name
		}
		return path[strings.LastIndexByte(path, '/')+1:]
	}
	return ""
}
