package virtual

// gather brings together what is configured, remembered and seen of each
// member.
func (r *round) gather(all []member, st *State) []member {
	if n := max(len(r.p.Members), len(st.Members)); n > cap(all) {
		all = make([]member, 0, n)
	}
	for i := range r.p.Members {
		set := &r.p.Members[i]
		w := member{set: set}
		r.size[min(set.Tier, Fallback)]++
		if i < len(r.in.Members) {
			w.Seen = r.in.Members[i]
		}
		if at := find(st.Members, i, set.Name); at >= 0 {
			w.MemberState = st.Members[at]
			w.old = w.Desired
		} else {
			w.MemberState = r.newcomer(set.Name, w.Table)
		}
		all = append(all, w)
	}
	for i := range st.Members {
		if r.p.names(i, st.Members[i].Name) {
			continue
		}
		if w, ok := r.left(st.Members[i]); ok {
			all = append(all, w)
		}
	}
	for i := range all {
		w := &all[i]
		w.sane(r.now)
		w.carried = w.Phase.carries()
	}
	if !r.st.Begun {
		r.begin(all)
	}
	return all
}

// begin takes up a pool never seen before: the tier that serves is the first
// that the table sends clients to.
func (r *round) begin(all []member) {
	s := &r.st
	s.Begun, s.ServingSince = true, r.now
	serving, shown := Fallback, false
	for i := range all {
		if w := &all[i]; w.carried {
			serving, shown = min(serving, w.set.Tier), true
		}
	}
	if shown {
		s.Serving = serving
	}
}

// find is where name is in all, most likely at i; -1 if it is not.
func find(all []MemberState, i int, name string) int {
	if i < len(all) && all[i].Name == name {
		return i
	}
	for i := range all {
		if all[i].Name == name {
			return i
		}
	}
	return -1
}

// names reports whether p has a member of that name, most likely at i.
func (p *Pool) names(i int, name string) bool {
	if i < len(p.Members) && p.Members[i].Name == name {
		return true
	}
	for i := range p.Members {
		if p.Members[i].Name == name {
			return true
		}
	}
	return false
}

// newcomer is the state of a member never seen before. Where the table has it
// already it is no newcomer to its clients.
func (r *round) newcomer(name string, row Row) MemberState {
	m := MemberState{Desired: Desired{Name: name, Since: r.now}, Began: r.now}
	m.adopt(row, r)
	m.Cold = r.was.Begun && m.Phase == Out
	return m
}

// left takes in a member that the configuration does not name any more, unless
// the table has it no more either. As long as nobody says what the table has,
// it is remembered, so that it is not forgotten in the table.
func (r *round) left(m MemberState) (w member, ok bool) {
	w = member{MemberState: m, old: m.Desired}
	for i := range r.in.Left {
		if l := &r.in.Left[i]; l.Name == m.Name {
			w.Table, w.Conns = l.Table, l.Conns
		}
	}
	if w.Table.Known && !w.Table.There {
		r.changes = append(r.changes, Change{Member: m.Name, From: m.Desired, To: Desired{Name: m.Name}, Reason: Forgotten})
		return w, false
	}
	return w, true
}

// adopt makes m what the table has of it, as far as that is known.
func (m *MemberState) adopt(row Row, r *round) {
	if !row.Known {
		return
	}
	m.In, m.Weight = row.There, 0
	switch {
	case !row.There:
		m.turn(Out, r)
	case row.Weight <= 0 && m.Phase != Draining:
		m.turn(Quiet, r)
	case row.Weight > 0:
		m.Weight = min(row.Weight, MaxWeight)
		if !m.Phase.carries() {
			m.turn(Serving, r)
		}
	}
}

// turn begins a phase, unless m is in it.
func (m *MemberState) turn(p Phase, r *round) {
	if m.Phase != p {
		m.Phase, m.Began = p, r.now
	}
}

// fault notes that the local fault began, ended or became another.
func (r *round) fault() {
	is := r.in.Fault
	if is == r.st.Fault {
		return
	}
	why := FaultBegan
	note := is
	if is == "" {
		why, note = FaultEnded, r.st.Fault
	}
	r.st.Fault, r.st.FaultSince = is, r.now
	r.say(why, note)
}

// say notes a change of the whole pool.
func (r *round) say(why Reason, note string) {
	r.changes = append(r.changes, Change{Reason: why, Note: note})
}
