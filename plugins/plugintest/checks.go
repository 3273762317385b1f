package plugintest

import (
	"context"
	"fmt"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// many is how many checks are asked for at once.
const many = 100

// request is a check of hosts.
func (s *suite) request(hosts ...string) monitor.Request {
	return monitor.Request{
		Group: group, Service: service, Hosts: hosts, Args: s.Args,
		Env: s.variables("MON_LAST_SUMMARY", s.bait()),
	}
}

// inSession is do with a session of the shared process.
func (s *suite) inSession(do func(se *session) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		se, err := s.guest.open(ctx)
		if err != nil {
			return err
		}
		defer se.close()
		return do(se)
	}
}

// residentMonitor are the trials of checks over a session.
func (s *suite) residentMonitor() []trial {
	return []trial{
		{
			name: "resident/same", what: "it comes to the same verdict as the classic program",
			advice: "Let both modes call the same Check, and nothing depend on what only one of them has (descriptors, working directory, environment).",
			do:     s.inSession(s.sameVerdict),
		},
		{
			name: "resident/down", what: "a host that is down is in the summary, and the check fails",
			advice: "Put the names of failing hosts in Result.Summary.",
			do:     s.inSession(s.residentDown),
		},
		{
			name: "resident/blind", what: "a check that cannot be made is blind, never well",
			advice: "Only a check that was made may say Exited; the zero value of everything is blind. " + useServe,
			do:     s.inSession(s.blindness),
		},
		{
			name: "resident/many", what: fmt.Sprintf("%d checks are each answered once, side by side", many),
			advice: "Check is called concurrently: share nothing that is not guarded, and hold no lock while waiting for a host.",
			do:     s.inSession(s.crowd),
		},
		{
			name: "resident/deadline", what: "a check ends with its time",
			advice: "Hand ctx to everything that waits (DialContext, QueryContext), or set the deadline of ctx on connections.",
			do:     s.inSession(s.deadline),
		},
		{
			name: "resident/cancel", what: "a check that is cancelled is answered at once, and is no verdict",
			advice: "End soon after ctx is done. " + useServe,
			do:     s.inSession(s.cancelled),
		},
		{
			name: "resident/alive", what: "it answers pings while it checks, and says when the last check is done",
			advice: "Never block the goroutine that reads the session. " + useServe,
			do:     s.inSession(s.alive),
		},
	}
}

func (s *suite) sameVerdict(se *session) error {
	r, err := se.check(s.request(s.Hosts...), s.Limit)
	if err != nil {
		return err
	}
	if r.Blind() {
		return fmt.Errorf("it could not see (%v): %s", r.Cause, r.Summary)
	}
	exit := r.Exit
	if r.Cause == monitor.TimedOut {
		exit = 1
	}
	switch {
	case exit != s.first.exit.Code:
		return fmt.Errorf("resident it ends with %d, classic with %d%s", exit, s.first.exit.Code, s.first.said())
	case exit != 0 && r.Summary != s.first.summary():
		return fmt.Errorf("resident its summary is %q, classic %q", r.Summary, s.first.summary())
	}
	return nil
}

func (s *suite) residentDown(se *session) error {
	if len(s.Down) == 0 {
		return inapplicable{"no host was named that is down"}
	}
	r, err := se.check(s.request(append(append([]string(nil), s.Hosts...), s.Down...)...), s.Limit)
	switch {
	case err != nil:
		return err
	case r.Blind():
		return fmt.Errorf("it could not see (%v): %s", r.Cause, r.Summary)
	case r.Failing():
		return s.namesDown(1, r.Summary)
	}
	return s.namesDown(0, r.Summary)
}

// blindness tries a subject that was never told, and arguments that are wrong.
func (s *suite) blindness(se *session) error {
	wrong := s.request(s.Hosts...)
	wrong.Args = append([]string{bogus}, wrong.Args...)
	r, err := se.check(wrong, s.Limit)
	switch {
	case err != nil:
		return err
	case !r.Blind():
		return fmt.Errorf("a check with %s was answered by a verdict: %v, exit %d, %q", bogus, r.Cause, r.Exit, r.Summary)
	case r.Summary == "":
		return fmt.Errorf("a check with %s is blind and does not say why", bogus)
	}
	return s.unknownSubject(se)
}

// crowd keeps as many checks out as it takes.
func (s *suite) crowd(se *session) error {
	window := many
	if most := s.guest.manifest.MaxInflight; most > 0 {
		window = min(window, most)
	}
	for asked := 0; asked < many; asked += window {
		n := min(window, many-asked)
		first, err := se.begin(s.request(s.Hosts...), n, s.Limit)
		if err != nil {
			return err
		}
		list, err := se.results(first, n, s.Limit+prompt)
		if err != nil {
			return err
		}
		if err := s.answers(list); err != nil {
			return err
		}
	}
	return nil
}

// answers judges those of a crowd: a target may tire of it, but it is the same
// target.
func (s *suite) answers(list []monitor.Result) error {
	for _, r := range list {
		if s.first.exit.Code != 0 && !r.Blind() && !r.Failing() {
			return fmt.Errorf("a check among many said well of hosts that fail: %q", r.Summary)
		}
		if r.Cause == monitor.Panicked {
			return fmt.Errorf("a check among many panicked: %s\n%s", r.Summary, r.Detail)
		}
	}
	return nil
}

// short is the time of a check that is to run out of it.
const short = 500 * time.Millisecond

func (s *suite) deadline(se *session) error {
	hosts := []string{s.Silent}
	if s.Silent == "" {
		hosts = s.Hosts
	}
	first, err := se.begin(s.request(hosts...), 1, short)
	if err != nil {
		return err
	}
	list, err := se.results(first, 1, short+grace)
	switch {
	case err != nil:
		return err
	case s.Silent != "" && !list[0].Blind() && !list[0].Failing():
		return fmt.Errorf("%s never answers, and the check said well: %q", s.Silent, list[0].Summary)
	}
	return nil
}

func (s *suite) cancelled(se *session) error {
	hosts := s.Hosts
	if s.Silent != "" {
		hosts = []string{s.Silent}
	}
	first, err := se.begin(s.request(hosts...), 1, s.Limit)
	if err != nil {
		return err
	}
	if err := se.cancel(first); err != nil {
		return err
	}
	list, err := se.results(first, 1, grace)
	switch {
	case err != nil:
		return err
	case s.Silent != "" && !list[0].Blind():
		return fmt.Errorf("it was cancelled and answered by a verdict: %v, %q", list[0].Cause, list[0].Summary)
	}
	return nil
}

// alive pings amid checks, and drains.
func (s *suite) alive(se *session) error {
	hosts := s.Hosts
	if s.Silent != "" {
		hosts = []string{s.Silent}
	}
	first, err := se.begin(s.request(hosts...), 1, s.Limit)
	if err != nil {
		return err
	}
	if err := se.ping(7); err != nil {
		return err
	}
	if err := se.cancel(first); err != nil {
		return err
	}
	if err := se.drain(); err != nil {
		return err
	}
	answers := 0
	err = se.hear(prompt, func() bool { return se.pong == 7 && se.drained }, func(*pb.Result) error { answers++; return nil })
	if err == nil && answers != 1 {
		err = fmt.Errorf("it said that it is done after %d answers to 1 check", answers)
	}
	return err
}

// unknownSubject names one that was never defined.
func (s *suite) unknownSubject(se *session) error {
	se.jobs++
	first := se.jobs
	err := se.send(&pb.HostMessage{Jobs: []*pb.Job{{Id: first, Subject: 99, RemainingMs: rpc.Remaining(s.Limit)}}})
	if err != nil {
		return err
	}
	list, err := se.results(first, 1, s.Limit)
	switch {
	case err != nil:
		return fmt.Errorf("a check of a subject that it was never told: %w", err)
	case !list[0].Blind():
		return fmt.Errorf("a check of a subject that it was never told was answered by a verdict: %v, exit %d", list[0].Cause, list[0].Exit)
	}
	return nil
}
