package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/role"
)

// probeLimit is how long strangers have to answer.
const probeLimit = 150 * time.Millisecond

// watchEvery is how often the repeating process looks whether the addresses
// are still there.
const watchEvery = time.Second

// start takes the group. The programs of --on-take run only if something is
// to be added.
func (p Program) start(ctx context.Context, j *job) error {
	if p.Refuse != nil {
		if err := p.Refuse(j.group.Hosts()); err != nil {
			return err
		}
	}
	here, missing, err := p.look(ctx, j)
	if err != nil {
		return err
	}
	if missing && !j.passive {
		if err := p.take(ctx, j); err != nil {
			return err
		}
	}
	if j.passive && here == 0 {
		return fmt.Errorf("%s is not here, and IFCONFIG=FALSE in %s says that somebody else adds it", j.group.Name, j.file)
	}
	if err := p.Network.Announce(ctx, j.group); err != nil {
		return p.undo(ctx, j, missing, fmt.Errorf("announce: %w", err))
	}
	if err := j.replace(ctx); err != nil {
		return p.undo(ctx, j, missing, err)
	}
	err = p.Spawn(append(j.again, string(actRepeat)))
	if err == nil {
		err = j.awaits(ctx)
	}
	if err != nil {
		return p.undo(ctx, j, missing, fmt.Errorf("start the process that repeats the announcement: %w", err))
	}
	return nil
}

// take adds what is missing.
func (p Program) take(ctx context.Context, j *job) error {
	if j.group.Conflict == role.Refuse {
		asked, cancel := context.WithTimeout(ctx, probeLimit)
		who, err := p.Network.Stranger(asked, j.group)
		cancel()
		if err != nil && ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("ask whether somebody has it: %w", err)
		}
		if who != "" {
			return fmt.Errorf("%s answers for it, and --conflict is refuse", who)
		}
	}
	if err := runAll(ctx, j.group.OnTake, j.group.ProgramLimit); err != nil {
		return fmt.Errorf("--on-take: %w", err)
	}
	return p.Machine.Add(ctx, j.group)
}

// undo removes what a start that failed has added, so that the other director
// can have it.
func (p Program) undo(ctx context.Context, j *job, added bool, why error) error {
	if !added || j.passive {
		return why
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := p.Machine.Remove(ctx, j.group); err != nil {
		return fmt.Errorf("%w; and what was added could not be removed: %w", why, err)
	}
	return why
}

// stop gives the group up. What could not be run afterwards is told, and is no
// failure: heartbeat restarts the machine over a stop that fails.
func (p Program) stop(ctx context.Context, j *job) error {
	err := j.replace(ctx) // no announcement outlives its address
	if j.passive {
		return err
	}
	here, _, lookErr := p.look(ctx, j)
	if err := errors.Join(lookErr, p.Machine.Remove(ctx, j.group)); err != nil {
		return err
	}
	if here > 0 {
		err = errors.Join(err, runAll(ctx, j.group.OnRelease, j.group.ProgramLimit))
	}
	if err != nil {
		p.tell(j, fmt.Errorf("the addresses are removed, but: %w", err))
	}
	return nil
}

// look counts the addresses that are here.
func (p Program) look(ctx context.Context, j *job) (here int, missing bool, err error) {
	places, err := p.Machine.Places(ctx, j.group)
	if err != nil {
		return 0, false, err
	}
	for _, at := range places {
		if at.Device != "" {
			here++
		}
	}
	return here, here < len(j.group.Addresses), nil
}

// status prints "running" or "stopped", the only words that heartbeat looks
// for, and nothing else on the standard output. Part of a group is not running:
// a start would add the rest.
func (p Program) status(ctx context.Context, j *job) error {
	places, err := p.Machine.Places(ctx, j.group)
	if err != nil {
		return err
	}
	var absent, dark []string
	for i, at := range places {
		switch ip := j.group.Addresses[i].Prefix.Addr().String(); {
		case at.Device == "":
			absent = append(absent, ip)
		case !at.Carrier:
			dark = append(dark, ip+" on "+at.Device)
		}
	}
	switch {
	case len(absent) > 0:
		fmt.Fprintln(p.Out, "stopped")
		return j.stopped(len(places), absent)
	case len(dark) > 0 && j.action == actMonitor && j.carrier != carrierIgnore:
		return p.noCarrier(j, dark)
	}
	fmt.Fprintln(p.Out, "running")
	return nil
}

func (j *job) stopped(total int, absent []string) error {
	e := exit{status: exitStopped}
	if j.action == actMonitor {
		e.status = exitNot
	}
	if len(absent) < total {
		e.why = fmt.Errorf("%d of %d addresses are here: %s missing", total-len(absent), total, strings.Join(absent, ", "))
	}
	return e
}

func (p Program) noCarrier(j *job, dark []string) error {
	why := fmt.Errorf("no carrier: %s", strings.Join(dark, ", "))
	if j.carrier == carrierDegrade {
		fmt.Fprintln(p.Out, "running")
		return exit{exitDegraded, why}
	}
	fmt.Fprintln(p.Out, "stopped")
	return exit{exitNot, why}
}

// repeat announces until an address of the group is gone, or another process
// takes its place.
func (p Program) repeat(ctx context.Context, j *job) error {
	unlock, err := j.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if _, missing, err := p.look(ctx, j); err != nil || missing {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- p.Network.Repeat(ctx, j.group, func(err error) { p.tell(j, err) })
	}()
	err = p.watch(ctx, j, ended)
	cancel()
	return err
}

// watch returns when the addresses are gone or announcing ended.
func (p Program) watch(ctx context.Context, j *job, ended <-chan error) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return err
		case <-tick.C:
			if _, missing, err := p.look(ctx, j); err == nil && missing {
				return nil
			}
		}
	}
}
