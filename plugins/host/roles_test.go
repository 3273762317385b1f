package host

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/procgroup"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/role/boottime"
	"github.com/mondhq/mond/plugins/serve"
)

// elector says a token for each line, every 10 ms, and its process in the reason.
type elector struct{ monitor.Func }

func (elector) Elect(ctx context.Context, r monitor.Request, sites <-chan role.Site, say monitor.Election) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var site role.Site
	say.Report("", monitor.OK("electing"))
	for {
		select {
		case <-ctx.Done():
			return nil
		case site = <-sites:
			say.Report("peer", monitor.OK(fmt.Sprint(len(site.Lines), " lines ", strings.Join(r.Args, " "))))
			if site.Share != nil { // as if the other director knew the same
				say.Shared(role.Shared{Node: 7, Name: fmt.Sprint(len(site.Lines), " ", os.Getpid()), Parcel: site.Share.Parcels[0]})
			}
			if site.Leaving {
				for _, l := range site.Lines {
					say.Token(role.Token{Group: l.Group, Epoch: 2, Reason: "leaving"})
				}
				return nil
			}
		case <-tick.C:
		}
		for _, o := range site.Orders {
			if o.Group == "boom" {
				panic("boom")
			}
		}
		for _, l := range site.Lines {
			say.Token(role.Token{Group: l.Group, Hold: true, Epoch: 1, Until: boottime.Now() + time.Second, Reason: strconv.Itoa(os.Getpid())})
		}
	}
}

func electing() serve.Plugin {
	return serve.Monitor("elect.monitor", "elects", func(*flag.FlagSet) monitor.Monitor { return elector{} })
}

// holding holds what it is told, and says in which process and from how many
// sets of lines. A token that permits nothing is an error of who sent it.
type holding struct{ alert.Func }

func (holding) Hold(ctx context.Context, work <-chan role.Work, say func(role.Stand)) error {
	sets, stale := 0, 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case w := <-work:
			if w.Full {
				sets++
			}
			for _, t := range w.Tokens {
				s := role.Stand{Group: t.Group, Epoch: t.Epoch, Total: 1, Until: t.Until, Detail: fmt.Sprint(os.Getpid(), " ", sets)}
				switch {
				case t.Late(boottime.Now()):
					stale++
				case t.Hold:
					s.Held = 1
				}
				s.Error = fmt.Sprint(stale)
				if t.Reason == "fail" {
					return errors.New("no such device")
				}
				say(s)
			}
		}
	}
}

func holdingPlugin() serve.Plugin {
	return serve.Alert("hold.alert", "holds", func(*flag.FlagSet) alert.Alert { return holding{} })
}

// pair is a host with an elector and a holder, and somebody in the place of the
// engine who passes tokens.
type pair struct {
	*rig

	mu     sync.Mutex
	stand  role.Stand
	token  job.Token
	shared job.Shared
	left   bool
	passes bool
}

func newPair(t *testing.T) *pair {
	p := &pair{rig: newRig(t), passes: true}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); p.pass(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	p.Hold("hold.alert", role.Work{Full: true, Lines: []role.Line{{Group: "web"}}})
	p.elect(role.Site{Lines: []role.Line{{Group: "web"}}})
	return p
}

func (p *pair) elect(s role.Site) {
	p.Elect([]job.Election{{Program: "elect.monitor", Request: monitor.Request{Group: "directors", Service: "role"}, Site: s}})
}

func (p *pair) pass(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case batch := <-p.Tokens():
			for _, t := range batch {
				p.mu.Lock()
				p.token, p.left = t, p.left || t.Left
				pass := p.passes && !t.Left
				p.mu.Unlock()
				if pass {
					p.Hold("hold.alert", role.Work{Tokens: []role.Token{t.Token}})
				}
			}
		case list := <-p.Shared():
			p.mu.Lock()
			p.shared = list[len(list)-1]
			p.mu.Unlock()
		case list := <-p.Stands():
			p.mu.Lock()
			p.stand = list[len(list)-1].Stand
			p.mu.Unlock()
		}
	}
}

func (p *pair) state() (role.Stand, job.Token, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stand, p.token, p.left
}

// held waits until the group is held by another process than gone, and returns
// that and how many sets of lines it had.
func (p *pair) held(gone int) (pid, sets int) {
	p.t.Helper()
	p.until("the group is held", func() bool {
		s, _, _ := p.state()
		if _, err := fmt.Sscan(s.Detail, &pid, &sets); err != nil {
			return false
		}
		return s.Held == 1 && pid != gone
	})
	return pid, sets
}

// elects waits until another process than gone elects.
func (p *pair) elects(gone int) (pid int) {
	p.t.Helper()
	p.until("somebody elects", func() bool {
		_, t, _ := p.state()
		pid, _ = strconv.Atoi(t.Reason)
		return pid > 0 && pid != gone
	})
	return pid
}

// said are the last reports, by the service they are about.
func (p *pair) said(about string) (last monitor.Result) {
	p.rig.mu.Lock()
	defer p.rig.mu.Unlock()
	for _, d := range p.reports {
		if d.Group == "directors" && d.Service == "role" && d.About == about {
			last = d.Result
		}
	}
	return last
}

func TestRoles(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	if _, sets := p.held(0); sets != 1 {
		t.Errorf("the holder had %d sets of lines", sets)
	}
	s, tok, _ := p.state()
	if tok.Of != "directors" || tok.Service != "role" || tok.Group != "web" || s.Error != "0" {
		t.Errorf("token %+v, stand %+v", tok, s)
	}
	p.until("reports come", func() bool { return p.said("").Summary == "electing" && p.said("peer").Summary == "1 lines " })
	p.elect(role.Site{Lines: []role.Line{{Group: "web"}, {Group: "inside"}}})
	p.until("the site comes", func() bool { return p.said("peer").Summary == "2 lines " })
	p.elect(role.Site{Lines: []role.Line{{Group: "web"}}, Leaving: true})
	p.until("it takes leave", func() bool { _, _, left := p.state(); return left })
	p.until("it is released", func() bool { s, _, _ := p.state(); return s.Held == 0 && s.Epoch == 2 })
}

// An elector that is killed is begun again at once, and told of its site.
func TestElectorIsKilled(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	pid := p.elects(0)
	holder, _ := p.held(0)
	began := time.Now()
	kill(t, pid)
	p.elects(pid)
	t.Logf("another elector speaks after %v", time.Since(began).Round(time.Millisecond))
	p.until("its services were blind", func() bool {
		p.rig.mu.Lock()
		defer p.rig.mu.Unlock()
		for _, d := range p.reports {
			if d.Service == "role" && d.About == "" && d.Result.Cause == monitor.PluginLost {
				return true
			}
		}
		return false
	})
	if again, sets := p.held(0); again != holder || sets != 1 {
		t.Errorf("the holder was disturbed: process %d, before %d; %d sets", again, holder, sets)
	}
}

// A holder that is killed is begun again, and told all lines and the token that
// is good still, though no other comes.
func TestHolderIsKilled(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	pid, _ := p.held(0)
	p.mu.Lock()
	p.passes = false
	p.mu.Unlock()
	p.Hold("hold.alert", role.Work{Tokens: []role.Token{{Group: "web", Hold: true, Epoch: 7, Until: boottime.Now() + time.Minute}}})
	p.until("it has the long one", func() bool { s, _, _ := p.state(); return s.Epoch == 7 })
	began := time.Now()
	kill(t, pid)
	if _, sets := p.held(pid); sets != 1 {
		t.Errorf("it has %d sets of lines", sets)
	}
	t.Logf("another holder holds after %v", time.Since(began).Round(time.Millisecond))
	if s, _, _ := p.state(); s.Epoch != 7 || s.Error != "0" {
		t.Errorf("it was told %+v", s)
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// A panic of an elector, or an error of a holder, ends neither process: it is
// told, and begun again with all there is to know.
func TestRolesThatEnd(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	pid, holder := p.elects(0), 0
	holder, _ = p.held(0)
	p.elect(role.Site{Lines: []role.Line{{Group: "web"}}, Orders: []role.Order{{Group: "boom", Verb: role.Hold}}})
	p.until("the panic is told", func() bool { return p.said("").Cause == monitor.Panicked })
	p.elect(role.Site{Lines: []role.Line{{Group: "web"}}})
	p.until("it elects again", func() bool { return p.said("").Summary == "electing" })
	if again := p.elects(0); again != pid {
		t.Errorf("process %d, before %d", again, pid)
	}
	p.mu.Lock()
	p.passes = false
	p.mu.Unlock()
	p.Hold("hold.alert", role.Work{Tokens: []role.Token{{Group: "web", Hold: true, Epoch: 9, Until: boottime.Now() + time.Minute, Reason: "fail"}}})
	p.until("the error is told", func() bool { s, _, _ := p.state(); return strings.Contains(s.Error, "no such device") })
	p.Hold("hold.alert", role.Work{Tokens: []role.Token{{Group: "web", Hold: true, Epoch: 10, Until: boottime.Now() + time.Minute}}})
	p.until("it holds again", func() bool { s, _, _ := p.state(); return s.Epoch == 10 && s.Held == 1 })
	if again, _ := p.held(0); again != holder {
		t.Errorf("process %d, before %d", again, holder)
	}
}

// What is to be shared goes to an elector once, and again to the next one; what
// electors say of it comes back.
func TestShared(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	lines := []role.Line{{Group: "web"}}
	comes := func(what, parcel string, lines, pid int) {
		t.Helper()
		p.until(what, func() bool {
			p.mu.Lock()
			s := p.shared
			p.mu.Unlock()
			return s.Of == "directors" && s.Service == "role" && s.Node == 7 && string(s.Parcel) == parcel && s.Name == fmt.Sprint(lines, " ", pid)
		})
	}
	pid := p.elects(0)
	share := &role.Share{Parcels: [][]byte{[]byte("www1 is out")}}
	p.elect(role.Site{Lines: lines, Share: share})
	comes("it is shared", "www1 is out", 1, pid)
	p.elect(role.Site{Lines: append(lines, role.Line{Group: "inside"}), Share: share})
	comes("a site without it changes nothing", "www1 is out", 2, pid)
	p.elect(role.Site{Lines: lines, Share: &role.Share{Parcels: [][]byte{[]byte("www1 is in")}}})
	comes("it is shared anew", "www1 is in", 1, pid)
	kill(t, pid)
	comes("the next one knows it", "www1 is in", 1, p.elects(pid))
}

// Programs that cannot do it say so.
func TestRolesOfOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Hold("keep.alert", role.Work{Full: true, Lines: []role.Line{{Group: "web"}}})
	r.until("the stand says so", func() bool {
		select {
		case list := <-r.Stands():
			return strings.Contains(list[0].Error, "holds nothing")
		default:
			return false
		}
	})
	r.Hold("none.alert", role.Work{Full: true, Lines: []role.Line{{Group: "other"}}})
	r.until("the stand says so", func() bool {
		select {
		case list := <-r.Stands():
			for _, s := range list {
				if s.Program == "none.alert" && strings.Contains(s.Error, `find alert "none.alert"`) {
					return true
				}
			}
		default:
		}
		return false
	})
	r.Elect([]job.Election{{Program: "ok.monitor", Request: monitor.Request{Group: "g", Service: "role"}}})
	r.until("the report says so", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, d := range r.reports {
			if strings.Contains(d.Result.Summary, "decides nothing about directors") && d.Result.Blind() {
				return true
			}
		}
		return false
	})
}

// A host that stands still sends nothing that permits nothing any more: what lay
// in its buffers is dropped when it goes on.
func TestHostStandsStill(t *testing.T) {
	t.Parallel()
	dir, run := scriptDir(t), shortDir(t)
	cmd := exec.Command(filepath.Join(dir, "rolehoster"), dir, run)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	next := func() (held, stale int) {
		if !lines.Scan() {
			t.Fatal("the host has ended")
		}
		if _, err := fmt.Sscan(lines.Text(), &held, &stale); err != nil {
			t.Fatal(lines.Text(), err)
		}
		return held, stale
	}
	for held := 0; held == 0; held, _ = next() {
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond) // longer than a token is good for
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	stale := 0
	for range 30 {
		_, stale = next()
	}
	if stale > 1 { // one may have been on its way when it was stopped
		t.Errorf("the holder was given %d tokens that permit nothing", stale)
	}
}

// roleHoster is a host in a process of its own, to be stopped. It prints how the
// group stands.
func roleHoster() {
	sp, err := procgroup.New()
	if err != nil {
		panic(err)
	}
	h, err := New(Options{PluginDirs: os.Args[1:2], RunDir: os.Args[2], Spawner: sp})
	if err != nil {
		panic(err)
	}
	h.Hold("hold.alert", role.Work{Full: true, Lines: []role.Line{{Group: "web"}}})
	h.Elect([]job.Election{{Program: "elect.monitor", Request: monitor.Request{Group: "d", Service: "r"}, Site: role.Site{Lines: []role.Line{{Group: "web"}}}}})
	for {
		select {
		case <-h.Results():
		case batch := <-h.Tokens():
			for _, t := range batch {
				h.Hold("hold.alert", role.Work{Tokens: []role.Token{t.Token}})
			}
		case list := <-h.Stands():
			for _, s := range list {
				fmt.Println(s.Held, s.Error)
			}
		}
	}
}

// Tokens go before jobs that wait, and none that is too old goes at all.
func TestWorkGoesFirst(t *testing.T) {
	fs := newFlights(10, noLoss)
	w := &wireOf{}
	l := newLink(w, fs, func(...job.Done) {})
	now := boottime.Now()
	token := func(group string, until time.Duration) role.Work {
		return role.Work{Tokens: []role.Token{{Group: group, Hold: true, Epoch: 1, Until: until}}}
	}
	l.work(token("early", now+time.Minute)) // before it was given all
	l.work(role.Work{Full: true, Lines: []role.Line{{Group: "web"}, {Group: "old"}}})
	l.work(token("web", now+time.Minute))
	l.work(token("web", now+2*time.Minute))
	l.work(token("old", now))
	fs.add([]job.Check{check(1, time.Minute)}, time.Now())
	batch, _ := fs.takeFor(l, nil, 10, time.Now())
	o := l.takeOrders()
	if err := errors.Join(l.sendRoles(o), l.dispatch(batch, o, time.Now())); err != nil {
		t.Fatal(err)
	}
	if len(w.sent) != 2 || w.sent[0].Work == nil || len(w.sent[1].Jobs) != 1 {
		t.Fatalf("sent %v", w.sent)
	}
	if got := w.sent[0].Work; !got.Full || len(got.Lines) != 2 || len(got.Tokens) != 1 || got.Tokens[0].Until != int64(now+2*time.Minute) {
		t.Errorf("work %v", got)
	}
	if !l.takeOrders().none() {
		t.Error("there is something left")
	}
}

// The lane keeps the newest of each group, and never makes anybody wait.
func TestLaneMerges(t *testing.T) {
	n := newLane()
	for i := range 100 {
		n.putTokens(job.Token{Of: "g", Service: "a", Token: role.Token{Group: "web", Hold: true, Epoch: 1, Until: time.Duration(i)}})
		n.putTokens(job.Token{Of: "g", Service: "b", Token: role.Token{Group: "web", Epoch: 9}})
		n.putStands(job.Stand{Program: "p", Stand: role.Stand{Group: "web", Held: i}})
	}
	n.putTokens(job.Token{Of: "g", Service: "a", Left: true})
	if got := <-n.tokens; len(got) != 3 || got[0].Until != 99 || got[1].Epoch != 9 || !got[2].Left {
		t.Errorf("tokens %+v", got)
	}
	if got := <-n.stands; len(got) != 1 || got[0].Held != 99 {
		t.Errorf("stands %+v", got)
	}
}
