package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/config"
)

// The line on of a check names tiers, and reals by name, address or
// address:port.
func TestOnReals(t *testing.T) {
	const head = "syntax = mond\n\nvirtual web\n    address tcp 10.0.0.3:80\n    forward nat\n" +
		"    real 192.168.0.1 name www1\n    real 192.168.0.2\n    real 192.168.0.3:8080\n    fallback 192.168.0.9\n" +
		"    check tcp\n        monitor tcp.monitor -p $port\n        on "
	for _, c := range []struct{ on, want, wrong string }{
		{"www1", "www1", ""},
		{"192.168.0.1 192.168.0.2", "www1 192.168.0.2", ""},
		{"192.168.0.3:8080 fallback", "192.168.0.3 192.168.0.9", ""},
		{"192.168.0.2:80", "192.168.0.2", ""},
		{"192.168.0.3:80", "", "no real \"192.168.0.3:80\""},
		{"www2", "", "no real \"www2\""},
	} {
		t.Run(c.on, func(t *testing.T) {
			f, diag := config.Parse("mon.cf", []byte(head+c.on+"\n"))
			f, more := config.Expand(t.Context(), f, config.Options{})
			diag = append(diag, more...)
			var got []string
			for _, st := range f.Statements {
				if st.Kind == config.KindTop && st.Name == "watch" && st.Text != config.VirtualGroup {
					got = append(got, st.Text)
				}
			}
			if c.wrong != "" {
				if !slices.ContainsFunc(diag, func(d config.Diagnostic) bool {
					return strings.Contains(d.Message, c.wrong) && d.Pos.Line == 12 && d.Pos.Col == 12
				}) {
					t.Errorf("said %v, want %s", diag, c.wrong)
				}
				return
			}
			if len(diag) > 0 || strings.Join(got, " ") != c.want {
				t.Errorf("checks of %q, want %q; %v", got, c.want, diag)
			}
		})
	}
}
