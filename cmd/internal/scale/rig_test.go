package scale

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/alerts/lvs"
	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// The size that the project promises for.
const (
	manyVirtuals = 1000
	manyReals    = 10
)

// site is a mond with many virtual services on the double. All but one share
// their real servers; those of that one are looked at more often.
type site struct {
	t      testing.TB
	n      int // how many virtual services
	dir    string
	kernel *double
	reals  []*real // of the many
	quick  []*real // of the one
	spare  *real
	extra  int // the weight of spare in one of the many; 0: it is in none
	cmd    *exec.Cmd
	ended  chan struct{}
	client *control.Client
}

// newSite starts one of n and waits until the whole table is there. every is the
// time between two looks at the table, 0 for the usual one.
func newSite(t testing.TB, n int, every time.Duration) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "mond") // sockets lie in it: a short path
	must(t, err)
	s := &site{t: t, n: n, dir: dir, client: control.Dial(filepath.Join(dir, "sock"))}
	s.programs()
	s.kernel = newDouble(t, dir)
	for i := range manyReals {
		s.reals = append(s.reals, newReal(t, fmt.Sprintf("127.0.1.%d", i+1)))
		s.quick = append(s.quick, newReal(t, fmt.Sprintf("127.0.2.%d", i+1)))
	}
	s.spare = newReal(t, "127.0.3.1")
	t.Cleanup(s.clear) // before its surroundings go
	if every > 0 {
		must(t, os.WriteFile(s.path(resyncFile), []byte(every.String()), 0o600))
	}
	s.configure()
	s.start()
	s.kernel.until(t, "all rows are there", func() bool { return s.kernel.count() >= n*(1+manyReals) })
	s.settled()
	return s
}

// programs makes the folder of plugins: the shipped ones, and lvs.alert on the
// double.
func (s *site) programs() {
	s.t.Helper()
	self, err := os.Executable()
	must(s.t, err)
	must(s.t, os.Mkdir(s.path("plugins"), 0o755))
	shipped := filepath.Join(daemons.Programs(s.t), "plugins", "mond-plugins")
	must(s.t, os.Symlink(shipped, s.path("plugins/http.monitor")))
	must(s.t, os.Symlink(self, s.path("plugins/"+lvs.Name)))
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// configure writes the configuration.
func (s *site) configure() {
	s.t.Helper()
	var b strings.Builder
	b.WriteString(strings.ReplaceAll("syntax = mond\nstatedir = DIR\nlogdir = DIR\ncontrolsocket = DIR/sock\npidfile = DIR/pid\nplugindir = DIR/plugins\nmondir = DIR/none\nalertdir = DIR/none\n", "DIR", s.dir))
	b.WriteString("\ntemplate all\n    scheduler wlc\n    forward nat\n")
	writeReals(&b, s.reals)
	b.WriteString("    check http\n        interval 1h\n        monitor http.monitor -p $port -u /\n")
	for i := range s.n - 1 {
		fmt.Fprintf(&b, "\nvirtual v%d\n    address tcp 10.1.%d.%d:80\n", i, i/250, 1+i%250)
		if i == 7 && s.extra > 0 {
			fmt.Fprintf(&b, "    real %s weight %d\n", s.spare.addr, s.extra)
		}
		b.WriteString("    use all\n")
	}
	b.WriteString("\nvirtual quick\n    address tcp 10.2.0.1:80\n    scheduler wlc\n    forward nat\n")
	writeReals(&b, s.quick)
	fmt.Fprintf(&b, "    check http\n        interval %v\n        fall %d\n        monitor http.monitor -p $port -u /\n", fast, fall)
	must(s.t, os.WriteFile(s.path("mon.cf"), []byte(b.String()), 0o600))
}

// The detection that is measured.
const (
	fast = 200 * time.Millisecond
	fall = 3
)

func writeReals(b *strings.Builder, reals []*real) {
	for _, r := range reals {
		fmt.Fprintf(b, "    real %s weight 5\n", r.addr)
	}
}

// start runs mond until it answers.
func (s *site) start() {
	s.t.Helper()
	log, err := os.OpenFile(s.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(s.t, err)
	defer log.Close()
	s.cmd = exec.Command(filepath.Join(daemons.Programs(s.t), "mond"), "-c", s.path("mon.cf"), "--log", "stderr", "-r", "1s")
	s.cmd.Stdout, s.cmd.Stderr = log, log
	must(s.t, s.cmd.Start())
	s.ended = make(chan struct{})
	go func(c *exec.Cmd, ended chan struct{}) { _ = c.Wait(); close(ended) }(s.cmd, s.ended)
}

// settled waits until a look at the whole table has passed without an edit, and
// forgets the edits before.
func (s *site) settled() {
	s.t.Helper()
	for range 10 {
		s.kernel.take()
		s.kernel.rounds(s.t, 2)
		if s.kernel.count() == 0 {
			return
		}
	}
	s.t.Fatalf("the table does not come to rest: %v", s.kernel.take())
}

// reload makes mond read its configuration.
func (s *site) reload() {
	s.t.Helper()
	must(s.t, s.client.Do(s.t.Context(), control.Remark{}, "reload"))
}

// clear ends mond and shows its log if the test failed.
func (s *site) clear() {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-s.ended:
		case <-time.After(limit):
			_ = s.cmd.Process.Kill()
			<-s.ended
		}
	}
	if s.t.Failed() {
		text, _ := os.ReadFile(s.path("log"))
		s.t.Logf("log of mond:\n%s", text[max(0, len(text)-3000):])
	}
	_ = os.RemoveAll(s.dir)
}

// real is a real server: it says well, or that it is not, and when it answered
// last.
type real struct {
	addr     string
	failing  atomic.Bool
	asked    atomic.Int64 // since it fails
	answered atomic.Int64 // the last time, in ns since 1970
}

func newReal(t testing.TB, ip string) *real {
	t.Helper()
	l, err := net.Listen("tcp", ip+":0")
	must(t, err)
	r := &real{addr: l.Addr().String()}
	srv := &http.Server{Handler: r}
	go srv.Serve(l)
	t.Cleanup(func() { _ = srv.Close() })
	return r
}

func (r *real) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if !r.failing.Load() {
		fmt.Fprintln(w, "well")
		return
	}
	r.asked.Add(1)
	r.answered.Store(time.Now().UnixNano())
	http.Error(w, "not well", http.StatusServiceUnavailable)
}

// fail makes it fail from now on.
func (r *real) fail() time.Time {
	r.asked.Store(0)
	r.failing.Store(true)
	return time.Now()
}

func (r *real) heal() { r.failing.Store(false) }

// usage is the CPU time that a child of mond, or mond itself for "", used.
func (s *site) usage(name string) time.Duration {
	s.t.Helper()
	pid := s.cmd.Process.Pid
	if name != "" {
		pid = s.child(name)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(s.t, err)
	_, rest, _ := strings.Cut(string(text), ") ")
	f := strings.Fields(rest)
	var user, system int64
	_, err = fmt.Sscan(f[11]+" "+f[12], &user, &system)
	must(s.t, err)
	const tick = 10 * time.Millisecond // USER_HZ is 100 wherever Go runs
	return time.Duration(user+system) * tick
}

// child is the process of a plugin below mond.
func (s *site) child(name string) int {
	s.t.Helper()
	entries, err := os.ReadDir("/proc")
	must(s.t, err)
	parent := fmt.Sprintf(" %d ", s.cmd.Process.Pid)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		program, _, _ := strings.Cut(string(command), "\x00")
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, rest, _ := strings.Cut(string(stat), ") ") // the state, the parent
		if filepath.Base(program) == name && len(rest) > 1 && strings.HasPrefix(rest[1:], parent) {
			return pid
		}
	}
	s.t.Fatalf("mond runs no %s", name)
	return 0
}
