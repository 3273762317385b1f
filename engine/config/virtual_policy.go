package config

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/virtual"
)

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// phrase begins to read the text of st.
func (r *resolver) phrase(st *Statement) *phrase { return newPhrase(&r.diag, st) }

// schedulers are those of the kernel.
func schedulers() []string {
	return []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "dh", "sed", "nq", "fo", "ovf", "mh", "twos"}
}

// scheduler reads NAME [FLAG...].
func scheduler(r *resolver, st *Statement) {
	p := r.phrase(st)
	w, ok := p.next("a name")
	if !ok {
		return
	}
	if !IsName(w.Text) || w.Text[0] == '-' {
		p.fail(w.Off, "it is one of "+strings.Join(schedulers(), " "), "invalid scheduler %s", quote(w.Text))
		return
	}
	if !slices.Contains(schedulers(), w.Text) {
		r.diag.warnf(st, w.Off, didYouMean(w.Text, schedulers()), "scheduler %s is not known here: the kernel will say whether it has it", quote(w.Text))
	}
	r.virt.scheduler, r.virt.flags = w.Text, nil
	flags := []string{"flag-1", "flag-2", "flag-3", "sh-fallback", "sh-port", "mh-fallback", "mh-port"}
	for p.more() {
		at := p.peek()
		i := p.choice("a flag", flags...)
		if i < 0 {
			return
		}
		if of := flags[i][:2]; i > 2 && of != w.Text {
			p.fail(at.Off, "", "%s is a flag of scheduler %s, not of %s", at.Text, of, w.Text)
			return
		}
		if slices.Contains(r.virt.flags, at.Text) {
			p.fail(at.Off, "", "%s is given twice", at.Text)
		}
		r.virt.flags = append(r.virt.flags, at.Text)
	}
}

func virtualForward(r *resolver, st *Statement) {
	p := r.phrase(st)
	if f := readForward(p); p.end() {
		r.virt.forward = f
	}
}

// persistent reads TIMEVAL [/LEN|NETMASK] [sip].
func persistent(r *resolver, st *Statement) {
	const longest = 31 * 24 * time.Hour // the most that the kernel's tools take
	p, v := r.phrase(st), r.virt
	v.persistAt = st
	at := p.peek()
	d := p.time(time.Second)
	switch {
	case d > longest:
		p.fail(at.Off, "", "%s is too long for persistent, which is 31d at most", quote(at.Text))
	case d%time.Second != 0:
		p.fail(at.Off, "", "persistent takes whole seconds, not %s", quote(at.Text))
	}
	mask := 0
	if w := p.peek(); p.more() && w.Text != "sip" {
		p.at++
		mask = readMask(p, w)
	}
	engine := ""
	if p.is("sip") {
		engine = "sip"
	}
	if p.end("sip") {
		v.persist, v.mask, v.engine = int(d/time.Second), mask, engine
	}
}

// readMask is the length of /LEN or of a netmask.
func readMask(p *phrase, w Word) int {
	if length, ok := strings.CutPrefix(w.Text, "/"); ok {
		n, ok := atoi(length)
		if !ok || n < 1 || n > 128 {
			p.fail(w.Off, "write /N from /1 to /32, or /128 for IPv6", "invalid mask %s", quote(w.Text))
		}
		return n
	}
	addr, err := netip.ParseAddr(w.Text)
	n := 0
	if err == nil && addr.Is4() {
		for n < 32 && addr.As4()[n/8]&(0x80>>(n%8)) != 0 {
			n++
		}
		if netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), n).Masked().Addr() != addr {
			n = 0
		}
	}
	if n == 0 {
		p.fail(w.Off, "write /24 or 255.255.255.0", "invalid mask %s", quote(w.Text))
	}
	return n
}

func netns(r *resolver, st *Statement) {
	p := r.phrase(st)
	w, ok := p.next("a name")
	if ok && (strings.ContainsAny(w.Text, "/\x00") || w.Text[0] == '-' || w.Text[0] == '.' || len(w.Text) > 255) {
		p.fail(w.Off, "it is a name such as ip netns shows", "invalid network namespace %s", quote(w.Text))
	}
	if p.end() {
		r.virt.netns = w.Text
	}
}

func startPolicy(r *resolver, st *Statement) {
	p := r.phrase(st)
	i := p.choice("a policy", "adopt", "pessimistic", "optimistic")
	if p.end() {
		r.virt.policy.Start = []virtual.Start{virtual.Adopt, virtual.Pessimistic, virtual.Optimistic}[i]
	}
}

// need reads all, any or a number.
func need(r *resolver, st *Statement) {
	p := r.phrase(st)
	n := 0
	switch {
	case p.is("all"):
	case p.is("any"):
		n = 1
	default:
		n = p.number("all, any or a number of checks", "", 1, 1000)
	}
	if p.end() {
		r.virt.need, r.virt.needAt = n, st
	}
}

// amount takes N, N weight, N members or N%.
func (p *phrase) amount() virtual.Amount {
	if strings.HasSuffix(p.peek().Text, "%") {
		return virtual.Amount{N: p.number("a percentage", "%", 1, 100), By: virtual.ByPercent}
	}
	a := virtual.Amount{N: p.number("a weight, a number of members or a percentage", "", 1, maxCount*100)}
	switch {
	case p.is("members", "member"):
		a.By = virtual.ByCount
	case p.is("weight"):
	}
	return a
}

// quorum reads AMOUNT [hysteresis N | down N].
func quorum(field func(*virtual.Pool) *virtual.Gate) meaning {
	return func(r *resolver, st *Statement) {
		p := r.phrase(st)
		a := p.amount()
		gate := virtual.Gate{Up: a}
		at := p.peek()
		sign := ""
		if a.By == virtual.ByPercent && p.at+1 < len(p.words) && strings.HasSuffix(p.words[p.at+1].Text, "%") {
			sign = "%"
		}
		switch {
		case p.is("hysteresis"):
			h := p.number("a number", sign, 0, maxCount*100)
			if gate = virtual.GateOf(a.N, a.By, h); h >= a.N {
				p.fail(at.Off, "", "a hysteresis of %d leaves nothing of %s: it must be less", h, a)
			} else if a.By == virtual.ByPercent && gate.Up.N > 100 {
				p.fail(at.Off, "", "with a hysteresis of %d it would be back at %s only", h, gate.Up)
			}
		case p.is("down"):
			gate.Down = virtual.Amount{N: p.number("a number", sign, 1, maxCount*100), By: a.By}
			if gate.Down.N > a.N {
				p.fail(at.Off, "", "it would be lost below %s and back at %s: the first must not be more", gate.Down, a)
			}
		}
		if p.end("hysteresis", "down", "weight", "members") {
			*field(&r.virt.policy) = gate
			if st.Name == "quorum" {
				r.virt.quorumAt = st
			}
		}
	}
}

func poolReturn(r *resolver, st *Statement) {
	if d, ok := r.time(st, 0); ok {
		r.virt.policy.Return = d
	}
}

// poolPanic reads below AMOUNT [until AMOUNT].
func poolPanic(r *resolver, st *Statement) {
	p := r.phrase(st)
	if !p.is("below") {
		p.fail(p.peek().Off, "write panic below 50%", "panic without below")
		return
	}
	gate := virtual.Gate{Down: p.amount()}
	at := p.peek()
	if p.is("until") {
		gate.Up = p.amount()
		switch {
		case p.bad:
		case gate.Up.By != gate.Down.By:
			p.fail(at.Off, "say both in one unit", "%s and %s cannot be compared", gate.Down, gate.Up)
		case gate.Up.N < gate.Down.N:
			p.fail(at.Off, "", "it would begin below %s and end at %s: the second must not be less", gate.Down, gate.Up)
		}
	}
	if p.end("until") {
		r.virt.policy.Panic = gate
	}
}

// eject reads at most N, or N%.
func eject(r *resolver, st *Statement) {
	p := r.phrase(st)
	if !p.is("at") || !p.is("most") {
		p.fail(p.peek().Off, "write eject at most 2", "eject without at most")
		return
	}
	a := virtual.Amount{By: virtual.ByPercent}
	if strings.HasSuffix(p.peek().Text, "%") {
		a.N = p.number("a percentage", "%", 1, 100)
	} else {
		a = virtual.Amount{N: p.number("a number of members or a percentage", "", 1, maxCount), By: virtual.ByCount}
		p.is("members", "member")
	}
	if p.end() {
		r.virt.policy.Eject = a
	}
}

func poolOnFail(r *resolver, st *Statement) {
	p := r.phrase(st)
	if action := readOnFail(p); p.end() {
		r.virt.onFail = action
	}
}

// drain reads TIMEVAL|forever [idle TIMEVAL], or none.
func drain(r *resolver, st *Statement) {
	p := r.phrase(st)
	d := virtual.Drain{}
	switch {
	case p.is("none"):
	case p.is("forever"):
		d.Deadline = virtual.Forever
	default:
		d.Deadline = p.time(time.Millisecond)
	}
	if d.Deadline != 0 && p.is("idle") {
		d.Idle = p.time(time.Second)
	}
	if p.end("idle") {
		r.virt.policy.Drain = d
	}
}

// ramp reads TIMEVAL [steps N] [linear|doubling].
func ramp(r *resolver, st *Statement) {
	p := r.phrase(st)
	v := virtual.Ramp{Over: p.time(time.Millisecond)}
	for p.more() {
		switch {
		case v.Steps == 0 && p.is("steps"):
			v.Steps = p.number("a number", "", 1, 1000)
		case p.is("linear"):
			v.Shape = virtual.Linear
		case p.is("doubling"):
			v.Shape = virtual.Doubling
		default:
			p.end("steps", "linear", "doubling")
		}
	}
	if p.end() {
		r.virt.policy.Ramp = v
	}
}

func poolWarn(r *resolver, st *Statement) {
	p := r.phrase(st)
	n := p.number("a percentage", "%", 1, 100)
	if p.end() {
		r.virt.policy.Warn = n
	}
}

// weightLimits reads [min P%] [max P%] [ignore P%] [step P%] [every TIMEVAL].
func weightLimits(r *resolver, st *Statement) {
	p := r.phrase(st)
	words := []string{"min", "max", "ignore", "step", "every"}
	var l virtual.Limits
	var seen []int
	at := p.peek()
	for first := true; first || p.more(); first = false {
		off := p.peek().Off
		i := p.choice("min, max, ignore, step or every", words...)
		if slices.Contains(seen, i) {
			p.fail(off, "", "%s is given twice", words[i])
		}
		seen = append(seen, i)
		switch i {
		case 0:
			l.Min = p.number("a percentage", "%", 1, virtual.MaxWeight)
		case 1:
			l.Max = p.number("a percentage", "%", 1, virtual.MaxWeight)
		case 2:
			l.Ignore = p.number("a percentage", "%", 1, 100)
		case 3:
			l.Step = p.number("a percentage", "%", 1, virtual.MaxWeight)
		case 4:
			l.Every = p.time(time.Millisecond)
		}
	}
	if high := max(l.Max, 100*map[bool]int{true: 1}[l.Max == 0]); l.Min > high {
		p.fail(at.Off, "", "min %d%% is above max %d%%", l.Min, high)
	}
	if p.end() {
		r.virt.policy.Asks = l
	}
}

func virtualMaintenanceDir(r *resolver, st *Statement) {
	if !r.empty(st) {
		r.virt.maintenanceDir = st.Text
	}
}

// maintenanceAt reads REAL PERIOD.
func maintenanceAt(r *resolver, st *Statement) {
	who, text, off := cutWord(st.Text)
	if who == "" || text == "" {
		r.diag.errorf(st, -1, "write maintenance_at REAL PERIOD, such as maintenance_at www1 hr {2am-4am}", "maintenance_at without a real and a period")
		return
	}
	spec, ok := r.spec(st, text, off)
	if !ok {
		return
	}
	if spec.Never() {
		r.diag.warnf(st, off, "", "period %s never comes", quote(text))
	}
	r.virt.maintenance = append(r.virt.maintenance, maintenance{st: st, who: who, when: spec})
}

func virtualFault(r *resolver, st *Statement) {
	if f, ok := r.fault(st); ok {
		r.virt.Faults = addFault(r.virt.Faults, f)
	}
}

func serviceFault(r *resolver, st *Statement) {
	if f, ok := r.fault(st); ok {
		r.svc.Faults = addFault(r.svc.Faults, f)
	}
}

// addFault puts f where it belongs; the order of the file means nothing.
func addFault(all []LocalFault, f LocalFault) []LocalFault {
	at, there := slices.BinarySearchFunc(all, f, func(a, b LocalFault) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Link, b.Link), a.Addr.Compare(b.Addr))
	})
	if there {
		return all
	}
	return slices.Insert(all, at, f)
}

// fault reads link INTERFACE, source ADDRESS or gateway ADDRESS.
func (r *resolver) fault(st *Statement) (LocalFault, bool) {
	p := r.phrase(st)
	kind := p.choice("what: link INTERFACE, source ADDRESS or gateway ADDRESS", "link", "source", "gateway")
	if kind < 0 {
		return LocalFault{}, false
	}
	f := LocalFault{Kind: FaultKind(kind)}
	w, ok := p.next([]string{"an interface", "an address", "an address"}[kind])
	switch {
	case !ok:
	case f.Kind == FaultLink:
		if !isInterface(w.Text) {
			p.fail(w.Off, "it is a name such as ip link shows, of 15 letters at most", "invalid interface %s", quote(w.Text))
		}
		f.Link = w.Text
	default:
		addr, err := netip.ParseAddr(w.Text)
		if err == nil && (addr.IsUnspecified() || addr.IsMulticast() || addr.Is4In6()) {
			err = errorText("that is no address of a machine")
		} else if err != nil {
			err = errorText("an address is written like 192.168.0.1 or 2001:db8::1")
		}
		if err != nil {
			p.fail(w.Off, "", "invalid address %s: %v", quote(w.Text), err)
		}
		f.Addr = addr
	}
	return f, p.end()
}

// weightFrom reads exit, or perf LABEL [as KIND]; labels may have blanks.
func weightFrom(r *resolver, st *Statement) {
	p := newQuotedPhrase(&r.diag, st)
	from := WeightFrom{Kind: virtual.AskWeight}
	switch p.choice("where: exit, or perf LABEL", "exit", "perf") {
	case 0:
		from.Exit = true
	case 1:
		w, ok := p.next("a label")
		if ok && strings.Trim(w.Text, blanks) == "" {
			p.fail(w.Off, "", "the label in %s is empty", st.Name)
		}
		from.Label = w.Text
		from.Kind = weightKind(p)
	}
	if p.end("as") {
		r.svc.Asks = from
	}
}

// weightKind reads as KIND, or nothing.
func weightKind(p *phrase) virtual.AskKind {
	if p.more() && p.peek().Text != "as" && didYouMean(p.peek().Text, []string{"as"}) == "" {
		p.fail(p.peek().Off, `put a label with blanks in quotes: perf "free space"`, "unexpected %s in %s", quote(p.peek().Text), p.st.Name)
	}
	if p.is("as") {
		kinds := []virtual.AskKind{virtual.AskWeight, virtual.AskPercent, virtual.AskDelta, virtual.AskLoad}
		if i := p.choice("weight, percent, delta or load", "weight", "percent", "delta", "load"); i >= 0 {
			return kinds[i]
		}
	}
	return virtual.AskWeight
}

func tableRole(r *resolver, st *Statement) {
	if i, ok := r.choice(st, "warm", "by-role"); ok {
		r.c.Globals.TableByRole = i == 1
	}
}
