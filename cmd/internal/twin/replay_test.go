package twin

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/classic"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

// stage is a Runner whose checks end when the replay says so.
type stage struct {
	mu   sync.Mutex
	jobs map[opstatus.Key]job.Check
	// since counts the events before a job was started.
	since  map[opstatus.Key]int
	events int
	out    chan []job.Done
}

func newStage() *stage {
	return &stage{jobs: map[opstatus.Key]job.Check{}, since: map[opstatus.Key]int{}, out: make(chan []job.Done)}
}

// Run keeps the jobs.
func (s *stage) Run(jobs []job.Check) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range jobs {
		key := opstatus.Key{Group: j.Request.Group, Service: j.Request.Service}
		s.jobs[key], s.since[key] = j, s.events
	}
}

// Watch does nothing: nobody speaks unasked.
func (s *stage) Watch([]job.Check) {}

// Cancel does nothing: checks end soon.
func (s *stage) Cancel([]uint64) {}

// Results is where answers arrive.
func (s *stage) Results() <-chan []job.Done { return s.out }

// at says how many events there were.
func (s *stage) at(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = n
}

// running is the check of a service that goes on.
func (s *stage) running(key opstatus.Key) (job.Check, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, ok := s.jobs[key]
	return j, ok
}

// began is how many events there were before the check that goes on; as many
// as there are if none does.
func (s *stage) began(key opstatus.Key) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.jobs[key]; !ok {
		return s.events
	}
	return s.since[key]
}

func (s *stage) answer(key opstatus.Key, r monitor.Result) {
	s.mu.Lock()
	j := s.jobs[key]
	delete(s.jobs, key)
	s.mu.Unlock()
	s.out <- []job.Done{{ID: j.ID, Group: key.Group, Service: key.Service, Result: r}}
}

// replaying gives a trace of mon's to the engine.
type replaying struct {
	t      *testing.T
	s      *scenario
	engine *engine.Engine
	stage  *stage
	sender *enginetest.Sender
	taken  int // notices of the sender that are in got
	got    []record
	events int // how many came before this one
	// failing are the services that fail, held those that are not checked
	// since then.
	failing, held map[string]bool
}

// contract is the classic contract of both daemons.
var contract = classic.Exec{StateDir: "DIR/state", LogDir: "DIR/log", CfBaseDir: "DIR"}

// replay is what mond does when it sees what mon saw when mon saw it.
func replay(t *testing.T, s *scenario, events []record) (got []record) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &replaying{t: t, s: s, stage: newStage(), sender: enginetest.NewSender(), failing: map[string]bool{}, held: map[string]bool{}}
		time.Sleep(time.Until(time.Unix(events[0].at, 0)))
		stop := r.start()
		for i, e := range events {
			if e.kind == "alert" {
				continue
			}
			time.Sleep(time.Until(time.Unix(e.at, 0)))
			r.events = i
			r.stage.at(i)
			r.event(e)
			synctest.Wait()
			r.called(e)
			r.seen(e)
		}
		stop()
		got = r.got
	})
	return got
}

// start runs the engine; what it returns ends it.
func (r *replaying) start() (stop func()) {
	r.t.Helper()
	programs := map[string]engine.Program{"play.monitor": {History: true}}
	for _, name := range alertNames {
		programs[name] = engine.Program{}
	}
	c := configtest.Parse(r.t, "statedir = DIR/state\nlogdir = DIR/log\ncfbasedir = DIR\n\n"+r.s.config(""))
	c.Globals.StateDir, c.Globals.LogDir, c.Globals.CfBaseDir = contract.StateDir, contract.LogDir, contract.CfBaseDir
	e, err := engine.New(engine.Options{
		Load:   func(context.Context) (engine.Loaded, error) { return engine.Loaded{Config: c, Programs: programs}, nil },
		Runner: r.stage, Sender: r.sender, Store: enginetest.NewStore(store.Saved{Clean: true, New: true}),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	r.engine = e
	synctest.Wait()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			r.t.Error(err)
		}
	}
}

func (r *replaying) event(e record) {
	r.t.Helper()
	key := opstatus.Key{Group: r.s.name, Service: e.service}
	var err error
	switch e.kind {
	case "began":
		r.began(e, key)
	case "result":
		st := r.s.service(e.service).steps[e.n-1]
		res := classic.Verdict(st.exit, st.output)
		if st.killed {
			res = monitor.Result{Cause: monitor.Killed, Summary: "killed", Detail: st.output}
		}
		r.stage.answer(key, res)
		synctest.Wait()
		err = r.engine.TestMonitor(r.t.Context(), key) // due at once, unless a gate holds it back
	case "command":
		err = r.command(key, e.text)
	}
	if err != nil && !strings.HasPrefix(e.text, "ack") { // there may be nothing to acknowledge, as under mon
		r.t.Errorf("%s: %v", e.label(), err)
	}
}

// began takes down how a check was started, as a record.
func (r *replaying) began(e record, key opstatus.Key) {
	r.t.Helper()
	if err := r.engine.TestMonitor(r.t.Context(), key); err != nil {
		r.t.Errorf("%s: %v", e.label(), err)
	}
	synctest.Wait()
	j, ok := r.stage.running(key)
	if !ok { // the engine gathers checks for a moment
		time.Sleep(20 * time.Millisecond)
		synctest.Wait()
		j, ok = r.stage.running(key)
	}
	if !ok {
		r.t.Errorf("%s: is not checked, but was by mon", e.label())
		r.stage.Run([]job.Check{{Request: monitor.Request{Group: key.Group, Service: key.Service}}})
		return
	}
	got := record{at: e.at, kind: "began", service: e.service, n: e.n, args: classic.MonitorWords(j.Request), env: told(contract.MonitorEnviron(j.Request))}
	r.got = append(r.got, got)
}

// seen makes sure that a service whose monitor dependency fails is not checked:
// one that mon has not checked again when the other service of its scenario
// recovers, which failed at its last result, waits here too.
func (r *replaying) seen(e record) {
	if e.kind == "began" {
		r.held[e.service] = false
	}
	if e.kind != "result" {
		return
	}
	was := r.failing[e.service]
	r.failing[e.service] = r.s.service(e.service).steps[e.n-1].exit != 0
	for _, p := range r.s.services {
		if !p.has("monitordepend") && !p.has("dep_behavior m") {
			continue
		}
		if p.name == e.service {
			r.held[p.name] = slices.ContainsFunc(r.s.services, func(o *played) bool { return o != p && r.failing[o.name] })
		} else if was && !r.failing[e.service] && r.held[p.name] {
			r.waits(p.name)
		}
	}
}

func (r *replaying) waits(service string) {
	r.t.Helper()
	if r.stage.began(opstatus.Key{Group: r.s.name, Service: service}) < r.events {
		r.t.Errorf("%s is checked although its monitor dependency fails", service)
	}
}

// told are the variables that scenarios compare.
func told(environ []string) map[string]string {
	env := map[string]string{}
	for _, line := range environ {
		if name, value, _ := strings.Cut(line, "="); strings.HasPrefix(name, "MON_") || strings.HasPrefix(name, "REC_") {
			env[name] = value
		}
	}
	return env
}

// called takes down whom the event led to call, in order.
func (r *replaying) called(e record) {
	all := r.sender.Sent()
	sent := slices.Clone(all[r.taken:])
	r.taken = len(all)
	slices.SortStableFunc(sent, func(a, b enginetest.Sent) int { return cmp.Compare(sequence(a), sequence(b)) })
	if e.kind != "began" {
		r.got = append(r.got, record{at: e.at, kind: e.kind, service: e.service, n: e.n, text: e.text})
	}
	for _, s := range sent {
		r.got = append(r.got, record{
			at: s.Request.At.Unix(), kind: "alert", service: s.Request.Service, n: e.n, text: s.Program,
			args: classic.AlertWords(s.Request), env: told(contract.AlertEnviron(s.Request)), stdin: s.Request.Output,
		})
	}
}

// sequence is the number of a notice, in the order of decisions.
func sequence(s enginetest.Sent) (n int) {
	_, _ = fmt.Sscanf(s.Request.ID, "%d.", &n)
	return n
}

func (r *replaying) command(key opstatus.Key, text string) error {
	ctx := r.t.Context()
	word, rest, _ := strings.Cut(text, " ")
	what, host, _ := strings.Cut(rest, " ")
	switch word + " " + what {
	case "disable watch":
		return r.engine.DisableWatch(ctx, key.Group, "", "")
	case "enable watch":
		return r.engine.EnableWatch(ctx, key.Group, "")
	case "disable host":
		return r.engine.DisableHost(ctx, host, "", "")
	case "enable host":
		return r.engine.EnableHost(ctx, host, "")
	}
	switch word {
	case "ack":
		return r.engine.Ack(ctx, key, "", rest)
	case "disable":
		return r.engine.DisableService(ctx, key, "", "")
	case "enable":
		return r.engine.EnableService(ctx, key, "")
	case "stop":
		return r.engine.StopScheduler(ctx, "", "")
	case "start":
		return r.engine.StartScheduler(ctx, "")
	case "clear":
		return r.engine.ClearTimers(ctx, key, "")
	case "trap":
		return r.engine.Trap(ctx, trapOf(key.Group, key.Service, rest), netip.MustParseAddr("127.0.0.1"))
	}
	return fmt.Errorf("there is no command %q", text)
}
