package plugintest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/rpc"
)

// occasion is one way in which mon calls an alert.
type occasion struct {
	kind    alert.Kind
	word    string // mon's word for it in the arguments
	exit    string // MON_RETVAL; "" for none
	opState string // MON_OPSTATUS
}

// failure is the plain one.
func failure() occasion { return occasion{kind: alert.Failure, exit: "1", opState: "0"} }

// occasions are all of them, failure first.
func occasions() []occasion {
	return []occasion{
		failure(),
		{kind: alert.Up, word: "-u", exit: "0", opState: "1"},
		{kind: alert.Startup, exit: "0", opState: "1"},
		{kind: alert.Trap, word: "-T", exit: "1", opState: "0"},
		{kind: alert.TrapTimeout, word: "-O", exit: "1", opState: "0"},
		{kind: alert.Ack, word: "-a", opState: "0"},
		{kind: alert.Disable, word: "-D", opState: "0"},
		{kind: alert.Test, exit: "0", opState: "1"},
	}
}

// monWords are the arguments that come before those of mon.cf.
func (s *suite) monWords(o occasion) []string {
	words := []string{
		"-s", service, "-g", group, "-h", strings.Join(s.hosts(), " "),
		"-t", strconv.FormatInt(time.Now().Unix(), 10),
	}
	if o.word != "" {
		words = append(words, o.word)
	}
	return words
}

// hosts are the members of the hostgroup, for an alert.
func (s *suite) hosts() []string {
	if len(s.Hosts) == 0 {
		return []string{"127.0.0.1"}
	}
	return s.Hosts
}

// occur is the call by which mon tells of o.
func (s *suite) occur(o occasion) call {
	env := []string{"MON_ALERTTYPE=" + o.kind.String(), "MON_OPSTATUS=" + o.opState}
	if o.exit != "" {
		env = append(env, "MON_RETVAL="+o.exit)
	}
	return call{
		args: slices.Concat(s.monWords(o), s.Args), env: env, limit: s.Limit + prompt,
		stdin: strings.Join(s.hosts(), " ") + "\n" + s.bait() + "\n",
	}
}

// classicAlert are the trials of an alert by mon's contract.
func (s *suite) classicAlert() []trial {
	list := make([]trial, 0, len(occasions())+8)
	for _, o := range occasions() {
		list = append(list, s.tell("classic/"+o.kind.String(), fmt.Sprintf("it takes what mon calls it with: %s", shown(o)), s.occur(o)))
	}
	byHand := call{args: slices.Concat(s.monWords(failure()), s.Args), stdin: "by hand\n", limit: s.Limit + prompt}
	long := s.occur(failure())
	long.stdin = "long\n" + strings.Repeat("a line of a long output\n", 1<<15)
	list = append(list,
		s.tell("classic/by-hand", "it works by hand, without mon's environment", byHand),
		s.tell("classic/long-text", "a text of 768 KiB does not hold it up", long))
	return append(list, s.pipes(s.occur(failure()), told)...)
}

// shown is how mon tells of o, in words.
func shown(o occasion) string {
	text := "-s -g -h -t"
	if o.word != "" {
		text += " " + o.word
	}
	return text + ", MON_ALERTTYPE=" + o.kind.String()
}

// tell is the trial of one call that must succeed.
func (s *suite) tell(name, what string, c call) trial {
	return trial{
		name: name, what: what,
		advice: "An alert exits 0 when it has told (or has nothing to tell of this kind), 75 to be run again later. It is called with -s SERVICE -g GROUP -h \"HOST ...\" -t TIME [-u|-T|-O|-a|-D], then the words of mon.cf, which come from this test's arguments; its text comes on standard input, and need not be read.",
		do: func(ctx context.Context) error {
			r, err := s.run(ctx, c)
			if err == nil {
				err = r.ended()
			}
			if err == nil {
				err = told(r)
			}
			return err
		},
	}
}

// told judges how an alert ended.
func told(r ran) error {
	if r.exit.Code != 0 {
		return fmt.Errorf("it %v%s", r.exit, r.said())
	}
	return nil
}

// notice is an alert's request on the wire.
func (s *suite) notice(k alert.Kind) alert.Request {
	return alert.Request{
		ID: "plugintest " + k.String(), Group: group, Service: service, Kind: k,
		Hosts: s.hosts(), Args: s.Args, At: time.Now(),
		Summary: strings.Join(s.hosts(), " "), Output: strings.Join(s.hosts(), " ") + "\n" + s.bait() + "\n",
		Exit: 1, Env: s.variables("MON_ALERTTYPE", k.String()),
	}
}

// residentAlert are the trials of an alert that mond keeps running.
func (s *suite) residentAlert() []trial {
	list := make([]trial, 0, len(occasions())+4)
	for _, o := range occasions() {
		list = append(list, trial{
			name: "resident/" + o.kind.String(), what: "it tells a notice of kind " + o.kind.String(),
			advice: "Return nil when it was told, or when there is nothing to tell of this kind.",
			do:     func(ctx context.Context) error { return s.guest.send(ctx, s.notice(o.kind)) },
		})
	}
	return append(list, s.refusals(), s.keepsNothing(), s.keeps())
}

// refusals tries notices that must not pass for told.
func (s *suite) refusals() trial {
	return trial{
		name: "resident/refused", what: "a notice of no kind, or with an option that it does not have, is not told",
		advice: "Only an answer with done set means told; use plugins/serve, or see plugins/rpc/pb/plugin.proto.",
		do: func(ctx context.Context) error {
			if err := s.guest.send(ctx, s.notice(alert.Unset)); err == nil {
				return fmt.Errorf("a notice of no kind passed for told")
			}
			r := s.notice(alert.Failure)
			r.Args = append([]string{bogus}, r.Args...)
			err := s.guest.send(ctx, r)
			switch {
			case err == nil:
				return fmt.Errorf("a notice with %s passed for told", bogus)
			case !alert.IsPermanent(err):
				return fmt.Errorf("a notice with %s is to be tried again (%w), which would not mend it", bogus, err)
			}
			return nil
		},
	}
}

// keepsNothing tries claims before a full set.
func (s *suite) keepsNothing() trial {
	return trial{
		name: "resident/no-full-set", what: "a keeper does nothing before it has its full set of claims",
		advice: "Answer need_full to changes that come first (plugins/serve does).",
		do: func(ctx context.Context) error {
			if !s.guest.manifest.Keeper {
				return inapplicable{"it is no keeper"}
			}
			before, err := s.kept()
			if err != nil {
				return err
			}
			reply, err := s.guest.keep(ctx, false, s.claims(true))
			switch {
			case err != nil:
				return err
			case !reply.NeedFull:
				return fmt.Errorf("changes before the full set were answered by %v", reply)
			}
			return s.same(before, "changes before the full set")
		},
	}
}

// keeps tries a full set, twice, and a call that was overtaken.
func (s *suite) keeps() trial {
	return trial{
		name: "resident/keep", what: "a keeper takes its full set, the same again changes nothing, a call that comes too late is left",
		advice: "Keep is idempotent: compare what is with what should be, and write the difference.",
		do: func(ctx context.Context) error {
			if !s.guest.manifest.Keeper {
				return inapplicable{"it is no keeper"}
			}
			if err := s.keepWell(ctx, true, false); err != nil {
				return err
			}
			in, err := s.kept()
			if err != nil {
				return err
			}
			if err := s.keepWell(ctx, true, false); err != nil {
				return err
			}
			if err := s.same(in, "the same claims a second time"); err != nil {
				return err
			}
			if err := s.keepDown(ctx, in); err != nil {
				return err
			}
			return s.keepStale(ctx)
		},
	}
}

// keepDown takes everything out; what is kept must not be what it was.
func (s *suite) keepDown(ctx context.Context, in string) error {
	if err := s.keepWell(ctx, false, true); err != nil {
		return err
	}
	out, err := s.kept()
	if err == nil && s.Kept != nil && len(s.Claims) > 0 && out == in {
		err = fmt.Errorf("claims that say down changed nothing:\n%s", out)
	}
	return err
}

func (s *suite) keepStale(ctx context.Context) error {
	out, err := s.kept()
	if err != nil {
		return err
	}
	reply, err := s.guest.keepAs(ctx, 1, true, s.claims(false))
	switch {
	case err != nil:
		return err
	case !reply.Stale:
		return fmt.Errorf("a call older than the last was answered by %v", reply)
	}
	return s.same(out, "a call older than the last")
}

func (s *suite) keepWell(ctx context.Context, full, down bool) error {
	reply, err := s.guest.keep(ctx, full, s.claims(down))
	if err != nil {
		return err
	}
	return rpc.DecodeKeep(reply)
}

func (s *suite) claims(down bool) []alert.Claim {
	list := slices.Clone(s.Claims)
	for i := range list {
		list[i].Down = down
	}
	return list
}

// kept is what the keeper keeps, "" when nobody can tell.
func (s *suite) kept() (string, error) {
	if s.Kept == nil {
		return "", nil
	}
	return s.Kept()
}

// same is an error when what is kept is not what it was.
func (s *suite) same(before, by string) error {
	now, err := s.kept()
	if err == nil && now != before {
		err = fmt.Errorf("%s changed what it keeps from:\n%s\nto:\n%s", by, before, now)
	}
	return err
}
