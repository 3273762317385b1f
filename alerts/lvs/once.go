package lvs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
	"github.com/mondhq/mond/plugins/alert"
)

// order is a request from outside the config to put a target in or take it
// out; it is also what goes over the owner's socket.
type order struct {
	Args   []string `json:"args"`
	Up     bool     `json:"up"`
	Reason string   `json:"reason"`
}

// carryOut has the order carried out by whoever owns the tables: this process,
// the resident one behind a socket, or, where there is none, nobody: then it
// is done here.
func (o *owner) carryOut(ctx context.Context, j job, n order) error {
	_, err := ask(ctx, o, func(d *desk) (struct{}, error) { return struct{}{}, d.order(j, n) })
	if !errors.Is(err, errIdle) {
		return err
	}
	opt := o.given.withDefaults()
	if found, err := deliver(ctx, opt.Sockets, n); found {
		return err
	}
	return once(ctx, opt, j, n)
}

// onceLimit is the time limit of one edit where the caller sets none: the
// kernel and the lock of a file answer at once or something is wrong.
const onceLimit = 10 * time.Second

// once makes one edit in a process that owns nothing.
func once(ctx context.Context, opt Options, j job, n order) error {
	ctx, cancel := context.WithTimeout(ctx, onceLimit)
	defer cancel()
	unlock, err := lockKernel(ctx, opt, j)
	if err != nil {
		return err
	}
	defer unlock()
	t, err := opt.Open(j.table)
	if err != nil {
		return settled(err)
	}
	out, err := agree(ctx, t, []reconcile.Want{n.want(j)}, nil)
	for _, op := range out.done {
		logOp(opt.Log, title(j.table), op, false)
	}
	return errors.Join(settled(err), missing(j.table, out.pending), t.Close())
}

// want is what an order asks for by itself, without regard to claims.
func (n order) want(j job) reconcile.Want {
	return reconcile.Desire([]reconcile.Claim{{
		ID: handID, Target: j.Target, Weight: j.weight, Forward: j.forward, Down: !n.Up, Reason: n.Reason,
	}})[0]
}

// lockKernel keeps two programs from editing the kernel's table at once, where
// there is a directory for a lock. Without one nothing is lost: a program that
// finds the table changed under its edit reads it again. A file is locked by
// its own means.
func lockKernel(ctx context.Context, opt Options, j job) (unlock func(), err error) {
	if j.table != "" {
		return func() {}, nil
	}
	for _, s := range opt.Sockets {
		dir := filepath.Dir(s)
		if st, err := os.Stat(dir); err != nil || !st.IsDir() {
			continue
		}
		unlock, err := ipvs.Lock(ctx, filepath.Join(dir, "lvs.lock"))
		if errors.Is(err, os.ErrPermission) {
			continue
		}
		return unlock, err
	}
	return func() {}, nil
}

// settled marks what another try cannot mend.
func settled(err error) error {
	if err != nil && ipvs.ActionFor(err) == ipvs.GiveUp {
		return alert.Permanent(err)
	}
	return err
}

// missing is the error of a target of table that is pending, with what to do.
func missing(table string, pending []reconcile.Want) error {
	if len(pending) == 0 {
		return nil
	}
	do := "create it first: ipvsadm"
	if table != "" {
		do = "add the line to " + table + ":"
	}
	return fmt.Errorf("put %s in: %w: %s -A %s -s wlc", pending[0].Target, ipvs.ErrNoService, do, pending[0].Virtual.Option())
}

// look says whether the edit of j could be made, and makes none.
func (o *owner) look(ctx context.Context, j job) error {
	ctx, cancel := context.WithTimeout(ctx, onceLimit)
	defer cancel()
	t, err := o.given.withDefaults().Open(j.table)
	if err != nil {
		return settled(err)
	}
	_, err = t.Destinations(ctx, j.Virtual)
	return errors.Join(settled(err), t.Close())
}

// order carries out an order at the owner's desk. On a target that the config
// claims, out is one more reason that holds until it is taken back, and in
// takes it back; the claims have the last word. On any other target it is one
// edit, after which hands are off it again.
func (d *desk) order(j job, n order) error {
	if !d.full {
		return errNoFull
	}
	k := j.key()
	if !d.claimed()(k) {
		d.record.withdraw(k)
		return d.orderOnce(j, n)
	}
	if n.Up {
		d.record.withdraw(k)
	} else {
		d.record.order(j, n.Reason, time.Now())
	}
	d.saveRecord()
	var s scope
	s.add(j)
	err := d.agree(s)
	if err == nil && n.Up {
		err = d.stays(j, s)
	}
	return err
}

func (d *desk) orderOnce(j job, n order) error {
	if n.Up {
		d.record.own(j)
		d.saveRecord()
	}
	m := d.table(j.table)
	if err := m.agree(d, []reconcile.Want{n.want(j)}, scope{}); err != nil {
		return settled(err)
	}
	if m.pending[j.Target] {
		delete(m.pending, j.Target) // nobody waits for it
		return missing(j.table, []reconcile.Want{n.want(j)})
	}
	return nil
}

// stays is the error of a target that was ordered in and is not.
func (d *desk) stays(j job, s scope) error {
	for _, w := range d.wants(s)[j.table] {
		if w.Target != j.Target {
			continue
		}
		switch w.Verdict {
		case reconcile.Out:
			return alert.Permanent(fmt.Errorf("%s stays out: %s (%s)", j.Target, w.Reason(), w.Claims[0].ID))
		case reconcile.Hold:
			return alert.Permanent(fmt.Errorf("%s stays as it is until its service was checked (%s)", j.Target, w.Claims[0].ID))
		case reconcile.In:
			if d.table(j.table).pending[j.Target] {
				return missing(j.table, []reconcile.Want{w})
			}
		}
	}
	return nil
}
