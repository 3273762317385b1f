package engine

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/engine/schedule"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
)

// service is all that the loop knows of one service.
type service struct {
	id       int
	cfg      *config.Service
	group    *config.Hostgroup // nil for the daemon's own
	history  bool              // its monitor wants the MON_LAST_* variables
	hidden   bool              // one of the daemon's own that the file does not declare
	state    opstatus.State
	since    time.Time // when the status began
	periods  []policy.State
	claims   []alert.Claim
	disabled *opstatus.Note
	watchOff *opstatus.Note // its watch is disabled
	dependOK *bool          // last value of the alert dependency
	// lastFailed is the last failure event, for dep_memory.
	lastFailed time.Time
	// failedHosts are those of the last failure, for host dependencies.
	failedHosts []string
	planned     time.Time // when the next check is due
	phase       schedule.Phase
	running     uint64    // id of the check under way, or 0
	began       time.Time // of the last check
	skipped     string    // why the last due check was not run
	held        string    // the same in a word, while nobody looks; durable
	trapSince   time.Time // since when a trap is waited for (traptimeout); durable
	trapEnds    time.Time // when what a trap said is over (trapduration); durable
	intended    string    // what the trap that is being taken was for, if not for this
	recent      []view.Decision
	cell        *view.Cell
	touched     bool
	dirty       bool
	baseEnv     map[string]string // what is the same for every check
	memory      int               // how many decisions are kept (histlength)
	alerts      int               // alerts that were called, ever, as mon's _alert_count
	notes       map[string]string // variables of clients that mean nothing here
	// pools are those that it is a check of, verdict what they know of it and
	// ask the weight that it wants.
	pools []*pool
	// answered is set once any answer came since the start.
	answered bool
	verdict  virtual.Verdict
	ask      virtual.Ask
}

func (s *service) key() opstatus.Key { return s.cfg.Key }

// off is the note that disables the service, or nil.
func (s *service) off() *opstatus.Note {
	if s.disabled != nil {
		return s.disabled
	}
	return s.watchOff
}

// record is the durable state; it shares nothing that changes later.
func (s *service) record() store.Record {
	r := store.Record{
		State: s.state, Disabled: s.disabled, Claims: s.claims,
		DependOK: s.dependOK, DependFailed: s.lastFailed, Held: s.held, Alerts: s.alerts,
		TrapSince: s.trapSince, TrapEnds: s.trapEnds,
		Periods: make(map[string]policy.State, len(s.periods)),
	}
	for i, p := range s.periods {
		r.Periods[s.cfg.Periods[i].Name] = p
	}
	return r
}

// restore takes over what was saved or what ran under an earlier
// configuration. Claims restored after an unclean stop are provisional: they
// wait for the first verdict.
func (s *service) restore(r store.Record, unclean bool) {
	s.state, s.disabled = r.State, r.Disabled
	s.dependOK, s.lastFailed, s.held, s.alerts = r.DependOK, r.DependFailed, r.Held, r.Alerts
	s.trapSince, s.trapEnds = r.TrapSince, r.TrapEnds
	for i, p := range s.cfg.Periods {
		s.periods[i] = r.Periods[p.Name]
	}
	s.claims = slices.Clone(r.Claims)
	for i := range s.claims {
		s.claims[i].Provisional = s.claims[i].Provisional || unclean
	}
	if !unclean {
		s.verdict = virtual.VerdictOf(&s.state)
		s.answered = s.state.Tested
	}
	s.since = s.state.FirstOK
	if s.state.Status.Failing() {
		s.since = s.state.FirstFail
		s.failedHosts = strings.Fields(s.state.FailSummary)
	}
}

// publish makes the service's row visible to readers.
func (s *service) publish() {
	row := &view.Service{
		Key: s.cfg.Key, Description: s.cfg.Description, Interval: s.cfg.Plan.Interval(s.phase),
		State: s.state, Config: s.cfg, Due: s.planned, Running: s.running != 0, Since: s.since,
		TrapDue: s.trapDue(), TrapEnds: s.trapEnds,
		Disabled: s.off(), OffAlone: s.disabled != nil, DependOK: s.dependOK, Skipped: s.skipped, Held: s.held != "", Hidden: s.hidden,
		Decisions: s.recent, Claims: s.claimRows(), LastAlert: s.lastAlert(),
	}
	if s.cfg.Monitor != nil {
		row.Monitor = s.cfg.Monitor.Program
	}
	if row.Running {
		row.Began = s.began
	}
	for i, p := range s.periods {
		if !s.cfg.Periods[i].DontCount {
			row.AlertsSent += p.Sent
		}
	}
	s.cell.Store(row)
}

// lastAlert is when the last alert of any period was sent.
func (s *service) lastAlert() (last time.Time) {
	for i := range s.periods {
		if at := s.periods[i].LastAlert; at.After(last) {
			last = at
		}
	}
	return last
}

func (s *service) claimRows() []view.Claim {
	if len(s.claims) == 0 {
		return nil
	}
	rows := make([]view.Claim, len(s.claims))
	for i, c := range s.claims {
		rows[i] = view.Claim{Program: claimProgram(c), Args: c.Args, Down: c.Down, Reason: c.Reason, Since: c.Since}
	}
	return rows
}

// claimProgram is the program in a claim's ID, "group:service program args".
func claimProgram(c alert.Claim) string {
	_, rest, _ := strings.Cut(c.ID, " ")
	program, _, _ := strings.Cut(rest, " ")
	return program
}

// remember keeps a decision for readers, newest first, and reports whether it
// is news: what was suppressed before for the same reason is not, within an
// outage; its row moves up. turn is set where an outage begins or ends. The
// slice is replaced, never changed: rows share it.
func (s *service) remember(d view.Decision, turn bool) (news bool) {
	if at := s.lastSaid(d); at >= 0 && !turn && sameDecision(s.recent[at], d) {
		s.recent = slices.Concat([]view.Decision{d}, s.recent[:at], s.recent[at+1:])
		return false
	}
	keep := min(len(s.recent), max(s.memory, 1)-1)
	s.recent = append([]view.Decision{d}, s.recent[:keep]...)
	return true
}

// lastSaid is where the last decision on the same line or period about the
// same kind of event is in s.recent, or -1.
func (s *service) lastSaid(d view.Decision) int {
	return slices.IndexFunc(s.recent, func(r view.Decision) bool {
		return r.Event == d.Event && r.Period == d.Period && (r.Command == d.Command || r.Sent != d.Sent)
	})
}

// sameDecision reports whether b says what a said, only later: a suppressed
// alert that is suppressed again for the same reason is one row, whatever the
// note counts meanwhile; so is what is redistributed at every check.
func sameDecision(a, b view.Decision) bool {
	if a.Sent && a.Reason != policy.Redistributed.String() {
		return false
	}
	return a.Sent == b.Sent && a.Period == b.Period && a.Command == b.Command && a.Event == b.Event && a.Reason == b.Reason
}

// hostsOf are the hosts that a failing result names: those it lists, else the
// words of its summary.
func hostsOf(r monitor.Result) []string {
	if len(r.Hosts) == 0 {
		return strings.Fields(r.Summary)
	}
	var failed []string
	for _, h := range r.Hosts {
		if !h.OK {
			failed = append(failed, h.Name)
		}
	}
	return failed
}

// newService makes a service that was never tested.
func newService(c *config.Service, base map[string]string, memory int) *service {
	env := maps.Clone(base)
	if env == nil {
		env = map[string]string{}
	}
	maps.Copy(env, c.Env)
	return &service{
		cfg: c, state: opstatus.New(), periods: make([]policy.State, len(c.Periods)),
		cell: new(view.Cell), baseEnv: env, memory: memory,
	}
}
