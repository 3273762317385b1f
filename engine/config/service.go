package config

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/period"
)

// draft is a service while the file is read.
type draft struct {
	Service
	st *Statement
	// seen and seenPeriod are the directives given so far, in the service
	// and in its last period.
	seen, seenPeriod []string
	// The lines with expressions; in the end alertDepend and monitorDepend
	// are those that count, be they depend lines.
	depend, alertDepend, monitorDepend, hostDepend *Statement
	excluded                                       []excludedHost
	// own are its hosts if they are not those of its group.
	own []string
}

// excludedHost is a word of exclude_hosts.
type excludedHost struct {
	Word
	st *Statement
}

func service(r *resolver, st *Statement) {
	name, _ := cutName(st.Text)
	if name == "" {
		name = st.Text // the reader reported it
	}
	d := &draft{Service: r.inherit, st: st}
	d.Pos, d.Key = st.Pos, opstatus.Key{Group: r.watch.name, Service: name}
	r.svc = d
	r.watch.services++
	if old := r.byKey[d.Key]; old != nil {
		r.diag.errorf(st, 0, "", "service %s of watch %s is defined at %s already", name, r.watch.name, old.Pos)
		return
	}
	r.byKey[d.Key] = d
	r.drafts = append(r.drafts, d)
}

func serviceTime(least time.Duration, field func(*Service) *time.Duration) meaning {
	return func(r *resolver, st *Statement) {
		if d, ok := r.time(st, least); ok {
			*field(&r.svc.Service) = d
		}
	}
}

func serviceNumber(field func(*Service) *int) meaning {
	return func(r *resolver, st *Statement) {
		if n, ok := r.number(st, 1, maxCount); ok {
			*field(&r.svc.Service) = n
		}
	}
}

func serviceFlag(field func(*Service) *bool) meaning {
	return func(r *resolver, _ *Statement) { *field(&r.svc.Service) = true }
}

func description(r *resolver, st *Statement) { r.svc.Description = st.Text }

func monitor(r *resolver, st *Statement) {
	c, ok := r.command(st, 0)
	if !ok {
		return
	}
	if n := len(c.Args); n > 0 && c.Args[n-1] == ";;" {
		c.Args, c.ArgPos, c.NoHosts = c.Args[:n-1], c.ArgPos[:n-1], true
	}
	r.svc.Monitor = &c
}

func redistribute(r *resolver, st *Statement) {
	if c, ok := r.command(st, 0); ok {
		r.svc.Redistribute = &c
	}
}

func excludeHosts(r *resolver, st *Statement) {
	if st.Text == "" {
		r.diag.errorf(st, -1, "", "exclude_hosts without a host")
	}
	for _, w := range fields(st.Text) {
		r.svc.ExcludeHosts = append(r.svc.ExcludeHosts, w.Text)
		r.svc.excluded = append(r.svc.excluded, excludedHost{w, st})
	}
}

func serviceExclude(r *resolver, st *Statement) {
	if spec, ok := r.spec(st, st.Text, 0); ok && !r.empty(st) {
		r.svc.Exclude = &spec
	}
}

// spec reads a period expression that stands at off in st's text.
func (r *resolver) spec(st *Statement, text string, off int) (period.Spec, bool) {
	if spec, ok := r.specs[text]; ok {
		return spec, true
	}
	spec, err := period.Parse(text)
	if e, ok := errors.AsType[*period.SyntaxError](err); ok {
		hint := commentHint(text, "a period is written like: wd {Mon-Fri} hr {9am-4pm}")
		r.diag.errorf(st, off+e.Col-1, hint, "invalid period: %s", shortenTo(e.Msg, 200))
		return spec, false
	}
	r.specs[text] = spec
	return spec, true
}

// env reads a variable of a service.
func (r *resolver) env(st *Statement) {
	if r.svc == nil {
		return
	}
	_, twice := r.svc.Env[st.Name]
	switch {
	case twice:
		r.diag.warnf(st, -1, "", "variable %s is set twice in this service; this one counts", st.Name)
	case strings.HasPrefix(st.Name, "MON_"):
		r.diag.warnf(st, -1, "choose a name that does not begin with MON_", "the daemon may set %s itself", st.Name)
	}
	if r.svc.Env == nil {
		r.svc.Env = map[string]string{}
	}
	r.svc.Env[st.Name] = st.Text
}

// finishService fills in what needs the whole file, and puts d into the
// configuration.
func (r *resolver) finishService(d *draft) {
	s := &d.Service
	g := &r.c.Globals
	group := r.byName[d.Key.Group]
	s.Hosts = r.hostsOf(d, group)
	if s.Timeout == 0 {
		s.Timeout = g.Timeout
	}
	s.Plan.RandStart = g.RandStart
	for i := range s.Periods {
		byKind(s.Periods[i].Lines)
	}
	r.finishDepends(d)
	if d.Key.Group != selfGroup {
		r.incomplete(d)
	}
	if r.c.byKey == nil {
		r.c.byKey = make(map[opstatus.Key]*Service, len(r.drafts))
		r.c.Services = make([]*Service, 0, len(r.drafts))
	}
	r.c.byKey[d.Key] = s
	r.c.Services = append(r.c.Services, s)
}

// hostsOf are the hosts of g less those that d excludes.
func (r *resolver) hostsOf(d *draft, g *groupDraft) []string {
	if d.own != nil {
		return d.own
	}
	if len(d.excluded) == 0 {
		return g.Hosts
	}
	left := make(map[string]bool, len(g.Hosts))
	for _, h := range g.Hosts {
		left[h] = true
	}
	for _, x := range d.excluded {
		if _, there := left[x.Text]; !there {
			r.diag.warnf(x.st, x.Off, r.hint(x.Text, func() []string { return g.Hosts }), "there is no host %s in hostgroup %s", quote(x.Text), g.Name)
			continue
		}
		left[x.Text] = false
	}
	return slices.DeleteFunc(slices.Clone(g.Hosts), func(h string) bool { return !left[h] })
}

// says reports whether a line of that name stands in the service.
func (d *draft) says(directive string) bool { return slices.Contains(d.seen, directive) }

// incomplete warns of services that are never checked though they look as if
// they were; not for want of a line that is there and could not be read.
func (r *resolver) incomplete(d *draft) {
	scheduled := d.Plan.Up > 0 || d.Plan.Calendar != nil
	traps := d.TrapTimeout > 0 || d.TrapDuration > 0
	switch {
	case d.Monitor != nil && !scheduled && !d.says("interval") && !d.says("schedule"):
		r.diag.warnf(d.st, -1, "give it an interval", noInterval, d.Key)
	case d.Monitor == nil && scheduled && !traps && !d.says("monitor"):
		r.diag.warnf(d.st, -1, "give it a monitor", "service %s is never checked: it has an interval but no monitor", d.Key)
	case d.Plan.Up > 0 && d.Plan.Calendar != nil:
		r.diag.warnf(d.st, -1, "remove the interval", "service %s has a schedule: its interval does not count", d.Key)
	}
	if d.Monitor != nil && scheduled && len(d.Hosts) == 0 && !d.AllowEmptyGroup && !d.Monitor.NoHosts {
		r.diag.warnf(d.st, -1, "write allow_empty_group to check it all the same", "service %s is never checked: no host is left", d.Key)
	}
	if d.Plan.Suspect > 0 && d.Settle.Rise == 1 && d.Settle.Fall == 1 {
		r.diag.warnf(d.st, -1, "give it a rise or fall of more than 1", "the suspect_interval of service %s never counts", d.Key)
	}
}

// FindPeriod is the period of that name, or nil.
func (s *Service) FindPeriod(name string) *Period {
	for i := range s.Periods {
		if s.Periods[i].Name == name {
			return &s.Periods[i]
		}
	}
	return nil
}
