package plugintest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mondhq/mond/plugins/classic"
)

// nowhere is a name that no resolver asks anybody about: a label is empty.
const nowhere = "no..such..host"

// classicMonitor are the trials of a monitor by mon's contract.
func (s *suite) classicMonitor() []trial {
	list := []trial{s.verdict(), s.appended(), s.down()}
	ordinary := call{args: s.words(s.Hosts...), limit: s.Limit + prompt}
	list = append(list, s.pipes(ordinary, func(r ran) error { return alike(s.first, r) })...)
	return append(list, s.silence())
}

func (s *suite) verdict() trial {
	return trial{
		name: "classic/verdict", what: "it comes to a verdict: exit 0, or not 0 and a first line that says who failed",
		advice: "Exit 0 when all is well, 1 when a host failed; print the failing hosts in the first line, details below. If the arguments or hosts of this test are not right for it, give others.",
		do: func(ctx context.Context) error {
			r, err := s.run(ctx, call{args: s.words(s.Hosts...), limit: s.Limit + prompt})
			if err == nil {
				s.first, err = r, judge(r)
			}
			return err
		},
	}
}

// judge says what is wrong with an answer.
func judge(r ran) error {
	switch {
	case r.ended() != nil:
		return r.ended()
	case blind(r):
		return fmt.Errorf("it could not see: %s", r.summary())
	case r.exit.Code == 126 || r.exit.Code == 127:
		return fmt.Errorf("it exited %d, by which shells say that a command could not be run%s", r.exit.Code, r.said())
	case r.exit.Code != 0 && strings.TrimSpace(r.summary()) == "":
		return fmt.Errorf("it exited %d and its first line is blank: alerts would say (NO SUMMARY)", r.exit.Code)
	}
	return nil
}

// blind reports whether the program says that it has seen nothing.
func blind(r ran) bool {
	return r.exit.Signal == 0 && r.exit.Code == classic.ExitBlind && strings.HasPrefix(r.out, "blind (")
}

// alike compares answers to the same question. Success may print times.
func alike(a, b ran) error {
	switch {
	case a.exit.Code != b.exit.Code:
		return fmt.Errorf("it exited %d instead of %d%s", b.exit.Code, a.exit.Code, b.said())
	case a.exit.Code != 0 && a.summary() != b.summary():
		return fmt.Errorf("its first line became %q instead of %q", b.summary(), a.summary())
	}
	return nil
}

// appended tries whether the words after the options are looked at.
func (s *suite) appended() trial {
	return trial{
		name: "classic/hosts", what: "the words after its options are hosts, and it looks at every one",
		advice: "Take hosts from the arguments that are left after the options; a name that has no address is no success. (A monitor that looks at no hosts is tested with --no-hosts, and stands before ;; in mon.cf.)",
		do: func(ctx context.Context) error {
			if s.NoHosts {
				return inapplicable{"it looks at no hosts"}
			}
			r, err := s.run(ctx, call{args: s.words(append(slices.Clone(s.Hosts), nowhere)...), limit: s.Limit + prompt})
			switch {
			case err != nil:
				return err
			case r.ended() != nil:
				return r.ended()
			case r.exit.Code == 0:
				return fmt.Errorf("asked about %s, which cannot exist, it exited 0%s", nowhere, r.said())
			case !strings.Contains(r.out, nowhere):
				return fmt.Errorf("asked about %s it did not name it%s", nowhere, r.said())
			}
			return nil
		},
	}
}

func (s *suite) down() trial {
	return trial{
		name: "classic/down", what: "a host that is down is in the first line, and the exit status is not 0",
		advice: "Put the name of each failing host, as it was given, in the first line: host dependencies go by it.",
		do: func(ctx context.Context) error {
			if len(s.Down) == 0 {
				return inapplicable{"no host was named that is down"}
			}
			r, err := s.run(ctx, call{args: s.words(slices.Concat(s.Hosts, s.Down)...), limit: s.Limit + prompt})
			if err == nil {
				err = judge(r)
			}
			if err == nil {
				err = s.namesDown(r.exit.Code, r.summary())
			}
			return err
		},
	}
}

// namesDown judges an answer about hosts of which some are down.
func (s *suite) namesDown(exit int, summary string) error {
	if exit == 0 {
		return fmt.Errorf("%s is down and it exited 0", strings.Join(s.Down, " "))
	}
	words := strings.FieldsFunc(summary, func(r rune) bool { return strings.ContainsRune(" ,;", r) })
	for _, h := range s.Down {
		if !slices.Contains(words, h) && !slices.Contains(words, h+":") {
			return fmt.Errorf("%s is down and not in its first line, %q", h, summary)
		}
	}
	return nil
}

// silence tries whether the monitor ends by itself.
func (s *suite) silence() trial {
	return trial{
		name: "classic/limit", what: "a host that never answers fails within the time limit",
		advice: "Limit every connection and every answer in time (nc -w, curl --max-time, ctx in Go); mon itself waits for ever.",
		do: func(ctx context.Context) error {
			if s.Silent == "" {
				return inapplicable{"no host was named that never answers"}
			}
			r, err := s.run(ctx, call{args: s.words(s.Silent), limit: s.Limit + grace})
			switch {
			case err != nil:
				return err
			case r.late:
				return fmt.Errorf("it was still waiting after %v", s.Limit+grace)
			case r.ended() != nil:
				return r.ended()
			case r.exit.Code == 0:
				return errors.New("it exited 0" + r.said())
			}
			return nil
		},
	}
}
