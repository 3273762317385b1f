package clients

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

var update = flag.Bool("update", false, "write what the real mon says to testdata")

func TestMain(m *testing.M) { os.Exit(daemons.Main(m)) }

// step is something done to a daemon, and what came of it as text without
// anything that changes from run to run.
type step struct {
	name string
	run  func(t *testing.T, d *daemons.Daemon) string
}

// compare does the stages to mond, started with s and prepared, and compares what
// the steps say with what Debian's mon said; with MOND_SOAK the stages are done
// to that too, which takes its time, and must say what it said before. The steps
// of a stage run side by side: they may look only.
func compare(t *testing.T, s daemons.Site, prepare func(*testing.T, *daemons.Daemon), stages ...[]step) {
	t.Helper()
	if *update || os.Getenv("MOND_SOAK") != "" {
		mon := daemons.Mon(t, s)
		quicken(t, mon)
		said := play(t, mon, prepare, stages)
		for _, st := range slices.Concat(stages...) {
			golden(t, st.name, said[st.name])
		}
	}
	ours := play(t, daemons.Mond(t, s), prepare, stages)
	for _, st := range slices.Concat(stages...) {
		differ(t, st.name, recorded(t, st.name), ours[st.name])
	}
}

// play is what each step says.
func play(t *testing.T, d *daemons.Daemon, prepare func(*testing.T, *daemons.Daemon), stages [][]step) map[string]string {
	t.Helper()
	if prepare != nil {
		prepare(t, d)
	}
	said := map[string]string{}
	var mu sync.Mutex
	for _, stage := range stages {
		if len(stage) == 1 { // it may end the test
			said[stage[0].name] = stage[0].run(t, d)
			continue
		}
		var wg sync.WaitGroup
		slots := make(chan struct{}, 4) // Perl is heavy, the machine is small
		for _, st := range stage {
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				text := st.run(t, d)
				mu.Lock()
				defer mu.Unlock()
				said[st.name] = text
			})
		}
		wg.Wait()
	}
	return said
}

// golden compares what the real mon says with what it said before.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(goldenFile(name), []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(lines(recorded(t, name)), lines(got)); diff != "" {
		t.Errorf("%s: mon does not say what it said before (-before +now):\n%s", name, diff)
	}
}

func goldenFile(name string) string {
	return filepath.Join("testdata", "golden", strings.ReplaceAll(name, " ", "_")+".txt")
}

// recorded is what Debian's mon said.
func recorded(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(goldenFile(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// differ reports where mond does not say what mon says, beyond what a
// difference forgives.
func differ(t *testing.T, name, theirs, ours string) {
	t.Helper()
	if diff := cmp.Diff(lines(forgive(name, theirs)), lines(ours)); diff != "" {
		t.Errorf("%s: mond does not say what mon says (-mon +mond):\n%s", name, diff)
	}
}

// lines splits for a diff that can be read.
func lines(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }
