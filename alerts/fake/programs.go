package fake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mondhq/mond/alerts/fake/hold"
	"github.com/mondhq/mond/plugins/procgroup"
)

// ran says that the programs of a group have ended.
type ran struct {
	group *managed
	err   error
}

// programs runs those of an action beside the desk, in order, one after the
// other: of one group never two at once.
func (d *desk) programs(m *managed, a hold.Action) {
	m.Started(a)
	if len(a.Programs) == 0 {
		m.Ran(nil)
		return
	}
	d.Log.Info("run programs", "group", m.name, "of", a.Kind.String(), "reason", a.Reason.String())
	limit, env := m.Line.ProgramLimit, d.environ(m, a)
	go func() { // ends with its programs, which have limits, and the desk
		err := d.runAll(a.Programs, env, limit)
		select {
		case d.ran <- ran{m, err}:
		case <-d.Context.Done():
		}
	}()
}

// defaultLimit is for a line that was not read by role.ParseGroup.
const defaultLimit = 10 * time.Second

// runAll runs programs in order; one that fails does not stop the others.
func (d *desk) runAll(programs [][]string, env []string, limit time.Duration) error {
	if limit <= 0 {
		limit = defaultLimit
	}
	var errs []error
	for _, words := range programs {
		ctx, cancel := context.WithTimeout(d.Context, limit)
		err := d.Run(ctx, words, env)
		if err != nil && ctx.Err() == context.DeadlineExceeded { //nolint:errorlint // exactly this one
			err = fmt.Errorf("it was ended after %v (--program-limit)", limit)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("run %s: %w", strings.Join(words, " "), err))
		}
		cancel()
	}
	return errors.Join(errs...)
}

// environ is what programs are told beside our own environment.
func (d *desk) environ(m *managed, a hold.Action) []string {
	t, _ := m.Token()
	what := "release"
	if a.Kind == hold.RunTake {
		what = "take"
	}
	var list []string
	for _, at := range m.Line.Addresses {
		list = append(list, at.String())
	}
	return append(os.Environ(), "MOND_ROLE="+what, "MOND_ROLE_GROUP="+m.name, "MOND_ROLE_EPOCH="+strconv.FormatUint(t.Epoch, 10),
		"MOND_ROLE_REASON="+t.Reason, "MOND_ROLE_ADDRESSES="+strings.Join(list, " "))
}

// ended takes in that programs have ended.
func (d *desk) ended(r ran) {
	r.group.Ran(r.err)
	r.group.tell = true
	if r.err != nil {
		d.Log.Error("programs of a group failed; it does not wait for them", "group", r.group.name, "err", r.err)
	}
}

// mostPrinted is how much of what a program prints is kept for its error.
const mostPrinted = 512

// runProgram runs one as a process group of its own, which ends with ctx.
func runProgram(ctx context.Context, words, env []string) error {
	spawner, err := procgroup.New()
	if err != nil {
		return err
	}
	defer spawner.Close()
	cmd := exec.Command(words[0], words[1:]...) //nolint:gosec // the configuration's
	out := &firstBytes{}
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = env, "/", out, out
	cmd.WaitDelay = time.Second // for what holds its output open
	if err := spawner.StartCmd(cmd); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = procgroup.KillGroup(cmd.Process.Pid, syscall.SIGKILL) })
	defer stop()
	err = cmd.Wait()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // something in the background keeps the output open: a daemon
	}
	if said := strings.TrimSpace(out.String()); err != nil && said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// firstBytes keeps the beginning of what is written.
type firstBytes struct{ bytes.Buffer }

func (b *firstBytes) Write(p []byte) (int, error) {
	if room := mostPrinted - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
