package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// etc/mond.cf is etc/mon.cf in the new syntax, and in the normal form.
func TestExampleInBothSyntaxes(t *testing.T) {
	options := append(alike(), cmpopts.IgnoreFields(Config{}, "Path", "Files"), cmpopts.IgnoreFields(Globals{}, "Set"), cmpopts.IgnoreFields(Service{}, "Description"))
	var both [2]*Config
	for i, name := range []string{"mon.cf", "mond.cf"} {
		c, diag := Load(t.Context(), "../../etc/"+name, bare())
		if len(diag) > 0 {
			t.Fatal(printed(diag))
		}
		both[i] = c
	}
	if diff := cmp.Diff(both[0], both[1], options...); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"mond.cf", "examples/virtual.cf", "examples/pair.cf", "examples/witness.cf"} {
		text := readString(t, "../../etc/"+name)
		out, _ := FormatSource(name, []byte(text))
		if diff := cmp.Diff(text, string(out)); diff != "" {
			t.Error(diff)
		}
	}
}
