// Package line speaks mon's protocol of clients: a line of words in, some lines
// of data and one status line out, on TCP or TLS. It is what moncmd, monshow,
// mon.cgi and Mon::Client talk to, in mon's words to the letter; where it says
// something else, engine/difference has a row for it.
//
// What clients ask is read from rows (engine/view), so that no answer of list
// waits for the loop; what they order is asked of a [control.Mon]. Nothing here
// owns any state but that of a connection: who logged in and which view it
// looks at. It is not the place where passwords are judged (engine/auth) or
// anything is decided.
package line

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"regexp"
	"sync"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/view"
)

// Auth says who may do what. The package engine/auth has one.
type Auth interface {
	// May reports whether user may use a command; user "" is nobody.
	May(user, command string) bool
	// Login judges a password; nil lets the user in.
	Login(ctx context.Context, from netip.Addr, user, password string) error
}

// Settings are what the configuration says of clients.
type Settings struct {
	// ClientAllow are patterns of addresses; a client whose address matches
	// none is turned away. Without any, all may connect.
	ClientAllow []*regexp.Regexp
	// Timeout (cltimeout) is how long a client may take for its next command,
	// and for each part of an answer that is sent to it.
	Timeout time.Duration
}

// SettingsOf are those of g, which has been resolved. Where the file has no
// clientallow, clients with an IPv6 address may connect too.
func SettingsOf(g *config.Globals) Settings {
	s := Settings{Timeout: g.ClientTimeout}
	if _, set := g.Set["clientallow"]; !set {
		return s
	}
	for _, p := range g.ClientAllow {
		if re, err := config.AllowPattern(p); err == nil { // or it would not have been resolved
			s.ClientAllow = append(s.ClientAllow, re)
		}
	}
	return s
}

// allows reports whether a client at that address may connect.
func (s Settings) allows(from string) bool {
	for _, re := range s.ClientAllow {
		if re.MatchString(from) {
			return true
		}
	}
	return len(s.ClientAllow) == 0
}

// Options are what a Server is made of. All but Now are required.
type Options struct {
	Controller control.Mon
	Board      *view.Board
	Auth       Auth
	// ReloadAuth reads the files of Auth again.
	ReloadAuth func(ctx context.Context) error
	// Processes are the monitors that run.
	Processes func() []steer.Process
	// Terminate ends the daemon; it does not wait for that.
	Terminate func()
	// DowntimeLog is the downtime log's file, and whether it is written.
	DowntimeLog func() (path string, on bool)
	// Settings are asked for each client, so that a reload counts.
	Settings func() Settings
	// Hostname is this machine's name, as `reset` answers it.
	Hostname string
	Log      *slog.Logger
	// Now is the time; nil is [time.Now].
	Now func() time.Time
}

// validate names what is missing.
func (o *Options) validate() error {
	if o.Controller == nil || o.Board == nil || o.Auth == nil || o.ReloadAuth == nil || o.Processes == nil ||
		o.Terminate == nil || o.DowntimeLog == nil || o.Settings == nil || o.Log == nil {
		return errors.New("line: an option is missing: all but Now are required")
	}
	return nil
}

// limits bound what clients can cost.
type limits struct {
	// clients is how many there may be, each how many of one address.
	clients, each int
	// line is the longest command, logins how many may fail.
	line, logins int
	// call bounds what the daemon does for one command.
	call time.Duration
	// farewell is how long a client that is turned away may take to be told.
	farewell time.Duration
}

func usualLimits() limits {
	return limits{clients: 2000, each: 500, line: 64 << 10, logins: 10, call: time.Minute, farewell: time.Second}
}

// Server answers clients. Several listeners may share one.
type Server struct {
	opt      Options
	lim      limits
	commands map[string]command
	lists    map[string]handler

	mu    sync.Mutex
	total int
	from  map[netip.Addr]int
}

// New makes a Server.
func New(o Options) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Server{opt: o, lim: usualLimits(), commands: commands(), lists: lists(), from: map[netip.Addr]int{}}, nil
}
