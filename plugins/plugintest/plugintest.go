// Package plugintest is the conformance suite for plugins: every monitor and
// alert that is shipped passes it, as a classic program and as a resident one,
// and authors run it on theirs by `monctl plugin test` ([Check]) or in their
// Go tests ([Run]).
//
// It looks at a plugin from outside, as a program file, whatever it is written
// in. It does not judge whether a monitor is right about its hosts, and it is
// not what mond uses to tell programs apart: mond never runs one to find out.
package plugintest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/procgroup"
	"github.com/mondhq/mond/plugins/rpc"
)

// Mode says in which modes a program is tried.
type Mode uint8

// The modes. A program is resident too if it answers --describe.
const (
	Detect Mode = iota
	ClassicOnly
	Resident
)

// Options say what to test and what the program is to be asked. An alert that
// is tested tells somebody, some ten times; a keeper keeps something.
type Options struct {
	// Path is the program's file. Its name ends in .monitor or .alert.
	Path string
	// Kind is Unknown for what the name says.
	Kind rpc.Kind
	Mode Mode
	// Args are the words that follow the name in mon.cf. With them and Hosts a
	// monitor must come to a verdict, and an alert must succeed.
	Args []string
	// Hosts are those that a monitor is to look at; none means 127.0.0.1.
	Hosts []string
	// NoHosts is for a monitor that looks at none (";;" in mon.cf).
	NoHosts bool
	// Down are hosts that a monitor must find failing.
	Down []string
	// Silent is a host that never answers; "" leaves out what needs one.
	Silent string
	// Limit is how long a check of a host that never answers may take, at
	// least 1 s; 0 means 10 s. The program is told by MOND_TIMEOUT.
	Limit time.Duration
	// Env is added to the environment, "NAME=value". Nothing else but PATH,
	// TMPDIR and mon's variables is in it.
	Env []string
	// Claims are given to a keeper; none means one for Args, if there are any.
	Claims []alert.Claim
	// Kept shows what a keeper keeps, so that it can be seen to keep it; nil
	// leaves out what needs it.
	Kept func() (string, error)
	// Each, when not nil, is given every case as soon as it is known: all of
	// them take some seconds.
	Each func(Case)
}

// defaultLimit is how long a check may take when the author does not say.
const defaultLimit = 10 * time.Second

// withDefaults is o with the zero fields filled in and Path made absolute, or
// what is wrong with it.
func (o Options) withDefaults() (Options, error) {
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return o, fmt.Errorf("find %s: %w", o.Path, err)
	}
	o.Path = path
	if o.Kind == rpc.Unknown {
		o.Kind = kindOf(path)
	}
	if o.Kind == rpc.Unknown {
		return o, fmt.Errorf("test %s: is it a monitor or an alert? Let its name end in .monitor or .alert", o.Path)
	}
	if len(o.Hosts) == 0 && !o.NoHosts {
		o.Hosts = []string{"127.0.0.1"}
	}
	if o.Limit == 0 {
		o.Limit = defaultLimit
	}
	if o.Limit < time.Second {
		return o, fmt.Errorf("test %s: a limit of %v is too short to tell anything: give it 1s or more", o.Path, o.Limit)
	}
	if len(o.Claims) == 0 && len(o.Args) > 0 {
		o.Claims = []alert.Claim{{
			ID: group + ":" + service + " " + filepath.Base(path) + " " + strings.Join(o.Args, " "), Group: group, Service: service,
			Reason: "mond's plugin test", Args: o.Args, Since: time.Now(),
		}}
	}
	return o, nil
}

func kindOf(path string) rpc.Kind {
	switch filepath.Ext(path) {
	case ".monitor":
		return rpc.Monitor
	case ".alert":
		return rpc.Alert
	}
	return rpc.Unknown
}

// Check tries the program in every way that mon and mond would use it, and in
// some that they hopefully never will. It ends within a minute or so for a
// program that hangs everywhere, and leaves nothing behind. Problems of the
// program are in the report; the error is one of the test itself, or of o.
func Check(ctx context.Context, o Options) (Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Report{}, err
	}
	dir, err := os.MkdirTemp("", "plugintest-")
	if err != nil {
		return Report{}, fmt.Errorf("make a folder to test in: %w", err)
	}
	defer os.RemoveAll(dir)
	spawner, err := procgroup.New()
	if err != nil {
		return Report{}, err
	}
	defer spawner.Close()
	s := newSuite(o, dir, spawner)
	s.tryAll(ctx)
	return s.report, errors.Join(ctx.Err(), s.guest.end())
}

// Run is [Check] as subtests of t, one for each case. What does not apply is
// logged.
func Run(t *testing.T, o Options) {
	t.Helper()
	r, err := Check(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Cases {
		t.Run(c.Name, func(t *testing.T) {
			switch {
			case c.Skipped:
				t.Logf("does not apply: %s", c.Detail)
			case !c.OK:
				t.Errorf("%s\n%s", c.What, c.Detail)
			}
		})
	}
}

// suite is one test of one program.
type suite struct {
	Options
	program

	report Report
	guest  *guest // the resident process that most cases share
	first  ran    // what the program answered when nothing was special
}

func newSuite(o Options, dir string, spawner *procgroup.Spawner) *suite {
	return &suite{
		Options: o,
		program: newProgram(o, dir, spawner),
		report:  Report{Path: o.Path, Name: filepath.Base(o.Path), Kind: o.Kind, Cases: []Case{}},
	}
}

// trial is one thing to try.
type trial struct {
	name, what string
	// advice says what an author can do about it; it follows what was seen.
	advice string
	do     func(ctx context.Context) error
}

// inapplicable is the end of a trial that says nothing.
type inapplicable struct{ why string }

func (i inapplicable) Error() string { return i.why }

// tryAll fills the report.
func (s *suite) tryAll(ctx context.Context) {
	if !s.try(ctx, s.starting()) {
		return
	}
	common := []trial{s.usage(), s.unknownOption()}
	switch s.Kind {
	case rpc.Monitor:
		s.try(ctx, append(common, s.classicMonitor()...)...)
	case rpc.Alert:
		s.try(ctx, append(common, s.classicAlert()...)...)
	case rpc.Unknown:
	}
	s.try(ctx, s.classicEnd()...)
	why := s.detect(ctx)
	if why != "" {
		s.note(Case{Name: "resident", What: "it serves mond as a resident plugin", Skipped: true, Detail: why})
		return
	}
	s.report.Resident = true
	s.tryResident(ctx)
}

// tryResident does so with one process for most trials, and new ones for those
// that end it.
func (s *suite) tryResident(ctx context.Context) {
	if !s.try(ctx, s.handshake()) {
		return
	}
	s.try(ctx, s.residentCommon()...)
	if s.Kind == rpc.Monitor {
		s.try(ctx, s.residentMonitor()...)
	} else {
		s.try(ctx, s.residentAlert()...)
	}
	s.try(ctx, s.residentEnd()...)
}

// try does the trials in turn and notes how they went; it reports whether all
// went well.
func (s *suite) try(ctx context.Context, list ...trial) bool {
	well := true
	for _, one := range list {
		if ctx.Err() != nil {
			return false
		}
		c := Case{Name: one.name, What: one.what}
		err := one.do(ctx)
		no, skipped := errors.AsType[inapplicable](err)
		switch {
		case err == nil:
			c.OK = true
		case skipped:
			c.Skipped, c.Detail = true, no.why
		default:
			c.Detail = err.Error() + "\n" + one.advice
			well = false
		}
		s.note(c)
	}
	return well
}

func (s *suite) note(c Case) {
	s.report.Cases = append(s.report.Cases, c)
	if s.Each != nil {
		s.Each(c)
	}
}

// words are the arguments of a check by hand: Args, then hosts.
func (s *suite) words(hosts ...string) []string { return slices.Concat(s.Args, hosts) }
