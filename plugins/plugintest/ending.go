package plugintest

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/mondhq/mond/plugins/procgroup"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// residentEnd are the trials that end a process, and the look back.
func (s *suite) residentEnd() []trial {
	return []trial{
		{
			name: "resident/stdout", what: "it prints nothing on standard output but the handshake",
			advice: "A result is what Check returns. Print for people to standard error or by log/slog: it goes to mond's log.",
			do: func(context.Context) error {
				if text := s.guest.stray(); text != "" {
					return fmt.Errorf("it printed %q", text[:min(len(text), 200)])
				}
				return nil
			},
		},
		{
			name: "resident/shutdown", what: "it ends when mond asks it to",
			advice: useServe,
			do:     s.ending(func(ctx context.Context, g *guest) error { g.shutdown(ctx); return nil }),
		},
		{
			name: "resident/term", what: "SIGTERM ends it, with all that it started",
			advice: "Do not catch SIGTERM yourself, and start children in its own process group.",
			do:     s.ending(func(_ context.Context, g *guest) error { return g.proc.Signal(syscall.SIGTERM) }),
		},
		{
			name: "resident/lifeline", what: "it ends when mond is gone",
			advice: "Read the descriptor that " + rpc.LifelineEnv + " names and end at its end. " + useServe,
			do:     s.ending(func(_ context.Context, g *guest) error { return g.cut() }),
		},
		{
			name: "resident/killed", what: "when it is killed, nothing that it started lives on",
			advice: "Start children with a death signal (plugins/procgroup does).",
			do:     s.ending(func(_ context.Context, g *guest) error { return syscall.Kill(g.proc.Pid(), syscall.SIGKILL) }),
		},
		{
			name: "resident/frozen", what: "when it hangs and is killed with its group, nothing that it started lives on",
			advice: "Start children in its own process group, or with a death signal (plugins/procgroup does).",
			do:     s.ending(freeze),
		},
		s.quoting("resident/quoting"),
	}
}

// freeze stops the process, as a bug in the kernel might, and ends its group.
func freeze(_ context.Context, g *guest) error {
	if err := syscall.Kill(g.proc.Pid(), syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stop it: %w", err)
	}
	return procgroup.KillGroup(g.proc.Pid(), syscall.SIGKILL)
}

// ending is the trial of one way to end a process, which is at work where that
// can be had.
func (s *suite) ending(how func(ctx context.Context, g *guest) error) func(ctx context.Context) error {
	return func(ctx context.Context) (err error) {
		g, err := s.newGuest(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, g.end()) }()
		if s.Kind == rpc.Monitor {
			se, err := g.open(ctx)
			if err != nil {
				return err
			}
			defer se.close()
			if err := s.occupy(ctx, se); err != nil {
				return err
			}
		}
		ctx, cancel := context.WithTimeout(ctx, 2*grace)
		defer cancel()
		if err := how(ctx, g); err != nil {
			return err
		}
		_, err = g.gone(ctx, grace)
		return err
	}
}

// occupy gives it checks to do, some of which it has begun.
func (s *suite) occupy(ctx context.Context, se *session) error {
	hosts := s.Hosts
	if s.Silent != "" {
		hosts = []string{s.Silent}
	}
	if _, err := se.begin(s.request(hosts...), 3, s.Limit); err != nil {
		return err
	}
	if err := se.ping(2); err != nil {
		return err
	}
	err := se.hear(prompt, func() bool { return se.pong == 2 }, func(*pb.Result) error { return nil })
	worked, cancel := context.WithTimeout(ctx, atWork)
	defer cancel()
	<-worked.Done() // children of a check take a while to start
	return err
}
