package config

import (
	"context"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/period"
)

// maxCount is the largest number that a variable or directive may have.
const maxCount = 1_000_000

// defaultGlobals are the variables before any line is read. Paths are not
// among them: see [defaultPaths].
func defaultGlobals() Globals {
	never, _ := period.Parse("none")
	return Globals{
		AuthType:       []string{"getpwnam"},
		PamService:     "passwd",
		ServerPort:     servicePort("tcp"),
		TrapPort:       servicePort("udp"),
		ClientAllow:    []string{`\d+.\d+.\d+.\d+`},
		ClientTimeout:  30 * time.Second,
		HistLength:     100,
		HistoryKeep:    30 * 24 * time.Hour,
		HistoryRows:    200_000,
		SyslogFacility: "daemon",
		DepRecurLimit:  10,
		ExcludePeriod:  never,
		Timeout:        60 * time.Second,
		AlertTimeout:   60 * time.Second,
		Grants:         map[string][]string{},
		Set:            map[string]Pos{},
	}
}

// servicePort is the port of mon in the services database, or the registered
// one.
func servicePort(network string) int {
	if port, err := (&net.Resolver{PreferGo: true}).LookupPort(context.Background(), network, "mon"); err == nil {
		return port
	}
	return 2583
}

// empty reports a variable without a value.
func (r *resolver) empty(st *Statement) bool {
	if st.Text == "" {
		r.diag.errorf(st, -1, "", "%s without a value", st.Name)
	}
	return st.Text == ""
}

func text(field func(*Globals) *string) meaning {
	return func(r *resolver, st *Statement) {
		if !r.empty(st) {
			*field(&r.c.Globals) = st.Text
		}
	}
}

// number reads a number from lo to hi.
func number(lo, hi int, field func(*Globals) *int) meaning {
	return func(r *resolver, st *Statement) {
		if n, ok := r.number(st, lo, hi); ok {
			*field(&r.c.Globals) = n
		}
	}
}

func (r *resolver) number(st *Statement, lo, hi int) (int, bool) {
	n, ok := atoi(st.Text)
	switch {
	case st.Text == "":
		r.diag.errorf(st, -1, "", "%s without a number", st.Name)
		return 0, false
	case !ok:
		r.diag.errorf(st, 0, valueHint(st.Text, ""), "%s is no number for %s", quote(st.Text), st.Name)
		return 0, false
	case n < lo || n > hi:
		r.diag.errorf(st, 0, "", "%d is out of range for %s, which is %d to %d", n, st.Name, lo, hi)
		return 0, false
	}
	return n, true
}

func globalTime(least time.Duration, field func(*Globals) *time.Duration) meaning {
	return func(r *resolver, st *Statement) {
		if d, ok := r.time(st, least); ok {
			*field(&r.c.Globals) = d
		}
	}
}

// time reads the time that is all of st's text.
func (r *resolver) time(st *Statement, least time.Duration) (time.Duration, bool) {
	if st.Text == "" {
		r.diag.errorf(st, -1, timeHint, "%s without a time", st.Name)
		return 0, false
	}
	return r.timeAt(st, st.Text, 0, least)
}

// timeAt reads a time that stands at off in st's text and is least or more.
func (r *resolver) timeAt(st *Statement, text string, off int, least time.Duration) (time.Duration, bool) {
	d, err := Timeval(text)
	switch {
	case err != nil:
		r.diag.errorf(st, off, valueHint(text, timeHint), "invalid time %s for %s: %v", quote(text), st.Name, err)
		return 0, false
	case d < least && least > 1:
		r.diag.errorf(st, off, "", "%s is too short for %s, which is %s at least", quote(text), st.Name, least)
		return 0, false
	case d < least:
		r.diag.errorf(st, off, "", "%s must be more than nothing", st.Name)
		return 0, false
	}
	return d, true
}

// choice reads one of a few words.
func (r *resolver) choice(st *Statement, words ...string) (int, bool) {
	i := slices.Index(words, st.Text)
	if i < 0 {
		hint := didYouMean(st.Text, words)
		if hint == "" {
			hint = "it is one of " + strings.Join(words, ", ")
		}
		r.diag.errorf(st, 0, valueHint(st.Text, hint), "unknown %s %s", st.Name, quote(st.Text))
	}
	return i, i >= 0
}

func prefer(r *resolver, st *Statement) {
	if i, ok := r.choice(st, "classic", "resident"); ok {
		r.c.Globals.PreferResident = i == 1
	}
}

func authType(r *resolver, st *Statement) {
	if r.empty(st) {
		return
	}
	known := []string{"getpwnam", "userfile", "pam", "trustlocal", "shadow"}
	r.c.Globals.AuthType = nil
	for _, w := range fields(st.Text) {
		switch {
		case !slices.Contains(known, w.Text):
			r.diag.errorf(st, w.Off, commentHint(w.Text, didYouMean(w.Text, known)), "unknown authtype %s", quote(w.Text))
			continue
		case w.Text == "shadow":
			r.diag.warnf(st, w.Off, "use getpwnam or pam", "authtype shadow never lets anybody in")
		}
		r.c.Globals.AuthType = append(r.c.Globals.AuthType, w.Text)
	}
}

func clientAllow(r *resolver, st *Statement) {
	if r.empty(st) {
		return
	}
	r.c.Globals.ClientAllow = nil
	for _, w := range fields(st.Text) {
		if _, err := AllowPattern(w.Text); err != nil {
			r.diag.errorf(st, w.Off, "", "invalid pattern %s for clientallow: %v", quote(w.Text), err)
		}
		r.c.Globals.ClientAllow = append(r.c.Globals.ClientAllow, w.Text)
	}
}

// AllowPattern is a pattern of clientallow as a regular expression that
// matches whole addresses. A dot stands for itself unless it follows "[" or a
// backslash.
func AllowPattern(pattern string) (*regexp.Regexp, error) {
	var b strings.Builder
	for i := range len(pattern) {
		if pattern[i] == '.' && (i == 0 || pattern[i-1] != '[' && pattern[i-1] != '\\') {
			b.WriteByte('\\')
		}
		b.WriteByte(pattern[i])
	}
	return regexp.Compile("^(?:" + b.String() + ")$")
}

func dtLogging(r *resolver, st *Statement) {
	yes, known := yesNo(st.Text)
	if !known {
		r.diag.warnf(st, 0, "write yes or no", "dtlogging is off for any word but 1, yes and true")
	}
	r.c.Globals.DtLogging = yes
}

func startupOnReset(r *resolver, st *Statement) {
	yes, known := yesSomewhere(st.Text)
	if !known {
		r.diag.warnf(st, 0, "write yes or no", "%s means no for startupalerts_on_reset", quote(st.Text))
	}
	r.c.Globals.StartupAlertsOnReset = yes
}

func facility(r *resolver, st *Statement) {
	known := []string{"daemon", "auth", "authpriv", "cron", "ftp", "kern", "lpr", "mail", "news", "syslog", "user", "uucp",
		"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}
	if i, ok := r.choice(st, known...); ok {
		r.c.Globals.SyslogFacility = known[i]
	}
}

func globalExclude(r *resolver, st *Statement) {
	if !r.empty(st) {
		if spec, ok := r.spec(st, st.Text, 0); ok {
			r.c.Globals.ExcludePeriod = spec
		}
	}
}

func globalDepMemory(r *resolver, st *Statement) {
	if d, ok := r.time(st, 0); ok {
		r.inherit.Depend.Memory = d
	}
}

// target is the service that a directive of two scopes sets: the current one,
// or what those below begin with.
func (r *resolver) target(st *Statement) *Service {
	if st.Kind == KindService {
		return &r.svc.Service
	}
	return &r.inherit
}

func depBehavior(r *resolver, st *Statement) {
	if i, ok := r.choice(st, "a", "m", "hm"); ok {
		r.target(st).Depend.Behavior = []Behavior{DependAlert, DependMonitor, DependHost}[i]
	}
}

func unackSummary(r *resolver, st *Statement) {
	yes, known := yesByLetter(st.Text)
	if !known {
		r.diag.errorf(st, 0, valueHint(st.Text, "write yes or no"), "unknown %s %s", st.Name, quote(st.Text))
		return
	}
	r.target(st).UnackSummary = yes
}

func notify(r *resolver, st *Statement) {
	if i, ok := r.choice(st, "active", "always"); ok {
		r.target(st).NotifyAlways = i == 1
	}
}

func legacy(r *resolver, st *Statement) {
	r.diag.warnf(st, -1, "remove the line", "%s has no meaning since mon 1.0", st.Name)
}
