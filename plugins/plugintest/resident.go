package plugintest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/rpc"
)

// useServe is what to do about the protocol as such.
const useServe = "plugins/serve (Go) does all of this; whoever speaks the protocol himself: plugins/rpc/pb/plugin.proto says what is wanted."

func (s *suite) handshake() trial {
	return trial{
		name: "resident/handshake", what: "with mond's cookie in the environment it shakes hands on standard output and listens",
		advice: "Print nothing before serve.Main, not even in an init. " + useServe,
		do: func(ctx context.Context) (err error) {
			if s.guest, err = s.newGuest(ctx); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, prompt)
			defer cancel()
			return s.guest.healthy(ctx)
		},
	}
}

// bounded is do with a limit.
func bounded(limit time.Duration, do func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return do(ctx)
	}
}

func (s *suite) residentCommon() []trial {
	return []trial{
		{
			name: "resident/describe", what: "it says what it is: its file's name, its kind, a synopsis, its options",
			advice: "Give serve.Monitor or serve.Alert the file's own name and a synopsis, and every option a usage.",
			do:     bounded(prompt, s.described),
		},
		{
			name: "resident/validate", what: "it accepts the arguments, and refuses an unknown option by the number of the word",
			advice: "Declare options on the FlagSet in New, so that the same declaration answers; " + useServe,
			do:     bounded(prompt, s.validated),
		},
		{
			name: "resident/other-cookie", what: "with another cookie it is a classic program",
			advice: "Compare the whole value of " + rpc.CookieKey + ". " + useServe,
			do:     s.otherCookie,
		},
	}
}

func (s *suite) described(ctx context.Context) error {
	if err := s.guest.describe(ctx); err != nil {
		return err
	}
	m := s.guest.manifest
	switch {
	case m.Name != s.name():
		return fmt.Errorf("it calls itself %q, and its file is %s", m.Name, s.name())
	case m.Kind != s.Kind:
		return fmt.Errorf("it calls itself of kind %v, and is to be a %v", m.Kind, s.Kind)
	case strings.TrimSpace(m.Synopsis) == "":
		return errors.New("it has no synopsis")
	}
	for _, f := range m.Flags {
		if f.Usage == "" {
			return fmt.Errorf("option -%s has no usage", f.Name)
		}
	}
	return nil
}

func (s *suite) validated(ctx context.Context) error {
	problems, err := s.guest.validate(ctx, s.Args)
	switch {
	case err != nil:
		return err
	case len(problems) > 0:
		return fmt.Errorf("it refuses the arguments of this test, %q: %s", s.Args, problems[0].Message)
	}
	problems, err = s.guest.validate(ctx, append([]string{bogus}, s.Args...))
	switch {
	case err != nil:
		return err
	case len(problems) == 0:
		return fmt.Errorf("it accepts %s", bogus)
	case problems[0].Index != 0 || problems[0].Message == "":
		return fmt.Errorf("it refuses %s, word 0, as word %d, saying %q", bogus, problems[0].Index, problems[0].Message)
	}
	return s.validatedAtEnd(ctx)
}

// validatedAtEnd tries the index of another word than the first. Behind words
// that are no options an option is none either, and may be refused or not.
func (s *suite) validatedAtEnd(ctx context.Context) error {
	problems, err := s.guest.validate(ctx, append(s.words(), bogus))
	if err == nil && len(problems) > 0 && problems[0].Index >= 0 && problems[0].Index != len(s.Args) {
		err = fmt.Errorf("it refuses %s, word %d, as word %d", bogus, len(s.Args), problems[0].Index)
	}
	return err
}

// otherCookie asks for usage: a resident program would serve instead.
func (s *suite) otherCookie(ctx context.Context) error {
	r, err := s.run(ctx, call{args: []string{"-h"}, env: []string{rpc.CookieKey + "=of-another-house"}})
	switch {
	case err != nil:
		return err
	case r.ended() != nil:
		return r.ended()
	case r.exit.Code != 0 || strings.HasPrefix(r.out, "1|"):
		return fmt.Errorf("asked for -h it %v%s", r.exit, r.said())
	}
	return nil
}

// variables are those of a request, and one more.
func (s *suite) variables(name, value string) map[string]string {
	return map[string]string{
		"MON_STATEDIR": s.dir, "MON_LOGDIR": s.dir, "MON_CFBASEDIR": s.dir,
		"MON_GROUP": group, "MON_SERVICE": service, name: value,
	}
}
