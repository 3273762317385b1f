package lvs

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/report"
	"github.com/mondhq/mond/plugins/alert"
)

// lossTime is how long lost packets are a trouble.
const lossTime = time.Minute

// drops are packets of copies that were lost here.
type drops struct {
	known bool
	seen  uint64 // since the sockets were opened, at the last look
	n     uint64 // more at the look before, and when that was
	at    time.Time
}

func (l *drops) look(now uint64, at time.Time) {
	if l.known && now > l.seen {
		l.n, l.at = now-l.seen, at
	}
	l.known, l.seen = true, now
}

// watchSync notes what a look has shown.
func (m *managed) watchSync(now time.Time) {
	s := &m.sync
	if s.facts.Sockets.Known {
		s.lost.look(s.facts.Sockets.Drops, now)
	}
	if !s.takesIn() {
		s.since = time.Time{}
	} else if s.since.IsZero() {
		s.since = now
	}
}

// takesIn reports whether copies of the other director's connections can arrive.
func (s *syncing) takesIn() bool {
	return s.facts.Up && s.facts.Index == s.index && s.runs(ipvs.Backup)
}

// runs reports whether a daemon runs as it is wanted.
func (s *syncing) runs(state ipvs.DaemonState) bool {
	return slices.ContainsFunc(s.run, func(r ipvs.Daemon) bool { return r.State == state && s.want.Like(r.Sync) })
}

// missing are the daemons that do not run as they are wanted.
func (s *syncing) missing() (out []string) {
	for _, state := range s.states {
		if !s.runs(state) {
			out = append(out, state.String())
		}
	}
	return out
}

// ails is why connections are not copied; nil if they are.
func (s *syncing) ails(now time.Time) error {
	if s.trouble != "" {
		return errors.New(s.trouble)
	}
	if err := s.possible(); err != nil {
		return err
	}
	missing := s.missing()
	switch {
	case s.want.hold:
		return nil
	case len(missing) > 0:
		return fmt.Errorf("the sync daemon (%s) does not run on %s: it is started again within seconds", strings.Join(missing, " and "), s.want.Link)
	case s.facts.Stale(s.run, s.index):
		return fmt.Errorf("the sync daemons are cut off: %s is not what it was when they were started; they are started again within seconds", s.want.Link)
	case !s.facts.Up:
		return fmt.Errorf("%s is down or has no carrier: connections are not copied (ip link set %s up, or look at the cable)", s.want.Link, s.want.Link)
	case !s.lost.at.IsZero() && now.Sub(s.lost.at) < lossTime:
		return fmt.Errorf("%d packets with copies of connections were lost here: there was no room for them; raise net.ipv4.vs.sync_sock_size, and then stop the sync daemons, which start again with it (ipvsadm --stop-daemon backup)", s.lost.n)
	}
	return nil
}

// copying tells how the copying of connections stands, as a JSON list of
// alert.Copying, one for each table that has any.
func (d *desk) copying() (string, error) {
	out := []alert.Copying{}
	for _, at := range d.sortedTables() {
		m := d.tables[at]
		if m.sync.want == (wantSync{}) {
			continue
		}
		out = append(out, m.copying(d))
	}
	text, err := json.Marshal(out)
	return string(text) + "\n", err
}

func (m *managed) copying(d *desk) alert.Copying {
	s := &m.sync
	ctx, cancel := d.looking()
	defer cancel()
	if s.trouble == "" {
		if err := m.readSync(ctx, d); err != nil {
			s.agreed, s.trouble = false, err.Error() // until the next resync
		}
	}
	m.watchSync(d.now())
	c := alert.Copying{Table: m.place.String(), Warning: s.warning, Since: s.since, Refresh: s.facts.Refresh}
	if err := s.ails(d.now()); err != nil {
		c.Trouble = err.Error()
	}
	var words []string
	for _, state := range s.states {
		words = append(words, state.String())
	}
	c.Detail = fmt.Sprintf("connections are copied over %s with id %d (%s)", s.want.Link, s.want.ID, strings.Join(words, " and "))
	return c
}

// report is how the daemons were when they were looked at last.
func (s *syncing) report(now time.Time) *report.Sync {
	if s.want == (wantSync{}) {
		return nil
	}
	out := &report.Sync{Desired: []string{}, Actual: []string{}, State: "agrees", Warning: s.warning}
	if err := s.ails(now); err != nil {
		out.Trouble = err.Error()
	}
	for _, state := range s.states {
		out.Desired = append(out.Desired, ipvs.Daemon{State: state, Sync: s.want.Sync}.Options())
	}
	for _, r := range s.run {
		out.Actual = append(out.Actual, r.Options())
	}
	switch {
	case s.want.hold:
		out.State = "held"
	case s.trouble != "" || len(s.missing()) > 0 || len(s.run) != len(s.states):
		out.State = "differs"
	}
	return out
}
