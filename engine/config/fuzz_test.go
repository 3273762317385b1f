package config

import (
	"path/filepath"
	"testing"
)

// Nothing makes reading panic, every byte is kept, and diagnostics lie inside
// the file.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.cf", "testdata/diag/*.cf", "testdata/grammar/*.cf"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			f.Fatal(pattern, err)
		}
		for _, p := range paths {
			f.Add([]byte(readString(f, p)))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, diag := Parse("f", src)
		if string(file.Bytes()) != string(src) {
			t.Fatalf("printed as %q", file.Bytes())
		}
		c, more := Resolve(file, bare())
		_ = printed(append(diag, more...))
		for _, d := range append(diag, more...) {
			if d.Pos.Line < 0 || d.Mark > len(d.Line) || len(d.Line) > maxShown {
				t.Fatalf("%+v", d)
			}
		}
		for u := range c.Commands() {
			if len(u.Command.ArgPos) != len(u.Command.Args) || u.Command.Program == "" {
				t.Fatalf("%+v", u.Command)
			}
		}
		expanded, _ := parse("f", string(src), manner{expanded: true}) // as if m4 had made it
		Resolve(expanded, bare())
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
