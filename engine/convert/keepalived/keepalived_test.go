package keepalived

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/convert"
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
			got := printed(t, Options{lang.Options{ID: c.id}}.Format().Read(c.name+".conf", src))
			golden := filepath.Join(c.name + ".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, _ := os.ReadFile(golden)
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
