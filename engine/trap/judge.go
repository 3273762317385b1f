package trap

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/mondhq/mond/plugins/trap"
)

// judgeSize is how many traps are handed on at once at most: the engine takes
// them in one turn, which must stay short.
const judgeSize = 512

// judgeAll judges what was read and hands it on, until ctx ends.
func (s *session) judgeAll(ctx context.Context) {
	list, auth := make([]datagram, 0, judgeSize), newVerdicts(s.opt.Auth)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.queue.filled:
		}
		for ctx.Err() == nil {
			if list = s.queue.take(judgeSize, list[:0]); len(list) == 0 {
				break
			}
			s.judge(ctx, auth, list)
			clear(list) // they may be large
		}
	}
}

// judge judges some datagrams and hands on what may be taken.
func (s *session) judge(ctx context.Context, auth Auth, list []datagram) {
	arrivals := make([]Arrival, 0, len(list))
	for _, d := range list {
		if ctx.Err() != nil {
			return
		}
		t, problems, err := judgeOne(auth, d.data, d.from)
		if err != nil {
			s.note("trap refused", t, d.from, time.Now(), "reason", err)
			continue
		}
		if len(problems) > 0 {
			s.note("trap taken, but for some lines", t, d.from, time.Now(), "reason", lines(problems))
		}
		arrivals = append(arrivals, Arrival{t, d.from})
	}
	if len(arrivals) == 0 {
		return
	}
	for i, err := range s.opt.Take(ctx, arrivals) {
		if err != nil && ctx.Err() == nil {
			s.note("trap refused", arrivals[i].Trap, arrivals[i].From, time.Now(), "reason", err)
		}
	}
}

// Judge reads a datagram and says whether the trap in it may be taken, as far
// as its sender and its form are concerned, in mon's order: who sent it, its
// protocol, its status. What it returns has no password.
func (r *Receiver) Judge(data []byte, from netip.Addr) (trap.Trap, error) {
	t, _, err := judgeOne(r.opt.Auth, data, from)
	return t, err
}

func judgeOne(auth Auth, data []byte, from netip.Addr) (trap.Trap, []trap.Problem, error) {
	t, problems := trap.Parse(data)
	password := t.Password
	t.Password = ""
	if err := auth.Trap(from, t.User, password); err != nil {
		return t, problems, err
	}
	err := t.Check()
	if errors.Is(err, trap.ErrStatus) && len(problems) > 0 {
		err = fmt.Errorf("%w, or one that is no number: %s", err, lines(problems))
	}
	return t, problems, err
}

// lines names the lines that were not understood. What stands in them is not
// for the log: a password with a line end in it may be all there is.
func lines(problems []trap.Problem) string {
	text := "not understood is line"
	for i, p := range problems {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(" %d", p.Line)
	}
	return text
}
