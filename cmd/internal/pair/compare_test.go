package pair

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// machines are two directors, a and b, under one of the programs that are
// compared. a is the one that serves first.
type machines interface {
	start(t *testing.T)
	// ready says whether the peer could take over now.
	ready(v *witness) bool
	// freeze ends all programs of a at once, as far as the network is told.
	freeze()
	// kill kills all programs of a with SIGKILL.
	kill()
	// daemon kills the one of a that an operator calls the daemon.
	daemon()
	stop(t *testing.T)
	standby(t *testing.T)
}

// product is a program with its settings.
type product struct {
	name    string
	detects time.Duration // from the last sign of life
	make    func(t *testing.T, w *world) machines
	leaves  []string // events that it has not
}

// products are compared at the same detection times: 361 ms is what VRRPv3 makes
// of an advertisement each 100 ms at priority 100.
func products() []product {
	return []product{
		{"keepalived, VRRPv3 100 ms", 361 * time.Millisecond, keepalived, []string{"standby", "daemon killed"}},
		{"mond, 100/361 ms", 361 * time.Millisecond, monds("361ms"), nil},
		{"heartbeat, 100/500 ms", 500 * time.Millisecond, heartbeat, []string{"daemon killed"}},
		{"mond, 100/500 ms", 500 * time.Millisecond, monds("500ms"), nil},
	}
}

// happening is what is done to a, in which all must be the same.
type happening struct {
	name string
	do   func(t *testing.T, m machines, cut func())
}

func happenings() []happening {
	return []happening{
		{"power off", func(_ *testing.T, m machines, cut func()) { m.freeze(); cut(); m.kill() }},
		{"orderly stop", func(t *testing.T, m machines, _ func()) { m.stop(t) }},
		{"standby", func(t *testing.T, m machines, _ func()) { m.standby(t) }},
		{"daemon killed", func(_ *testing.T, m machines, _ func()) { m.daemon() }},
		{"all killed", func(_ *testing.T, m machines, _ func()) { m.kill() }},
	}
}

// observed is what came of it.
type observed struct {
	gap, twice time.Duration
	still      bool // both have the address at the end
}

// TestCompare measures mond beside keepalived and heartbeat in one run: the same
// network, client and detection time, one after the other, so that what the
// machine has else to do hits all. It prints a table and fails only where mond
// does what it must never do; the gaps are to be read.
func TestCompare(t *testing.T) {
	seldom(t) // a quarter of an hour; scripts/bench failover runs it alone
	runs, err := strconv.Atoi(os.Getenv("MOND_RUNS"))
	if err != nil {
		runs = 5
	}
	seen := map[string][]observed{}
	for i := range runs {
		for _, e := range happenings() {
			for _, p := range products() {
				t.Run(fmt.Sprintf("%d/%s/%s", i, e.name, p.name), func(t *testing.T) {
					if slices.Contains(p.leaves, e.name) {
						return
					}
					cold, o := compare(t, p, e)
					seen["cold start\t"+p.name] = append(seen["cold start\t"+p.name], observed{gap: cold})
					seen[e.name+"\t"+p.name] = append(seen[e.name+"\t"+p.name], o)
					t.Logf("served after %v; gap %v, both for %v, still %v", cold, o.gap, o.twice, o.still)
				})
			}
		}
	}
	print(t, seen)
	for key, all := range seen {
		if strings.Contains(key, "\tmond") && slices.ContainsFunc(all, func(o observed) bool { return o.twice > 0 || o.still }) {
			t.Errorf("%s: two had the address: %v", key, all)
		}
	}
}

// compare does one thing to one pair.
func compare(t *testing.T, p product, e happening) (cold time.Duration, o observed) {
	w := newWorld(t)
	watch := newWitness(t, w)
	ask := newAskerEach(t, w, time.Millisecond)
	m := p.make(t, w)
	began := time.Now()
	m.start(t)
	until(t, "a serves", func() bool { return watch.who() == "a" && ask.last() == "a" })
	cold = time.Since(began)
	until(t, "b could take over", func() bool { return m.ready(watch) })
	rest(time.Second)
	watch.double()
	cut := w.cutter(t, "a")
	event := time.Now()
	e.do(t, m, cut)
	until(t, "b serves", func() bool { return watch.how("b") != none && ask.last() == "b" })
	rest(time.Second)
	o.gap, _, _ = ask.gap(event)
	o.twice, o.still = watch.double(), watch.who() == "ab"
	return cold, o
}

func rest(d time.Duration) { <-time.After(d) }

// cutter is what takes all cables from a node at once.
func (w *world) cutter(t *testing.T, n string) func() {
	t.Helper()
	ns, err := netns.GetFromName(w.node(n))
	must(t, err)
	defer ns.Close()
	h, err := netlink.NewHandleAt(ns)
	must(t, err)
	t.Cleanup(h.Close)
	var links []netlink.Link
	for _, name := range []string{"eth0", "eth1", "eth2"} {
		link, err := h.LinkByName(name)
		must(t, err)
		links = append(links, link)
	}
	return func() {
		for _, link := range links {
			must(t, h.LinkSetDown(link))
		}
	}
}

// print writes the table.
func print(t *testing.T, seen map[string][]observed) {
	t.Helper()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "event\tprogram\truns\tgap, median\tleast\tmost\tboth had it, median\tmost")
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		all := seen[key]
		gaps, twice := column(all, func(o observed) time.Duration { return o.gap }), column(all, func(o observed) time.Duration { return o.twice })
		most := ms(twice[len(twice)-1])
		if slices.ContainsFunc(all, func(o observed) bool { return o.still }) {
			most += ", and on"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", key, len(all), ms(gaps[len(gaps)/2]), ms(gaps[0]), ms(gaps[len(gaps)-1]), ms(twice[len(twice)/2]), most)
	}
	_ = w.Flush()
	t.Logf("what the client saw, asking each millisecond:\n%s", &b)
	if path := os.Getenv("MOND_TABLE"); path != "" {
		must(t, os.WriteFile(path, []byte(b.String()), 0o644))
	}
}

func column(all []observed, of func(observed) time.Duration) (c []time.Duration) {
	for _, o := range all {
		c = append(c, of(o))
	}
	slices.Sort(c)
	return c
}

func ms(d time.Duration) string {
	return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10) + " ms"
}

// twoMonds is mond itself.
type twoMonds struct{ a, b *director }

// monds makes a pair with this dead time. It uses the cables that the others use.
func monds(dead string) func(t *testing.T, w *world) machines {
	return func(t *testing.T, w *world) machines {
		more := words{elector: "--initdead 3s --interval 100ms --dead " + dead}
		links := func(x1, y1, x2, y2 string) string {
			return fmt.Sprintf("--link lan=udp:%s,%s --link cable=udp:%s,%s", x1, y1, x2, y2)
		}
		return &twoMonds{
			newDirector(t, w, "a", 1, 2, links(lanA, lanB, cableA1, cableB1), more),
			newDirector(t, w, "b", 2, 1, links(lanB, lanA, cableB1, cableA1), more),
		}
	}
}

func (m *twoMonds) start(t *testing.T)    { m.a.start(t); m.b.start(t) }
func (m *twoMonds) ready(v *witness) bool { return v.how("a") == leased }
func (m *twoMonds) freeze()               { m.a.signal(syscall.SIGSTOP, m.a.all()...) }
func (m *twoMonds) kill()                 { m.a.signal(syscall.SIGKILL, m.a.all()...) }
func (m *twoMonds) daemon()               { m.a.signal(syscall.SIGKILL, m.a.cmd.Process.Pid) }
func (m *twoMonds) stop(t *testing.T)     { m.a.stop(t) }
func (m *twoMonds) standby(t *testing.T)  { m.a.monctl(t, "failover", "standby", "web") }
