package lvs

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/mondhq/mond/plugins/getopt"
)

// The resident keeper is made without arguments, a mistake has some.
func TestValidate(t *testing.T) {
	for in, wrong := range map[string]bool{
		"":                           false,
		"-V 10.0.0.3:80 -R 10.0.0.4": false,
		"-V 10.0.0.3:80":             true,
		"word":                       true,
	} {
		fs := flag.NewFlagSet(Name, flag.ContinueOnError)
		a := New()(fs).(*lvsAlert)
		if _, err := getopt.Parse(fs, strings.Fields(in)); err != nil {
			t.Fatal(err)
		}
		if err := a.Validate(); (err != nil) != wrong {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestSockets(t *testing.T) {
	if got := sockets("/state"); !slices.Equal(got, []string{"/state/lvs.sock"}) {
		t.Errorf("with a state directory: %v", got)
	}
	if got := sockets(""); len(got) != 3 || got[0] != "/run/mond/lvs.sock" {
		t.Errorf("without: %v", got)
	}
}
