package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/alert"
)

// Virtuals are the virtual services, and the orders of operators.
type Virtuals struct {
	Virtuals []Virtual `json:"virtuals"`
	// Orders are those by command, oldest first; Nobody is set where no real of
	// the configuration is meant.
	Orders []Order `json:"orders"`
}

// Virtual is a virtual service.
type Virtual struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses,omitempty"`
	Status    string   `json:"status"`
	Summary   string   `json:"summary,omitempty"`
	// Serving is the tier that serves, Quorum that of the primaries (up, lost or
	// unknown) and Need what it asks for.
	Serving string `json:"serving"`
	Quorum  string `json:"quorum"`
	Need    string `json:"need,omitempty"`
	Panic   bool   `json:"panic,omitempty"`
	Fault   string `json:"local_fault,omitempty"`
	// Waiting is set before the first decision.
	Waiting bool `json:"waiting,omitempty"`
	// Good is how many of the primaries are good, Primaries how many there
	// are, In how many reals get new clients.
	Primaries int    `json:"primaries"`
	Good      int    `json:"good"`
	In        int    `json:"in"`
	Reals     []Real `json:"reals"`
}

// Real is a real server of a virtual service.
type Real struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Tier    string `json:"tier"`
	// Phase is in, ramping, draining, quiet or out.
	Phase  string `json:"phase"`
	In     bool   `json:"in"`
	Weight int    `json:"weight"`
	// Configured is the weight that the configuration gives it.
	Configured int        `json:"configured_weight"`
	Reason     string     `json:"reason"`
	Since      *time.Time `json:"since,omitempty"`
	// Held is set where its row stays as the table has it.
	Held bool `json:"held,omitempty"`
	// Left is set for one that the configuration does not name any more.
	Left bool `json:"left,omitempty"`
	// Active, Inactive and Persistent are connections as the kernel counts
	// them now; left out where nobody can say.
	Active     *int    `json:"active,omitempty"`
	Inactive   *int    `json:"inactive,omitempty"`
	Persistent *int    `json:"persistent,omitempty"`
	Orders     []Order `json:"orders,omitempty"`
	// Why is why, in sentences.
	Why []string `json:"why,omitempty"`
}

// Order is what is ordered of real servers.
type Order struct {
	// What is maint, drain or weight.
	What   string `json:"what"`
	Target string `json:"target,omitempty"`
	Weight *int   `json:"weight,omitempty"`
	// Deadline is that of a drain, in seconds; -1 for none.
	Deadline float64 `json:"deadline_seconds,omitempty"`
	// Source is command, file or schedule; By the user, the file or the
	// period.
	Source string     `json:"source"`
	By     string     `json:"by,omitempty"`
	At     *time.Time `json:"at,omitempty"`
	Until  *time.Time `json:"until,omitempty"`
	Text   string     `json:"text,omitempty"`
	Nobody bool       `json:"nobody,omitempty"`
}

// OrderRequest is an order of an operator; see [steer.Order].
type OrderRequest struct {
	What   string `json:"what"`
	Target string `json:"target"`
	End    bool   `json:"end,omitempty"`
	// For and Deadline are seconds; a deadline of -1 is none.
	For      float64 `json:"for_seconds,omitempty"`
	Deadline float64 `json:"deadline_seconds,omitempty"`
	Weight   int     `json:"weight,omitempty"`
	Text     string  `json:"text,omitempty"`
}

// countsLimit is how long the keeper may take to count connections; countsMost
// how many virtual services it is asked about at a time.
const (
	countsLimit = time.Second
	countsMost  = 200
)

func (s *Server) virtuals(w http.ResponseWriter, r *http.Request) {
	rows := slices.Collect(s.opt.Board.Pools())
	counts := s.counts(r.Context(), rows)
	out := Virtuals{Virtuals: []Virtual{}, Orders: []Order{}}
	for _, v := range rows {
		out.Virtuals = append(out.Virtuals, s.virtualOf(v, counts, false))
	}
	for _, o := range s.opt.Board.Orders() {
		row := orderOf(&o)
		row.Nobody = !slices.ContainsFunc(rows, func(v *view.Pool) bool { return meant(v, &o) })
		out.Orders = append(out.Orders, row)
	}
	reply(w, out)
}

// meant reports whether o is about a real of v.
func meant(v *view.Pool, o *view.Order) bool {
	same := func(p view.Order) bool { return p.Source == o.Source && p.What == o.What && p.Target == o.Target }
	return slices.ContainsFunc(v.Members, func(m view.PoolMember) bool { return slices.ContainsFunc(m.Orders, same) })
}

func (s *Server) virtual(w http.ResponseWriter, r *http.Request) {
	v := s.opt.Board.Pool(r.PathValue("name"))
	if v == nil {
		refuse(w, http.StatusNotFound, fmt.Errorf("virtual service %s: no such name in the configuration; monctl virtual shows all there are", r.PathValue("name")))
		return
	}
	reply(w, s.virtualOf(v, s.counts(r.Context(), []*view.Pool{v}), true))
}

func (s *Server) order(w http.ResponseWriter, r *http.Request) {
	user := peer(r.Context())
	var m OrderRequest
	s.run(w, r, &m, func(ctx context.Context) error { return s.opt.Controller.Order(ctx, m.order(user)) })
}

func (m *OrderRequest) order(user string) steer.Order {
	o := steer.Order{
		What: m.What, Target: m.Target, End: m.End, For: seconds(m.For), Deadline: seconds(m.Deadline),
		Weight: m.Weight, User: user, Text: m.Text,
	}
	if m.Deadline == -1 {
		o.Deadline = virtual.Forever
	}
	return o
}

// seconds is s as a duration; one that does not fit is the longest, which
// nothing accepts.
func seconds(s float64) time.Duration {
	const most = float64(1<<63 - 1)
	return time.Duration(max(min(s*float64(time.Second), most-1024), -most))
}

// counts asks the keepers how the rows of virtual services stand, by claim.
// What nobody can say within a second is missing.
func (s *Server) counts(ctx context.Context, rows []*view.Pool) map[string]alert.Standing {
	counts := map[string]alert.Standing{}
	if s.opt.Show == nil {
		return counts
	}
	ctx, cancel := context.WithTimeout(ctx, countsLimit)
	defer cancel()
	byProgram := map[string][]string{}
	for _, v := range rows {
		byProgram[v.Config.Program] = append(byProgram[v.Config.Program], v.Config.Name)
	}
	for program, names := range byProgram {
		for some := range slices.Chunk(names, countsMost) {
			text, err := s.opt.Show(ctx, program, "standing "+strings.Join(some, " "))
			var list []alert.Standing
			if err != nil || json.Unmarshal([]byte(text), &list) != nil {
				continue
			}
			for _, row := range list {
				counts[row.ID] = row
			}
		}
	}
	return counts
}

func (s *Server) virtualOf(v *view.Pool, counts map[string]alert.Standing, whole bool) Virtual {
	h := &v.Outcome.Health
	out := Virtual{
		Name: v.Config.Name, Addresses: addressesOf(v.Config), Status: v.Outcome.Status.String(),
		Serving: h.Serving.String(), Quorum: h.Quorum.String(), Panic: h.Panic, Fault: h.Fault, Waiting: v.Waiting,
		Primaries: h.Primaries, Good: h.Good, In: h.In, Reals: []Real{},
	}
	if h.Need.N > 0 {
		out.Need = h.Need.String()
	}
	switch own := s.opt.Board.Service(v.Config.Key()); {
	case v.Waiting:
		out.Status, out.Summary = opstatus.Untested.String(), "waits to learn what the table has"
	default:
		out.Summary = v.Outcome.Summary()
		if own != nil && own.State.Tested {
			out.Status = own.State.Status.String()
		}
	}
	for i := range v.Members {
		out.Reals = append(out.Reals, realOf(v, &v.Members[i], counts, whole))
	}
	return out
}

func realOf(v *view.Pool, m *view.PoolMember, counts map[string]alert.Standing, whole bool) Real {
	st, _ := v.Outcome.State.Member(m.Name)
	r := Real{
		Name: m.Host, Address: m.Name, Tier: m.Tier.String(), Phase: st.Phase.String(), In: st.In, Weight: st.Weight,
		Reason: m.Reason, Since: timeOf(st.Since), Held: st.Held, Left: m.Left,
	}
	for i := range v.Config.Pool.Members {
		if set := &v.Config.Pool.Members[i]; set.Name == m.Name {
			r.Configured = set.Weight
		}
	}
	for i := range m.Orders {
		r.Orders = append(r.Orders, orderOf(&m.Orders[i]))
	}
	r.count(m.Claims, counts)
	if whole && !v.Waiting {
		r.Why = virtual.Why(v.Config.Pool, v.Outcome.State, v.In, m.Name, time.Now())
	}
	return r
}

// count adds up the connections of a real's rows.
func (r *Real) count(claims []string, counts map[string]alert.Standing) {
	for _, id := range claims {
		row, ok := counts[id]
		if !ok || !row.Known {
			continue
		}
		add := func(to **int, n int) {
			if n < 0 || !row.There && *to != nil {
				return
			}
			if *to == nil {
				*to = new(0)
			}
			**to += n
		}
		add(&r.Active, row.Active)
		add(&r.Inactive, row.Inactive)
		add(&r.Persistent, row.Persistent)
	}
}

// poolClaims are what the keeper holds for a virtual service.
func poolClaims(v *view.Pool) []Claim {
	var out []Claim
	for i := range v.Members {
		m := &v.Members[i]
		st, ok := v.Outcome.State.Member(m.Name)
		if !ok {
			continue
		}
		for _, id := range m.Claims {
			words := strings.TrimPrefix(id, v.Config.Key().String()+" "+v.Config.Program+" ")
			args := append(strings.Fields(words), "-W", strconv.Itoa(st.Weight))
			out = append(out, Claim{Program: v.Config.Program, Args: args, Out: !st.In, Reason: m.Reason, Since: st.Since})
		}
	}
	return out
}

func orderOf(o *view.Order) Order {
	out := Order{
		What: o.What, Target: o.Target, Source: o.Source, By: o.By, At: timeOf(o.At), Until: timeOf(o.Until), Text: o.Text,
	}
	if o.What == steer.Weight {
		out.Weight = new(o.Weight)
	}
	out.Deadline = o.Deadline.Seconds()
	if o.Deadline == virtual.Forever {
		out.Deadline = -1
	}
	return out
}

// addressesOf are the addresses that the rows of a virtual service name.
func addressesOf(v *config.Virtual) []string {
	var out []string
	for _, r := range v.Rows {
		for i, w := range r.Target {
			if w == "-V" && i+1 < len(r.Target) && !slices.Contains(out, r.Target[i+1]) {
				out = append(out, r.Target[i+1])
			}
		}
	}
	return out
}

// Virtuals asks for all virtual services.
func (c *Client) Virtuals(ctx context.Context) (v Virtuals, err error) {
	return v, c.get(ctx, &v, "virtuals")
}

// Virtual asks for one virtual service, with the reasons in sentences.
func (c *Client) Virtual(ctx context.Context, name string) (v Virtual, err error) {
	return v, c.get(ctx, &v, "virtuals", name)
}

// Order orders something of real servers.
func (c *Client) Order(ctx context.Context, o OrderRequest) error { return c.post(ctx, o, "orders") }
