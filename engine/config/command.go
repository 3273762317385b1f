package config

import (
	"errors"
	"iter"
	"strings"

	"github.com/mondhq/mond/plugins/alert"
)

// Role says what a program is for.
type Role uint8

// The roles.
const (
	RoleMonitor      Role = iota // it checks
	RoleAlert                    // it is told of events, in a period
	RoleRedistribute             // it is told of every event
)

// String is the word for r.
func (r Role) String() string {
	switch r {
	case RoleMonitor:
		return "monitor"
	case RoleRedistribute:
		return "redistribute"
	case RoleAlert:
	}
	return "alert"
}

// Use says where a [Command] is used.
type Use struct {
	Service *Service
	// Period is nil for a monitor and for redistribute.
	Period *Period
	Role   Role
	// On is the kind of alert line; [alert.Unset] for other roles.
	On      alert.Kind
	Command *Command
}

// Word is the directive: "monitor", "redistribute", "alert", "upalert", ...
func (u Use) Word() string {
	switch u.On {
	case alert.Up, alert.Startup, alert.Ack, alert.Disable:
		return u.On.String() + "alert"
	case alert.Unset, alert.Failure, alert.Trap, alert.TrapTimeout, alert.Test:
	}
	return u.Role.String()
}

// Commands are all programs of c and where they are used: of each service the
// monitor, redistribute, then the alert lines in the order of their periods.
func (c *Config) Commands() iter.Seq[Use] {
	return func(yield func(Use) bool) {
		for _, s := range c.Services {
			if !s.commands(yield) {
				return
			}
		}
	}
}

func (s *Service) commands(yield func(Use) bool) bool {
	if s.Monitor != nil && !yield(Use{Service: s, Role: RoleMonitor, Command: s.Monitor}) {
		return false
	}
	if s.Redistribute != nil && !yield(Use{Service: s, Role: RoleRedistribute, Command: s.Redistribute}) {
		return false
	}
	for i := range s.Periods {
		p := &s.Periods[i]
		for j := range p.Lines {
			l := &p.Lines[j]
			if !yield(Use{Service: s, Period: p, Role: RoleAlert, On: l.On, Command: &l.Command}) {
				return false
			}
		}
	}
	return true
}

// command reads a program and its words, which stand at off in st's text.
func (r *resolver) command(st *Statement, off int) (Command, bool) {
	line := st.Text[off:]
	words, err := Words(line)
	if q, ok := errors.AsType[*QuoteError](err); ok {
		r.diag.errorf(st, off+q.Off, quoteHint, "%s: %v", st.Name, err)
		return Command{}, false
	}
	if len(words) == 0 || words[0].Text == "" {
		r.diag.errorf(st, -1, "", "%s without a program", st.Name)
		return Command{}, false
	}
	c := Command{Pos: st.At(off + words[0].Off), Program: words[0].Text, Text: Spelling(strings.TrimSpace(line))}
	for _, w := range words[1:] {
		if w.Text == "#" && !st.plain() {
			r.diag.warnf(st, off+w.Off, endHint, `"#" and what follows are passed to %s`, c.Program)
		}
		c.Args = append(c.Args, w.Text)
		c.ArgPos = append(c.ArgPos, st.At(off+w.Off))
	}
	return c, true
}

// exitFilter reads the "exit=N-M" that may stand before an alert's program,
// and says where the program begins.
func (r *resolver) exitFilter(st *Statement) (exit ExitRange, off int, ok bool) {
	const hint = "write exit=N or exit=N-M, from 0 to 255 and without blanks"
	word, rest, off := cutWord(st.Text)
	value, is := strings.CutPrefix(strings.ToLower(word), "exit=")
	switch {
	case !is && strings.EqualFold(word, "exit") && strings.HasPrefix(rest, "="):
		r.diag.errorf(st, 0, hint, "blanks in an exit= filter: mon would look for an alert called exit")
		return exit, 0, false
	case !is:
		return exit, 0, true
	}
	if exit, ok = exitRange(value); !ok {
		r.diag.errorf(st, 0, hint, "invalid exit= filter %s", quote(word))
	}
	return exit, off, ok
}

// exitRange reads "N" or "N-M".
func exitRange(text string) (ExitRange, bool) {
	low, high, two := strings.Cut(text, "-")
	if !two {
		high = low
	}
	lo, ok1 := atoi(low)
	hi, ok2 := atoi(high)
	return ExitRange{Set: true, Min: lo, Max: hi}, ok1 && ok2 && lo <= hi && hi <= 255
}
