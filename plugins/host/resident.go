package host

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/mondhq/mond/plugins/job"
)

// resident is one resident program: the process that does its work, and a
// second one, if need be, for checks that are to run alone.
type resident struct {
	prog     Program
	main     *supervisor
	suspects suspects
	log      *slog.Logger
	launcher func() (l *launcher, grants []string) // as configured now

	mu    sync.Mutex
	lone  *supervisor // nil until needed
	make  func() *supervisor
	ended bool
	caps  []uintptr // of the version known
	known identity
}

// newResident starts to look after a program, not yet the program. The caller
// holds h.mu.
func (h *Host) newResident(p Program) *resident {
	r := &resident{prog: p, log: h.log.With("plugin", p.Name)}
	r.launcher = func() (*launcher, []string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		return &launcher{spawner: h.spawn, dir: h.run.path, env: pluginEnv(h.opt), log: h.log}, h.opt.Grants[p.Name]
	}
	r.make = func() *supervisor {
		s := newSupervisor(p, h.log, h.mail, h.lane, h.pulse.Lost)
		s.launch = r.launch
		s.came = r.came
		return s
	}
	r.main = r.make()
	r.main.crashed = r.crashed
	go r.main.run() // ends with stop
	return r
}

// pluginEnv is the environment of a resident plugin: not ours, in which there
// may be secrets.
func pluginEnv(o Options) []string {
	env := []string{"MON_STATEDIR=" + o.StateDir, "MON_LOGDIR=" + o.LogDir, "MON_CFBASEDIR=" + o.CfBaseDir}
	for _, name := range []string{"PATH", "HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "GOCOVERDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// add queues checks: in the main process, or alone.
func (r *resident) add(jobs []job.Check) {
	if !r.suspects.any() {
		r.main.add(jobs)
		return
	}
	var alone, others []job.Check
	for _, c := range jobs {
		if r.suspects.alone(c.Request.Group + "\x00" + c.Request.Service) {
			alone = append(alone, c)
		} else {
			others = append(others, c)
		}
	}
	if len(others) > 0 {
		r.main.add(others)
	}
	if len(alone) > 0 {
		r.quarantine().add(alone)
	}
}

// quarantine is the process in which one check runs at a time.
func (r *resident) quarantine() *supervisor {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lone == nil {
		r.lone = r.make()
		r.lone.most, r.lone.spared = 1, true
		if r.ended { // a check that came too late is answered by finish
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			go r.lone.run()
			r.lone.stop(ctx)
		} else {
			go r.lone.run() // ends with stop
		}
	}
	return r.lone
}

// crashed notes who was under way when the main process crashed.
func (r *resident) crashed(keys []string) {
	for _, k := range r.suspects.crashed(keys) {
		group, service, _ := strings.Cut(k, "\x00")
		r.log.Warn("check was under way at two crashes and runs alone from now on", "group", group, "service", service)
	}
}

func (r *resident) came(d *job.Done) {
	if r.suspects.any() {
		r.suspects.answered(d.Group + "\x00" + d.Service)
	}
}

func (r *resident) both() []*supervisor {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lone == nil {
		return []*supervisor{r.main}
	}
	return []*supervisor{r.main, r.lone}
}

func (r *resident) cancel(ids map[uint64]bool) {
	for _, s := range r.both() {
		s.withdraw(ids)
	}
}

// withdraw cancels checks.
func (s *supervisor) withdraw(ids map[uint64]bool) {
	wires, dones := s.flights.cancel(ids, time.Now())
	s.mail.put(dones...)
	if l := s.link.Load(); l != nil && len(wires) > 0 {
		l.order(func(o *orders) { o.cancel = append(o.cancel, wires...) })
	}
}

// reconsider starts the program anew if its file or its grants have changed,
// or if it is down.
func (r *resident) reconsider(grants bool) {
	for _, s := range r.both() {
		now := identify(r.prog.Path)
		s.set(func() {
			s.retry = true
			s.renew = s.renew || grants || now != s.identity
			s.identity = now
		})
	}
}

func (r *resident) stop(ctx context.Context) {
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	var wg sync.WaitGroup
	for _, s := range r.both() {
		wg.Go(func() { s.stop(ctx) })
	}
	wg.Wait()
}

// launch starts a process with the capabilities that it needs and may have: see
// caps.go for why that can take two starts.
func (r *resident) launch(ctx context.Context) (*process, error) {
	version := identify(r.prog.Path)
	l, grants := r.launcher()
	r.mu.Lock()
	caps := r.caps
	if r.known != version {
		caps = nil
	}
	r.mu.Unlock()
	if len(grants) == 0 {
		caps = nil
	}
	p, err := l.start(ctx, r.prog, caps)
	if err != nil {
		return nil, err
	}
	needs, missing := grantable(grants, p.manifest.Caps, permittedFor(grants))
	if len(missing) > 0 {
		r.log.Warn("plugin is granted capabilities that mond itself does not have", "caps", missing)
	}
	r.mu.Lock()
	r.caps, r.known = needs, version
	r.mu.Unlock()
	if slices.Equal(needs, caps) {
		return p, nil
	}
	p.kill()
	return l.start(ctx, r.prog, needs)
}

// permittedFor asks the kernel only if something is granted.
func permittedFor(grants []string) []cap.Value {
	if len(grants) == 0 {
		return nil
	}
	return permitted()
}
