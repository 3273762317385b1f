package virtual

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Validate says what of p makes no sense, all of it; nil if nothing. Decide
// takes any Pool, and makes what it can of one that is not valid.
func (p *Pool) Validate() error {
	errs := []error{p.members()}
	errs = append(errs,
		gate("quorum", p.Quorum),
		gate("standby quorum", p.StandbyQuorum),
		gate("panic", p.Panic),
		amount("eject", p.Eject),
		length("return", p.Return),
		length("ramp", p.Ramp.Over),
		length("drain idle", p.Drain.Idle),
		length("persistence", p.Drain.Persistence),
		length("udp timeout", p.Drain.UDP),
		length("weight_limits every", p.Asks.Every),
		share("warn", p.Warn, 100),
		share("weight_limits min", p.Asks.Min, MaxWeight),
		share("weight_limits max", p.Asks.Max, MaxWeight),
		share("weight_limits ignore", p.Asks.Ignore, 100),
		share("weight_limits step", p.Asks.Step, MaxWeight),
	)
	if p.Eject.N > 0 && p.Eject.By == ByWeight {
		errs = append(errs, errors.New("eject: say a number of members or a percentage, not a weight"))
	}
	if p.Drain.Deadline < Forever {
		errs = append(errs, fmt.Errorf("drain: %s is no time", p.Drain.Deadline))
	}
	if p.Ramp.Steps < 0 || p.Ramp.Steps > 1000 {
		errs = append(errs, fmt.Errorf("ramp: %d steps: say 1 to 1000", p.Ramp.Steps))
	}
	if high := p.Asks.Max; high > 0 && p.Asks.Min > high {
		errs = append(errs, fmt.Errorf("weight_limits min %d%% is above max %d%%", p.Asks.Min, high))
	}
	return errors.Join(errs...)
}

// members judges the members, each alone and together.
func (p *Pool) members() error {
	var errs []error
	seen := map[string]bool{}
	for i := range p.Members {
		m := &p.Members[i]
		errs = append(errs, m.validate())
		if seen[m.Name] {
			errs = append(errs, fmt.Errorf("real %s is there twice", m.Name))
		}
		seen[m.Name] = true
	}
	if !slices.ContainsFunc(p.Members, func(m Member) bool { return m.Tier == Primary }) {
		errs = append(errs, errors.New("no primary: say a real that is neither standby nor fallback"))
	}
	return errors.Join(errs...)
}

func (m *Member) validate() error {
	switch {
	case m.Name == "":
		return errors.New("a real without a name")
	case m.Weight < 0 || m.Weight > MaxWeight:
		return fmt.Errorf("real %s: weight %d: a weight is a number from 0 to %d", m.Name, m.Weight, MaxWeight)
	case m.Tier > Fallback:
		return fmt.Errorf("real %s: there are %d standby tiers at most", m.Name, MaxStandby)
	case m.Need < 0 || m.Need > len(m.Checks):
		return fmt.Errorf("real %s: %d checks of %d cannot be good", m.Name, m.Need, len(m.Checks))
	case m.OnFail > Ignore:
		return fmt.Errorf("real %s: on_fail: say remove, quiesce, drain or ignore", m.Name)
	}
	return nil
}

func gate(name string, g Gate) error {
	if err := errors.Join(amount(name, g.Up), amount(name, g.Down)); err != nil {
		return err
	}
	if g.Up.N == 0 || g.Down.N == 0 {
		return nil
	}
	if g.Up.By != g.Down.By {
		return fmt.Errorf("%s: %s and %s cannot be compared: say both in one unit", name, g.Up, g.Down)
	}
	if g.Down.N > g.Up.N {
		return fmt.Errorf("%s: it would be lost below %s and gained from %s on: the first must not be more", name, g.Down, g.Up)
	}
	return nil
}

func amount(name string, a Amount) error {
	switch {
	case a.N < 0:
		return fmt.Errorf("%s: %d is less than nothing", name, a.N)
	case a.By > ByPercent:
		return fmt.Errorf("%s: unknown unit", name)
	case a.By == ByPercent && a.N > 100:
		return fmt.Errorf("%s: %s is more than there is", name, a)
	}
	return nil
}

func length(name string, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%s: %s is no time", name, d)
	}
	return nil
}

func share(name string, percent, most int) error {
	if percent < 0 || percent > most {
		return fmt.Errorf("%s: %d%%: say 0 to %d", name, percent, most)
	}
	return nil
}
