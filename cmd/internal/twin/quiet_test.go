package twin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// quiet reports whether no alert is called any more of those that results which
// are known have asked for.
func quiet(t *testing.T, d *daemons.Daemon) bool {
	t.Helper()
	if d.IsMond() {
		is, err := control.Dial(d.Path("sock")).Daemon(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return is.Outbox == 0
	}
	return len(callers(t, d.PID())) == 0
}

// callers are the processes of mon's group that are neither itself nor monitors:
// those that call alerts, and the alerts.
func callers(t *testing.T, mon int) (names []string) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		text, _ := os.ReadFile(path) // its process may have ended
		open, end := strings.IndexByte(string(text), '('), strings.LastIndexByte(string(text), ')')
		if open < 0 || end < open {
			continue
		}
		name := string(text[open+1 : end])
		var pid, parent, group int
		var state string
		if _, err := fmt.Sscan(string(text[:open]), &pid); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscan(string(text[end+1:]), &state, &parent, &group); err != nil {
			t.Fatal(err)
		}
		if group == mon && pid != mon && state != "Z" && name != "play.monitor" {
			names = append(names, name)
		}
	}
	return names
}
