// Package host is the daemon's side of monitors and alerts: it finds programs,
// runs classic ones, keeps resident ones running, and answers every check
// exactly once, whatever a program does.
//
// It decides nothing about services: what a result means is for engine. The
// wire is plugins/rpc, the plugin's side plugins/serve, mon's process contract
// plugins/classic.
//
// How a check of a resident plugin goes: Run puts it into the plugin's flights
// (flights.go), a sender takes it from there as soon as the plugin has room
// (link.go), the answer or the loss of the plugin (supervisor.go) takes it out,
// and the mailbox hands it to the one reader.
package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mondhq/mond/plugins/classic"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/procgroup"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
	"github.com/mondhq/mond/plugins/rpc/pulse"
)

// ErrNoFullSet is returned by [Host.Keep] for changes when the keeper has no
// full set yet, such as after it was started again: nothing was done.
var ErrNoFullSet = rpc.ErrNoFullSet

// Options are what a host needs. All but RunDir and Spawner may be given anew
// to [Host.Reconfigure].
type Options struct {
	// MonDirs and AlertDirs hold classic programs, PluginDirs resident ones;
	// each is searched in order.
	MonDirs, AlertDirs, PluginDirs []string
	// PreferResident searches PluginDirs first.
	PreferResident bool
	// RunDir is where the sockets of plugins are made. It is created with mode
	// 0700; its path has at most 55 bytes. Hosts may share it.
	RunDir string
	// MaxProcs is how many classic monitors run at once; 0 means 16 a
	// processor.
	MaxProcs int
	// Grants are the capabilities that a program may have, by its name, such
	// as "cap_net_raw". It gets those that its manifest names as well.
	Grants map[string][]string
	// StateDir, LogDir and CfBaseDir are told to programs as mon does.
	StateDir, LogDir, CfBaseDir string
	// Log gets a line for every change of a plugin's state.
	Log *slog.Logger
	// Spawner starts the programs. It is to be closed after the host was
	// stopped.
	Spawner *procgroup.Spawner
}

func (o Options) maxProcs() int {
	if o.MaxProcs > 0 {
		return o.MaxProcs
	}
	return 16 * runtime.NumCPU()
}

// Host runs programs. Its methods may be called concurrently.
type Host struct {
	log   *slog.Logger
	mail  *mailbox
	pulse *pulse.Pulse
	pool  *pool
	run   *runDir
	spawn *procgroup.Spawner
	end   context.CancelFunc // of pulse

	mu        sync.Mutex
	opt       Options
	routes    map[route]Program
	residents map[string]*resident // by path
	watched   map[*resident]bool
	sets      uint64 // how many Watch was given
	electors  map[*resident]bool
	elections uint64 // how many sets Elect was given
	lane      *lane
	stopped   bool
	keeping   map[string]*sequence // by program

	holding sync.Mutex         // taken after mu, if both are
	holders map[string]*holder // by program
}

type route struct {
	kind Kind
	name string
}

// sequence orders the calls of one keeper.
type sequence struct {
	turn       chan struct{} // capacity 1
	generation uint64
}

// New makes a host. It starts no program; what an earlier one left in RunDir
// is removed.
func New(o Options) (*Host, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Spawner == nil {
		return nil, errors.New("make a plugin host: Options.Spawner is missing")
	}
	dir, err := openRunDir(o.RunDir)
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(context.Background())
	h := &Host{
		log: o.Log, mail: newMailbox(), pulse: pulse.Start(ctx), run: dir, spawn: o.Spawner, end: end,
		routes: map[route]Program{}, residents: map[string]*resident{}, watched: map[*resident]bool{},
		keeping: map[string]*sequence{},
		lane:    newLane(), electors: map[*resident]bool{}, holders: map[string]*holder{},
	}
	h.pool = newPool(h.mail, h.pulse.Lost)
	h.opt = o
	h.pool.resize(o.maxProcs())
	return h, nil
}

// Reconfigure takes new paths, grants and limits. Plugins whose file and grants
// are unchanged go on undisturbed; one whose file was replaced is started anew,
// with its checks blind meanwhile. A plugin that does not start is tried at
// once. RunDir and Spawner stay.
func (h *Host) Reconfigure(o Options) {
	before, residents := h.reconfigured(o)
	for _, r := range residents { // it looks at files, which may take its time
		r.suspects.forget()
		granted := slices.Equal(before.Grants[r.prog.Name], o.Grants[r.prog.Name])
		r.reconsider(!granted)
	}
}

// reconfigured takes new options and returns those before.
func (h *Host) reconfigured(o Options) (before Options, residents []*resident) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before = h.opt
	o.RunDir, o.Spawner, o.Log = before.RunDir, before.Spawner, before.Log
	h.opt = o
	clear(h.routes)
	h.pool.resize(o.maxProcs())
	return before, slices.Collect(maps.Values(h.residents))
}

// Find looks a program up by its name, without running it. The error is a
// [*NotFoundError], or says what is wrong with the name or a directory.
func (h *Host) Find(kind Kind, name string) (Program, error) {
	h.mu.Lock()
	o := h.opt
	p, ok := h.routes[route{kind, name}]
	h.mu.Unlock()
	if ok {
		return p, nil
	}
	p, err := o.find(kind, name)
	if err != nil {
		return Program{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.routes[route{kind, name}] = p
	return p, nil
}

// Prepare starts the resident ones of programs, which is the whole set in use:
// others that run are ended. Without it a plugin starts when it is first
// needed and runs on.
func (h *Host) Prepare(programs []Program) {
	use := map[string]bool{}
	for _, p := range programs {
		if p.Resident {
			use[p.Path] = true
			if r, err := h.resident(p); err == nil {
				r.main.set(func() { r.main.wanted = true })
			}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for path, r := range h.residents {
		if !use[path] {
			delete(h.residents, path)
			delete(h.watched, r)
			delete(h.electors, r)
			h.unhold(r)
			go h.retire(r) // bounded
		}
	}
}

// retireTime bounds the end of a plugin that is not used any more.
const retireTime = 5 * time.Second

func (h *Host) retire(r *resident) {
	r.main.letGo()
	ctx, cancel := context.WithTimeout(context.Background(), retireTime)
	defer cancel()
	r.stop(ctx)
}

// resident is the keeper of a resident program.
func (h *Host) resident(p Program) (*resident, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return nil, errStopped
	}
	r := h.residents[p.Path]
	if r == nil {
		r = h.newResident(p)
		h.residents[p.Path] = r
	}
	return r, nil
}

// Run starts checks and never blocks. Each is answered by exactly one
// [job.Done] on [Host.Results], at the latest its Timeout and [Grace] later.
func (h *Host) Run(jobs []job.Check) {
	if len(jobs) == 0 {
		return
	}
	var unknown []job.Check
	for len(jobs) > 0 { // a batch is mostly of few programs, in runs
		n := 1
		for n < len(jobs) && jobs[n].Program == jobs[0].Program {
			n++
		}
		if !h.start(jobs[:n]) {
			unknown = append(unknown, jobs[:n]...)
		}
		jobs = jobs[n:]
	}
	if len(unknown) > 0 {
		go h.seek(unknown) // bounded by the file system
	}
}

// start hands on checks of one program; it reports false when it has yet to be
// looked up.
func (h *Host) start(jobs []job.Check) bool {
	h.mu.Lock()
	p, ok := h.routes[route{Monitor, jobs[0].Program}]
	o, gone := h.opt, h.stopped
	h.mu.Unlock()
	switch {
	case gone:
		h.refuse(jobs, stopped())
	case !ok:
		return false
	case !p.Resident:
		h.pool.add(h.exec(o, p), jobs)
	default:
		r, err := h.resident(p)
		if err != nil {
			h.refuse(jobs, stopped())
			return true
		}
		r.add(jobs)
	}
	return true
}

// seek looks up the programs of checks and runs them with the time they have
// left.
func (h *Host) seek(jobs []job.Check) {
	began := time.Now()
	for _, c := range jobs {
		if _, err := h.Find(Monitor, c.Program); err != nil {
			h.refuse([]job.Check{c}, monitor.Blinded(monitor.CouldNotStart, err.Error()))
			continue
		}
		if c.Timeout -= time.Since(began); c.Timeout <= 0 {
			h.refuse([]job.Check{c}, monitor.Blinded(monitor.LocalFault, "looking its program up took all its time"))
			continue
		}
		if !h.start([]job.Check{c}) {
			h.refuse([]job.Check{c}, monitor.Blinded(monitor.NotRun, "the configuration changed"))
		}
	}
}

func (h *Host) refuse(jobs []job.Check, r monitor.Result) {
	r.Started = time.Now()
	dones := make([]job.Done, len(jobs))
	for i, c := range jobs {
		dones[i] = job.Done{ID: c.ID, Group: c.Request.Group, Service: c.Request.Service, Result: r}
	}
	h.mail.put(dones...)
}

// Watch makes jobs the whole set of services that their plugins push, replacing
// the last. Results of these have ID 0; Timeout is not used.
func (h *Host) Watch(jobs []job.Check) {
	h.mu.Lock()
	h.sets++
	n := h.sets
	h.mu.Unlock()
	go h.watch(n, jobs) // bounded by the file system; sets come seldom
}

// watch is for the nth set, unless there has been another meanwhile.
func (h *Host) watch(n uint64, jobs []job.Check) {
	sets := map[*resident][]job.Check{}
	for _, c := range jobs {
		r, err := h.watcher(c.Program)
		if err != nil {
			h.mail.put(unasked(c, monitor.Blinded(monitor.CouldNotStart, err.Error())))
			continue
		}
		sets[r] = append(sets[r], c)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if n != h.sets {
		return
	}
	for r := range h.watched {
		if sets[r] == nil {
			r.main.setWatch(nil)
			delete(h.watched, r)
		}
	}
	for r, set := range sets {
		r.main.setWatch(set)
		h.watched[r] = true
	}
}

func (h *Host) watcher(name string) (*resident, error) {
	p, err := h.Find(Monitor, name)
	if err != nil {
		return nil, err
	}
	if !p.Resident {
		return nil, fmt.Errorf("%s is a classic program, which never speaks unasked: give its service an interval", p.Path)
	}
	return h.resident(p)
}

// Cancel ends checks early; each is still answered.
func (h *Host) Cancel(ids []uint64) {
	set := make(map[uint64]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	h.pool.cancel(set)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.residents {
		r.cancel(set)
	}
}

// Results are the answers, gathered while the reader is busy. There is to be
// one reader. The channel is never closed.
func (h *Host) Results() <-chan []job.Done { return h.mail.results }

// Restarted names keepers that began or began again, and want their full set.
func (h *Host) Restarted() <-chan string { return h.mail.again }

// use calls a resident program.
func (h *Host) use(ctx context.Context, p Program, call func(*process) error) error {
	if !p.Resident {
		return fmt.Errorf("ask %s: it is a classic program and can only be run", p.Path)
	}
	r, err := h.resident(p)
	if err != nil {
		return err
	}
	proc, err := r.main.get(ctx)
	if err != nil {
		return err
	}
	r.main.users.enter()
	defer r.main.users.leave()
	return h.transport(p, call(proc))
}

// transport words errors of gRPC for people.
func (h *Host) transport(p Program, err error) error {
	st, ok := status.FromError(err)
	switch {
	case err == nil || !ok:
		return err
	case st.Code() == codes.Unavailable:
		return fmt.Errorf("ask %s: the plugin was lost meanwhile", p.Name)
	}
	return fmt.Errorf("ask %s: %s", p.Name, st.Message())
}

// Describe asks a resident program what it is, starting it if need be.
func (h *Host) Describe(ctx context.Context, p Program) (Manifest, error) {
	var m Manifest
	err := h.use(ctx, p, func(proc *process) error {
		m = proc.manifest
		return nil
	})
	return m, err
}

// Validate lets a resident program judge a list of arguments; none is well.
func (h *Host) Validate(ctx context.Context, p Program, args []string) ([]Problem, error) {
	var out []Problem
	err := h.use(ctx, p, func(proc *process) error {
		r, err := proc.rpc.Validate(ctx, &pb.ValidateRequest{Args: args})
		out = rpc.DecodeProblems(r)
		return err
	})
	return out, err
}

// Show asks the resident program of that name, be it an alert or a monitor,
// what it knows of a topic; "" is all.
func (h *Host) Show(ctx context.Context, program, topic string) (string, error) {
	p, err := h.Find(Alert, program)
	if _, missing := errors.AsType[*NotFoundError](err); missing || err == nil && strings.HasSuffix(program, ".monitor") {
		p, err = h.Find(Monitor, program)
	}
	if err != nil {
		return "", err
	}
	var text string
	err = h.use(ctx, p, func(proc *process) error {
		r, err := proc.rpc.Show(ctx, &pb.ShowRequest{Topic: topic})
		text = r.GetText()
		return err
	})
	return text, err
}

// Stop ends all programs: what is out may end by itself until shortly before
// ctx does. Results that nobody has read by then are lost.
func (h *Host) Stop(ctx context.Context) {
	h.mu.Lock()
	again := h.stopped
	h.stopped = true
	all := h.residents
	h.residents = map[string]*resident{}
	h.mu.Unlock()
	if again {
		return
	}
	var wg sync.WaitGroup
	for _, r := range all {
		wg.Go(func() { r.stop(ctx) })
	}
	wg.Go(func() { h.pool.stop(ctx) })
	wg.Wait()
	h.mail.close()
	h.end()
	if err := h.run.close(); err != nil {
		h.log.Warn("remove the directory of plugins' sockets", "err", err)
	}
}

// exec is how a classic program is run.
func (h *Host) exec(o Options, p Program) classic.Exec {
	grants := o.Grants[p.Name]
	caps, _ := grantable(grants, grants, permittedFor(grants))
	return classic.Exec{
		Spawner: h.spawn, Path: p.Path, Env: os.Environ(),
		StateDir: o.StateDir, LogDir: o.LogDir, CfBaseDir: o.CfBaseDir,
		Caps: caps, Grace: classicGrace,
	}
}
