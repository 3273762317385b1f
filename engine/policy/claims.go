package policy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
)

// ClaimInput is all that Claims looks at.
type ClaimInput struct {
	Service *config.Service
	// Keepers reports whether a program, named as in mon.cf, is a keeper.
	Keepers func(program string) bool
	// Held are the claims of this service, as Claims last left them.
	Held   []alert.Claim
	Change opstatus.Transition
	// Decisions are what Decide answered to the same event.
	Decisions []Decision
	// Summary is what the failure said.
	Summary string
}

// Claims says what the service's keepers should hold after an event: next is
// all of it, changed what is new (a claim that ended is in changed as
// Withdrawn, and absent from next). It must be called for every event, also
// while the service is disabled or the scheduler stopped: mon's gates hold
// back what raises a claim, never what clears one.
//
//   - A failure that Decide tells a keeper of raises the claim of that line:
//     Down.
//   - A success clears every claim whose words stand in an upalert line of any
//     period, and claims "in" where there was no claim yet. A claim without
//     an upalert of the same words is withdrawn: hands off, as mon would.
//   - A redistribute line that names a keeper is raised by every failure and
//     cleared by every success.
//   - A provisional claim stops being so at the first verdict; a failure that
//     raises nothing yet leaves it as it was restored.
//   - Startup, ack and disable events, suspect and blind results change
//     nothing; startupalert, ackalert and disablealert lines say nothing to a
//     keeper (to mon's script they said "down").
//
// Nothing in in is changed; without a change next is in.Held and nothing is
// allocated.
func Claims(in ClaimInput, now time.Time) (next, changed []alert.Claim) {
	switch {
	case in.Change.Failure && !calm(&in):
		return onFailure(in, now)
	case in.Change.Success && !cleared(&in):
		return onSuccess(in, now)
	}
	return in.Held, nil
}

// Prune withdraws the claims of lines that a reload removed, or whose program
// is no keeper any more. service is nil when it is gone.
func Prune(service *config.Service, keepers func(program string) bool, held []alert.Claim) (next, changed []alert.Claim) {
	all := lineSet{service, keepers}
	for _, c := range held {
		if service != nil && all.holds(&c, alert.Failure, alert.Up) {
			next = append(next, c)
			continue
		}
		changed = append(changed, withdrawn(c))
	}
	if changed == nil {
		return held, nil
	}
	return next, changed
}

// ClaimID names the claim of a line: "group:service program args". Words with
// blanks or quotes in them are quoted, so that no two lines share an ID that
// do not share their words.
func ClaimID(key opstatus.Key, c *config.Command) string {
	var b strings.Builder
	b.WriteString(prefix(key) + c.Program)
	for _, arg := range c.Args {
		b.WriteByte(' ')
		if arg == "" || strings.ContainsAny(arg, " \t\n\"\\") {
			arg = strconv.Quote(arg)
		}
		b.WriteString(arg)
	}
	return b.String()
}

func prefix(k opstatus.Key) string { return k.String() + " " }

// lineSet are the lines of a service that name keepers.
type lineSet struct {
	service *config.Service
	keepers func(string) bool
}

// holds reports whether c is the claim of one of the lines of these kinds, or
// of the redistribute line, which is of every kind.
func (l lineSet) holds(c *alert.Claim, kinds ...alert.Kind) bool {
	if r := l.service.Redistribute; r != nil && l.keepers(r.Program) && claimOf(c, l.service.Key, r) {
		return true
	}
	for i := range l.service.Periods {
		for j := range l.service.Periods[i].Lines {
			line := &l.service.Periods[i].Lines[j]
			if slices.Contains(kinds, line.On) && claimOf(c, l.service.Key, &line.Command) && l.keepers(line.Program) {
				return true
			}
		}
	}
	return false
}

// claimOf reports whether c is the claim of cmd, without making its ID.
func claimOf(c *alert.Claim, key opstatus.Key, cmd *config.Command) bool {
	if c.Group != key.Group || c.Service != key.Service || !slices.Equal(c.Args, cmd.Args) {
		return false
	}
	skip := len(key.Group) + len(key.Service) + 2
	if len(c.ID) < skip {
		return false
	}
	rest, ok := strings.CutPrefix(c.ID[skip:], cmd.Program)
	return ok && (rest == "") == (len(cmd.Args) == 0) && (rest == "" || rest[0] == ' ')
}

// indexOf is where the claim of cmd is in held, or -1.
func indexOf(held []alert.Claim, key opstatus.Key, cmd *config.Command) int {
	for i := range held {
		if claimOf(&held[i], key, cmd) {
			return i
		}
	}
	return -1
}

// raises reports whether d puts a target out.
func (in *ClaimInput) raises(d *Decision) bool {
	failure := d.Kind == alert.Failure || d.Kind == alert.Trap || d.Kind == alert.TrapTimeout
	return failure && d.Send && d.Command != nil && in.Keepers(d.Command.Program)
}

// calm reports whether a failure changes no claim.
func calm(in *ClaimInput) bool {
	for i := range in.Held {
		if in.Held[i].Provisional {
			return false
		}
	}
	for i := range in.Decisions {
		if d := &in.Decisions[i]; in.raises(d) {
			at := indexOf(in.Held, in.Service.Key, d.Command)
			if at < 0 || !in.Held[at].Down {
				return false
			}
		}
	}
	return true
}

// cleared reports whether a success changes no claim.
func cleared(in *ClaimInput) bool {
	lines := lineSet{in.Service, in.Keepers}
	for i := range in.Held {
		c := &in.Held[i]
		if c.Down || c.Provisional || !lines.holds(c, alert.Up) {
			return false
		}
	}
	return missing(in, in.Held) == nil
}

// missing is the first upalert or redistribute line that names a keeper and
// has no claim in held; nil when all have.
func missing(in *ClaimInput, held []alert.Claim) *config.Command {
	s := in.Service
	lacks := func(c *config.Command) bool { return in.Keepers(c.Program) && indexOf(held, s.Key, c) < 0 }
	if s.Redistribute != nil && lacks(s.Redistribute) {
		return s.Redistribute
	}
	for i := range s.Periods {
		for j := range s.Periods[i].Lines {
			if line := &s.Periods[i].Lines[j]; line.On == alert.Up && lacks(&line.Command) {
				return &line.Command
			}
		}
	}
	return nil
}

func onFailure(in ClaimInput, now time.Time) (next, changed []alert.Claim) {
	next = slices.Clone(in.Held)
	dirty := make([]bool, len(next), len(next)+len(in.Decisions))
	for i := range next {
		dirty[i], next[i].Provisional = next[i].Provisional, false
	}
	reason := because(in.Service.Key, in.Summary)
	for i := range in.Decisions {
		d := &in.Decisions[i]
		if !in.raises(d) {
			continue
		}
		at := indexOf(next, in.Service.Key, d.Command)
		if at < 0 {
			at = len(next)
			next, dirty = append(next, newClaim(in.Service.Key, d.Command)), append(dirty, false)
		}
		if c := &next[at]; !c.Down {
			c.Down, c.Reason, c.Since, dirty[at] = true, reason, now, true
		}
	}
	for i, c := range next {
		if dirty[i] {
			changed = append(changed, c)
		}
	}
	return next, changed
}

func onSuccess(in ClaimInput, now time.Time) (next, changed []alert.Claim) {
	lines := lineSet{in.Service, in.Keepers}
	good := in.Service.Key.String() + " is good"
	for _, c := range in.Held {
		if !lines.holds(&c, alert.Up) {
			changed = append(changed, withdrawn(c))
			continue
		}
		if c.Down || c.Provisional {
			if c.Down {
				c.Reason, c.Since = good, now
			}
			c.Down, c.Provisional = false, false
			changed = append(changed, c)
		}
		next = append(next, c)
	}
	for cmd := missing(&in, next); cmd != nil; cmd = missing(&in, next) {
		c := newClaim(in.Service.Key, cmd)
		c.Reason, c.Since = good, now
		next, changed = append(next, c), append(changed, c)
	}
	return next, changed
}

func newClaim(key opstatus.Key, cmd *config.Command) alert.Claim {
	return alert.Claim{ID: ClaimID(key, cmd), Group: key.Group, Service: key.Service, Args: cmd.Args}
}

func withdrawn(c alert.Claim) alert.Claim {
	c.Withdrawn, c.Down, c.Provisional = true, false, false
	return c
}

func because(key opstatus.Key, summary string) string {
	if summary == "" {
		return key.String() + " failed"
	}
	return key.String() + " failed: " + summary
}
