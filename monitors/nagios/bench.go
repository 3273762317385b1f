package nagios

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/mondhq/mond/monitors/tcp/origin"
	"github.com/mondhq/mond/plugins/classic"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/procgroup"
)

const (
	// atOnce is how many plugins run side by side, whichever services they are
	// for.
	atOnce = 128
	// grace is the time from SIGTERM to SIGKILL.
	grace = 500 * time.Millisecond
	// maxOutput is how many bytes of a plugin's output are read.
	maxOutput = 64 << 10
)

// Bench is where plugins run. The zero value is ready for use; it starts a thread
// at the first run and holds it until Close.
type Bench struct {
	mu      sync.Mutex
	spawner *procgroup.Spawner
	turns   chan struct{} // a value for every plugin that runs
}

// ready is what is needed to run a plugin.
func (b *Bench) ready() (*procgroup.Spawner, chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spawner == nil {
		s, err := procgroup.New()
		if err != nil {
			return nil, nil, err // tried again at the next run
		}
		b.spawner, b.turns = s, make(chan struct{}, atOnce)
	}
	return b.spawner, b.turns, nil
}

// Close gives the thread back when no plugin runs any more. The Bench may be
// used again.
func (b *Bench) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spawner != nil {
		b.spawner.Close()
		b.spawner = nil
	}
}

// run runs the plugin at path once, in the namespace of from. Its time begins when its turn comes.
func (b *Bench) run(ctx context.Context, from *origin.Origin, path string, words []string, limit time.Duration) monitor.Result {
	spawner, turns, err := b.ready()
	if err != nil {
		return monitor.Blinded(monitor.LocalFault, err.Error())
	}
	select {
	case turns <- struct{}{}:
		defer func() { <-turns }()
	case <-ctx.Done():
		return monitor.Blinded(monitor.Overloaded, fmt.Sprintf("its time passed while %d other plugins ran", cap(turns)))
	}
	e := classic.Exec{Spawner: spawner, Path: path, Env: environment(), Dir: "/", Around: from.Around, Limit: limit, Grace: grace, MaxOutput: maxOutput, Aside: true}
	return classic.RunMonitor(ctx, e, monitor.Request{Args: words})
}

// environment is what a plugin gets: where programs and the user's files are and
// which time it is here, and messages and figures in English.
func environment() []string {
	env := []string{"LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	for _, name := range []string{"HOME", "TMPDIR", "TZ"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
