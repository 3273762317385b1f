package lvs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mondhq/mond/alerts/internal/shared"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
	"github.com/mondhq/mond/alerts/lvs/words"
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
func (o *owner) carryOut(ctx context.Context, j words.Job, n order) error {
	err := shared.Tell(ctx, o.Work(), func(d *desk) error { return d.order(j, n) })
	if !errors.Is(err, shared.ErrIdle) {
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
func once(ctx context.Context, opt Options, j words.Job, n order) error {
	ctx, cancel := context.WithTimeout(ctx, onceLimit)
	defer cancel()
	if here, err := inRole(opt, j); err != nil || !here {
		return err
	}
	unlock, err := lockKernel(ctx, opt, j)
	if err != nil {
		return err
	}
	defer unlock()
	t, err := opt.Open(j.Table)
	if err != nil {
		return settled(err)
	}
	p := &pass{table: t, now: time.Now(), pools: n.pools(j), services: true}
	err = p.run(ctx)
	for _, op := range p.done {
		logOp(opt.Log, j.Table, op, false)
	}
	if err == nil && n.Up {
		err = errors.Join(onceLimits(ctx, t, j), onceSync(ctx, opt, t, j))
	}
	return errors.Join(settled(errors.Join(err, p.errors())), p.missing(j), t.Close())
}

// onceLimits sets time limits, if j is about them.
func onceLimits(ctx context.Context, t ipvs.Table, j words.Job) error {
	if timer, ok := t.(ipvs.Timer); ok && j.Kind == words.Timeouts {
		return timer.SetTimeouts(ctx, j.Timeouts)
	}
	return nil
}

// inRole reports whether j may be carried out here, as far as it follows a
// role: of a mark, nobody knows whose it follows.
func inRole(opt Options, j words.Job) (bool, error) {
	if !j.ByRole || j.First.Mark != 0 || j.OfTable() {
		return true, nil
	}
	local, err := opt.Role.Local()
	if err != nil {
		return false, err
	}
	if !spanOf(j).in(local) {
		opt.Log.Info("not written: no address of the virtual service is on this machine", "virtual", j.First.String())
		return false, nil
	}
	return true, nil
}

// pools are what an order asks for by itself, without regard to claims.
func (n order) pools(j words.Job) []*pool {
	var out []*pool
	for v := range j.Virtuals() {
		p := newPool(place{j.Table, v})
		p.claims[handID] = &held{alert.Claim{ID: handID, Down: !n.Up, Reason: n.Reason}, j}
		p.sum(&record{}, acts)
		out = append(out, p)
	}
	return out
}

// lockKernel keeps two programs from editing the kernel's table at once, where
// there is a directory for a lock. Without one nothing is lost: a program that
// finds the table changed under its edit reads it again. A file is locked by
// its own means.
func lockKernel(ctx context.Context, opt Options, j words.Job) (unlock func(), err error) {
	if j.Table.File != "" {
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

// missing is the error of what is pending after a pass, with what to do.
func (p *pass) missing(j words.Job) error {
	for _, q := range p.pools {
		for t := range q.pending {
			return missing(j.Table, t)
		}
	}
	return nil
}

// missing is the error of a target that is pending.
func missing(at words.Place, t reconcile.Target) error {
	do := "create it first: " + ipvsadmIn(at)
	if at.File != "" {
		do = "add the line to " + at.File + ":"
	}
	return fmt.Errorf("put %s in: %w: %s -A %s -s wlc", t, ipvs.ErrNoService, do, t.Virtual.Option())
}

// look says whether the edit of j could be made, and makes none.
func (o *owner) look(ctx context.Context, j words.Job) error {
	ctx, cancel := context.WithTimeout(ctx, onceLimit)
	defer cancel()
	t, err := o.given.withDefaults().Open(j.Table)
	if err != nil {
		return settled(err)
	}
	for v := range j.Virtuals() {
		_, err = t.Destinations(ctx, v)
		if j.Kind == words.Service && errors.Is(err, ipvs.ErrNoService) {
			err = nil // it would be made
		}
		if err != nil {
			break
		}
	}
	return errors.Join(settled(err), t.Close())
}

// order carries out an order at the owner's desk, for each of the virtual
// services that it names.
func (d *desk) order(j words.Job, n order) error {
	switch {
	case !d.full:
		return errNoFull
	case j.OfTable() && !n.Up:
		return nil
	case j.Kind == words.Sync:
		return alert.Permanent(errors.New("the sync daemons are kept as the configuration has them: say it there (ipvs_sync)"))
	case j.Kind == words.Timeouts:
		return d.orderLimits(j)
	}
	var errs []error
	for v := range j.Virtuals() {
		errs = append(errs, d.orderAt(j.At(v), n))
	}
	return errors.Join(errs...)
}

// orderAt carries out an order on one target. If the config claims it, out is
// one more reason that holds until it is taken back, and in takes it back; the
// claims have the last word. On any other target it is one edit, after which
// hands are off it again.
func (d *desk) orderAt(j words.Job, n order) error {
	k := keyOf(j)
	if !d.claimed(k) {
		d.record.withdraw(j)
		return d.orderOnce(j, n)
	}
	switch {
	case n.Up:
		d.record.withdraw(j)
	case k.IsService():
		return alert.Permanent(fmt.Errorf("%s is declared in the configuration: take it out there", k.Target))
	default:
		d.record.order(j, n.Reason, d.now())
	}
	d.pool(place{j.Table, j.First}).stale = true
	err := d.agree(d.touched())
	if err == nil && n.Up {
		err = d.stays(k)
	}
	return err
}

func (d *desk) orderOnce(j words.Job, n order) error {
	if here, err := inRole(d.Options, j); err != nil || !here {
		return err
	}
	if n.Up {
		d.record.own(j, false)
		d.saveRecord()
	}
	pools := n.pools(j)
	m := d.table(j.Table)
	err := m.agree(d, pools, scope{pools: pools, services: true})
	defer d.letGo()
	if err != nil {
		return settled(err)
	}
	for t := range pools[0].pending { // nobody waits for it
		return missing(j.Table, t)
	}
	return nil
}

func (d *desk) orderLimits(j words.Job) error {
	ctx, cancel := d.looking()
	defer cancel()
	defer d.letGo()
	_, err := d.table(j.Table).setLimits(ctx, d, j.Timeouts)
	return settled(err)
}

// stays is the error of a target that was ordered in and is not.
func (d *desk) stays(k key) error {
	w, ok := d.want(k)
	switch {
	case !ok:
		return nil
	case d.pool(place{k.table, k.Virtual}).part != acts:
		return alert.Permanent(fmt.Errorf("%s stays as it is: no address that it follows is on this machine", k.Target))
	case w.Verdict == reconcile.Out:
		return alert.Permanent(fmt.Errorf("%s stays out: %s (%s)", k.Target, w.Reason(), w.Claims[0].ID))
	case w.Verdict == reconcile.Hold:
		return alert.Permanent(fmt.Errorf("%s stays as it is until its service was checked (%s)", k.Target, w.Claims[0].ID))
	case d.pool(place{k.table, k.Virtual}).pending[k.Target]:
		return missing(k.table, k.Target)
	}
	return nil
}
