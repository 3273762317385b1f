package control

import (
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/view"
)

// Daemon is the daemon as the API shows it. Durations are in seconds. Services
// and Statuses do not count the daemon's own services.
type Daemon struct {
	Version     string    `json:"version"`
	PID         int       `json:"pid"`
	Config      string    `json:"config"`
	Started     time.Time `json:"started"`
	Loaded      time.Time `json:"loaded"`
	ReloadError string    `json:"reload_error,omitempty"`
	Stopped     *Note     `json:"stopped,omitempty"`
	// Hosts are those that were taken out of all checks and alerts.
	Hosts    map[string]Note `json:"disabled_hosts,omitempty"`
	Checks   uint64          `json:"checks"`
	Blind    uint64          `json:"blind"`
	Running  int             `json:"running"`
	Late     float64         `json:"late_seconds"`
	Outbox   int             `json:"outbox"`
	Services int             `json:"services"`
	Statuses map[string]int  `json:"statuses"`
	// Unkept are the programs, such as lvs.alert, that do not keep what is claimed,
	// with the reason.
	Unkept map[string]string `json:"unkept,omitempty"`
	// Shared is what this director shares with the other one; left out where there
	// is none.
	Shared *Shared `json:"shared,omitempty"`
}

// Shared is what the two directors of a pair know together of their operators.
type Shared struct {
	// Node and Director are this director's number and name.
	Node     int    `json:"node"`
	Director string `json:"director"`
	// Stands is how many orders, disables and acknowledgements stand. Refused is
	// how much of what came could not be read.
	Stands  int `json:"stands"`
	Refused int `json:"refused,omitempty"`
	// Unknown are those about what the configuration here does not have.
	Unknown []SharedWord `json:"unknown,omitempty"`
}

// SharedWord is what an operator said about a thing.
type SharedWord struct {
	What string `json:"what"`
	Name string `json:"name"`
	Note Note   `json:"note"`
}

func sharedOf(v *view.Shared) *Shared {
	if v == nil {
		return nil
	}
	s := &Shared{Node: v.Node, Director: v.Name, Stands: v.Stands, Refused: v.Refused}
	for _, w := range v.Unknown {
		s.Unknown = append(s.Unknown, SharedWord{w.What, w.Name, Note(w.Note)})
	}
	return s
}

// Note is what an operator said and when.
type Note struct {
	At   time.Time `json:"at"`
	User string    `json:"user,omitempty"`
	Text string    `json:"text,omitempty"`
	// Where is the name of the other director, if it was said there.
	Where string `json:"where,omitempty"`
}

// Service is one service as the API shows it. Times that never were are left
// out; durations are in seconds.
type Service struct {
	Group       string     `json:"group"`
	Service     string     `json:"service"`
	Status      string     `json:"status"`
	Blind       *Blind     `json:"blind,omitempty"`
	Summary     string     `json:"summary,omitempty"`
	Since       *time.Time `json:"since,omitempty"`
	LastCheck   *time.Time `json:"last_check,omitempty"`
	NextCheck   *time.Time `json:"next_check,omitempty"`
	Took        float64    `json:"took_seconds,omitempty"`
	Interval    float64    `json:"interval_seconds,omitempty"`
	Monitor     string     `json:"monitor,omitempty"`
	Description string     `json:"description,omitempty"`
	Failures    int        `json:"consecutive_failures,omitempty"`
	AlertsSent  int        `json:"alerts_sent,omitempty"`
	LastAlert   *time.Time `json:"last_alert,omitempty"`
	Ack         *Note      `json:"ack,omitempty"`
	Disabled    *Note      `json:"disabled,omitempty"`
	Skipped     string     `json:"skipped,omitempty"`
	Running     bool       `json:"running,omitempty"`
	Own         bool       `json:"own,omitempty"` // the daemon's own, not in the file
	Detail      string     `json:"detail,omitempty"`
	Decisions   []Decision `json:"decisions,omitempty"`
	Claims      []Claim    `json:"claims,omitempty"`
}

// Blind says that the last checks saw nothing.
type Blind struct {
	Cause  string    `json:"cause"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	Times  int       `json:"times"`
}

// Decision says who was told of an event, or why nobody was.
type Decision struct {
	At      time.Time `json:"at"`
	Event   string    `json:"event"`
	Period  string    `json:"period,omitempty"`
	Command string    `json:"command,omitempty"`
	Sent    bool      `json:"sent"`
	Reason  string    `json:"reason"`
	Note    string    `json:"note,omitempty"` // what the reason rests on
}

// Claim is what a keeper holds because of a service.
type Claim struct {
	Program string    `json:"program"`
	Args    []string  `json:"args"`
	Out     bool      `json:"out"`
	Reason  string    `json:"reason"`
	Since   time.Time `json:"since"`
}

// Remark is the body of an operator's call; what a call has no use for is not
// looked at.
type Remark struct {
	Text string `json:"text,omitempty"`
	// Kind and Period are for a test of alerts.
	Kind   string `json:"kind,omitempty"`
	Period string `json:"period,omitempty"`
	// Exit is the exit status that the alerts are told of; without it that of
	// the last check.
	Exit *int `json:"exit,omitempty"`
}

// problem is the body of a refused call.
type problem struct {
	Error string `json:"error"`
}

func daemonOf(b *view.Board) Daemon {
	d := b.Daemon()
	out := Daemon{
		Version: d.Version, PID: d.PID, Config: d.ConfigPath, Started: d.Started, Loaded: d.Loaded,
		ReloadError: d.ReloadError, Unkept: d.Unkept, Stopped: noteOf(d.Stopped), Checks: d.Checks, Blind: d.Blind,
		Running: d.Running, Late: d.Late.Seconds(), Outbox: d.Outbox, Statuses: map[string]int{}, Shared: sharedOf(d.Shared),
	}
	for host, n := range d.Hosts {
		if out.Hosts == nil {
			out.Hosts = map[string]Note{}
		}
		out.Hosts[host] = Note(n)
	}
	for s := range b.Services() {
		if !s.Hidden {
			out.Services++
			out.Statuses[s.State.Status.String()]++
		}
	}
	return out
}

// serviceOf makes a row; whole adds detail, decisions and claims.
func serviceOf(v *view.Service, whole bool) Service {
	s := Service{
		Group: v.Key.Group, Service: v.Key.Service, Status: v.State.Status.String(), Blind: blindOf(v.State.Blind),
		Summary: v.State.Summary, Since: timeOf(v.Since), LastCheck: timeOf(v.State.LastCheck), NextCheck: timeOf(v.Due),
		Took: v.State.Took.Seconds(), Interval: v.Interval.Seconds(), Monitor: v.Monitor, Description: v.Description,
		Failures: v.State.Failures, AlertsSent: v.AlertsSent, LastAlert: timeOf(v.LastAlert), Ack: noteOf(v.State.Ack),
		Disabled: noteOf(v.Disabled), Skipped: v.Skipped, Running: v.Running, Own: v.Hidden,
	}
	if !whole {
		return s
	}
	s.Detail = v.State.Output
	for _, d := range v.Decisions {
		s.Decisions = append(s.Decisions, Decision(d))
	}
	for _, c := range v.Claims {
		s.Claims = append(s.Claims, Claim{Program: c.Program, Args: c.Args, Out: c.Down, Reason: c.Reason, Since: c.Since})
	}
	return s
}

func blindOf(b *opstatus.Blind) *Blind {
	if b == nil {
		return nil
	}
	return &Blind{Cause: b.Cause.String(), Reason: b.Reason, Since: b.Since, Times: b.Times}
}

func noteOf(n *opstatus.Note) *Note {
	if n == nil {
		return nil
	}
	return new(Note(*n))
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
