package control

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/monitor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a Controller that writes down what it is asked. It knows the watch
// www1 with the service http and the host web1.
type fake struct {
	mu    sync.Mutex
	calls []string
	// next, if set, answers the next calls.
	next func(ctx context.Context) error
}

func (f *fake) note(ctx context.Context, known bool, format string, args ...any) error {
	f.mu.Lock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	next := f.next
	f.mu.Unlock()
	if !known {
		return fmt.Errorf("it: %w", fs.ErrNotExist)
	}
	if next != nil {
		return next(ctx)
	}
	return nil
}

// asked is what it was asked since the last time.
func (f *fake) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

func (f *fake) answer(next func(ctx context.Context) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = next
}

var web = opstatus.Key{Group: "www1", Service: "http"}

func (f *fake) Ack(ctx context.Context, key opstatus.Key, user, text string) error {
	return f.note(ctx, key == web, "ack %s by %s: %s", key, user, text)
}

func (f *fake) DisableService(ctx context.Context, key opstatus.Key, user, text string) error {
	return f.note(ctx, key == web, "disable %s by %s: %s", key, user, text)
}

func (f *fake) EnableService(ctx context.Context, key opstatus.Key, user string) error {
	return f.note(ctx, key == web, "enable %s by %s", key, user)
}

func (f *fake) DisableWatch(ctx context.Context, group, user, text string) error {
	return f.note(ctx, group == "www1", "disable watch %s by %s: %s", group, user, text)
}

func (f *fake) EnableWatch(ctx context.Context, group, user string) error {
	return f.note(ctx, group == "www1", "enable watch %s by %s", group, user)
}

func (f *fake) DisableHost(ctx context.Context, host, user, text string) error {
	return f.note(ctx, host == "web1", "disable host %s by %s: %s", host, user, text)
}

func (f *fake) EnableHost(ctx context.Context, host, user string) error {
	return f.note(ctx, host == "web1", "enable host %s by %s", host, user)
}

func (f *fake) StopScheduler(ctx context.Context, user, text string) error {
	return f.note(ctx, true, "stop by %s: %s", user, text)
}

func (f *fake) StartScheduler(ctx context.Context, user string) error {
	return f.note(ctx, true, "start by %s", user)
}

func (f *fake) TestMonitor(ctx context.Context, key opstatus.Key) error {
	return f.note(ctx, key == web, "test %s", key)
}

func (f *fake) TestAlert(ctx context.Context, key opstatus.Key, t steer.AlertTest) error {
	return f.note(ctx, key == web, "test alert %s %s %s%s", key, t.On, t.Period, exitOf(t))
}

// exitOf is what t says of the exit status.
func exitOf(t steer.AlertTest) string {
	if t.Exit == nil {
		return ""
	}
	return fmt.Sprintf(" exit %d", *t.Exit)
}

func (f *fake) Order(ctx context.Context, o steer.Order) error {
	return f.note(ctx, !strings.Contains(o.Target, "gone"), "order %+v", o)
}

func (f *fake) Failover(ctx context.Context, o steer.Failover) error {
	return f.note(ctx, o.Group != "gone", "failover %s %q by %s: %s", o.Verb, o.Group, o.User, o.Text)
}

func (f *fake) Reload(ctx context.Context) error { return f.note(ctx, true, "reload") }

// show is a plugin that can be asked.
func show(_ context.Context, program, topic string) (string, error) {
	switch {
	case program != "lvs.alert":
		return "", fmt.Errorf("%s does not run: %w", program, fs.ErrNotExist)
	case topic != "table":
		return "", fmt.Errorf("%s: no topic %q; there is: table", program, topic)
	}
	return "<b>the table</b>\n", nil
}

// noon is the time of everything on the board.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// board is filled by hand: a failing service of which everything is known, an
// untested one, and one of the daemon's own.
func board() *view.Board {
	rows := []*view.Service{
		{
			Key: web, Description: "the web", Monitor: "http.monitor", Interval: 10 * time.Second,
			State: opstatus.State{
				Status: opstatus.Fail, Failures: 3, LastCheck: noon.Add(-time.Second), Took: 250 * time.Millisecond,
				Summary: "web1", Output: "web1: refused\n", Ack: &opstatus.Note{At: noon, User: "ann", Text: "on it"},
				Blind: &opstatus.Blind{Cause: monitor.Killed, Reason: "segmentation fault", Since: noon, Times: 2},
			},
			Due: noon.Add(9 * time.Second), Running: true, Since: noon.Add(-time.Hour), AlertsSent: 2, LastAlert: noon,
			Disabled: &opstatus.Note{At: noon, User: "bob"}, Skipped: "it still ran",
			Decisions: []view.Decision{{At: noon, Event: "failure", Period: "wd", Command: "mail.alert root", Sent: true, Reason: "the service fails", Note: "3 in a row"}},
			Claims:    []view.Claim{{Program: "lvs.alert", Args: []string{"-R", "web1"}, Down: true, Reason: "fails", Since: noon}},
		},
		{Key: opstatus.Key{Group: "a/b", Service: ".."}, State: opstatus.New()},
		{Key: opstatus.Key{Group: "mond", Service: "store"}, State: opstatus.State{Status: opstatus.OK}, Hidden: true},
	}
	b := view.NewBoard()
	keys, cells := make([]opstatus.Key, len(rows)), make([]*view.Cell, len(rows))
	for i, r := range rows {
		keys[i], cells[i] = r.Key, new(view.Cell)
		cells[i].Store(r)
	}
	b.Replace(new(config.Config), keys, cells)
	b.SetDaemon(&view.Daemon{
		Version: "v1", PID: 42, ConfigPath: "mon.cf", Started: noon, Loaded: noon, Checks: 10, Blind: 1, Running: 2,
		Late: 1500 * time.Millisecond, Outbox: 3, ReloadError: "mon.cf:1:1: bad", Stopped: &opstatus.Note{At: noon, User: "ann"},
		Hosts: map[string]opstatus.Note{"web9": {At: noon, Text: "burnt"}},
	})
	return b
}

// rig is a server on a socket of its own.
type rig struct {
	t      *testing.T
	path   string
	fake   *fake
	client *Client
	log    *enginetest.Log
	stop   func() // ends the server and waits for it
}

// newRig starts a server; adjust, if set, changes it before.
func newRig(t *testing.T, adjust func(*Server)) *rig {
	t.Helper()
	r := &rig{t: t, path: shortPath(t, "sock"), fake: &fake{}, log: &enginetest.Log{}}
	s := New(Options{Controller: r.fake, Board: board(), Show: show, Log: slog.New(slog.NewTextHandler(r.log, nil))})
	if adjust != nil {
		adjust(s)
	}
	l, err := Listen(r.path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(r.stop)
	r.client = Dial(r.path)
	return r
}

// dial connects without a client.
func (r *rig) dial() net.Conn {
	r.t.Helper()
	c, err := net.Dial("unix", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	return c
}

// shortPath is a path in a new folder that fits a socket.
func shortPath(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mond")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, name)
}
