package twin

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
	"github.com/mondhq/mond/plugins/trap"
)

// gap is how far commands to one service are apart: what they lead to is told
// apart by its second.
const gap = 1100 * time.Millisecond

// patience is how long all scenarios together may take on a busy machine.
const patience = 5 * time.Minute

// drive runs scenarios under a daemon until each has been played to its end,
// and is what happened.
func drive(t *testing.T, d *daemons.Daemon, scenarios []*scenario) map[string]trace {
	t.Helper()
	r := &run{t: t, d: d, scenarios: scenarios, runs: map[string]int{}, started: map[string]int{}, next: map[string]progress{}, calls: map[string]int{}, free: map[string]time.Time{}}
	began := time.Now()
	deadline := began.Add(patience)
	for !r.over() {
		if time.Now().After(deadline) {
			t.Fatalf("not played to the end within %v: %v", patience, r.behind())
		}
		time.Sleep(50 * time.Millisecond)
		r.read()
		r.command()
	}
	t.Logf("%d scenarios played in %v", len(scenarios), time.Since(began).Round(time.Second))
	d.Until("the last alerts end", func() bool { return quiet(t, d) })
	return gather(t, scenarios, readRaw(t, d.Read("log/played")), r.sent, d.Dir)
}

// progress is how far the commands of a step are.
type progress struct {
	run, done int
	open      bool // the run may end
}

// run is a daemon that plays scenarios. All maps are by "group.service".
type run struct {
	t         *testing.T
	d         *daemons.Daemon
	scenarios []*scenario
	client    *daemons.Client
	runs      map[string]int // begun
	started   map[string]int // the run after which the scheduler was started
	next      map[string]progress
	calls     map[string]int // commands carried out in all
	free      map[string]time.Time
	sent      []sent
}

// read looks how far each service is.
func (r *run) read() {
	for _, s := range r.scenarios {
		for _, p := range s.services {
			name := s.name + "." + p.name
			r.runs[name] = len(r.d.Read("play/" + name + ".runs"))
		}
	}
}

// behind are the services that are not over, with what was played of each.
func (r *run) behind() (all []string) {
	for _, s := range r.scenarios {
		for _, p := range s.services {
			if n := r.runs[s.name+"."+p.name]; n <= len(p.steps) && len(p.steps) > 0 {
				all = append(all, fmt.Sprintf("%s.%s: run %d of %d", s.name, p.name, n, len(p.steps)))
			}
		}
	}
	return all
}

// over reports whether the last result of each service is known to the daemon.
func (r *run) over() bool { return len(r.behind()) == 0 }

// command carries out the commands that wait for a run that goes on now, and
// lets it end after the last.
func (r *run) command() {
	for _, s := range r.scenarios {
		for _, p := range s.services {
			name := s.name + "." + p.name
			n := r.runs[name]
			r.start(s, p, n)
			if n == 0 || n > len(p.steps) || time.Now().Before(r.free[name]) {
				continue
			}
			if r.next[name].run != n {
				r.next[name] = progress{run: n}
			}
			r.next[name] = r.proceed(s, p, r.next[name])
		}
	}
}

// proceed carries out the next command of a step, or lets the run end after the
// last.
func (r *run) proceed(s *scenario, p *played, at progress) progress {
	r.t.Helper()
	name, todo := s.name+"."+p.name, p.steps[at.run-1].commands
	switch {
	case at.done < len(todo):
		r.one(s, p, todo[at.done])
		r.free[name] = time.Now().Add(gap)
		at.done++
	case !at.open && len(todo) > 0:
		r.d.File("play/"+name+".gate", strings.Repeat("x", at.run))
		at.open = true
	}
	return at
}

// start starts the scheduler if the next run of a service waits for that, when
// the result of its run n is known.
func (r *run) start(s *scenario, p *played, n int) {
	r.t.Helper()
	name := s.name + "." + p.name
	if n == 0 || n >= len(p.steps) || !p.steps[n].starts || r.started[name] == n {
		return
	}
	if r.get(s.name+" "+p.name, "_monitor_running") == "0" {
		r.started[name] = n
		r.one(s, p, "start")
	}
}

// one carries out a command.
func (r *run) one(s *scenario, p *played, text string) {
	r.t.Helper()
	p, text = s.target(p, text)
	name := s.name + "." + p.name
	r.calls[name]++
	c := sent{group: s.name, service: p.name, text: text, n: r.calls[name], at: float64(time.Now().UnixMilli()) / 1000}
	word, rest, _ := strings.Cut(text, " ")
	both := s.name + " " + p.name
	switch word {
	case "ack":
		r.ask("ack " + both + " '" + rest + "'")
		c.seen = number(r.get(both, "_ack"))
	case "trap":
		r.trap(s.name, p.name, rest)
		c.seen = number(r.get(both, "_last_trap"))
	case "clear":
		r.ask("clear timers " + both)
	case "disable", "enable":
		switch what, host, _ := strings.Cut(rest, " "); what {
		case "host":
			r.ask(word + " host " + host)
		case "watch":
			r.ask(word + " watch " + s.name)
		default:
			r.ask(word + " service " + both)
		}
	case "stop", "start":
		r.ask(word)
	default:
		r.t.Fatalf("%s: no command: %s", s.name, text)
	}
	r.sent = append(r.sent, c)
}

// target is the service that a command is about: that which its first word
// names, else the one that it stands at.
func (s *scenario) target(p *played, text string) (*played, string) {
	word, rest, _ := strings.Cut(text, " ")
	for _, other := range s.services {
		if other.name == word {
			return other, rest
		}
	}
	return p, text
}

func (r *run) ask(command string) []string {
	r.t.Helper()
	if r.client == nil {
		r.client = r.d.Dial()
	}
	data, status := r.client.Ask(command)
	if !strings.HasPrefix(status, "220") && !strings.HasPrefix(command, "ack") {
		r.t.Errorf("%s: %s", command, status)
	}
	return data
}

// get asks for a variable of mon's.
func (r *run) get(both, variable string) string {
	r.t.Helper()
	data := r.ask("get " + both + " " + variable)
	if len(data) != 1 {
		r.t.Fatalf("get %s %s: %q", both, variable, data)
	}
	_, value, _ := strings.Cut(data[0], "=")
	return strings.Trim(value, "'")
}

// trap sends "STATUS SUMMARY/DETAIL" and waits until the daemon has it: it says
// nothing, but remembers when.
func (r *run) trap(group, service, text string) {
	r.t.Helper()
	both := group + " " + service
	r.ask("set " + both + " _last_trap 0")
	conn, err := net.Dial("udp", r.d.Address)
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(trapOf(group, service, text).Append(nil)); err != nil {
		r.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); number(r.get(both, "_last_trap")) == 0; {
		if time.Now().After(deadline) {
			r.t.Fatalf("the trap to %s never arrived", both)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// trapOf is what "STATUS SUMMARY/DETAIL" says.
func trapOf(group, service, text string) trap.Trap {
	status, said, _ := strings.Cut(text, " ")
	summary, detail, _ := strings.Cut(strings.TrimSuffix(output(said), "\n"), "\n")
	tr := trap.Trap{Group: group, Service: service, HasStatus: true, Summary: summary, Detail: detail}
	if _, err := fmt.Sscan(status, &tr.Status); err != nil {
		panic(err)
	}
	return tr
}
