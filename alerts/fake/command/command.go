// Package command is the program fake: it adds addresses, tells the network,
// and removes them, at the word of a person, of heartbeat's haresources, of
// Pacemaker or of keepalived. Who decides is outside, and only one may: what
// it adds is permanent and has no lease, and it cleans up nothing it was not
// told of.
//
//	fake [OPTION...] ADDRESS... start|stop|restart|status|monitor|repeat
//	fake ADDRESS            as start
//	fake remove ADDRESS     as stop
//
// Arguments first and the action last is how heartbeat calls its resource
// scripts. Everything is done when it returns, but for the repeats of the
// announcement: a process of its own ("repeat") sends them and ends when the
// addresses go. Actions on one group follow each other.
//
// It is not the holder of mond, which is fake.alert and holds by leases; and
// how addresses get into the kernel and what is sent are others' (alerts/fake/address,
// alerts/fake/announce), seen here through [Machine] and [Network].
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/mondhq/mond/alerts/fake/instance"
	"github.com/mondhq/mond/plugins/role"
)

// The exit statuses: those of LSB for init scripts, and of OCF for monitor,
// which agree where both have one.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitStopped = 3 // of status
	exitUnknown = 4 // of status
	exitDenied  = 4 // of the other actions
	exitConfig  = 6
	exitNot     = 7 // of monitor: not running

	exitDegraded = 190 // of monitor: running, but without carrier
)

// The time limits: heartbeat has none of its own for resource scripts.
const (
	startLimit  = 20 * time.Second
	stopLimit   = 10 * time.Second
	statusLimit = 5 * time.Second
)

// Machine is this machine's table of addresses.
type Machine interface {
	// Places says where each address of g is: on the interface it names, or, if
	// it names none, on any but the loopback.
	Places(ctx context.Context, g role.Group) ([]Place, error)
	// Add adds what is missing of g, permanently, all or nothing. What is there
	// already is well.
	Add(ctx context.Context, g role.Group) error
	// Remove removes what is there of g.
	Remove(ctx context.Context, g role.Group) error
}

// Place is where an address is.
type Place struct {
	// Device is "" if it is not here.
	Device string
	// Carrier is whether the device has one.
	Carrier bool
}

// Network is whom addresses are announced to.
type Network interface {
	// Announce says whose the addresses of g are, for the first time: an error
	// if anything could not be sent.
	Announce(ctx context.Context, g role.Group) error
	// Repeat announces g again as the schedule says, until ctx ends.
	Repeat(ctx context.Context, g role.Group, failed func(error)) error
	// Stranger asks for the addresses of g and says who answers; "" for nobody.
	Stranger(ctx context.Context, g role.Group) (string, error)
}

// Program is what fake is run with.
type Program struct {
	Machine Machine
	Network Network
	// Spawn starts this program with these words, so that it goes on by itself.
	Spawn func(args []string) error
	// Refuse is an error where another program moves one of the addresses. Nil:
	// none does.
	Refuse func(addresses []netip.Addr) error
	// Home is the user's home directory: the old program read a .fakerc in it.
	Home     string
	Out, Err io.Writer
	// Log is told what a process without a terminal has to say.
	Log func(string)
}

// Run does what args say and returns the exit status.
func (p Program) Run(ctx context.Context, args []string) int {
	j, err := p.read(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(p.Out, usage())
		return exitDone
	case err != nil:
		return p.refuse(j, err)
	}
	return p.limited(ctx, j)
}

// limited runs the action of j under its time limit: it returns then, whatever
// is stuck.
func (p Program) limited(ctx context.Context, j *job) int {
	limit := j.action.limit()
	if limit == 0 {
		return p.end(j, p.act(ctx, j))
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan error, 1) // so that one that is late can end
	go func() { done <- p.act(ctx, j) }()
	select {
	case err := <-done:
		return p.end(j, err)
	case <-ctx.Done():
	}
	// What was asked to end by ctx has a moment to undo what it did.
	grace := time.NewTimer(time.Second)
	defer grace.Stop()
	select {
	case err := <-done:
		return p.end(j, err)
	case <-grace.C:
		return p.end(j, fmt.Errorf("it did not end within %v", limit))
	}
}

// act does the action.
func (p Program) act(ctx context.Context, j *job) error {
	switch j.action {
	case actStatus, actMonitor:
		return p.status(ctx, j)
	case actRepeat:
		return p.repeat(ctx, j)
	}
	unlock, err := j.serialize(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	switch j.action {
	case actStart:
		return p.start(ctx, j)
	case actStop:
		return p.stop(ctx, j)
	}
	if err := p.stop(ctx, j); err != nil {
		return err
	}
	return p.start(ctx, j)
}

// end tells an error and makes an exit status of it.
func (p Program) end(j *job, err error) int {
	if err == nil {
		return exitDone
	}
	code, coded := errors.AsType[exit](err)
	if !coded || code.why != nil {
		p.tell(j, err)
	}
	switch denied := errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EPERM); {
	case coded:
		return code.status
	case j.action == actStatus:
		return exitUnknown
	case denied && j.action != actMonitor:
		return exitDenied
	}
	return exitFailed
}

func (p Program) tell(j *job, err error) {
	text := fmt.Sprintf("fake %s %s: %s", j.group.Name, j.action, strings.TrimSpace(err.Error()))
	if errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EPERM) {
		text += " (it takes root, or CAP_NET_ADMIN and CAP_NET_RAW and a folder to write in)"
	}
	fmt.Fprintln(p.Err, text)
	if j.action == actRepeat && p.Log != nil {
		p.Log(text)
	}
}

// refuse tells that the command line, or a file, makes no sense. The text of a
// status must not look as if anything ran: heartbeat reads it.
func (p Program) refuse(j *job, err error) int {
	fmt.Fprintf(p.Err, "fake: %v\n", err)
	var bad *badInstance
	switch {
	case j.action == actStatus:
		return exitUnknown
	case errors.As(err, &bad) && j.action == actMonitor:
		return exitFailed // 6 would make Pacemaker give up everywhere
	case errors.As(err, &bad):
		return exitConfig
	}
	fmt.Fprintln(p.Err, "fake --help shows the actions and options")
	return exitUsage
}

// exit is an error that has its exit status already, and may have nothing to
// tell.
type exit struct {
	status int
	why    error
}

func (e exit) Error() string {
	if e.why == nil {
		return ""
	}
	return e.why.Error()
}
func (e exit) Unwrap() error { return e.why }

// badInstance is a file of the old program that cannot be used.
type badInstance struct{ err error }

func (b *badInstance) Error() string { return b.err.Error() }
func (b *badInstance) Unwrap() error { return b.err }

// instanceOf reads the old program's file for the address of g, if there is
// one.
func (p Program) instanceOf(j *job) error {
	in, err := instance.Files{Folder: j.config, Home: p.Home}.Load(j.group.Addresses[0].Prefix.Addr())
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return &badInstance{err}
	}
	j.group, j.passive, j.file = in.Group, in.Passive, in.File
	if j.action == actStart || j.action == actRestart {
		for _, w := range in.Warnings {
			fmt.Fprintf(p.Err, "fake: warning: %s\n", w)
		}
	}
	return nil
}
