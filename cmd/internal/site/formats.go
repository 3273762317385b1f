package site

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml"
	"github.com/mondhq/mond/engine/convert"
	"github.com/mondhq/mond/engine/convert/hacf"
	"github.com/mondhq/mond/engine/convert/keepalived"
	"github.com/mondhq/mond/engine/convert/ldirectord"
	"github.com/mondhq/mond/engine/convert/lvscf"
)

// Formats are the configurations of other programs that are read as mond's own.
func Formats() []convert.Format {
	return append([]convert.Format{
		ldirectord.Format(),
		lvscf.Format(),
		keepalived.Format(),
	}, hacf.Formats(hacf.Self)...)
}

// The languages of mond's own.
const (
	monCf = "mon.cf"
	tomL  = "toml"
)

// FormatNames are what --format may be.
func FormatNames() []string {
	names := []string{monCf, tomL}
	for _, f := range Formats() {
		names = append(names, f.Name)
	}
	return names
}

// Format is the one of that name.
func Format(name string) (convert.Format, bool) {
	all := Formats()
	i := slices.IndexFunc(all, func(f convert.Format) bool { return f.Name == name })
	if i < 0 {
		return convert.Format{}, false
	}
	return all[i], true
}

// Detect is the format that src is in, told by its content; false for one of
// mond's own languages.
func Detect(src []byte) (convert.Format, bool) {
	for _, f := range Formats() {
		if f.Is(src) {
			return f, true
		}
	}
	return convert.Format{}, false
}

// Speak makes o read a file in the language of that name, or, if it is empty,
// in the one that the end of its name or its content tells. What it includes is
// told by the ends of the names in any case.
func Speak(o *config.Options, format string) error {
	o.Readers = Readers()
	if format != "" && !slices.Contains(FormatNames(), format) {
		return fmt.Errorf("--format %s: want one of %s", format, strings.Join(FormatNames(), ", "))
	}
	o.Language = language(o.M4, format)
	return nil
}

// language finds the reader of the file itself.
func language(m4, format string) func(path string, src []byte) config.Reader {
	return func(path string, src []byte) config.Reader {
		named := filepath.Ext(path) == ".m4" || Readers()[filepath.Ext(path)] != nil
		found, foreign := Detect(src)
		switch {
		case format == "" && (named || !foreign):
			return nil
		case format == "":
			return found.Reader()
		case foreign && found.Name != format:
			return mistaken(found.Name, format)
		case format == tomL:
			return toml.Parse
		case format == monCf && (m4 != "" || filepath.Ext(path) == ".m4"):
			return nil // it goes through m4 first
		case format == monCf:
			return config.Parse
		}
		f, _ := Format(format) // its name was judged
		return f.Reader()
	}
}

// mistaken refuses a file that is in another language than was said.
func mistaken(is, said string) config.Reader {
	return func(name string, _ []byte) (*config.File, config.Diagnostics) {
		d := config.Diagnostic{
			Pos: config.Pos{File: name}, Severity: config.Error, Mark: -1,
			Message: fmt.Sprintf("this is not in the format %s but in that of %s", said, is), Hint: "leave --format out, or write --format " + is,
		}
		return &config.File{Name: name, Paths: []string{name}}, config.Diagnostics{d}
	}
}
