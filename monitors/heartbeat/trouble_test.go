package heartbeat

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/plugins/role"
)

// settled starts both directors with the usual links and those of more, and
// waits until the first one holds.
func (l *lab) settled(more func(node int) []string) (a, b *director) {
	l.t.Helper()
	a, b = l.start(1, site(web), more(1)...), l.start(2, site(web), more(2)...)
	a.says("role-web", "holding", soon)
	b.says("role-web", "standby", soon)
	l.eventually("A has it", soon, func() bool { return l.has(1) && !l.has(2) })
	return a, b
}

// TestLinks: no link that fails moves a role; each is a failed service within
// about a second.
func TestLinks(t *testing.T) {
	l := newLab(t)
	r := l.newRelay()
	a, b := l.settled(l.over)
	a.says("link-far", "round trip", soon)
	b.says("redundancy", "3 links work", soon)

	// One way: A is not heard on it.
	r.does(func(from int, p []byte) [][]byte {
		if from == 1 {
			return nil
		}
		return through(from, p)
	})
	cut := time.Now()
	b.says("link-far", "nothing was heard on it", soon)
	a.says("link-far", "does not hear this node", soon)
	if took := time.Since(cut); took > 3*time.Second {
		t.Errorf("it took %v to say so", took)
	}
	r.does(through)
	b.says("link-far", "round trip", soon)

	// A fifth is lost.
	r.does(func(from int, p []byte) [][]byte {
		if rand.IntN(5) == 0 {
			return nil
		}
		return through(from, p)
	})
	l.in(1, "link set hb1 down")
	b.says("link-hb1", "nothing was heard on it", soon)
	a.says("redundancy", "of 3 links work", soon)
	l.in(1, "link set hb2 down")
	a.says("link-hb2", "interface hb2 is down", soon)
	a.steady(true, 3*time.Second)
	b.steady(false, 100*time.Millisecond)

	// Nothing is left but the network of the addresses: A's kernel answers, so B
	// does not take them.
	r.does(func(int, []byte) [][]byte { return nil })
	b.says("peer", "its kernel still answers", soon)
	a.says("peer", "silent", soon)
	b.says("role-web", "still answers", soon)
	a.steady(true, time.Second)
	b.steady(false, 100*time.Millisecond)
	r.does(through)
	l.in(1, "link set hb1 up", "link set hb2 up")
	b.says("redundancy", "could take over", soon)
	if !l.has(1) || l.has(2) {
		t.Error("the address moved")
	}
}

// TestStopped: a director that is stopped loses the address by its lease, and
// adds nothing when it goes on.
func TestStopped(t *testing.T) {
	l := newLab(t)
	a, b := l.settled(func(int) []string { return nil })
	l.eventually("A's address has a lease", soon, func() bool { return l.leased(1) })
	a.signal(syscall.SIGSTOP)
	stopped := time.Now()
	b.says("role-web", "answers for the addresses", soon)
	b.takes("web", soon)
	if took := time.Since(stopped); took > 5*time.Second {
		t.Errorf("B took it after %v", took)
	}
	l.eventually("B has it", soon, func() bool { return l.has(2) })
	if l.has(1) {
		t.Error("both have it")
	}
	a.signal(syscall.SIGCONT)
	b.says("peer", "alive", soon)
	a.says("role-web", "standby", soon)
	if l.has(1) || !l.has(2) {
		t.Error("A has it again")
	}
	b.steady(true, 500*time.Millisecond)
}

// TestKeys: keys that differ are an alarm, a file that cannot be used changes
// nothing, and a secret is changed while beats go on.
func TestKeys(t *testing.T) {
	l := newLab(t)
	a, b := l.settled(func(int) []string { return nil })
	other := filepath.Join(t.TempDir(), "other")
	write := func(path, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	b.kill()
	a.says("peer", "silent", soon)
	write(other, "auth 1\n1 another-secret-of-it\n", 0o600)
	b = l.start(2, site(web), "--keys", other)
	a.says("peer", "packets come that do not open", soon)
	b.says("peer", "packets come that do not open", soon)
	write(other, "auth 1\n1 a-secret-of-this-test\n", 0o600)
	b.says("peer", "alive", soon)
	a.says("peer", "alive", soon)

	write(other, "1 sha1 x\n", 0o600)
	b.says("", "stay in use", soon)
	write(other, "auth 1\n1 a-secret-of-this-test\n", 0o644)
	b.says("", "chmod 600", soon)
	for _, text := range []string{
		"auth 1\n1 a-secret-of-this-test\n2 the-next-secret-of-it\n", "auth 2\n1 a-secret-of-this-test\n2 the-next-secret-of-it\n", "auth 2\n2 the-next-secret-of-it\n",
	} {
		write(other, text, 0o600)
		write(l.keys, text, 0o600)
		// Each looks once a second.
		a.steady(true, 1500*time.Millisecond)
		b.steady(false, 100*time.Millisecond)
	}
	if s := a.state["peer"]; s.Exit != 0 {
		t.Errorf("peer: %+v", s)
	}
}

// TestHostile: what is forged, replayed, cut, mixed up or comes in floods
// changes nothing.
func TestHostile(t *testing.T) {
	l := newLab(t)
	r := l.newRelay()
	a, b := l.settled(l.over)
	var old [][]byte
	r.does(func(from int, p []byte) [][]byte {
		if len(old) < 64 {
			old = append(old, p)
		}
		out := [][]byte{p, p, p[:len(p)/2], p[:1], append(append([]byte(nil), p...), make([]byte, wire.MaxPacket)...)}
		for range 200 {
			f := append([]byte(nil), p...)
			f[rand.IntN(len(f))] ^= 1 << rand.IntN(8)
			out = append(out, f)
		}
		rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		return append(out, old...)
	})
	a.steady(true, 3*time.Second)
	b.steady(false, 100*time.Millisecond)
	for _, d := range []*director{a, b} {
		if s := d.state["peer"]; !strings.Contains(s.Summary, "is alive") {
			t.Errorf("director %d: %+v", d.node, s)
		}
		if s := d.state["link-hb1"]; s.Exit != 0 {
			t.Errorf("director %d: %+v", d.node, s)
		}
	}
}

// TestHandover: an operator's orders, and the goodbye of a mond that ends.
func TestHandover(t *testing.T) {
	l := newLab(t)
	a, b := l.settled(func(int) []string { return nil })
	s := site(web)
	s.Orders = []role.Order{{Group: "web", Verb: role.Hold, Serial: 1}}
	b.tell(s)
	b.takes("web", soon)
	l.eventually("B has it", soon, func() bool { return l.has(2) && !l.has(1) })
	a.says("role-web", "standby", soon)
	s.Leaving = true
	b.tell(s)
	<-b.ended
	a.takes("web", soon)
	l.eventually("A has it", soon, func() bool { return l.has(1) && !l.has(2) })
}

// TestAlone: a director without another one holds for good, and what it was
// ordered.
func TestAlone(t *testing.T) {
	l := newLab(t)
	s := site(web)
	s.Loaded = false
	d := l.alone(1, s)
	d.says("role-web", "the table is not loaded", soon)
	s.Loaded = true
	d.tell(s)
	d.takes("web", soon)
	l.eventually("it has it", soon, func() bool { return l.has(1) && !l.leased(1) })
	d.says("role-web", "there is no other director", soon)
	s.Orders = []role.Order{{Verb: role.Off, Serial: 1}}
	d.tell(s)
	d.says("role-web", "off", soon)
	l.eventually("it has it no more", soon, func() bool { return !l.has(1) })
	s.Orders = nil
	d.tell(s)
	d.takes("web", soon)
	l.eventually("it has it again", soon, func() bool { return l.has(1) })
	d.signal(syscall.SIGTERM)
	<-d.ended
	if l.has(1) {
		t.Error("it left it behind")
	}
}
