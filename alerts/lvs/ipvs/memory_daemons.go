package ipvs

import (
	"context"
	"maps"
	"net/netip"
	"slices"
)

// Daemons implements [Syncer].
func (f *Fake) Daemons(ctx context.Context) (out []Daemon, err error) {
	err = f.call(ctx, "Daemons", Virtual{}, netip.AddrPort{}, func() error {
		for _, s := range slices.Sorted(maps.Keys(f.m.rows.daemons)) {
			out = append(out, Daemon{s, f.m.rows.daemons[s]})
		}
		return nil
	})
	return out, err
}

// StartDaemon implements [Syncer].
func (f *Fake) StartDaemon(ctx context.Context, d Daemon) error {
	return f.call(ctx, "StartDaemon "+d.State.String(), Virtual{}, netip.AddrPort{}, func() error {
		err := d.Validate()
		if _, runs := f.m.rows.daemons[d.State]; runs {
			err = ErrExists
		}
		if err == nil {
			f.m.rows.daemons[d.State] = d.Sync.Filled()
		}
		return wrap("start the sync daemon ("+d.State.String()+")", Virtual{}, netip.AddrPort{}, err)
	})
}

// StopDaemon implements [Syncer].
func (f *Fake) StopDaemon(ctx context.Context, s DaemonState) error {
	return f.call(ctx, "StopDaemon "+s.String(), Virtual{}, netip.AddrPort{}, func() error {
		if _, runs := f.m.rows.daemons[s]; !runs {
			return wrap("stop the sync daemon ("+s.String()+")", Virtual{}, netip.AddrPort{}, ErrNoDaemon)
		}
		delete(f.m.rows.daemons, s)
		return nil
	})
}
