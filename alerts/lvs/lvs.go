// Package lvs is lvs.alert: it takes a real server out of an IPVS virtual
// service when a watch says so, and puts it back.
//
// Resident it is a keeper: one goroutine, the owner, holds what all argument
// lists claim and keeps the tables in agreement with it - on every claim, and
// every few seconds, since the kernel reports no edits by others. It never
// flushes, makes and removes a virtual service only where one is declared, and
// touches no row that neither a claim names nor, in its record, was declared
// by one once. Run as a program, by hand or by mon, it hands its
// request to the resident owner, or makes one edit where there is none.
//
// It does not decide who is down: that is the engine's, which knows nothing of
// IPVS. Claims speak this program's own command line.
package lvs

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/mondhq/mond/alerts/internal/shared"
	"github.com/mondhq/mond/alerts/lvs/copying"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/role"
	"github.com/mondhq/mond/alerts/lvs/words"
	"github.com/mondhq/mond/plugins/alert"
)

// Name is the program's name.
const Name = words.Name

// Synopsis is what it does, in one sentence.
const Synopsis = "takes a real server out of an IPVS virtual service and puts it back"

// Options are what an owner works with. The zero value is what the program
// uses.
type Options struct {
	// Open opens a table. Default: the real ones.
	Open func(words.Place) (ipvs.Table, error)
	// Role says which addresses are here. Default: the kernel.
	Role role.Source
	// Copying says what sync daemons hang upon. Default: the kernel.
	Copying copying.Source
	// Log is told of every edit and of what is wrong. Default: slog.Default.
	Log *slog.Logger
	// StateDir holds the record of owned rows. Default: $MON_STATEDIR; without
	// either nothing is recorded.
	StateDir string
	// Sockets are where the resident owner may be found; it listens on the
	// first. Default: lvs.sock in $MON_STATEDIR; without that, in /run/mond
	// and in the usual state directories.
	Sockets []string
	// Resync is the time between two looks at the tables. Default: 5 s.
	Resync time.Duration
	// Context ends the owner. Default: never, it ends with its process.
	Context context.Context
}

// The defaults of Options.
const (
	defaultResync = 5 * time.Second
	stateEnv      = "MON_STATEDIR"
	socketName    = "lvs.sock"
)

func (o Options) withDefaults() Options {
	if o.Open == nil {
		o.Open = openTable
	}
	if o.Role == nil {
		o.Role = role.Kernel{}
	}
	if o.Copying == nil {
		o.Copying = copying.Kernel{}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.StateDir == "" {
		o.StateDir = os.Getenv(stateEnv)
	}
	if o.Sockets == nil {
		o.Sockets = sockets(o.StateDir)
	}
	if o.Resync <= 0 {
		o.Resync = defaultResync
	}
	if o.Context == nil {
		o.Context = context.Background()
	}
	return o
}

// sockets are the usual places of the owner's socket.
func sockets(stateDir string) []string {
	if stateDir != "" {
		return []string{filepath.Join(stateDir, socketName)}
	}
	var out []string
	for _, dir := range []string{"/run/mond", "/var/state/mon", "/var/lib/mon"} {
		out = append(out, filepath.Join(dir, socketName))
	}
	return out
}

func openTable(at words.Place) (ipvs.Table, error) {
	if at.File != "" {
		return ipvs.OpenFile(at.File)
	}
	k, err := openKernel(at.NetNS)
	if err != nil {
		return nil, err // not k: a nil *Kernel is no nil Table
	}
	return k, nil
}

func openKernel(netns string) (*ipvs.Kernel, error) {
	if netns != "" {
		return ipvs.OpenKernelIn(netns)
	}
	return ipvs.OpenKernel()
}

// NewFactory makes a factory whose alerts share one owner, however many lists
// of arguments there are. Nothing is opened or started before the first claim.
func NewFactory(o Options) alert.New {
	own := newOwner(o)
	return func(fs *flag.FlagSet) alert.Alert {
		a := &lvsAlert{owner: own, flags: fs}
		a.args.Declare(fs)
		own.Show(a, false)
		return a
	}
}

// New returns the factory of the program, with one owner of its own.
func New() alert.New { return NewFactory(Options{}) }

// lvsAlert is the alert of one list of arguments.
type lvsAlert struct {
	owner *owner
	flags *flag.FlagSet
	args  words.Arguments
}

var _ alert.Keeper = (*lvsAlert)(nil)

// Validate judges the options together. None at all are well: that is what
// the resident keeper is made with, whose claims bring their own.
func (a *lvsAlert) Validate() error {
	if a.flags.NFlag() == 0 && a.flags.NArg() == 0 {
		return nil
	}
	_, err := a.args.Job(a.flags.Args())
	return err
}

// Keep implements [alert.Keeper] for the claims of all argument lists. An
// error means that some table does not agree yet; the owner goes on trying.
func (a *lvsAlert) Keep(ctx context.Context, full bool, claims []alert.Claim) error {
	a.owner.Show(a, true)
	a.owner.Start()
	return shared.Tell(ctx, a.owner.Work(), func(d *desk) error { return d.keep(full, claims) })
}

// Alert makes one edit: in for an upalert, out for a failure or a trap. A test
// only looks whether the edit could be made, and the kinds that are no verdict
// do nothing. It is idempotent: what is so already is not written again.
func (a *lvsAlert) Alert(ctx context.Context, r alert.Request) error {
	j, err := a.args.Job(a.flags.Args())
	if err != nil {
		return alert.Permanent(err)
	}
	if r.Kind == alert.Test {
		return a.owner.look(ctx, j)
	}
	up, verdict := direction(r.Kind, a.args.Up)
	if !verdict {
		return nil
	}
	if up {
		r.Kind = alert.Up
	}
	return a.owner.carryOut(ctx, j, order{Args: j.Words(), Up: up, Reason: reason(r)})
}

// direction says what a notice of kind k asks for, if it asks for anything; up
// is the program's own -u.
func direction(k alert.Kind, up bool) (in, verdict bool) {
	switch k {
	case alert.Up:
		return true, true
	case alert.Failure, alert.Trap, alert.TrapTimeout:
		return up, true
	case alert.Unset, alert.Startup, alert.Ack, alert.Disable, alert.Test:
	}
	return false, false
}

// reason is what people will read of a notice.
func reason(r alert.Request) string {
	who := "by hand"
	if r.Group != "" || r.Service != "" {
		who = r.Group + ":" + r.Service
	}
	text := fmt.Sprintf("%s: %s", who, r.Kind)
	if r.Summary != "" {
		text += ": " + r.Summary
	}
	return text
}

// Show tells what is wanted, what the tables hold and why: the topics are
// "" and "table" (JSON), "standing" (JSON, for the engine), "ipvsadm" (what is
// wanted, as ipvsadm-save would print it) and "diff" (the commands that would
// make the tables agree), "copying" (JSON, for the engine: how the copying of
// connections goes). Nothing is written. Of the alerts of one factory only
// one answers, so that a host that asks all prints it once.
func (a *lvsAlert) Show(ctx context.Context, topic string) (string, error) {
	show, idle, err := answers(topic)
	if err != nil || !a.owner.Shows(a) {
		return "", err
	}
	text, err := shared.Ask(ctx, a.owner.Work(), show)
	if errors.Is(err, shared.ErrIdle) {
		return idle, nil
	}
	return text, err
}
