// Package auth decides who may do what, by mon's files: who may give which
// command and who may send traps (auth.cf), and whose password is right
// (authtype: userfile, getpwnam, pam, trustlocal).
//
// It keeps no sessions: who is logged in is a matter of each connection. It
// makes no hashes and changes no file. No password is ever kept, logged or
// shown, nor is a hash.
//
// # Wrong passwords
//
// After five wrong passwords within a minute a user from one source must wait,
// a second at first, then longer, up to a minute; so must a source after
// twenty, and all sources that were never right after two hundred. Until then
// right passwords are refused as well, at once and without being looked at.
// Traps are counted apart from logins.
//
// # Work
//
// At most two hashes are computed at a time, whatever asks for them. Those who
// are not there make as much work as those who are. A password that was right
// is remembered, as a code that tells nothing outside this process, until the
// files are read again.
package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what an [Auth] goes by.
type Options struct {
	// AuthFile is the path of auth.cf, UserFile that of the userfile.
	AuthFile, UserFile string
	// AuthTypes are who judges a login, in this order: getpwnam, userfile, pam,
	// trustlocal; the first that accepts it wins.
	AuthTypes []string
	// PamService is given to AuthProgram, as MON_PAMSERVICE in its environment.
	PamService string
	// AuthProgram judges for pam: it reads a name and a password as two lines
	// and ends with exit status 0 if they are right. Empty is pwauth.
	AuthProgram []string
	// Passwd, Shadow and Getent are for tests; empty is those of the system.
	Passwd, Shadow, Getent string
	// Resolve looks up the hosts of the trap section; nil asks the system.
	Resolve Resolve
	// Log is told what is odd about the files; nil is nobody.
	Log *slog.Logger
	// Now is the time; nil is that of the system.
	Now func() time.Time
}

// withDefaults fills in what is empty.
func (o Options) withDefaults() Options {
	if len(o.AuthProgram) == 0 {
		o.AuthProgram = []string{"/usr/sbin/pwauth"}
	}
	for path, usual := range map[*string]string{&o.Passwd: "/etc/passwd", &o.Shadow: "/etc/shadow", &o.Getent: "/usr/bin/getent"} {
		if *path == "" {
			*path = usual
		}
	}
	if o.Resolve == nil {
		o.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// hashesAtOnce is how many hashes are computed at a time.
const hashesAtOnce = 2

// Auth says who may do what. It is safe for concurrent use.
type Auth struct {
	now           atomic.Pointer[loaded]
	logins, traps guard

	// reading is held by whoever reads the files.
	reading sync.Mutex
}

// loaded is what holds at a time. It does not change.
type loaded struct {
	options Options
	rules   *Rules
	senders *senders
	users   *userFile
	judges  []judge
}

// New reads the files of o. An auth.cf that cannot be read, or has a line that
// makes no sense, is an error.
func New(ctx context.Context, o Options) (*Auth, error) {
	now := o.withDefaults().Now
	hashing, right := make(gate, hashesAtOnce), newMemory()
	a := &Auth{
		logins: guard{newLimiter(), hashing, right, now},
		traps:  guard{newLimiter(), hashing, right, now},
	}
	if err := a.Configure(ctx, o); err != nil {
		return nil, err
	}
	return a, nil
}

// Reload reads the files again; an error keeps what held before.
func (a *Auth) Reload(ctx context.Context) error { return a.Configure(ctx, a.now.Load().options) }

// Configure reads the files of other options, and goes by them from then on. An
// error keeps what held before. Wrong passwords stay counted; Now is that of
// New.
func (a *Auth) Configure(ctx context.Context, o Options) error {
	a.reading.Lock()
	defer a.reading.Unlock()
	next, err := load(ctx, o.withDefaults(), a.now.Load())
	if err != nil {
		return err
	}
	a.now.Store(next)
	a.logins.right.forget()
	return nil
}

// load reads the files of o; before is what held before, or nil.
func load(ctx context.Context, o Options, before *loaded) (*loaded, error) {
	users := &userFile{path: o.UserFile, now: o.Now}
	judges, err := judgesFor(&o, users)
	if err != nil {
		return nil, err
	}
	text, info, err := readText(o.AuthFile)
	if err != nil {
		return nil, fmt.Errorf("read authfile: %w: %s", err, toDo(err, "authfile"))
	}
	rules, problems := ParseRules(o.AuthFile, text)
	if err := fatal(problems); err != nil {
		return nil, fmt.Errorf("read authfile: %w", err)
	}
	var known *senders
	if before != nil {
		known = before.senders
	}
	senders, more := resolveSenders(ctx, o.AuthFile, rules, o.Resolve, known)
	warn(o.Log, slices.Concat(problems, writable(o.AuthFile, info), more, o.doubts(users)))
	return &loaded{o, rules, senders, users, judges}, nil
}

// doubts are what can be seen to go wrong at the first login.
func (o *Options) doubts(users *userFile) []Problem {
	var all []Problem
	if slices.Contains(o.AuthTypes, "userfile") {
		_, problems, err := users.read()
		if err != nil {
			problems = []Problem{{File: o.UserFile, Text: err.Error()}}
		}
		all = problems
	}
	if slices.Contains(o.AuthTypes, "getpwnam") {
		f, err := os.Open(o.Shadow)
		if errors.Is(err, os.ErrPermission) {
			all = append(all, Problem{File: o.Shadow, Text: "authtype getpwnam cannot read it: " + shadowHint})
		}
		if err == nil {
			f.Close()
		}
	}
	if slices.Contains(o.AuthTypes, "pam") {
		if _, err := exec.LookPath(o.AuthProgram[0]); err != nil {
			all = append(all, Problem{File: o.AuthProgram[0], Text: "authtype pam cannot run it: install pwauth, or name another program with authprogram"})
		}
	}
	return all
}

// warn tells of problems.
func warn(log *slog.Logger, problems []Problem) {
	for _, p := range problems {
		log.Warn("odd line about users", "problem", p.String())
	}
}

// May reports whether user may give command, in lower case; user "" is nobody
// who logged in.
func (a *Auth) May(user, command string) bool { return a.now.Load().rules.May(user, command) }
