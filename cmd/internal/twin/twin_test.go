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

	"github.com/mondhq/mond/cmd/internal/daemons"
)

// record makes the tests write testdata/recorded.txt anew from Debian's mon.
var recordAll = flag.Bool("record", false, "record all scenarios from Debian's mon")

func TestMain(m *testing.M) {
	code := daemons.Main(m)
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// share is how many scenarios one daemon plays.
const share = 60

// batches divides scenarios among daemons; one that must be alone is.
func batches(scenarios []*scenario) (all [][]*scenario) {
	var shared []*scenario
	for _, s := range scenarios {
		if s.is("alone") {
			all = append(all, []*scenario{s})
		} else {
			shared = append(shared, s)
		}
	}
	return slices.AppendSeq(all, slices.Chunk(shared, share))
}

// playAll plays scenarios under Debian's mon.
func playAll(t *testing.T, scenarios []*scenario) map[string][]record {
	t.Helper()
	var mu sync.Mutex
	all := map[string][]record{}
	t.Run("play", func(t *testing.T) {
		for _, batch := range batches(scenarios) {
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
	if *recordAll {
		if err := syscall.Setpriority(syscall.PRIO_PROCESS, d.PID(), -15); err != nil {
			t.Log(err)
		}
	}
}

func TestRecord(t *testing.T) {
	if !*recordAll {
		t.Skip("without -record")
	}
	all := readScenarios(t)
	traces := playAll(t, all)
	if t.Failed() {
		return
	}
	writeTraces(t, all, traces)
}

// What mon did when it was recorded, mond does.
func TestRecorded(t *testing.T) {
	traces, f := readTraces(t), forgiven{}
	for _, s := range readScenarios(t) {
		t.Run(s.name, func(t *testing.T) {
			tr, ok := traces[s.name]
			if !ok || tr.hash != s.hash() {
				t.Fatal("not recorded as it stands: go test -run TestRecord -record")
			}
			check(t, s, tr.records, f)
		})
	}
	t.Log(f)
}

// check replays a trace of mon's and reports what mond did otherwise.
func check(t *testing.T, s *scenario, mon []record, f forgiven) {
	t.Helper()
	mond, lacks := replay(t, s, mon)
	if lacks != "" {
		t.Skipf("the engine cannot do yet: %s", lacks)
	}
	if wrong := compare(s, mon, mond, f); len(wrong) > 0 {
		t.Errorf("mond does not do what mon does:\n%s", strings.Join(wrong, "\n"))
	}
}
