package archtest

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNoMutablePackageVariables allows what nobody can assign to with effect,
// such as blank variables, which assert interfaces, and the one pool of buffers.
func TestNoMutablePackageVariables(t *testing.T) {
	for _, p := range load(t) {
		if strings.HasPrefix(p.name(), "examples/") || testOnly(p.name()) {
			continue
		}
		fset, files := parse(t, p)
		for _, f := range files {
			for _, d := range f.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.VAR {
					continue
				}
				for _, s := range g.Specs {
					v := s.(*ast.ValueSpec)
					for i, n := range v.Names {
						if n.Name == "_" || immutableTable(v, i) || p.name() == "internal/stream" && n.Name == "pool" {
							continue
						}
						t.Errorf("%s: package variable %s", fset.Position(n.Pos()), n.Name)
					}
				}
			}
		}
	}
}

// immutableTable reports whether the i-th variable of v is an unexported table:
// an array literal, which nothing can grow or alias by accident.
func immutableTable(v *ast.ValueSpec, i int) bool {
	if v.Names[i].IsExported() || i >= len(v.Values) {
		return false
	}
	c, ok := v.Values[i].(*ast.CompositeLit)
	if !ok {
		return false
	}
	a, ok := c.Type.(*ast.ArrayType)
	return ok && a.Len != nil
}

// TestFileSizes holds DESIGN: files stay readable in one sitting.
func TestFileSizes(t *testing.T) {
	for _, p := range load(t) {
		for _, name := range p.GoFiles {
			b, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(b), "\n"); n > 650 {
				t.Errorf("%s/%s has %d lines", p.name(), name, n)
			}
		}
	}
}

func TestExportedIsDocumented(t *testing.T) {
	symbols := 0
	for _, p := range load(t) {
		if !public(p) {
			continue
		}
		fset, files := parse(t, p)
		hasDoc := false
		for _, f := range files {
			hasDoc = hasDoc || f.Doc != nil
			for _, d := range f.Decls {
				for _, n := range undocumented(d) {
					t.Errorf("%s: %s is not documented", fset.Position(n.Pos()), n.Name)
				}
				symbols++
			}
		}
		if !hasDoc {
			t.Errorf("package %s has no doc comment", p.name())
		}
	}
	if symbols < 100 {
		t.Errorf("only %d declarations", symbols)
	}
}

// undocumented returns the exported names of d that no comment covers. The
// comment of a group covers its constants, and a line comment covers its line.
// A method may go without where its name is the interface's that it implements.
func undocumented(d ast.Decl) []*ast.Ident {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if !d.Name.IsExported() || d.Doc != nil || !exportedReceiver(d) {
			return nil
		}
		if d.Recv != nil && slices.Contains([]string{"Error", "Unwrap", "String", "Read", "Write", "Close", "ReadAt", "Is"}, d.Name.Name) {
			return nil
		}
		return []*ast.Ident{d.Name}
	case *ast.GenDecl:
		var bad []*ast.Ident
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					bad = append(bad, s.Name)
				}
			case *ast.ValueSpec:
				if d.Doc != nil || s.Doc != nil || s.Comment != nil || d.Tok == token.CONST && d.Lparen.IsValid() {
					continue
				}
				for _, n := range s.Names {
					if n.IsExported() {
						bad = append(bad, n)
					}
				}
			}
		}
		return bad
	}
	return nil
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if s, ok := typ.(*ast.StarExpr); ok {
		typ = s.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}
