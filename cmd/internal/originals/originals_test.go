package originals

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// TestOriginals runs mon's programs under both daemons, and ours under mon, all
// at the same time.
func TestOriginals(t *testing.T) {
	needMachine(t)
	m := newMachine(t)
	t.Run("at once", func(t *testing.T) {
		t.Run("monitors", func(t *testing.T) { t.Parallel(); testMonitors(t, m) })
		t.Run("alerts", func(t *testing.T) { t.Parallel(); testAlerts(t, m) })
		t.Run("our monitors", func(t *testing.T) { t.Parallel(); testOurMonitors(t, m) })
		t.Run("our alerts", func(t *testing.T) { t.Parallel(); testOurAlerts(t, m) })
	})
}

func testMonitors(t *testing.T, m *machine) {
	s := site(m, checks)
	mon := daemons.Mon(t, s)
	s.Config = "timeout = 5m\n" + s.Config // mon has none, and the machine may be slow
	mond := daemons.Mond(t, s)
	awaitVerdicts(t, mon, mond)
	theirs, ours := judgedByMon(t, mon), judgedByMond(t, mond)
	for i, c := range checks {
		group := c.group(i)
		a, b := theirs[group].plain(mon, c.loose), ours[group].plain(mond, c.loose)
		if a != b {
			t.Errorf("%s %s\nunder mon  %q\nunder mond %q", group, c.words, a, b)
		}
		if want := map[bool]string{false: "1", true: "0"}[c.fails]; a.status != want {
			t.Errorf("%s %s: want opstatus %s: %q", group, c.words, want, a)
		}
	}
}

// patience is how long a slow machine may take for all.
const patience = 5 * time.Minute

// awaitVerdicts waits until each check has the verdict it should have under
// both. What it waited for in vain the comparison shows.
func awaitVerdicts(t *testing.T, mon, mond *daemons.Daemon) {
	t.Helper()
	limit := time.Now().Add(patience)
	for !settled(glanceAtMond(t, mond)) || !settled(judgedByMon(t, mon)) {
		if time.Now().After(limit) {
			return
		}
		time.Sleep(2 * time.Second) // mon answers once a second
	}
}

// settled reports whether each service was judged as its group says, and its
// alert is done.
func settled(verdicts map[string]verdict) bool {
	for group, v := range verdicts {
		down := strings.Contains(group, "-down")
		if !down && v.status != "1" || down && (v.status != "0" || v.told == "") {
			return false
		}
	}
	return true
}

// TestNoneIsForgotten holds the tables equal to what Debian ships.
func TestNoneIsForgotten(t *testing.T) {
	needMachine(t)
	seen := map[string]bool{}
	for _, c := range checks {
		seen[c.file()] = true
	}
	for _, name := range list(t, monDir, localDir, contribDir+"/mon.d", contribDir+"/mon-local.d") {
		if !seen[name] {
			t.Errorf("nobody runs %s", name)
		}
		delete(seen, name)
	}
	for name := range seen {
		t.Errorf("there is no %s", name)
	}
	for _, c := range checks {
		works := slices.ContainsFunc(checks, func(o check) bool { return o.monitor == c.monitor && !o.fails })
		if why := lacking[c.monitor]; works == (why != "") {
			t.Errorf("%s: works here: %v; lacking says %q", c.monitor, works, why)
		}
	}
}

// list is the names of the files in folders, each once.
func list(t *testing.T, dirs ...string) (names []string) {
	t.Helper()
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		must(t, err)
		for _, e := range entries {
			names = append(names, filepath.Base(e.Name()))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
