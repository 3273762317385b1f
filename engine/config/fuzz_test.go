package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Nothing makes reading or expanding panic, every byte is kept, and diagnostics
// lie inside the file.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.cf", "testdata/diag/*.cf", "testdata/grammar/*.cf", "testdata/virtual/*.cf"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			f.Fatal(pattern, err)
		}
		for _, p := range paths {
			f.Add([]byte(readString(f, p)))
		}
	}
	f.Add([]byte("syntax = mond\n" + templates))
	f.Add([]byte(untidy))
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, m := range []manner{{}, {mond: true}, {expanded: true}, {expanded: true, mond: true}} {
			file, diag := parse("f", string(src), m)
			if !m.expanded && string(file.Bytes()) != string(src) {
				t.Fatalf("printed as %q", file.Bytes())
			}
			c, diag := understand(t, file, diag)
			if !m.expanded {
				checkPlaces(t, string(src), diag)
			}
			for u := range c.Commands() {
				if len(u.Command.ArgPos) != len(u.Command.Args) || u.Command.Program == "" {
					t.Fatalf("%+v", u.Command)
				}
			}
		}
		checkFormat(t, string(src))
	})
}

// understand expands and resolves a file that includes nothing.
func understand(t *testing.T, file *File, diag Diagnostics) (*Config, Diagnostics) {
	t.Helper()
	file.Name = "/nonexistent/f"
	expanded, more := Expand(t.Context(), file, bare())
	c, most := Resolve(expanded, bare())
	diag = slices.Concat(diag, more, most)
	_ = printed(diag)
	Plain(expanded)
	return c, diag
}

// checkPlaces fails if a diagnostic points outside of the file that it is
// about.
func checkPlaces(t *testing.T, src string, diag Diagnostics) {
	t.Helper()
	lines := strings.Split(src, "\n")
	for _, d := range diag {
		places := []Pos{d.Pos}
		for _, o := range d.Pos.Uses() {
			places = append(places, o.Pos)
		}
		for _, p := range places {
			if p.Line < 1 || p.Line > len(lines) || p.Col > len(lines[p.Line-1])+1 || p.File != "f" {
				t.Fatalf("%v of %+v", p, d)
			}
		}
		if d.Mark > len(d.Line) || len(d.Line) > maxShown {
			t.Fatalf("%+v", d)
		}
	}
}

// Expanding text of the lines that matter ends, and never panics.
func TestExpandProperty(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(lines()), 0, 40).Draw(r, "lines"), "\n")
		file, diag := ParseMond("f", []byte(text))
		_, diag = understand(t, file, diag)
		checkPlaces(t, text, diag)
	})
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{`a "b c" 'd' \e`, `"`, `'\'`, `a\`, "  ", `"\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words, err := Words(line)
		if (err != nil) && words != nil {
			t.Fatal("words beside an error")
		}
		for _, w := range words {
			if w.Off < 0 || w.Off > len(line) {
				t.Fatalf("%+v", w)
			}
		}
	})
}
