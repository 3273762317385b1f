package pair

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"
)

// The soaks: ten minutes of load each, in which no role may change.
const loaded = 10 * time.Minute

// load runs a program again and again until the test ends.
func load(t testing.TB, words ...string) {
	t.Helper()
	ctx := t.Context()
	var wait sync.WaitGroup
	wait.Go(func() {
		for ctx.Err() == nil {
			_ = exec.CommandContext(ctx, words[0], words[1:]...).Run()
		}
	})
	t.Cleanup(wait.Wait) // the context has ended by then
}

// one starts a, and b when it serves: who is slow to start loses the group else.
func (s *scene) one(t *testing.T) {
	t.Helper()
	s.a.start(t)
	s.serves(t, "a")
	s.b.start(t)
	s.steady(t, "a")
}

// Twice as many programs want a processor as there are.
func TestSoakCPU(t *testing.T) {
	long := length(t, loaded)
	s := newStage(t, words{})
	s.one(t)
	for range 2 * runtime.NumCPU() {
		load(t, "sh", "-c", "while :; do :; done")
	}
	s.endures(t, long)
}

// The disk that both keep their state on has always more to write.
func TestSoakDisk(t *testing.T) {
	long := length(t, loaded)
	s := newStage(t, words{})
	s.one(t)
	dir := t.TempDir()
	for i := range 4 {
		load(t, "dd", "if=/dev/zero", "of="+filepath.Join(dir, strconv.Itoa(i)), "bs=1M", "count=64", "conv=fsync", "status=none")
	}
	load(t, "dd", "if=/dev/zero", "of="+filepath.Join(dir, "small"), "bs=4k", "count=2000", "oflag=dsync", "status=none")
	s.endures(t, long)
}

// Ten thousand checks a second on the holder.
func TestSoakChecks(t *testing.T) {
	long := length(t, loaded)
	s := newStage(t, words{})
	s.more(t, s.a, many(10_000))
	s.one(t)
	s.endures(t, long)
}

// A reload each five seconds, of a configuration that changes each time.
func TestSoakReloads(t *testing.T) {
	long := length(t, loaded)
	s := newStage(t, words{})
	s.more(t, s.a, many(1000))
	s.one(t)
	began, text := time.Now(), []byte(nil)
	for n := 0; time.Since(began) < long; n++ {
		if n%2 == 0 {
			text, _ = os.ReadFile(s.a.config)
			s.more(t, s.a, "\nhostgroup more h\n\nwatch more\n    service up\n        interval 1s\n        monitor file.monitor --file DIR/zero\n        period wd {Sun-Sat}\n            numalerts 1\n")
		} else {
			must(t, os.WriteFile(s.a.config, text, 0o644))
		}
		s.a.monctl(t, "reload")
		s.endures(t, 5*time.Second)
	}
}
