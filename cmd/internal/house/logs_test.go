package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"
)

// TestLogKeys: an error has one key in all logs, so that who searches them need
// not know who wrote the line.
func TestLogKeys(t *testing.T) {
	logs := []string{"Debug", "Info", "Warn", "Error", "Log", "With", "log"}
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				if called, ok := call.Fun.(*ast.SelectorExpr); !ok || !slices.Contains(logs, called.Sel.Name) {
					return true
				}
				for _, arg := range call.Args {
					if word, ok := arg.(*ast.BasicLit); ok && word.Value == `"error"` {
						t.Errorf("%s: an error is logged as err", set.Position(word.Pos()))
					}
				}
				return true
			})
		}
	}
}
