package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	longestFunction = 80
	longestFile     = 500
)

// sized is something with a length in lines.
type sized struct {
	name  string
	lines int
}

// TestSizes reports how long functions and files are and refuses those that
// are too long. Generated code is left out.
func TestSizes(t *testing.T) {
	var functions, files []sized
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			if strings.HasSuffix(name, ".pb.go") {
				continue
			}
			f, lines := measure(t, filepath.Join(p.Dir, name))
			functions = append(functions, f...)
			files = append(files, sized{local(p.ImportPath) + "/" + name, lines})
		}
	}
	report(t, "functions", functions, longestFunction)
	report(t, "files", files, longestFile)
}

func measure(t *testing.T, path string) (functions []sized, lines int) {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			n := set.Position(fn.End()).Line - set.Position(fn.Pos()).Line + 1
			functions = append(functions, sized{filepath.Base(filepath.Dir(path)) + "." + fn.Name.Name, n})
		}
	}
	return functions, set.Position(f.End()).Line
}

func report(t *testing.T, what string, all []sized, longest int) {
	t.Helper()
	slices.SortFunc(all, func(a, b sized) int { return a.lines - b.lines })
	n := len(all)
	last := all[n-1]
	t.Logf("%d %s: lines p50 %d, p90 %d, longest %d (%s)", n, what, all[n/2].lines, all[n*9/10].lines, last.lines, last.name)
	for _, s := range all {
		if s.lines > longest {
			t.Errorf("%s has %d lines, more than %d", s.name, s.lines, longest)
		}
	}
}
