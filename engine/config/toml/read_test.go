package toml

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
)

var update = flag.Bool("update", false, "write the wanted diagnostics anew")

// Everything that is wrong is said at once, with its line and its column,
// whether the reader or the resolver finds it.
func TestDiagnostics(t *testing.T) {
	src, err := os.ReadFile("testdata/bad.toml")
	if err != nil {
		t.Fatal(err)
	}
	f, diag := Parse("bad.toml", src)
	whole, more := config.Expand(t.Context(), f, bare())
	_, again := config.Resolve(whole, bare())
	got := printed(append(append(diag, more...), again...))
	if *update {
		if err := os.WriteFile("testdata/bad.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/bad.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}
