package trapalert

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// TestRealMonTakesIt sends traps to mon itself, which must call its alerts by
// what they say.
func TestRealMonTakesIt(t *testing.T) {
	m := startMon(t)
	a := mustLine(t, "-U", "trapper", "-P", "it's secret", m.Address)
	r := request()
	check(t, a.Alert(t.Context(), r))
	want := "alert: -s http -g web -T retval 3 type trap|web2||connection 'refused'|" // mon puts an empty line between
	if got := called(m, 1); !strings.HasPrefix(got, want) {
		t.Errorf("mon's alert was called with\n%s\nand not\n%s", got, want)
	}
	r.Kind, r.Exit, r.Status, r.ID = alert.Up, 0, 1, "2"
	check(t, a.Alert(t.Context(), r))
	want = "up: -s http -g web -u retval 0 type up|web2||"
	if got := called(m, 2); !strings.HasPrefix(got, want) {
		t.Errorf("mon's upalert was called with\n%s\nand not\n%s", got, want)
	}
}

// startMon starts Debian's mon with a service that waits for traps.
func startMon(t *testing.T) *daemons.Daemon {
	t.Helper()
	password, err := exec.Command("perl", "-e", `print crypt("it's secret", "ab")`).Output()
	check(t, err)
	const script = `#!/bin/sh
what=$(basename "$0" .alert)
while [ $# -gt 0 ]; do case $1 in -h | -t) shift 2 ;; *) words="$words $1"; shift ;; esac; done
text=$(head -c 400 | tr '\n' '|')
echo "$what:$words retval $MON_RETVAL type $MON_ALERTTYPE|$text" >>DIR/told
`
	return daemons.Mon(t, daemons.Site{
		Config: "hostgroup web web1 web2\n\nwatch web\n    service http\n        period\n            alert alert.alert\n            upalert up.alert\n",
		Files: map[string]string{
			"alert.d/alert.alert": script, "alert.d/up.alert": script,
			"auth.cf": "trap section\n127.0.0.1 trapper " + string(password) + "\n",
		},
	})
}

// called is the n-th call of an alert, in one line.
func called(m *daemons.Daemon, n int) (line string) {
	m.Until("an alert is called", func() bool {
		lines := strings.SplitAfter(m.Read("told"), "\n")
		if len(lines) > n {
			line = strings.TrimSuffix(lines[n-1], "\n")
		}
		return line != ""
	})
	return line
}
