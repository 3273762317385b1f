package toml

import (
	"bytes"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
)

// AsMonCf writes f, which was read from TOML, as a mon.cf. What a mon.cf cannot
// say is an error.
func AsMonCf(f *config.File) ([]byte, config.Diagnostics) {
	var diag config.Diagnostics
	in := ""
	for i := range f.Statements {
		st := &f.Statements[i]
		if st.Kind == config.KindTop {
			in = st.Name
		}
		if why, hint := unsayable(st, in); why != "" {
			diag = append(diag, st.Diagnose(config.Error, -1, why, hint))
		}
	}
	alone := f.Standalone()
	if alone == f && f.Mond {
		plain := *f
		plain.Mond = false // or signs would be escaped that need it only there
		alone = &plain
	}
	out := config.Format(alone)
	if diag.HasErrors() {
		return out, diag
	}
	again, _ := config.Parse(f.Name, out)
	if pos, ok := config.SameMeaning(f, again); !ok {
		diag = append(diag, f.Diagnose(config.Error, pos, "a mon.cf would read this otherwise", "write it in another way"))
	}
	return out, diag
}

// unsayable says why a mon.cf cannot hold a statement of the record in.
func unsayable(st *config.Statement, in string) (why, hint string) {
	alias := st.Kind == config.KindMember && in == "alias"
	switch {
	case strings.ContainsAny(st.Text, "\n\r"):
		return "a mon.cf has no line ends in a value", "put the text into a file, or into a program of its own"
	case st.Kind != config.KindComment && strings.HasSuffix(st.Text, `\`):
		return "a backslash at the end of a line of a mon.cf continues the line", "add a word behind it"
	case st.Kind == config.KindEnv && strings.TrimRight(st.Text, blanks) != st.Text:
		return "a mon.cf has no blanks at the end of a variable", "remove them"
	case alias && st.Text == "":
		return "a mon.cf has no empty lines in an alias", "write a line with a dot or a dash"
	}
	return "", ""
}

// FormatSource is the text of a TOML file in its normal form, which says the
// same; the counterpart of [config.FormatSource].
func FormatSource(name string, src []byte) ([]byte, config.Diagnostics) {
	f, diag := Parse(name, src)
	if diag.HasErrors() {
		return nil, diag
	}
	out, said := Format(f)
	if diag = append(diag, said...); diag.HasErrors() {
		return nil, diag
	}
	again, bad := Parse(name, out)
	twice, _ := Format(again)
	if bad.HasErrors() || !bytes.Equal(out, twice) || !slices.Equal(outline(f), outline(again)) {
		d := config.Diagnostic{Pos: config.Pos{File: name}, Severity: config.Error, Mark: -1, Message: "the normal form would not say the same", Hint: "this is a mistake in mond: please report it"}
		return nil, append(diag, d)
	}
	return out, diag
}

// outline is what a file is made of, and its comments, in no order: tables may
// stand in another one in the normal form.
func outline(f *config.File) []string {
	var all []string
	for i := range f.Statements {
		st := &f.Statements[i]
		switch st.Kind {
		case config.KindBlank:
		case config.KindComment:
			all = append(all, st.Text)
		default:
			all = append(all, st.Kind.String()+" "+st.Name)
		}
		if st.Comment != "" {
			all = append(all, st.Comment)
		}
	}
	slices.Sort(all)
	return all
}
