package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/view"
)

// How a Remote is bounded.
const (
	// remoteMost is how many commands wait; later ones are not run.
	remoteMost = 1000
	// remoteLimit is the time that one may take.
	remoteLimit = time.Minute
	// remoteGrace is from its SIGKILL until its descendants are given up.
	remoteGrace = time.Second
	// remoteSaid is how much of what it printed is logged.
	remoteSaid = 500
)

// RemoteOptions are what a Remote is made of; all are required.
type RemoteOptions struct {
	Mon Mon
	// Program is the shell command to run with the words of each deed after
	// it (monremote of the configuration in force); empty is none.
	Program func() string
	Board   *view.Board
	Log     *slog.Logger
}

// Remote is a [Mon] that tells another program of what it did: after each
// disable, enable and test of a monitor that succeeded it runs
//
//	PROGRAM disable|enable watch GROUP
//	PROGRAM disable|enable service GROUP SERVICE
//	PROGRAM disable|enable host HOST
//	PROGRAM test GROUP SERVICE
//
// through the shell, as mon does, one after the other and without making
// anybody wait. What the program answers is only logged.
type Remote struct {
	Mon
	opt   RemoteOptions
	limit time.Duration
	most  int
	wake  chan struct{} // holds one: "look"

	mu    sync.Mutex
	queue []string
	lost  int
}

// NewRemote makes a Remote; [Remote.Run] runs its commands.
func NewRemote(o RemoteOptions) *Remote {
	return &Remote{Mon: o.Mon, opt: o, limit: remoteLimit, most: remoteMost, wake: make(chan struct{}, 1)}
}

// DisableService disables a service.
func (r *Remote) DisableService(ctx context.Context, key opstatus.Key, user, text string) error {
	return r.after(r.Mon.DisableService(ctx, key, user, text), "disable", "service", key.Group, key.Service)
}

// EnableService enables a service.
func (r *Remote) EnableService(ctx context.Context, key opstatus.Key, user string) error {
	return r.after(r.Mon.EnableService(ctx, key, user), "enable", "service", key.Group, key.Service)
}

// DisableWatch disables a watch.
func (r *Remote) DisableWatch(ctx context.Context, group, user, text string) error {
	return r.after(r.Mon.DisableWatch(ctx, group, user, text), "disable", "watch", group)
}

// EnableWatch enables a watch.
func (r *Remote) EnableWatch(ctx context.Context, group, user string) error {
	return r.after(r.Mon.EnableWatch(ctx, group, user), "enable", "watch", group)
}

// DisableHost disables a host.
func (r *Remote) DisableHost(ctx context.Context, host, user, text string) error {
	return r.onHost(r.Mon.DisableHost(ctx, host, user, text), "disable", host)
}

// EnableHost enables a host.
func (r *Remote) EnableHost(ctx context.Context, host, user string) error {
	return r.onHost(r.Mon.EnableHost(ctx, host, user), "enable", host)
}

// TestMonitor checks a service now.
func (r *Remote) TestMonitor(ctx context.Context, key opstatus.Key) error {
	return r.after(r.Mon.TestMonitor(ctx, key), "test", key.Group, key.Service)
}

// onHost tells of the watches of that host alone first, which are disabled and
// enabled with it.
func (r *Remote) onHost(err error, verb, host string) error {
	if err != nil {
		return err
	}
	cfg := r.opt.Board.Config()
	for _, g := range cfg.Groups {
		if len(g.Hosts) == 1 && g.Hosts[0] == host {
			_ = r.after(nil, verb, "watch", g.Name)
		}
	}
	return r.after(nil, verb, "host", host)
}

// after queues the command of a deed that succeeded, and passes err on.
func (r *Remote) after(err error, words ...string) error {
	program := strings.TrimSpace(r.opt.Program())
	if err != nil || program == "" {
		return err
	}
	for i, w := range words {
		words[i] = quoted(w)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) >= r.most {
		if r.lost++; r.lost == 1 {
			r.opt.Log.Error("monremote is too slow, commands are left out", "waiting", len(r.queue))
		}
		return nil
	}
	r.queue = append(r.queue, program+" "+strings.Join(words, " "))
	select {
	case r.wake <- struct{}{}:
	default:
	}
	return nil
}

// quoted is word as a word for the shell, as it is where it is harmless.
func quoted(word string) string {
	harmless := func(c rune) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.ContainsRune("._-:/@", c)
	}
	if word != "" && !strings.ContainsFunc(word, func(c rune) bool { return !harmless(c) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Run runs the commands until ctx ends; those that wait then are not run.
func (r *Remote) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		}
		for ctx.Err() == nil {
			command, ok := r.next()
			if !ok {
				break
			}
			r.run(ctx, command)
		}
	}
}

func (r *Remote) next() (command string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		if r.lost > 0 {
			r.opt.Log.Warn("monremote has caught up", "left_out", r.lost)
			r.lost = 0
		}
		return "", false
	}
	command = r.queue[0]
	r.queue = slices.Delete(r.queue, 0, 1)
	return command, true
}

// run runs one command in a process group of its own, which is killed when its
// time is over.
func (r *Remote) run(ctx context.Context, command string) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.limit, fmt.Errorf("it took more than %v and was killed", r.limit))
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = remoteGrace
	said := &head{most: remoteSaid}
	cmd.Stdout, cmd.Stderr = said, said
	err := cmd.Run()
	if ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	if err != nil {
		r.opt.Log.Error("monremote did not work", "command", command, "err", err, "said", said.String())
		return
	}
	r.opt.Log.Debug("monremote told", "command", command, "said", said.String())
}

// head keeps the beginning of what is written to it.
type head struct {
	most int
	text []byte
}

func (h *head) Write(b []byte) (int, error) {
	h.text = append(h.text, b[:min(len(b), h.most-len(h.text))]...)
	return len(b), nil
}

func (h *head) String() string { return strings.ToValidUTF8(strings.TrimSpace(string(h.text)), "?") }
