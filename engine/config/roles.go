package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/getopt"
	"github.com/mondhq/mond/plugins/role"
)

// StopHow is what becomes of held addresses when the daemon ends (on_stop).
type StopHow uint8

// The words of on_stop.
const (
	StopHandover StopHow = iota // the peer takes them, and is waited for
	StopRelease                 // they are released, whoever is there to take them
	StopKeep                    // they stay as long as their lease
)

// String is the word.
func (s StopHow) String() string {
	switch s {
	case StopRelease:
		return "release"
	case StopKeep:
		return "keep"
	case StopHandover:
	}
	return "handover"
}

func onStop(r *resolver, st *Statement) {
	if i, ok := r.choice(st, StopHandover.String(), StopRelease.String(), StopKeep.String()); ok {
		r.c.Globals.OnStop = StopHow(i) //nolint:gosec // one of three
	}
}

// RoleSource is who decides which director holds which addresses (role_source).
type RoleSource uint8

// The words of role_source.
const (
	SourceMond       RoleSource = iota // a service whose monitor elects
	SourceHeartbeat                    // Linux-HA's heartbeat, with or without its own resource manager
	SourcePacemaker                    // pacemaker
	SourceKeepalived                   // keepalived's VRRP
)

// String is the word.
func (s RoleSource) String() string {
	switch s {
	case SourceHeartbeat:
		return "heartbeat"
	case SourcePacemaker:
		return "pacemaker"
	case SourceKeepalived:
		return "keepalived"
	case SourceMond:
	}
	return "mond"
}

func roleSource(r *resolver, st *Statement) {
	if i, ok := r.choice(st, SourceMond.String(), SourceHeartbeat.String(), SourcePacemaker.String(), SourceKeepalived.String()); ok {
		r.c.Globals.RoleSource = RoleSource(i) //nolint:gosec // one of four
	}
}

// Hold is an alert line that declares a group of addresses to be held by this
// director or by another one, as the monitor of its service decides.
type Hold struct {
	Command

	// Group is what its words declare. Its name is never empty.
	Group role.Group
}

// TakeRoles takes the lines that declare groups of addresses out of the periods
// of services whose monitors elect, and puts them into [Service.Holds]: no
// period, acknowledgement or dependency is to stand in their way. elector and
// holder say what a program is. It is for whoever loaded c, before anybody else
// has it. If the word of another program counts (role_source) nothing is taken,
// and such lines are errors: two who move one address would fight for it.
func (c *Config) TakeRoles(elector, holder func(program string) bool) Diagnostics {
	t := roleTaker{c: c, holder: holder, groups: map[string]Pos{}}
	for _, s := range c.Services {
		if s.Monitor != nil && elector(s.Monitor.Program) {
			t.service(s)
		}
	}
	t.diags.Sort()
	return t.diags
}

type roleTaker struct {
	c      *Config
	holder func(program string) bool
	groups map[string]Pos // where each was declared
	diags  Diagnostics
}

func (t *roleTaker) service(s *Service) {
	s.Elects, s.Holds = true, nil
	for i := range s.Periods {
		p := &s.Periods[i]
		var rest []Line
		for _, l := range p.Lines {
			if t.holder(l.Program) {
				t.line(s, p, l)
			} else {
				rest = append(rest, l)
			}
		}
		p.Lines = rest
	}
	if t.source() == SourceMond && len(s.Holds) == 0 && !witness(s.Monitor) && !t.failed() {
		t.add(Warning, s.Pos, "give it a line such as: alert fake.alert 10.0.0.3/32/eth0",
			"service %s decides about directors, and nothing is declared that they could hold", s.Key)
	}
}

// witness reports whether the monitor of a service is told of directors: it
// decides about them and is none itself. That is known here by the name of
// heartbeat.monitor's option, which is not nice; but only the words of a line
// tell it, not the program, so what a plugin declares of itself cannot; asking
// the plugin about each line, or a directive that repeats what the words say
// already and may contradict them, would cost more than the one warning that
// depends on it.
func witness(m *Command) bool {
	return slices.ContainsFunc(m.Args, func(word string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
		return name == "director" && name != word
	})
}

func (t *roleTaker) source() RoleSource { return t.c.Globals.RoleSource }

func (t *roleTaker) failed() bool { return t.diags.HasErrors() }

// line takes one line.
func (t *roleTaker) line(s *Service, p *Period, l Line) {
	switch {
	case t.source() != SourceMond:
		t.add(Error, l.Pos, "leave the line to "+t.source().String()+", or say role_source = mond and take the addresses from "+t.source().String(),
			"role_source is %s, so %s may not decide what %s holds", t.source(), s.Monitor.Program, l.Program)
		return
	case l.On != alert.Failure:
		t.add(Error, l.Pos, "declare it once, as an alert", "%salert %s: what a director holds is decided by %s, not by what happens to the service", l.On, l.Program, s.Monitor.Program)
		return
	case l.Exit.Set:
		t.add(Error, l.Pos, "leave it out", "exit= says nothing of what a director holds")
		return
	}
	group, err := role.ParseGroup(l.Args)
	if err != nil {
		t.add(Error, l.wordOf(err), "", "%s: %v", l.Program, err)
		return
	}
	if old, twice := t.groups[group.Name]; twice {
		t.add(Error, l.Pos, "give one of them another --group", "group %s is declared at %s already", group.Name, old)
		return
	}
	if !p.When.Always() {
		t.add(Warning, l.Pos, "", "addresses are held at any time: period %s does not count for %s", quote(p.Name), l.Program)
	}
	t.groups[group.Name] = l.Pos
	s.Holds = append(s.Holds, Hold{Command: l.Command, Group: group})
}

func (t *roleTaker) add(sev Severity, pos Pos, hint, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if t.c.file == nil {
		t.diags = append(t.diags, Diagnostic{Pos: pos, Severity: sev, Message: text, Mark: -1, Hint: hint})
		return
	}
	t.diags = append(t.diags, t.c.file.Diagnose(sev, pos, text, hint))
}

// wordOf is the place of the word that an error of [role.ParseGroup] is about.
func (c *Command) wordOf(err error) Pos {
	at := -1
	if e, ok := errors.AsType[*getopt.Error](err); ok {
		at = e.Index
	} else if e, ok := errors.AsType[*role.AddressError](err); ok {
		at = e.Index
	}
	if at < 0 || at >= len(c.ArgPos) {
		return c.Pos
	}
	return c.ArgPos[at]
}

// Unscheduled reports whether d warns that s is never checked for want of an
// interval: a monitor that speaks unasked needs none, and who knows it may drop
// the warning.
func (d *Diagnostic) Unscheduled(s *Service) bool {
	return d.Severity == Warning && d.Pos == s.Pos && d.Message == fmt.Sprintf(noInterval, s.Key)
}

// noInterval is that warning.
const noInterval = "service %s is never checked: it has a monitor but no interval"
