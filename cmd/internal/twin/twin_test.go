package twin

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/mondhq/mond/engine/difference"
	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// recordHow makes TestRecorded write testdata/recorded.txt from Debian's mon
// first.
var recordHow = flag.String("record", "", `record from Debian's mon: "stale", what is not recorded as it stands, or "all"`)

func TestMain(m *testing.M) {
	code := daemons.Main(m)
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// share is how many scenarios one daemon plays at most.
const share = 50

// batches divides scenarios among daemons; one that must be alone is.
func batches(scenarios []*scenario, size int) (all [][]*scenario) {
	var shared []*scenario
	for _, s := range scenarios {
		if s.is("alone") {
			all = append(all, []*scenario{s})
		} else {
			shared = append(shared, s)
		}
	}
	return slices.AppendSeq(all, slices.Chunk(shared, size))
}

// playAll plays scenarios under Debian's mon.
func playAll(t *testing.T, scenarios []*scenario, size int) map[string]trace {
	t.Helper()
	var mu sync.Mutex
	all := map[string]trace{}
	t.Run("play", func(t *testing.T) {
		for _, batch := range batches(scenarios, size) {
			t.Run(batch[0].name, func(t *testing.T) {
				t.Parallel()
				d := daemons.Mon(t, site(t, batch, "1s"))
				prefer(t, d)
				traces := drive(t, d, batch)
				mu.Lock()
				defer mu.Unlock()
				maps.Copy(all, traces)
			})
		}
	})
	return all
}

// prefer lets a daemon that is recorded go before what else the machine does,
// if it may: what takes it long makes the clock tick between things that belong
// together.
func prefer(t *testing.T, d *daemons.Daemon) {
	if *recordHow != "" {
		if err := syscall.Setpriority(syscall.PRIO_PROCESS, d.PID(), -15); err != nil {
			t.Log(err)
		}
	}
}

// recordAll records, and plays again what came out late, in smaller batches.
func recordAll(t *testing.T) {
	t.Helper()
	scenarios := readScenarios(t)
	traces := map[string]trace{}
	if *recordHow == "stale" {
		traces = readTraces(t)
	}
	for size := share; size > 10; size /= 2 {
		wanted := slices.DeleteFunc(slices.Clone(scenarios), func(s *scenario) bool {
			return traces[s.name].hash == s.hash() && !traces[s.name].late
		})
		if len(wanted) == 0 {
			break
		}
		maps.Copy(traces, playAll(t, wanted, size))
	}
	if t.Failed() {
		return
	}
	for _, s := range scenarios {
		if traces[s.name].late {
			t.Logf("%s is not recorded: the machine is too slow now", s.name)
		}
	}
	writeTraces(t, scenarios, traces)
}

// What mon did when it was recorded, mond does; and every difference that is
// said to be shows.
func TestRecorded(t *testing.T) {
	if *recordHow != "" {
		recordAll(t)
	}
	traces, f := readTraces(t), forgiven{}
	for _, s := range readScenarios(t) {
		t.Run(s.name, func(t *testing.T) {
			tr, ok := traces[s.name]
			if !ok || tr.hash != s.hash() {
				t.Fatal("not recorded as it stands: go test -run TestRecorded -record stale")
			}
			check(t, s, tr.records, f)
		})
	}
	for _, name := range shown {
		if _, ok := difference.Find(name); !ok || f[name] == 0 {
			t.Errorf("difference %q: no scenario shows it", name)
		}
	}
}

// shown are the differences that recorded scenarios show. What others there are
// in deciding who is told cannot be recorded, and is tested where it lies: times
// below a second, clocks, hangs and keepers in engine/policy and engine.
var shown = []string{
	"upalertafter", "alertdepend", "disablealert", "redistribute", "monitor ended by a signal", "hostdepend", firstSuccess, "the last newline",
}

// check replays a trace of mon's and reports what mond did otherwise.
func check(t *testing.T, s *scenario, mon []record, f forgiven) {
	t.Helper()
	if wrong := compare(s, mon, replay(t, s, mon), f); len(wrong) > 0 {
		t.Errorf("mond does not do what mon does:\n%s", strings.Join(wrong, "\n"))
	}
}
