package words

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
)

// The options that belong to one kind only.
var (
	ofReal    = []string{"R", "W", "F", "x", "y", "tun-type", "tun-port", "tun-csum"}
	ofService = []string{"s", "p", "M", "pe", "o", "b"}
)

// Job judges the options together; rest are the words that are none.
func (a *Arguments) Job(rest []string) (Job, error) {
	if len(rest) > 0 {
		return Job{}, fmt.Errorf("%s takes options only: what is %q?", Name, rest[0])
	}
	if a.table.File != "" && a.table.NetNS != "" {
		return Job{}, errors.New("--table and --netns: a file has no network namespace, leave one out")
	}
	kind, err := a.kind()
	if err != nil {
		return Job{}, err
	}
	j := Job{Kind: kind, Table: a.table, ByRole: a.byRole}
	switch kind {
	case Timeouts:
		j.Timeouts = a.timeouts
		return j, nil
	case Sync:
		j.Sync, j.ByRole = a.sync, a.syncByRole
		return j, nil
	case Real, Service:
	}
	if err := a.name(&j); err != nil {
		return Job{}, err
	}
	if kind == Real {
		err = a.realJob(&j)
	} else {
		err = a.serviceJob(&j)
	}
	if err != nil {
		return Job{}, err
	}
	return j, nil
}

// kind says what the options are about, and refuses those of another kind.
func (a *Arguments) kind() (Kind, error) {
	switch {
	case a.given["timeouts"]:
		return Timeouts, a.alone("timeouts", "time limits")
	case a.given["sync"]:
		return Sync, a.alone("sync", "sync daemons")
	case a.virtual == (addresses{}):
		return 0, errors.New("-V is missing: say the virtual service, such as -V 10.0.0.3:80")
	case a.declared:
		return Service, a.without(ofReal, "--service is about the virtual service's own row")
	case !a.real.IsValid():
		return 0, errors.New("-R is missing: say the real server, such as -R 192.168.0.1, or --service for the virtual service itself")
	}
	return Real, a.without(ofService, "without --service it is about a real server")
}

// without refuses options that were given.
func (a *Arguments) without(names []string, why string) error {
	for _, n := range names {
		if a.given[n] {
			dashes := "-"
			if len(n) > 1 {
				dashes = "--"
			}
			return fmt.Errorf("%s%s: %s, leave it out", dashes, n, why)
		}
	}
	return nil
}

// alone refuses everything but a namespace beside an option that is about the
// whole table.
func (a *Arguments) alone(option, what string) error {
	if a.declared {
		return fmt.Errorf("--service and --%s: the %s are the whole table's, leave one out", option, what)
	}
	if a.given["table"] {
		return fmt.Errorf("--%s and --table: a file has no %s, leave one out", option, what)
	}
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(a.given)), func(n string) bool { return n == option || n == "netns" })
	return a.without(others, "--"+option+" is about the whole table")
}

// name fills in which virtual services j is about.
func (a *Arguments) name(j *Job) error {
	v := a.virtual
	j.Count = v.count
	if v.mark != 0 {
		if a.given["P"] {
			return errors.New("-P and a firewall mark: a mark has no protocol, leave -P out")
		}
		j.First = ipvs.Virtual{Mark: v.mark, V6: v.v6}
		return nil
	}
	j.First = ipvs.Virtual{Protocol: a.protocol, Addr: v.first}
	for u := range j.Virtuals() {
		if err := u.Validate(); err != nil {
			return fmt.Errorf("-V %s: %w", j.virtualWord(), err)
		}
	}
	return nil
}

func (a *Arguments) realJob(j *Job) error {
	port := a.port
	switch {
	case j.First.Mark == 0 && port == 0:
		port = j.First.Addr.Port()
	case j.First.Mark != 0 && a.real.Is6() && a.row.Forward != ipvs.Tunnel:
		j.First.V6 = true // only a tunnel leads to another family
	}
	j.Row = a.row
	j.Row.Addr = netip.AddrPortFrom(a.real, port)
	if a.given["x"] {
		j.Says |= reconcile.SaysUpper
	}
	if a.given["y"] {
		j.Says |= reconcile.SaysLower
	}
	if a.given["tun-type"] || a.given["tun-port"] || a.given["tun-csum"] {
		j.Says |= reconcile.SaysTunnel
	}
	if j.Says.Has(reconcile.SaysTunnel) && j.Row.Forward != ipvs.Tunnel {
		return fmt.Errorf("--tun-...: with -F %s nothing is wrapped; say -F tun", j.Row.Forward)
	}
	if err := j.Row.ValidateIn(j.First); err != nil {
		return fmt.Errorf("-V %s -R %s: %w", j.virtualWord(), j.Row.Addr, err)
	}
	return nil
}

func (a *Arguments) serviceJob(j *Job) (err error) {
	j.Service = a.service
	if a.given["M"] {
		if j.Service.Mask, err = a.mask.in(j.First); err != nil {
			return err
		}
	}
	if err := a.consistent(j); err != nil {
		return fmt.Errorf("-V %s --service: %w", j.virtualWord(), err)
	}
	return nil
}

// consistent refuses what would have no effect.
func (a *Arguments) consistent(j *Job) error {
	whole := j.Service
	whole.Virtual = j.First
	switch {
	case whole.Persist == 0 && a.given["M"]:
		return errors.New("-M groups clients for persistence: it needs -p SECONDS")
	case whole.Persist == 0 && whole.Engine != "":
		return errors.New("--pe says how clients are told apart for persistence: it needs -p SECONDS")
	case whole.OnePacket && j.First.Mark == 0 && j.First.Protocol != ipvs.UDP:
		return fmt.Errorf("-o schedules UDP packets, not %s", j.First.Protocol)
	}
	for _, f := range a.flags {
		of, _, named := strings.Cut(f, "-")
		if named && of != "flag" && of != whole.Scheduler {
			return fmt.Errorf("-b %s: that is a flag of %s, and the scheduler is %s", f, of, whole.Scheduler)
		}
	}
	return whole.Validate()
}
