package heartbeat

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/witness"
	"github.com/mondhq/mond/plugins/role"
)

// third adds a third machine, with a cable to each director, and returns its
// namespace.
func (l *lab) third() string {
	l.t.Helper()
	space := strings.TrimSuffix(l.space[0], "s") + "w"
	ip(l.t, "netns add "+space)
	l.t.Cleanup(func() { _, _ = exec.Command("ip", "netns", "del", space).CombinedOutput() })
	ip(l.t, "-n "+space+" link set lo up")
	for n := 1; n <= 2; n++ {
		l.in(n, fmt.Sprintf("link add w0 type veth peer name w%d netns %s", n, space), fmt.Sprintf("addr add 10.9.%d.%d/24 dev w0", 10+n, n), "link set w0 up")
		ip(l.t, fmt.Sprintf("-n %s addr add 10.9.%d.9/24 dev w%d", space, 10+n, n))
		ip(l.t, fmt.Sprintf("-n %s link set w%d up", space, n))
	}
	return space
}

// witness starts a witness there.
func (l *lab) witness(space string, more ...string) *director {
	l.t.Helper()
	args := []string{"netns", "exec", space, executable(l.t), "--node", "9", "--keys", l.keys}
	for n := 1; n <= 2; n++ {
		args = append(args, "--director", fmt.Sprintf("%d=udp:10.9.%d.9,10.9.%d.%d", n, 10+n, 10+n, n))
	}
	return l.run(9, site(), append(args, more...))
}

func toWitness(n int) []string {
	return []string{"--witness", fmt.Sprintf("9=udp:10.9.%d.%d,10.9.%d.9", 10+n, n, 10+n)}
}

// split cuts all links between the two, and the network of the addresses between
// them; the gateway still answers both.
func (l *lab) split(on bool) {
	l.t.Helper()
	state := map[bool]string{true: "down", false: "up"}[on]
	isolated := map[bool]string{true: "on", false: "off"}[on]
	l.in(0, "link set p1 type bridge_slave isolated "+isolated, "link set p2 type bridge_slave isolated "+isolated)
	l.in(1, "link set hb1 "+state, "link set hb2 "+state)
}

// reach cuts a director from the witness, or not.
func (l *lab) reach(node int, on bool) {
	l.t.Helper()
	l.in(node, "link set w0 "+map[bool]string{true: "up", false: "down"}[on])
}

// TestWitness: a pair with a witness, all of them programs of their own. Where all
// between the two is cut, the one that the witness hears serves, and never both.
func TestWitness(t *testing.T) {
	for _, c := range []struct {
		name  string
		reach [3]bool // the witness, by node
		who   string
		long  bool // only where there is time
	}{
		{name: "from the standby", reach: [3]bool{2: true}, who: "2"},
		{name: "from both", reach: [3]bool{1: true, 2: true}, who: "1", long: true},
		{name: "from the holder", reach: [3]bool{1: true}, who: "1", long: true},
		{name: "from none", who: "", long: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.long && os.Getenv("MOND_SOAK") == "" {
				t.Skip("it waits for long: set MOND_SOAK")
			}
			l := newLab(t)
			w := l.witness(l.third())
			a, b := l.settled(toWitness)
			a.says("witness", "it answers", soon)
			b.says("witness", "it answers", soon)
			w.says("director-2", "it asks", soon)
			b.says("redundancy", "could take over", soon)

			for n := 1; n <= 2; n++ {
				if !c.reach[n] {
					l.reach(n, false)
				}
			}
			l.split(true)
			cut := time.Now()
			settled := time.Duration(0)
			for time.Since(cut) < 3*time.Second && (settled == 0 || time.Since(cut)-settled < time.Second) {
				who := ""
				for n := 1; n <= 2; n++ {
					if l.has(n) {
						who += fmt.Sprint(n)
					}
				}
				if who == "12" {
					t.Fatal("both have it")
				}
				if who == c.who && settled == 0 {
					settled = time.Since(cut)
				} else if who != c.who {
					settled = 0
				}
			}
			t.Logf("node %q has it after %v", c.who, settled)
			if limit := 500*time.Millisecond + witness.Margin(500*time.Millisecond) + 500*time.Millisecond; settled == 0 || settled > limit {
				t.Errorf("not within %v", limit)
			}
			if !c.reach[1] {
				a.says("witness", "it has not answered", soon)
				a.says("role-web", "the witness is silent, too", soon)
			}
			l.split(false)
			l.reach(1, true)
			l.reach(2, true)
			a.says("peer", "alive", soon)
			b.says("peer", "alive", soon)
			l.eventually("one has it", soon, func() bool { return l.has(1) != l.has(2) })
		})
	}
}

// TestWitnessGoes: the witness ends, is replaced, speaks with other keys, and
// stands still: no role changes, and each is told on all three machines.
func TestWitnessGoes(t *testing.T) {
	if os.Getenv("MOND_SOAK") == "" {
		t.Skip("it waits for long: set MOND_SOAK")
	}
	l := newLab(t)
	space := l.third()
	w := l.witness(space)
	a, b := l.settled(toWitness)
	b.says("witness", "it answers", soon)
	b.says("redundancy", "could take over", soon)

	second := l.witness(space)
	select {
	case <-second.ended:
	case <-time.After(soon):
		t.Error("two witnesses on one machine")
	}

	w.signal(syscall.SIGSTOP)
	a.says("witness", "has not answered", soon)
	b.says("redundancy", "there is no witness", soon)
	w.signal(syscall.SIGCONT)
	a.says("witness", "it answers", soon)
	w.kill()
	a.says("witness", "has not answered", soon)

	w = l.witness(space)
	a.says("witness", "it answers", soon)
	b.says("witness", "it answers", soon)
	a.steady(true, 200*time.Millisecond)
	b.steady(false, 200*time.Millisecond)

	b.kill()
	a.says("peer", "silent", soon)
	w.says("director-2", "has not asked", soon)
	a.steady(true, time.Second)
	if !l.has(1) || !l.leased(1) {
		t.Error("A has no lease on it")
	}
}

// stranger puts the address on the switch, as a third machine would have it.
func (l *lab) stranger(on bool) {
	l.t.Helper()
	l.in(0, "addr "+map[bool]string{true: "add", false: "del"}[on]+" "+vip+"/32 dev br0")
}

// TestStrangers: a third machine has the address before anybody here: neither of
// two directors takes it, nor does a single one; when it has gone they do.
func TestStrangers(t *testing.T) {
	t.Run("pair", func(t *testing.T) {
		l := newLab(t)
		l.stranger(true)
		a, b := l.start(1, site(web)), l.start(2, site(web))
		a.says("role-web", "a stranger answers", soon)
		b.says("role-web", "a stranger answers", soon)
		a.steady(false, 500*time.Millisecond)
		b.steady(false, 100*time.Millisecond)
		l.stranger(false)
		a.takes("web", soon)
		l.eventually("A has it", soon, func() bool { return l.has(1) && !l.has(2) })
		a.says("role-web", "holding", soon)
		b.says("role-web", "standby: node 1 holds it", soon)

		// Between the two it moves without a question.
		s := site(web)
		s.Orders = []role.Order{{Group: "web", Verb: role.Hold, Serial: 1}}
		b.tell(s)
		b.takes("web", soon)
		l.eventually("B has it", soon, func() bool { return l.has(2) && !l.has(1) })
	})
	t.Run("single", func(t *testing.T) {
		l := newLab(t)
		l.stranger(true)
		d := l.alone(1, site(web))
		d.says("role-web", "a stranger answers", soon)
		d.steady(false, 500*time.Millisecond)
		l.stranger(false)
		d.takes("web", soon)
		l.eventually("it has it", soon, func() bool { return l.has(1) })
		d.says("role-web", "there is no other director", soon)
	})
	t.Run("takeover", func(t *testing.T) {
		l := newLab(t)
		l.stranger(true)
		d := l.alone(1, site("--group web --conflict takeover "+vip+"/32/eth0"))
		d.takes("web", soon)
		d.says("role-web", "a stranger answers for the addresses, too", soon)
		l.stranger(false)
		d.says("role-web", "there is no other director", 2*soon)
	})
}
