package plugintest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mondhq/mond/plugins/rpc"
)

// bogus is an option that no plugin has.
const bogus = "--mond-plugintest-no-such-option"

// starting must hold before anything else can be tried.
func (s *suite) starting() trial {
	return trial{
		name: "classic/starts", what: "it is a program that this machine can start",
		advice: "See to its first line (#!...), its format and `chmod +x`.",
		do: func(ctx context.Context) error {
			info, err := os.Stat(s.path)
			switch {
			case err != nil:
				return err
			case !info.Mode().IsRegular():
				return fmt.Errorf("%s is no file", s.path)
			}
			_, err = s.run(ctx, call{args: []string{"-h"}})
			return err
		},
	}
}

func (s *suite) usage() trial {
	return trial{
		name: "classic/usage", what: "-h alone prints how it is called, and exits 0",
		advice: "When -h is the only argument, print a line with the options and exit 0; people and `monctl` look there first.",
		do: func(ctx context.Context) error {
			r, err := s.run(ctx, call{args: []string{"-h"}})
			switch {
			case err != nil:
				return err
			case r.ended() != nil:
				return r.ended()
			case r.exit.Code != 0:
				return fmt.Errorf("it %v%s", r.exit, r.said())
			case strings.TrimSpace(r.out) == "":
				return errors.New("it printed nothing")
			}
			return nil
		},
	}
}

func (s *suite) unknownOption() trial {
	return trial{
		name: "classic/unknown-option", what: "an option that it does not have is refused: a message, and not exit 0",
		advice: "Read options before hosts (getopts, flag, argparse), and end with a message and exit 2 for one that is unknown. A word that is misspelt in mon.cf is found by this only.",
		do: func(ctx context.Context) error {
			r, err := s.run(ctx, call{args: s.asked(bogus)})
			switch {
			case err != nil:
				return err
			case r.ended() != nil:
				return r.ended()
			case r.exit.Code == 0:
				return fmt.Errorf("asked with %s it exited 0%s", bogus, r.said())
			case strings.TrimSpace(r.out) == "":
				return fmt.Errorf("asked with %s it exited %d and said nothing", bogus, r.exit.Code)
			case s.Kind == rpc.Monitor && strings.Contains(" "+r.summary()+" ", " "+bogus+" ") && !strings.Contains(strings.ToLower(r.summary()), "option"):
				return fmt.Errorf("it took %s for a host: its first line is %q", bogus, r.summary())
			}
			return nil
		},
	}
}

// asked are the arguments of a run with an option in front of the others.
func (s *suite) asked(option string) []string {
	words := append([]string{option}, s.words(s.Hosts...)...)
	if s.Kind == rpc.Alert {
		words = append(s.monWords(failure()), append([]string{option}, s.Args...)...)
	}
	return words
}

// pipes are the trials of a program's standard streams, for monitors and alerts
// alike; c is an ordinary call, and same judges its outcome.
func (s *suite) pipes(c call, same func(ran) error) []trial {
	one := func(name, what, advice string, change func(*call)) trial {
		c := c
		change(&c)
		return trial{name: name, what: what, advice: advice, do: func(ctx context.Context) error {
			r, err := s.run(ctx, c)
			if err == nil {
				err = r.ended()
			}
			if err == nil && c.out != gone {
				err = same(r)
			}
			return err
		}}
	}
	return []trial{
		one("classic/no-input", "with nothing to read on its standard input it does the same",
			"A monitor has no input, and that of an alert may be empty; do not wait for it.",
			func(c *call) { c.closed, c.stdin = s.Kind == rpc.Monitor, "" }),
		one("classic/slow-reader", "it waits for a reader that is slow, and loses nothing",
			"Check what writing returns, and do not make standard output non-blocking.", func(c *call) { c.out = full }),
		s.readerGone(c),
		s.term(c),
	}
}

func (s *suite) readerGone(c call) trial {
	c.out = gone
	return trial{
		name: "classic/reader-gone", what: "it ends when nobody reads its output any more",
		advice: "Leave SIGPIPE as it is, or end when a write fails: mon may have been stopped.",
		do: func(ctx context.Context) error {
			r, err := s.run(ctx, c)
			switch {
			case err != nil:
				return err
			case r.late:
				return fmt.Errorf("it had not ended after %v", prompt)
			}
			return nil // by SIGPIPE or by itself
		},
	}
}

// term disturbs a program that is certainly at work: it waits for its input, or
// for a reader of what it says of a host that fails.
func (s *suite) term(c call) trial {
	c.term = true
	switch {
	case s.Kind == rpc.Alert:
		c.held, c.stdin = true, ""
	case s.NoHosts:
		c.out = full
	default:
		c.out, c.args = full, s.words(nowhere)
	}
	return trial{
		name: "classic/term", what: "SIGTERM ends it at once",
		advice: "Do not ignore SIGTERM: mond sends SIGKILL a second later.",
		do: func(ctx context.Context) error {
			r, err := s.run(ctx, c)
			switch {
			case err != nil:
				return err
			case r.deaf:
				return fmt.Errorf("%v after SIGTERM it was still there", grace)
			}
			return nil
		},
	}
}

// classicEnd are the trials that look back at all runs.
func (s *suite) classicEnd() []trial {
	return []trial{s.quoting("classic/quoting"), {
		name: "classic/children", what: "it leaves no process behind, however it ends",
		advice: "Wait for what you start, and do not move it to another session or process group (setsid, nohup, &): when a time limit ends mond stops the group as a whole.",
		do: func(context.Context) error {
			if len(s.book.left) > 0 {
				return errors.New(strings.Join(s.book.left, "\n"))
			}
			return nil
		},
	}}
}

// quoting looks whether any run fell for the bait.
func (s *suite) quoting(name string) trial {
	return trial{
		name: name, what: "no text from outside was run as a command",
		advice: "Quote every variable (\"$MON_LAST_SUMMARY\"), and never hand one to eval or `sh -c`: what a monitor printed may come from a hostile host.",
		do: func(context.Context) error {
			if _, err := os.Stat(s.trap()); err == nil {
				_ = os.Remove(s.trap()) // for the trials to come
				return errors.New("commands in MON_LAST_SUMMARY, MON_LAST_OUTPUT or the standard input were run")
			}
			return nil
		},
	}
}

// detect says why the program is tried as a classic one only, "" when it is
// not.
func (s *suite) detect(ctx context.Context) string {
	switch s.Mode {
	case ClassicOnly:
		return "it is to be tried as a classic program only"
	case Resident:
		return ""
	case Detect:
	}
	m, err := s.describe(ctx)
	if err != nil {
		return fmt.Sprintf("it is a classic program: %v", err)
	}
	if m.Name == "" || m.Kind == "" {
		return "it is a classic program: what it prints for --describe names no plugin"
	}
	return ""
}

// manifest is what --describe prints.
type manifest struct {
	Kind, Name, Synopsis string
	Flags                []struct{ Name, Usage string }
}

// describe asks the program what it is.
func (s *suite) describe(ctx context.Context) (m manifest, err error) {
	r, err := s.run(ctx, call{args: []string{"--describe"}})
	if err == nil {
		err = r.ended()
	}
	if err != nil {
		return m, fmt.Errorf("--describe: %w", err)
	}
	if r.exit.Code != 0 {
		return m, fmt.Errorf("it does not know --describe (%v)", r.exit)
	}
	if err := json.NewDecoder(bytes.NewReader([]byte(r.out))).Decode(&m); err != nil {
		return m, fmt.Errorf("it does not know --describe (it prints no JSON: %w)", err)
	}
	return m, nil
}

// name is the program's own.
func (s *suite) name() string { return filepath.Base(s.path) }
