// Package fake is fake.alert: it holds groups of IP addresses, as tokens permit
// (an [alert.Holder], in a service whose monitor is an elector), or as a watch
// says (an [alert.Keeper], in any other: an alert takes the group, an upalert
// releases it). Run as a program, by hand or by mon, it takes or releases once.
//
// One goroutine, the desk, owns all groups and the socket to the kernel. What to
// do is decided in alerts/fake/hold, which is pure; how it is done, in
// alerts/fake/address; programs of on-take and on-release run beside it, so that
// the leases of other groups do not wait for them. Nothing on the way to an
// address waits for a disk, a name or another program.
//
// It does not decide who holds what: that is the elector's. It tells nobody on
// the network by itself: that is an [Announcer]'s.
package fake

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/alerts/fake/announce"
	"github.com/mondhq/mond/alerts/fake/declared"
	"github.com/mondhq/mond/alerts/fake/hold"
	"github.com/mondhq/mond/alerts/internal/shared"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/role/boottime"
)

// lastOnes is how long leased addresses stay after mond died: whoever kills all of
// its programs one after the other has come to this one by then, and its kernel
// goes on serving; the other director takes over in either case.
const lastOnes = 50 * time.Millisecond

// Name is the program's name.
const Name = "fake.alert"

// Synopsis is what it does, in one sentence.
const Synopsis = "holds IP addresses on this director, by a lease or for good"

// stateEnv names the folder for the record.
const stateEnv = "MON_STATEDIR"

// Kernel is where addresses are; in life an [address.Kernel]. The desk's
// goroutine alone calls it.
type Kernel interface {
	View() (address.View, error)
	Via(netip.Addr) (index int, err error)
	// Take is all or none; Clear does what it can.
	Take([]address.Step) error
	Clear([]address.Step) error
	Watch(context.Context) (<-chan struct{}, error)
	Close() error
}

// Announcer tells the network whose the addresses are. Its methods are called by
// one goroutine and never wait.
type Announcer interface {
	// Took says that the group is on these interfaces from now on.
	Took(group role.Group, at []address.Address)
	// Again asks to announce it anew: addresses were put back, the elector
	// wishes it. What becomes of interfaces an Announcer sees itself.
	Again(group, why string)
	// Released says that nothing may be sent for the group any more.
	Released(group string)
	// Account is what was sent for the group and what is wrong with it.
	Account(group string) Account
	// Changed has a word, and room for one, when an Account has another Error.
	Changed() <-chan struct{}
}

// Account is what an announcer did for one group.
type Account struct {
	Sent   uint64 `json:"sent"`
	Failed uint64 `json:"failed"`
	// Error says what could not be sent, or who else claims an address.
	Error string `json:"error,omitempty"`
	// Next is when it is announced again, zero for never.
	Next time.Time `json:"next,omitzero"`
}

// silence is an announcer that says nothing.
type silence struct{}

func (silence) Took(role.Group, []address.Address) {}
func (silence) Again(string, string)               {}
func (silence) Released(string)                    {}
func (silence) Account(string) Account             { return Account{} }
func (silence) Changed() <-chan struct{}           { return nil }

// Names are those of addresses that roles move.
type Names interface {
	// Declare declares these, and no others.
	Declare(addresses []netip.Addr) error
	// Refuse is an error where another process has declared one of these.
	Refuse(addresses []netip.Addr) error
	Close()
}

// Options are what a desk works with. The zero value is what the program uses.
type Options struct {
	// Open opens the kernel. Default: the real one.
	Open func() (Kernel, error)
	// Now is CLOCK_BOOTTIME. Default: the real one.
	Now func() time.Duration
	// Announcer tells the network. Default: one that sends to Network, or none
	// where that is nil.
	Announcer Announcer
	Network   announce.Network
	// Run runs one program. Default: as a process.
	Run func(ctx context.Context, words, env []string) error
	// Log is told of every change and of what is wrong. Default: slog.Default.
	Log *slog.Logger
	// StateDir holds the record. Default: $MON_STATEDIR; without either nothing
	// is recorded.
	StateDir string
	// Boot names this start of the machine. Default: the kernel's boot_id.
	Boot string
	// Names tells others on this machine which addresses roles move, and whether
	// they do. Default: nobody.
	Names Names
	// Context ends the desk. Default: never, it ends with its process.
	Context context.Context
}

func (o Options) withDefaults() Options {
	if o.Open == nil {
		o.Open = openKernel
	}
	if o.Now == nil {
		o.Now = boottime.Now
	}
	if o.Run == nil {
		o.Run = runProgram
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.StateDir == "" {
		o.StateDir = os.Getenv(stateEnv)
	}
	if o.Boot == "" {
		o.Boot = bootID()
	}
	if o.Context == nil {
		o.Context = context.Background()
	}
	switch {
	case o.Announcer != nil:
	case o.Network != nil:
		o.Announcer = newAnnouncing(o.Context, o.Network, o.Log)
	default:
		o.Announcer = silence{}
	}
	return o
}

func openKernel() (Kernel, error) {
	k, err := address.Open()
	if err != nil {
		return nil, err // not k: a nil *Kernel is no nil Kernel
	}
	return k, nil
}

// NewFactory makes a factory whose alerts share one desk, however many lists of
// arguments there are. Nothing is opened or started before the first work.
func NewFactory(o Options) alert.New {
	own := newOwner(o)
	return func(fs *flag.FlagSet) alert.Alert {
		a := &fakeAlert{owner: own, flags: fs}
		a.words.Declare(fs)
		own.Show(a, false)
		return a
	}
}

// New returns the factory of the program, with one desk of its own.
func New() alert.New {
	return NewFactory(Options{Network: announce.Kernel{}, Names: &declared.Names{}})
}

// fakeAlert is the alert of one list of arguments.
type fakeAlert struct {
	owner *owner
	flags *flag.FlagSet
	words role.Words
}

var (
	_ alert.Keeper = (*fakeAlert)(nil)
	_ alert.Holder = (*fakeAlert)(nil)
)

// Validate judges the options together. None at all are well: that is what the
// resident holder is made with, whose lines bring their own.
func (a *fakeAlert) Validate() error {
	if a.flags.NFlag() == 0 && a.flags.NArg() == 0 {
		return nil
	}
	_, err := a.group()
	return err
}

func (a *fakeAlert) group() (role.Group, error) {
	g, err := a.words.Group(a.flags.Args())
	if err == nil {
		_, _, err = hold.Paths(g)
	}
	return g, err
}

// parse reads the words of a line.
func parse(args []string) (role.Group, error) {
	g, err := role.ParseGroup(args)
	if err == nil {
		_, _, err = hold.Paths(g)
	}
	return g, err
}

// Hold implements [alert.Holder] for the lines of all argument lists. When ctx
// ends the groups stay as they are, leases until their end; the end of mond
// releases those that are leased.
func (a *fakeAlert) Hold(ctx context.Context, work <-chan role.Work, say func(role.Stand)) error {
	a.owner.Show(a, true)
	a.owner.Start()
	id, err := shared.Ask(ctx, a.owner.Work(), func(d *desk) (int, error) { return d.begin(say), nil })
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // ended before it began
	case err != nil:
		return err
	}
	defer a.owner.Work().Post(func(d *desk) { d.end(id) })
	for {
		select {
		case w, more := <-work:
			if !more {
				return nil
			}
			if err := shared.Tell(ctx, a.owner.Work(), func(d *desk) error { return d.take(id, w) }); err != nil && ctx.Err() == nil {
				return err
			}
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), role.ErrOrphaned) {
				<-time.After(lastOnes)
				_ = shared.Tell(context.WithoutCancel(ctx), a.owner.Work(), func(d *desk) error { return d.orphan(id) }) // it fails if another session holds
			}
			return nil
		}
	}
}

// Keep implements [alert.Keeper] for the claims of all argument lists. An error
// means that some group is not as claimed yet; the desk goes on trying.
func (a *fakeAlert) Keep(ctx context.Context, full bool, claims []alert.Claim) error {
	a.owner.Show(a, true)
	a.owner.Start()
	return shared.Tell(ctx, a.owner.Work(), func(d *desk) error { return d.keep(full, claims) })
}

// Alert takes the group once, for good, when a watch fails, and releases it for
// an upalert. A test only looks whether the group could be held; the kinds that
// are no verdict do nothing. It is idempotent.
func (a *fakeAlert) Alert(ctx context.Context, r alert.Request) error {
	g, err := a.group()
	if err != nil {
		return alert.Permanent(err)
	}
	switch r.Kind {
	case alert.Failure, alert.Trap, alert.TrapTimeout:
		if names := a.owner.given.Names; names != nil {
			if err := names.Refuse(g.Hosts()); err != nil {
				return alert.Permanent(err)
			}
		}
		return Once(ctx, a.owner.given, g, true)
	case alert.Up:
		return Once(ctx, a.owner.given, g, false)
	case alert.Test:
		return Look(a.owner.given, g)
	case alert.Unset, alert.Startup, alert.Ack, alert.Disable:
	}
	return nil
}

// Show tells who holds what: the topics are "" and "vip" (text), and "vip json".
// Of the alerts of one factory only one answers.
func (a *fakeAlert) Show(ctx context.Context, topic string) (string, error) {
	show, ok := map[string]func([]Holding) string{"": inText, "vip": inText, "vip json": inJSON}[topic]
	if !ok {
		return "", fmt.Errorf("%s shows vip and \"vip json\", not %q", Name, topic)
	}
	if !a.owner.Shows(a) {
		return "", nil
	}
	list, err := shared.Ask(ctx, a.owner.Work(), func(d *desk) ([]Holding, error) { return d.holdings(), nil })
	if err != nil && !errors.Is(err, shared.ErrIdle) {
		return "", err
	}
	return show(list), nil
}
