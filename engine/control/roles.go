package control

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/role"
)

// Roles are the groups of addresses that this director may hold.
type Roles struct {
	// Source is whose word counts: mond, or another program that moves the
	// addresses (role_source); then there are no groups.
	Source string `json:"source"`
	Groups []Role `json:"groups"`
	// Services are those of group mond that tell of the peer, the witness and the
	// links to them, and after them the electors that see nothing.
	Services []Service `json:"services"`
}

// Role is how a group of addresses stands here.
type Role struct {
	Group     string   `json:"group"`
	Addresses []string `json:"addresses"`
	// Elector is the service whose monitor decides, Holder the program that
	// holds.
	Elector string `json:"elector"`
	Holder  string `json:"holder"`
	// State is hold, release, or unknown before anything was decided.
	State string `json:"state"`
	// Reason is why, since Since; Epoch grows with every change of who holds it.
	Reason string     `json:"reason,omitempty"`
	Since  *time.Time `json:"since,omitempty"`
	Epoch  uint64     `json:"epoch,omitempty"`
	// Until is when the last token ends to permit anything; Lease the lifetime
	// that addresses are given, in seconds, 0 for permanent.
	Until *time.Time `json:"until,omitempty"`
	Lease float64    `json:"lease_seconds,omitempty"`
	// Held of Total addresses are in the kernel, which removes the first of them
	// at Expires; Permanent ones stay. They are left out before the holder spoke.
	Held      *int       `json:"held,omitempty"`
	Total     int        `json:"total,omitempty"`
	Expires   *time.Time `json:"expires,omitempty"`
	Permanent bool       `json:"permanent,omitempty"`
	// Error is what the holder could not do, Detail what it did last.
	Error  string     `json:"error,omitempty"`
	Detail string     `json:"detail,omitempty"`
	Order  *RoleOrder `json:"order,omitempty"`
	// Tokens is how many were passed on, TooLate how many came too late.
	Tokens  uint64 `json:"tokens"`
	TooLate uint64 `json:"too_late"`
}

// RoleOrder is what an operator ordered and stands.
type RoleOrder struct {
	Verb string     `json:"verb"`
	All  bool       `json:"all,omitempty"`
	By   string     `json:"by,omitempty"`
	At   *time.Time `json:"at,omitempty"`
	Text string     `json:"text,omitempty"`
}

// FailoverRequest is an order of an operator; see [steer.Failover].
type FailoverRequest struct {
	Verb  string `json:"verb"`
	Group string `json:"group,omitempty"`
	Text  string `json:"text,omitempty"`
}

func (s *Server) roles(w http.ResponseWriter, _ *http.Request) {
	out := Roles{Source: s.opt.Board.Config().Globals.RoleSource.String(), Groups: []Role{}, Services: []Service{}}
	for _, r := range s.opt.Board.Roles() {
		out.Groups = append(out.Groups, roleOf(&r))
	}
	for v := range s.opt.Board.Services() {
		if ofPair(v.Key) {
			out.Services = append(out.Services, serviceOf(v, false))
		}
	}
	for v := range s.opt.Board.Services() {
		if v.State.Blind != nil && slices.ContainsFunc(out.Groups, func(r Role) bool { return r.Elector == v.Key.String() }) {
			out.Services = append(out.Services, serviceOf(v, false))
		}
	}
	reply(w, out)
}

// ofPair reports whether a service is one that tells of a pair of directors.
func ofPair(k opstatus.Key) bool {
	return k.Group == "mond" && (k.Service == "peer" || k.Service == "redundancy" || k.Service == "witness" ||
		strings.HasPrefix(k.Service, "link-") || strings.HasPrefix(k.Service, "role-") || strings.HasPrefix(k.Service, "director-"))
}

func roleOf(v *view.Role) Role {
	r := Role{
		Group: v.Group, Addresses: groupAddresses(v.Args), Elector: v.Elector.String(), Holder: v.Holder, State: "unknown",
		Reason: v.Reason, Since: timeOf(v.Since), Epoch: v.Epoch, Until: timeOf(v.Until), Lease: v.Lease.Seconds(),
		Total: v.Stand.Total, Expires: timeOf(v.Expires), Permanent: v.Stand.Until == role.Forever,
		Error: v.Stand.Error, Detail: v.Stand.Detail, Tokens: v.Passed, TooLate: v.Late,
	}
	switch {
	case v.Told && v.Hold:
		r.State = "hold"
	case v.Told:
		r.State = "release"
	}
	if v.Stood {
		r.Held = new(v.Stand.Held)
	}
	if o := v.Order; o != nil {
		r.Order = &RoleOrder{Verb: string(o.Verb), All: o.All, By: o.By, At: timeOf(o.At), Text: o.Text}
	}
	return r
}

// groupAddresses are the addresses of a group as [role.ParseAddress] reads them. The
// words were judged when the configuration was loaded.
func groupAddresses(words []string) []string {
	g, _ := role.ParseGroup(words)
	all := make([]string, len(g.Addresses))
	for i, a := range g.Addresses {
		all[i] = a.String()
	}
	return all
}

func (s *Server) failover(w http.ResponseWriter, r *http.Request) {
	user := peer(r.Context())
	var m FailoverRequest
	s.run(w, r, &m, func(ctx context.Context) error {
		return s.opt.Controller.Failover(ctx, steer.Failover{Verb: role.Verb(m.Verb), Group: m.Group, User: user, Text: m.Text})
	})
}

// Roles asks how the groups of addresses stand.
func (c *Client) Roles(ctx context.Context) (r Roles, err error) { return r, c.get(ctx, &r, "roles") }

// Failover orders something of a group of addresses, or of all.
func (c *Client) Failover(ctx context.Context, m FailoverRequest) error {
	return c.post(ctx, m, "failover")
}
