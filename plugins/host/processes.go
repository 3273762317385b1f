package host

import (
	"cmp"
	"slices"
)

// Process is a classic monitor that runs.
type Process struct {
	Group, Service string
	PID            int
}

// Processes are the classic monitors that run now, by group and service. A check
// by a resident plugin is no process of its own and is not among them.
func (h *Host) Processes() []Process {
	all := h.pool.processes()
	slices.SortFunc(all, func(a, b Process) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Service, b.Service), cmp.Compare(a.PID, b.PID))
	})
	return all
}

func (p *pool) processes() (all []Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.running {
		if pid := int(w.pid.Load()); pid > 0 {
			r := &w.check.Request
			all = append(all, Process{Group: r.Group, Service: r.Service, PID: pid})
		}
	}
	return all
}
