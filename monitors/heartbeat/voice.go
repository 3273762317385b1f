package heartbeat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/link"
	"github.com/mondhq/mond/monitors/heartbeat/member"
	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
)

// remindEvery is the time between two tellings of the same.
const remindEvery = 30 * time.Second

// voice tells how the services stand. Besides those of the member it has one of
// its own, "", which mond calls as the file does: the worst of all of them, so
// that who declares one service only still learns everything.
type voice struct {
	say func(service string, r monitor.Result)
	// peer is the other director's name, "" for none: the host of the service peer.
	peer string
	// all are the services, in the order in which they came.
	all []service
	// wrong is what is wrong with this program's own surroundings, by what it is
	// about; nil for nothing.
	wrong [4]error
	// warn is what should be otherwise.
	warn error
	// forged: packets lately did not open; counts are those refused.
	forged   bool
	refused  uint64
	reminded time.Time
	last     monitor.Result
}

// What can be wrong.
const (
	wrongKeys = iota
	wrongSite
	wrongSight
	wrongOrder
)

// service is one that was told of.
type service struct {
	member.Report
	// note is what its link says.
	note string
}

// level is how bad it is: a link that cannot be opened is, whatever is known of
// the peer.
func (s *service) level() member.Level {
	if s.note != "" && s.Code == "unknown" {
		return member.Bad
	}
	return s.Level
}

func (s *service) text() string {
	if s.note == "" {
		return s.Summary
	}
	return s.Summary + "; " + s.note
}

// result makes what mond is told.
func result(l member.Level, summary, detail string) monitor.Result {
	r := monitor.OK(summary)
	switch l {
	case member.Bad:
		r = monitor.Failed(summary, detail)
	case member.Warn:
		r.Warn = true
	case member.Good:
	}
	r.Detail = detail
	return r
}

// report tells of one service.
func (v *voice) report(r member.Report, l *link.State) {
	s := v.find(r.Service)
	s.Report, s.note = r, noteOf(l)
	v.tell(s)
	v.sum()
}

// noteOf is what is wrong with a link itself.
func noteOf(l *link.State) string {
	switch {
	case l == nil:
		return ""
	case !l.Open && l.Err != nil:
		return "it cannot be opened: " + l.Err.Error()
	case l.Open && !l.Carrier:
		return "its interface has no carrier"
	case l.Err != nil:
		return "the last packet: " + l.Err.Error()
	}
	return ""
}

// again tells of a link whose own trouble became another.
func (v *voice) again(name string, l *link.State) {
	i := slices.IndexFunc(v.all, func(s service) bool { return s.Service == name })
	if i < 0 {
		return
	}
	if s := &v.all[i]; s.note != noteOf(l) {
		s.note = noteOf(l)
		v.tell(s)
		v.sum()
	}
}

func (v *voice) find(name string) *service {
	i := slices.IndexFunc(v.all, func(s service) bool { return s.Service == name })
	if i < 0 {
		i = len(v.all)
		v.all = append(v.all, service{Report: member.Report{Service: name}})
	}
	return &v.all[i]
}

// tell tells of a service.
func (v *voice) tell(s *service) {
	level, text := s.level(), s.text()
	if s.Service == "peer" && v.forged {
		level = max(level, member.Warn)
		text += fmt.Sprintf("; packets come that do not open (%d): the keys of the two differ, or somebody forges", v.refused)
		if s.Level != member.Good {
			level = member.Bad
		}
	}
	r := result(level, text, "")
	if s.Service == "peer" && v.peer != "" {
		r.Hosts = []monitor.Host{{Name: v.peer, OK: s.Level == member.Good}}
	}
	v.say(s.Service, r)
}

// sum tells how all of it stands, if that changed.
func (v *voice) sum() {
	worst := member.Good
	var roles, wrong, detail []string
	for i := range v.all {
		s := &v.all[i]
		l := s.level()
		if s.Service == "peer" && v.forged {
			l = max(l, member.Warn)
			wrong = append(wrong, "packets that do not open")
		}
		worst = max(worst, l)
		if l != member.Good {
			wrong = append(wrong, s.Service+": "+s.Code)
		}
		if group, ok := strings.CutPrefix(s.Service, "role-"); ok {
			roles = append(roles, group+" "+s.Code)
		}
		detail = append(detail, fmt.Sprintf("%s: %s: %s", s.Service, l, s.text()))
	}
	for _, err := range v.wrong {
		if err != nil {
			worst = member.Bad
			wrong = append(wrong, err.Error())
		}
	}
	if v.warn != nil {
		worst = max(worst, member.Warn)
		wrong = append(wrong, "no real-time priority or locked memory")
		detail = append(detail, v.warn.Error())
	}
	summary := strings.Join(append(roles, wrong...), ", ")
	v.own(result(worst, strings.ReplaceAll(summary, "\n", "; "), strings.Join(detail, "\n")))
}

// own tells of the service "", if it is not as before.
func (v *voice) own(r monitor.Result) {
	if was := v.last; was.Exit == r.Exit && was.Warn == r.Warn && was.Summary == r.Summary && was.Cause == r.Cause {
		return
	}
	v.last = r
	v.say("", r)
}

// trouble notes what is wrong, nil for nothing.
func (v *voice) trouble(what int, err error) {
	if fmt.Sprint(v.wrong[what]) != fmt.Sprint(err) {
		v.wrong[what] = err
		v.sum()
	}
}

// keys, site and seen say what is wrong with the key file, with what mond told,
// and with this machine's own sight.
func (v *voice) keys(err error) {
	if err != nil {
		err = fmt.Errorf("%w; the keys from before stay in use", err)
	}
	v.trouble(wrongKeys, err)
}

func (v *voice) site(err error) {
	if err != nil {
		err = fmt.Errorf("the new configuration cannot be used, that from before stays: %w", err)
	}
	v.trouble(wrongSite, err)
}

func (v *voice) seen(err error) { v.trouble(wrongSight, err) }

// crossed says whether packets lately came on another link than they were sent
// on.
func (v *voice) crossed(on bool) {
	var err error
	if on {
		err = errors.New("packets come on another link than the peer sent them on: give --link in the same order on both, or swap the cables")
	}
	v.trouble(wrongOrder, err)
}

// alarm says whether packets lately did not open.
func (v *voice) alarm(on bool, c wire.Counts) {
	v.refused = c.Of(wire.Forged) + c.Of(wire.UnknownKey)
	if on == v.forged {
		return
	}
	v.forged = on
	v.tell(v.find("peer"))
	v.sum()
}

// remind tells everything again from time to time, as it is then.
func (v *voice) remind(reports func() []member.Report) {
	if time.Since(v.reminded) < remindEvery {
		return
	}
	v.reminded = time.Now()
	for _, r := range reports() {
		s := v.find(r.Service)
		s.Report = r
		v.tell(s)
	}
	v.last = monitor.Result{}
	v.sum()
}

// only forgets services of groups that are no more.
func (v *voice) only(groups []role.Group) {
	v.all = slices.DeleteFunc(v.all, func(s service) bool {
		name, ok := strings.CutPrefix(s.Service, "role-")
		return ok && !slices.ContainsFunc(groups, func(g role.Group) bool { return g.Name == name })
	})
}
