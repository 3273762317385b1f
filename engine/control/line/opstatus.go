package line

import (
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/view"
)

// listOpstatus lists the services that are named as GROUP or GROUP,SERVICE,
// whatever the view, or all of the view.
func listOpstatus(c *session, args string) {
	const done = "220 list opstatus completed"
	words := fields(args)
	if len(words) == 0 {
		c.rows(func(*view.Service) bool { return true }, done)
		return
	}
	named := make([][]*view.Service, len(words))
	groups := c.groups(words)
	for i, w := range words {
		group, service := pair(w)
		if service == "" {
			named[i] = groups[group]
			continue
		}
		r := c.row(group, service)
		if r == nil {
			c.out.text("520 ").text(group).text(",").text(service).status(" does not exist")
			return
		}
		named[i] = []*view.Service{r}
	}
	now := c.opt.Now()
	for _, rows := range named {
		for _, r := range rows {
			if c.out.err == nil {
				c.out.opstatus(r, now)
			}
		}
	}
	c.out.status(done)
}

// pair splits GROUP,SERVICE; what follows a second comma does not count.
func pair(word string) (group, service string) {
	group, service, _ = strings.Cut(word, ",")
	service, _, _ = strings.Cut(service, ",")
	return group, service
}

// groups are the services of the groups that words name without a service.
func (c *session) groups(words []string) map[string][]*view.Service {
	of := filter{groups: map[string]bool{}}
	for _, w := range words {
		if group, service := pair(w); service == "" {
			of.groups[group] = true
		}
	}
	rows := map[string][]*view.Service{}
	if len(of.groups) > 0 {
		c.each(of, func(r *view.Service) { rows[r.Key.Group] = append(rows[r.Key.Group], r) })
	}
	return rows
}

func listFailures(c *session, _ string) {
	c.rows(func(r *view.Service) bool { return r.State.Status.Failing() }, "220 list failures completed")
}

// listSuccesses does not list warn, which mon has in another set.
func listSuccesses(c *session, _ string) {
	good := func(r *view.Service) bool { return r.State.Status.Good() && r.State.Status != opstatus.Warn }
	c.rows(good, "220 list successes completed")
}

func listWarnings(c *session, _ string) {
	c.rows(func(r *view.Service) bool {
		switch r.State.Status {
		case opstatus.Coldstart, opstatus.Warmstart, opstatus.Unknown, opstatus.Warn:
			return true
		default:
			return false
		}
	}, "220 list successes completed") // as mon says it
}

// rows lists the services of the view that want wants.
func (c *session) rows(want func(*view.Service) bool, done string) {
	now := c.opt.Now()
	c.each(c.filter(), func(r *view.Service) {
		if want(r) {
			c.out.opstatus(r, now)
		}
	})
	c.out.status(done)
}

// each calls do for each service that f shows and clients may see, in the order
// of the file, as long as the client takes what is written.
func (c *session) each(f filter, do func(*view.Service)) {
	for r := range c.opt.Board.Services() {
		if c.out.err != nil {
			return
		}
		if !r.Hidden && f.service(r.Key) {
			do(r)
		}
	}
}

// opstatus writes a service as a line of fields, whose order is fixed.
func (r *reply) opstatus(v *view.Service, now time.Time) {
	s, cfg := &v.State, configOf(v)
	r.lit("group=").lit(v.Key.Group).lit(" service=").lit(v.Key.Service)
	r.lit(" opstatus=").int(int64(s.Status.Number())).lit(" last_opstatus=").int(int64(s.Last.Number()))
	r.lit(" exitval=")
	if s.Tested {
		r.int(int64(s.Exit))
	} else {
		r.lit("undef")
	}
	r.lit(" timer=").int(timer(v, now)).lit(" last_success=").epoch(s.LastOK)
	r.lit(" last_trap=").epoch(s.LastTrap).lit(" last_traphost= last_check=").maybe(lastCheck(v))
	r.acknowledged(s.Ack)
	r.lit(" alerts_sent=").int(int64(v.AlertsSent)).lit(" depstatus=").depended(v.DependOK)
	r.depends(&cfg.Depend)
	r.lit(" monitor=").escq(monitorText(cfg))
	r.lit(" last_summary=").escq(s.Summary).lit(" last_detail=").escq(detail(s.Output))
	if !s.LastFail.IsZero() {
		r.lit(" last_failure=").epoch(s.LastFail)
	}
	r.schedule(v)
	r.excludes(cfg)
	if !v.LastAlert.IsZero() {
		r.lit(" last_alert=").epoch(v.LastAlert)
	}
	if !s.FirstFail.IsZero() {
		r.lit(" first_failure=").epoch(s.FirstFail)
		r.lit(" failure_duration=").int(max(now.Unix()-s.FirstFail.Unix(), 0))
	}
	r.end()
}

func configOf(v *view.Service) *config.Service {
	if v.Config == nil {
		return new(config.Service)
	}
	return v.Config
}

// maybe adds a time, or nothing for none.
func (r *reply) maybe(t time.Time) *reply {
	if t.IsZero() {
		return r
	}
	return r.epoch(t)
}

func (r *reply) acknowledged(n *opstatus.Note) {
	if n == nil {
		r.lit(" ack=0 ackcomment=")
		return
	}
	r.lit(" ack=").epoch(n.At).lit(" ackcomment=").escq(n.Who() + ": " + n.Text)
}

// depended adds the last value of the dependency, or nothing if it was never
// asked.
func (r *reply) depended(ok *bool) {
	switch {
	case ok == nil:
	case *ok:
		r.lit("1")
	default:
		r.lit("0")
	}
}

// depends adds the dependencies as the file has them: those that a depend line
// stands in for are not repeated.
func (r *reply) depends(d *config.Depends) {
	r.lit(" depend=").escq(d.Depend.String())
	for _, e := range [...]struct {
		field string
		expr  interface{ String() string }
		own   bool
	}{
		{" hostdepend=", d.Host, d.Host != d.Depend},
		{" monitordepend=", d.Monitor, d.Monitor != d.Depend},
		{" alertdepend=", d.Alert, d.Alert != d.Depend},
	} {
		if r.lit(e.field); e.own {
			r.escq(e.expr.String())
		}
	}
}

// schedule adds what only a service has that is checked by itself.
func (r *reply) schedule(v *view.Service) {
	if v.Interval <= 0 {
		return
	}
	r.lit(" interval=").seconds(v.Interval).lit(" monitor_duration=")
	if v.State.LastCheck.IsZero() {
		r.lit("-1")
	} else {
		r.int(int64(v.State.Took / time.Second))
	}
	if v.Running {
		r.lit(" monitor_running=1")
	} else {
		r.lit(" monitor_running=0")
	}
}

func (r *reply) excludes(s *config.Service) {
	if s.Exclude != nil {
		r.lit(" exclude_period=").esc(s.Exclude.String())
	}
	for i, h := range s.ExcludeHosts {
		if i == 0 {
			r.lit(" exclude_hosts=").esc(h)
		} else {
			r.esc(" ").esc(h)
		}
	}
	if s.Plan.Skew > 0 {
		r.lit(" randskew=").seconds(s.Plan.Skew)
	}
}

// seconds adds a duration in seconds, with a fraction if it has one.
func (r *reply) seconds(d time.Duration) *reply {
	r.buf = strconv.AppendFloat(r.buf, d.Seconds(), 'f', -1, 64)
	return r
}

// timer is how many seconds it is to the next check, begun ones counted; 0 if
// one runs or none is planned.
func timer(v *view.Service, now time.Time) int64 {
	if v.Due.IsZero() || v.Running {
		return 0
	}
	return int64(max(v.Due.Sub(now)+time.Second-1, 0) / time.Second)
}

// lastCheck is when the last check began, the one under way included.
func lastCheck(v *view.Service) time.Time {
	if v.Running && v.Began.After(v.State.LastCheck) {
		return v.Began
	}
	return v.State.LastCheck
}

// monitorText is the monitor's line as the file has it.
func monitorText(s *config.Service) string {
	if s.Monitor == nil {
		return ""
	}
	return string(s.Monitor.Text)
}

// detail is what follows the first line.
func detail(output string) string {
	_, rest, _ := strings.Cut(output, "\n")
	return rest
}
