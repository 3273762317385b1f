package pair

import (
	"math/rand/v2"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scene is a pair of which a serves, with a client and a witness.
type scene struct {
	w     *world
	a, b  *director
	ask   *asker
	watch *witness
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := newStage(t, words{})
	s.serving(t)
	return s
}

// serving starts both, of which a is to serve.
func (s *scene) serving(t *testing.T) {
	t.Helper()
	s.a.start(t)
	s.b.start(t)
	until(t, "a serves", func() bool {
		if d := s.ended(); d != nil {
			t.Fatalf("%s has ended before anything happened to it", d.name)
		}
		return s.watch.who() == "a" && s.ask.last() == "a"
	})
	s.serves(t, "a")
}

// ended is a director that has, nil if none.
func (s *scene) ended() *director {
	select {
	case <-s.a.ended:
		return s.a
	case <-s.b.ended:
		return s.b
	default:
		return nil
	}
}

// newStage is a pair that was not started.
func newStage(t *testing.T, more words) *scene {
	t.Helper()
	return newStageEach(t, more, every)
}

// newStageEach is one whose client asks at this pace.
func newStageEach(t *testing.T, more words, pace time.Duration) *scene {
	t.Helper()
	s := &scene{w: newWorld(t)}
	s.watch = newWitness(t, s.w)
	s.ask = newAskerEach(t, s.w, pace)
	more.elector += " --initdead " + initdead.String()
	s.a, s.b = newPair(t, s.w, more)
	return s
}

// serves waits until this director alone has the address and answers.
func (s *scene) serves(t *testing.T, name string) {
	t.Helper()
	until(t, name+" serves", func() bool { return s.watch.who() == name && s.ask.last() == name })
	if both := s.watch.double(); both > 0 {
		t.Errorf("both had the address for %v", both)
	}
}

// steady waits until the peer could take over: then addresses are leased.
func (s *scene) steady(t *testing.T, holder string) {
	t.Helper()
	until(t, "the address is leased", func() bool { return s.watch.how(holder) == leased })
}

// took fails the test unless the other serves within the time, and logs what the
// client saw.
func (s *scene) took(t *testing.T, event time.Time, by string, within time.Duration) {
	t.Helper()
	s.serves(t, by)
	gap, from, to := s.ask.gap(event)
	t.Logf("gap of %v from %s to %s; %s", gap.Round(time.Millisecond), from, to, s.ask.changes(event))
	if gap > within {
		t.Errorf("the client had no answer for %v, want %v at most", gap, within)
	}
}

// The crash and pause table: beats each 100 ms, a dead time of 500 ms, leases of
// 3 s. The limits are what is required and time for a busy machine; the gaps that
// the client saw are logged.

// noise is what a busy machine may add.
const noise = 400 * time.Millisecond

func TestPowerOff(t *testing.T) {
	s := newScene(t)
	s.steady(t, "a")
	event := time.Now()
	s.off(t)
	s.took(t, event, "b", 510*time.Millisecond+noise)

	s.on(t)
	s.a.start(t)
	until(t, "both are alive", func() bool { return s.watch.how("b") == leased })
	s.stays(t, "b", time.Second)
}

// off takes the power from a: its interfaces go and all its programs.
func (s *scene) off(t *testing.T) {
	t.Helper()
	s.dark(t)
	<-s.a.ended
}

// dark is off without waiting: who waits for a disk that hangs does not end.
func (s *scene) dark(t *testing.T) {
	t.Helper()
	all := s.a.all()
	cmd := exec.Command("ip", "-n", s.w.node("a"), "-batch", "-") // at once: the network first, and it would hand over
	cmd.Stdin = strings.NewReader("link set eth1 down\nlink set eth2 down\nlink set eth0 down\n")
	must(t, cmd.Run())
	s.a.signal(syscall.SIGKILL, all...)
}

// on gives it back: nothing of a kernel's addresses outlives that.
func (s *scene) on(t *testing.T) {
	t.Helper()
	_ = s.w.command("a", "ip", "address", "delete", vip+"/32", "dev", "eth0").Run() // the lease may have ended
	s.w.ip(t, "a", "link set eth0 up")
	s.w.ip(t, "a", "link set eth1 up")
	s.w.ip(t, "a", "link set eth2 up")
}

// stays fails the test if anybody but this director answers or has the address
// for that long.
func (s *scene) stays(t *testing.T, name string, long time.Duration) {
	t.Helper()
	from := time.Now()
	until(t, "time goes on", func() bool {
		if who := s.watch.who(); who != name {
			t.Fatalf("%v after that %q have the address, want %s alone", time.Since(from).Round(time.Millisecond), who, name)
		}
		return time.Since(from) > long
	})
	for _, x := range s.ask.since(from) {
		if x.from != name {
			t.Errorf("%s answered, want %s: %s", x.from, name, s.ask.changes(from))
			break
		}
	}
}

// An orderly end is a hand-over.
func TestStop(t *testing.T) {
	s := newScene(t)
	s.steady(t, "a")
	event := time.Now()
	s.a.stop(t)
	s.took(t, event, "b", 20*time.Millisecond+noise)
}

// The engine dies alone: the plugins end with it, and say goodbye.
func TestEngineKilled(t *testing.T) {
	s := newScene(t)
	s.steady(t, "a")
	event := time.Now()
	s.a.signal(syscall.SIGKILL, s.a.cmd.Process.Pid)
	s.took(t, event, "b", 20*time.Millisecond+noise)
	if d := time.Since(event); d > 150*time.Millisecond+noise {
		t.Errorf("b served after %v, want 150ms at most", d)
	}
}

// An engine that stands still renews nothing; when it goes on it adds nothing.
func TestEngineStopped(t *testing.T) {
	seldom(t)
	s := newScene(t)
	s.steady(t, "a")
	event := time.Now()
	s.a.signal(syscall.SIGSTOP, s.a.cmd.Process.Pid)
	s.took(t, event, "b", time.Second+noise)
	if d := time.Since(event); d > 4*time.Second+noise {
		t.Errorf("b served after %v, want 4s at most", d)
	}
	s.a.signal(syscall.SIGCONT, s.a.cmd.Process.Pid)
	s.stays(t, "b", 2*time.Second)
}

// A plugin that dies, or stands still, is started again before the lease ends;
// the kernel answers for the address meanwhile.
func TestPluginHurt(t *testing.T) {
	for _, tt := range []struct {
		name, word string
		sig        syscall.Signal
		seldom     bool
		may        bool // the other may take over when the lease has ended
	}{
		{"fake.alert", "killed", syscall.SIGKILL, false, false},
		{"fake.alert", "stopped", syscall.SIGSTOP, true, true},
		{"heartbeat.monitor", "killed", syscall.SIGKILL, true, false},
		{"heartbeat.monitor", "stopped", syscall.SIGSTOP, false, false},
	} {
		t.Run(tt.name+" "+tt.word, func(t *testing.T) {
			if tt.seldom {
				seldom(t)
			}
			s := newScene(t)
			s.steady(t, "a")
			event := time.Now()
			s.a.signal(tt.sig, s.a.plugins(tt.name)...)
			if !tt.may {
				s.stays(t, "a", 4*time.Second) // a lease, and one more second
				return
			}
			until(t, "a lease has passed", func() bool { return time.Since(event) > 5*time.Second })
			until(t, "one has the address", func() bool { who := s.watch.who(); return who == "a" || who == "b" })
			t.Logf("%s holds it: %s", s.watch.who(), s.ask.changes(event))
			if both := s.watch.double(); both > 0 {
				t.Errorf("both had the address for %v", both)
			}
		})
	}
}

// All programs die at once: the kernel serves until the lease ends.
func TestAllKilled(t *testing.T) {
	s := newScene(t)
	s.steady(t, "a")
	all := s.a.all()
	event := time.Now()
	s.a.signal(syscall.SIGSTOP, all...) // or one that is left for a moment leaves in order, as when mond dies alone
	s.a.signal(syscall.SIGKILL, all...)
	s.took(t, event, "b", 100*time.Millisecond+noise)
	if d := time.Since(event); d > 4*time.Second+noise {
		t.Errorf("b served after %v, want 4s at most", d)
	}
	if both := s.watch.double(); both > 0 {
		t.Errorf("both had the address for %v", both)
	}
}

// A machine that freezes goes on with what it had, for a beat at most.
func TestAllFrozen(t *testing.T) {
	s := newScene(t)
	s.steady(t, "a")
	s.freeze(t, 0)
}

// The same for as long as a virtual machine may be suspended.
func TestSuspended(t *testing.T) {
	seldom(t)
	s := newScene(t)
	s.steady(t, "a")
	s.freeze(t, 30*time.Second)
}

// freeze has all of a stand still until b serves, and at least so long.
func (s *scene) freeze(t *testing.T, long time.Duration) {
	t.Helper()
	frozen := s.a.all()
	event := time.Now()
	s.a.signal(syscall.SIGSTOP, frozen...)
	s.took(t, event, "b", time.Second+noise)
	s.stays(t, "b", max(time.Until(event.Add(long)), 0))
	s.a.signal(syscall.SIGCONT, frozen...)
	s.stays(t, "b", 2*time.Second)
}

// Without any link the network of the addresses says who lives.
func TestLinksCut(t *testing.T) {
	s := newScene(t)
	s.steady(t, "a")
	s.w.ip(t, "b", "link set eth1 down")
	s.w.ip(t, "b", "link set eth2 down")
	s.stays(t, "a", 4*time.Second) // a lease, and one more second
	s.w.ip(t, "b", "link set eth1 up")
	s.w.ip(t, "b", "link set eth2 up")
	s.stays(t, "a", time.Second)
}

// Nor does one take over that the switch blocks for moments, who hears nothing then.
func TestPortBlocked(t *testing.T) {
	seldom(t)
	s := newScene(t)
	s.steady(t, "a")
	s.cables(t, "down")
	rng := rand.New(rand.NewPCG(1, 1))
	for cut := time.Now(); time.Since(cut) < 10*time.Second; {
		s.w.ip(t, "s", "link set port-b nomaster") // the carrier stays
		s.stays(t, "a", time.Duration(20+rng.IntN(180))*time.Millisecond)
		s.w.ip(t, "s", "link set port-b master lan")
		s.stays(t, "a", time.Duration(20+rng.IntN(280))*time.Millisecond)
	}
	s.cables(t, "up")
	s.stays(t, "a", time.Second)
}

// A director that clients do not reach gives the group to one that they do.
func TestLANCut(t *testing.T) {
	s := newScene(t)
	s.steady(t, "a")
	event := time.Now()
	s.w.ip(t, "s", "link set port-a down")
	s.took(t, event, "b", time.Second+noise)
}

// A split, in which both serve their side, ends with one holder, whom the client
// reaches, and who tells the network.
func TestSplit(t *testing.T) {
	s := newScene(t)
	s.split(t, newListener(t, s.w), 0)
}

// Twenty of them, of ten seconds each; whoever holds the group is cut off.
func TestSplits(t *testing.T) {
	seldom(t)
	s := newScene(t)
	heard := newListener(t, s.w)
	for range 20 {
		s.split(t, heard, 10*time.Second)
	}
}

// split cuts the holder off, until the other serves and for that long, and heals
// it.
func (s *scene) split(t *testing.T, heard *listener, long time.Duration) {
	t.Helper()
	holder := s.watch.who()
	s.steady(t, holder)
	other := map[string]string{"a": "b", "b": "a"}[holder]
	cut := time.Now()
	s.cables(t, "down")
	s.w.ip(t, "s", "link set port-"+holder+" down")
	until(t, other+" serves the client", func() bool { return s.ask.last() == other && time.Since(cut) > long })
	event := time.Now()
	s.w.ip(t, "s", "link set port-"+holder+" up")
	s.cables(t, "up")
	until(t, "one has the address", func() bool { return len(s.watch.who()) == 1 && s.ask.last() == s.watch.who() })
	took, winner := time.Since(event), s.watch.who()
	s.watch.double()
	s.stays(t, winner, time.Second)
	told := heard.count(winner, event)
	t.Logf("%s serves %v after the healing, and told it %d times: %s", winner, took.Round(time.Millisecond), told, s.ask.changes(event))
	if told == 0 {
		t.Errorf("%s, which goes on serving, told nobody", winner)
	}
	if took > time.Second+noise {
		t.Errorf("there was one holder %v after the healing, want 1s at most", took)
	}
}

// cables takes both links away, or gives them back.
func (s *scene) cables(t *testing.T, how string) {
	t.Helper()
	s.w.ip(t, "b", "link set eth1 "+how)
	s.w.ip(t, "b", "link set eth2 "+how)
}

// An operator moves the group.
func TestOrders(t *testing.T) {
	s := newScene(t)
	s.steady(t, "a")
	event := time.Now()
	s.b.monctl(t, "failover", "hold", "web")
	s.took(t, event, "b", 20*time.Millisecond+noise)
	event = time.Now()
	s.b.monctl(t, "failover", "release", "web")
	s.took(t, event, "a", 20*time.Millisecond+noise)
	t.Log(s.a.monctl(t, "vip"))
	s.alone(t, "fake", vip+"/32/eth0", "start")
	s.alone(t, "plugins/fake.alert", vip+"/32/eth0")
}

// alone fails the test unless a program of ours, run on b, says that the roles
// of mond alone move the address.
func (s *scene) alone(t *testing.T, words ...string) {
	t.Helper()
	out, err := s.w.command("b", append([]string{program(t, words[0])}, words[1:]...)...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "is moved by the roles of mond") {
		t.Errorf("%s: %v: %s", words[0], err, out)
	}
}

// While a stranger answers for the address of a dead peer nobody takes it, and
// that is an alarm.
func TestRival(t *testing.T) {
	seldom(t)
	s := newScene(t)
	s.steady(t, "a")
	s.off(t)
	s.w.ip(t, "s", "address add "+vip+"/32 dev lan")
	until(t, "b has an alarm", func() bool {
		row, err := s.b.client.Service(t.Context(), "mond", "role-web")
		return err == nil && row.Status == "fail"
	})
	s.stays(t, "", 3*time.Second)
	s.w.ip(t, "s", "address delete "+vip+"/32 dev lan")
	s.serves(t, "b")
}
