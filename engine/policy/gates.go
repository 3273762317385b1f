package policy

import (
	"strings"
	"time"
	"unicode"

	"github.com/mondhq/mond/plugins/alert"
)

// gate is a test of the whole service; it reports whether to go on.
type gate func(r *round) bool

// gates are in mon's order.
var gates = [...]gate{stopped, redistribute, disabled, dependency, unack, acked}

func stopped(r *round) bool {
	if r.in.Stopped {
		r.hold("", nil, Stopped, "")
	}
	return !r.in.Stopped
}

// redistribute comes before every other test, for every kind of event.
func redistribute(r *round) bool {
	if c := r.in.Service.Redistribute; c != nil {
		r.say(Decision{Command: c, Send: true, Reason: Redistributed})
	}
	return true
}

// disabled lets the disabling itself pass: mon did not, so that its
// disablealert lines were never called.
func disabled(r *round) bool {
	if !r.in.Disabled || r.on == alert.Disable {
		return true
	}
	r.hold("", nil, Disabled, "")
	return false
}

func dependency(r *round) bool {
	e := r.in.Service.Depend.Alert
	if e == nil || r.in.DependOK || r.on == alert.Up || r.on == alert.Startup {
		return true
	}
	r.hold("", nil, DependFailed, e.String())
	return false
}

// unack ends an acknowledgement when the failure says something else, blanks
// aside: from here on it is a new failure.
func unack(r *round) bool {
	s := &r.out.Service
	if s.Ack == nil || !r.in.Service.UnackSummary || r.on != alert.Failure ||
		sameWords(r.in.Was.FailSummary, s.FailSummary) {
		return true
	}
	s.Ack, s.Failures = nil, 1
	for i := range r.out.Periods {
		st := &r.out.Periods[i]
		st.LastAlert, st.FirstFail, st.FailCount = time.Time{}, time.Time{}, 0
	}
	r.hold("", nil, AckEnded, "summary was "+quoted(r.in.Was.FailSummary)+", is "+quoted(s.FailSummary))
	return true
}

func acked(r *round) bool {
	ack := r.out.Service.Ack
	if ack == nil || r.on != alert.Failure && r.on != alert.Startup {
		return true
	}
	r.hold("", nil, Acked, "by "+ack.Who()+" at "+ack.At.Format(time.DateTime))
	return false
}

func sameWords(a, b string) bool { return a == b || squeeze(a) == squeeze(b) }

// squeeze is s without its blanks.
func squeeze(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return -1
		}
		return c
	}, s)
}
