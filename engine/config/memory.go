package config

import (
	"slices"
	"strings"
)

// Memory is what the virtual services of a configuration were made into, so that
// reading it again makes only those anew whose lines changed, see [Options]. The
// zero value is empty; one reading after the other may use it.
//
// What was made keeps the places of its lines as they were then. Nothing runs by
// them, but whoever has something to say about a place has to [Memory.Forget] and to
// read again.
type Memory struct {
	known map[string]*pool // by their lines
	// templates and settings are what else they were made of.
	templates string
	settings  poolSettings
	held      int // bytes of the texts that what is known may hold on to
	used      bool
}

// maxHeld bounds the texts that are held on to: what is known is of words in the
// whole file that it was read from, and each reading may leave one such.
const maxHeld = 64 << 20

// poolSettings are the globals that are in what a virtual service is made into.
type poolSettings struct {
	byRole                    bool
	limits                    IPVSTimeouts
	sync                      IPVSSync
	cfBaseDir, maintenanceDir string
}

func settingsOf(g *Globals) poolSettings {
	return poolSettings{g.TableByRole, g.IPVSTimeouts, g.IPVSSync, g.CfBaseDir, g.MaintenanceDir}
}

// Used reports whether the last reading took something from m.
func (m *Memory) Used() bool { return m.used }

// Forget empties m.
func (m *Memory) Forget() { *m = Memory{} }

// begin is the begin of a reading of so many bytes, with these templates.
func (m *Memory) begin(size int, templates string) {
	if m.held += size; m.held > maxHeld || m.templates != templates {
		*m = Memory{held: size, templates: templates}
	}
}

// take takes out the virtual service that was made of these lines, or nil.
func (m *Memory) take(lines string) *pool {
	p := m.known[lines]
	if p != nil {
		delete(m.known, lines)
		m.used = true
	}
	return p
}

// keep is the end of a reading: what it made is known from now on, if there was
// nothing to say about it.
func (m *Memory) keep(pools []*pool, s poolSettings) {
	m.known, m.settings = make(map[string]*pool, len(pools)), s
	for _, p := range pools {
		if p.text != "" && !p.broken {
			m.known[p.text] = p
		}
	}
}

// textOf is what lines mean: all of them but comments and blank ones.
func textOf(lines ...[]Statement) string {
	var b strings.Builder
	for _, list := range lines {
		for i := range list {
			st := &list[i]
			if !st.means() {
				continue
			}
			b.WriteByte(byte(st.Kind))
			if st.plain() {
				b.WriteByte('#')
			}
			b.WriteString(st.Name)
			b.WriteByte(0)
			b.WriteString(st.Text)
			b.WriteByte(0)
		}
	}
	return b.String()
}

// means reports whether a line says something: is no comment, nor blank.
func (s *Statement) means() bool { return s.Kind != KindComment && s.Kind != KindBlank }

// again takes the virtual service that was made of the same lines before, or nil.
func (x *expander) again(st *Statement, lines []Statement) *virtualDraft {
	if x.memory == nil || len(x.memory.known) == 0 {
		return nil
	}
	p := x.memory.take(textOf([]Statement{*st}, lines))
	if p == nil || !x.rooms(st, p.count, p.bytes) {
		return nil
	}
	x.out = append(x.out, *st) // its lines are read
	v := p.virtualDraft
	v.st, v.was = st, p
	for i := range v.reals {
		v.reals[i].keys = nil // those that it had are in use
	}
	for i := range v.addresses {
		if mark := v.addresses[i].mark; mark > 0 {
			x.mark(mark)
		}
	}
	return v
}

// asBefore reports whether what p was before is what it is made into now: its lines
// are the same, but the services of its checks come from elsewhere, too.
func (r *resolver) asBefore(p *pool) bool {
	if p.was == nil || r.o.Memory.settings != settingsOf(&r.c.Globals) {
		return false
	}
	for i := range p.reals {
		m, is := &p.reals[i], &p.Members[i]
		if !slices.Equal(m.keys, is.Checks) {
			return false
		}
		asks, ask := -1, WeightFrom{}
		for j, key := range m.keys {
			s := r.byKey[key]
			if s == nil || s.Asks != (WeightFrom{}) && asks >= 0 {
				return false
			}
			if s.Asks != (WeightFrom{}) {
				asks, ask = j, s.Asks
			}
		}
		if asks != is.Asks || ask != is.Ask {
			return false
		}
	}
	return true
}

// anew is p before it is finished: what it was is in use.
func (p *pool) anew() *pool {
	next := *p
	next.was, next.Rows, next.Members, next.policy.Members = nil, nil, nil, nil
	return &next
}
