package keepalived

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
	"github.com/mondhq/mond/engine/convert/converttest"
	"github.com/mondhq/mond/engine/convert/keepalived/lang"
)

var update = flag.Bool("update", false, "write the golden files anew")

// printed is all that comes of a file: what is said of it, what is lost, and
// what it becomes.
func printed(t *testing.T, r convert.Result) string {
	t.Helper()
	var b strings.Builder
	if err := r.Diagnostics.Write(&b); err != nil {
		t.Fatal(err)
	}
	b.WriteString("--\n")
	for _, l := range r.Losses {
		b.WriteString(l.String() + "\n")
	}
	b.WriteString("--\n")
	b.Write(r.File.Standalone().Bytes())
	return b.String()
}

// The samples come out as the golden files say.
func TestSamples(t *testing.T) {
	for _, c := range []struct{ name, id string }{
		{"keepalived-lvs", ""}, {"keepalived-vrrp", ""}, {"keepalived-templating", "main"}, {"keepalived-2.4-extras", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir("testdata")
			src, err := os.ReadFile(c.name + ".conf")
			if err != nil {
				t.Fatal(err)
			}
			r := Options{lang.Options{ID: c.id}}.Format().Read(c.name+".conf", src)
			got := printed(t, r)
			golden := c.name + ".golden"
			converttest.Same(t, golden, got, *update)
			resolved(t, r)
		})
	}
}

// resolved gives what was made its meaning, and fails on any error: of what was
// read, and of what is printed of it.
func resolved(t *testing.T, r convert.Result) *config.Config {
	t.Helper()
	for _, f := range []*config.File{r.File, reread(t, r.File)} {
		out, diag := config.Expand(t.Context(), f, config.Options{})
		c, more := config.Resolve(out, config.Options{})
		diag = append(diag, more...)
		var b strings.Builder
		if err := diag.Write(&b); err != nil {
			t.Fatal(err)
		}
		if diag.HasErrors() || c == nil {
			t.Fatalf("%s\n%s", &b, r.File.Standalone().Bytes())
		}
		if f != r.File {
			return c
		}
	}
	return nil
}

// reread is f as mond reads what is printed of it.
func reread(t *testing.T, f *config.File) *config.File {
	t.Helper()
	g, diag := config.Parse("out.cf", f.Standalone().Bytes())
	if diag.HasErrors() {
		t.Fatal(diag.Err())
	}
	return g
}
