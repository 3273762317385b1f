package line

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/view"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is what the clock of tests says.
var noon = time.Unix(1795445204, 0).UTC()

// mon is a control.Mon that writes down what it is asked, and refuses with err
// if that is set.
type mon struct {
	mu    sync.Mutex
	calls []string
	err   error
	vars  map[string]string
	keep  int
}

func (m *mon) note(format string, args ...any) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, strings.TrimSpace(fmt.Sprintf(format, args...)))
	return m.err
}

// asked is what it was asked since the last time.
func (m *mon) asked() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls := m.calls
	m.calls = nil
	return calls
}

func (m *mon) Ack(_ context.Context, k opstatus.Key, user, text string) error {
	return m.note("ack %s by %s: %q", k, user, text)
}

func (m *mon) DisableService(_ context.Context, k opstatus.Key, user, _ string) error {
	return m.note("disable %s by %s", k, user)
}

func (m *mon) EnableService(_ context.Context, k opstatus.Key, user string) error {
	return m.note("enable %s by %s", k, user)
}

func (m *mon) DisableWatch(_ context.Context, group, user, _ string) error {
	return m.note("disable watch %s by %s", group, user)
}

func (m *mon) EnableWatch(_ context.Context, group, user string) error {
	return m.note("enable watch %s by %s", group, user)
}

func (m *mon) DisableHost(_ context.Context, host, user, _ string) error {
	return m.note("disable host %s by %s", host, user)
}

func (m *mon) EnableHost(_ context.Context, host, user string) error {
	return m.note("enable host %s by %s", host, user)
}
func (m *mon) StopScheduler(_ context.Context, user, _ string) error {
	return m.note("stop by %s", user)
}
func (m *mon) StartScheduler(_ context.Context, user string) error {
	return m.note("start by %s", user)
}
func (m *mon) TestMonitor(_ context.Context, k opstatus.Key) error { return m.note("test %s", k) }
func (m *mon) TestAlert(_ context.Context, k opstatus.Key, test steer.AlertTest) error {
	return m.note("test %s %s in %q as %d", k, test.On, test.Period, *test.Exit)
}
func (m *mon) Order(_ context.Context, o steer.Order) error       { return m.note("order %+v", o) }
func (m *mon) Failover(_ context.Context, o steer.Failover) error { return m.note("failover %+v", o) }

func (m *mon) Reload(context.Context) error { return m.note("reload") }

func (m *mon) ClearTimers(_ context.Context, k opstatus.Key, user string) error {
	return m.note("clear timers %s by %s", k, user)
}

func (m *mon) Variable(_ context.Context, k opstatus.Key, name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.vars[k.String()+" "+name], m.err
}

func (m *mon) SetVariable(_ context.Context, k opstatus.Key, name, value, user string) error {
	return m.note("set %s %s=%q by %s", k, name, value, user)
}

func (m *mon) SetKeep(_ context.Context, n int, user string) error {
	m.mu.Lock()
	m.keep = n
	m.mu.Unlock()
	return m.note("keep %d by %s", n, user)
}

func (m *mon) Keep() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keep
}

func (m *mon) SaveState(_ context.Context, what steer.MonState, user string) error {
	return m.note("save %+v by %s", what, user)
}

func (m *mon) LoadState(_ context.Context, what steer.MonState, user string) error {
	return m.note("load %+v by %s", what, user)
}

func (m *mon) Reset(_ context.Context, how steer.ResetHow, user string) error {
	return m.note("reset %+v by %s", how, user)
}
func (m *mon) CheckConfig(context.Context) error { return m.note("check") }

// users is an Auth: alice may everything, bob may not disable, nobody may look.
// Eve's files are those of trustlocal.
type users struct{}

func (users) May(user, command string) bool {
	switch command {
	case "list", "get", "servertime":
		return true
	case "ack", "clear", "enable", "test":
		return user != ""
	case "disable", "set", "reload", "reset", "stop", "start", "savestate", "loadstate", "term":
		return user == "alice"
	}
	return false
}

func (users) Login(_ context.Context, _ netip.Addr, user, password string) error {
	if user == "alice" && password == "secret" || user == "bob" && password == "two  words" || user == "eve" && password == "" {
		return nil
	}
	return errors.New("no")
}

// rig is a Server with all that it needs.
type rig struct {
	*Server
	mon     *mon
	board   *view.Board
	rows    map[string]*view.Cell
	log     enginetest.Log
	mu      sync.Mutex
	set     Settings
	auth    error
	ended   chan struct{}
	dtlog   string
	running []steer.Process
}

// newRig makes one whose board shows text as a configuration; every service is
// untested and due in an hour.
func newRig(t testing.TB, text string) *rig {
	t.Helper()
	cfg := configtest.Parse(t, text)
	r := &rig{mon: &mon{keep: 5, vars: map[string]string{}}, board: view.NewBoard(), ended: make(chan struct{})}
	r.set = Settings{Timeout: 10 * time.Second}
	r.publish(cfg)
	var err error
	r.Server, err = New(Options{
		Controller: r.mon, Board: r.board, Auth: users{}, Hostname: "vm",
		ReloadAuth:  func(context.Context) error { return r.auth },
		Processes:   func() []steer.Process { return r.running },
		Terminate:   func() { close(r.ended) },
		DowntimeLog: func() (string, bool) { return r.dtlog, r.dtlog != "" },
		Settings: func() Settings {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.set
		},
		Log: slog.New(slog.NewTextHandler(&r.log, nil)),
		Now: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// publish shows a configuration, and beside it a service of the daemon's own.
func (r *rig) publish(cfg *config.Config) {
	r.rows = map[string]*view.Cell{}
	var keys []opstatus.Key
	var cells []*view.Cell
	add := func(row view.Service) {
		cell := new(view.Cell)
		cell.Store(&row)
		r.rows[row.Key.String()] = cell
		keys, cells = append(keys, row.Key), append(cells, cell)
	}
	for _, s := range cfg.Services {
		row := view.Service{Key: s.Key, Config: s, Description: s.Description, State: opstatus.New(), Interval: s.Plan.Up}
		if s.Plan.Up > 0 {
			row.Due = noon.Add(s.Plan.Up)
		}
		add(row)
	}
	add(view.Service{Key: opstatus.Key{Group: "mond", Service: "store"}, Hidden: true, Config: &config.Service{}})
	r.board.Replace(cfg, keys, cells)
	r.board.SetDaemon(&view.Daemon{PID: 27162})
	r.board.Calls.Resize(5)
	r.board.Failures.Resize(5)
}

// change changes a row.
func (r *rig) change(name string, f func(*view.Service)) {
	row := *r.rows[name].Load()
	f(&row)
	r.rows[name].Store(&row)
}

// pipes is a listener whose clients are pipes.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

// serve runs r until the test ends, on a listener of this machine.
func (r *rig) serve(t testing.TB) net.Addr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.serveOn(t, l)
	return l.Addr()
}

// serveOn runs r on l until the test ends.
func (r *rig) serveOn(t testing.TB, l net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func dial(t testing.TB, a net.Addr) net.Conn {
	t.Helper()
	c, err := new(net.Dialer).DialContext(context.Background(), "tcp", a.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

var errGone = fmt.Errorf("it: %w", fs.ErrNotExist)
