package member

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// within is how soon a link's trouble must be known here, so that mond can tell of
// it within a second.
const within = 900 * time.Millisecond

// Links that lose, one way or both: no change, and the link's service says so
// within a second.
func TestLinks(t *testing.T) {
	for link := range 2 {
		name := []string{"link-eth0", "link-eth1"}[link]
		for _, c := range []struct {
			name string
			edit func(l *simLink)
		}{
			{"cut", func(l *simLink) { l.cut = [2]bool{true, true} }},
			{"A is not heard", func(l *simLink) { l.cut = [2]bool{true, false} }},
			{"B is not heard", func(l *simLink) { l.cut = [2]bool{false, true} }},
		} {
			t.Run(name+" "+c.name, func(t *testing.T) {
				for seed := range uint64(5) {
					s := startPair(t, simOptions{seed: seed})
					s.run(time.Duration(seed) * 23 * time.Millisecond)
					begin := s.now
					c.edit(s.links[link])
					s.nodes[0].level(within, name, Bad)
					s.nodes[1].level(within-(s.now-begin), name, Bad)
					s.nodes[0].keeps(5 * time.Second)
					s.nodes[0].level(0, "peer", Good)
					*s.links[link] = simLink{delay: time.Millisecond}
					s.nodes[0].level(5*time.Second, "redundancy", Good)
					s.nodes[1].level(5*time.Second, "redundancy", Good)
					s.nodes[0].keeps(time.Second)
				}
			})
		}
	}
}

// A link that loses half of what one or both send is told of within a second,
// but for the one time in fifty in which it happens to lose nothing at first.
func TestHalfLost(t *testing.T) {
	for _, loss := range [][2]int{{50, 50}, {50, 0}, {0, 50}} {
		t.Run(fmt.Sprint(loss), func(t *testing.T) {
			late, worst, all := 0, time.Duration(0), 0
			for seed := range uint64(15) {
				s := startPair(t, simOptions{seed: seed})
				for link, name := range []string{"link-eth0", "link-eth1"} {
					s.run(3*time.Second + time.Duration(seed)*7*time.Millisecond)
					begin := s.now
					s.links[link].loss = loss
					for i := range 2 {
						if loss[1-i] == 0 {
							continue // it hears all
						}
						s.nodes[i].level(5*time.Second, name, Bad)
						worst = max(worst, s.now-begin)
						if all++; s.now-begin > within {
							late++
						}
					}
					s.links[link].loss = [2]int{}
					s.nodes[0].level(6*time.Second, "redundancy", Good)
					s.nodes[1].level(6*time.Second, "redundancy", Good)
				}
				if s.watch.last != 1 || s.watch.dual > 0 {
					s.fatalf("a role changed")
				}
			}
			t.Logf("%d of %d late, at most %v", late, all, worst)
			if late > max(all/40, 1) {
				t.Errorf("%d of %d were told too late", late, all)
			}
		})
	}
}

// quiet fails the test if a link was told of.
func (s *sim) quiet(reported *[]string, d time.Duration) {
	s.t.Helper()
	s.run(d)
	if len(*reported) > 0 {
		s.fatalf("false alarms: %v", *reported)
	}
}

// alarms keeps what is told of links that are well.
func (s *sim) alarms() *[]string {
	var told []string
	s.told = func(n *simNode, r Report) {
		if r.Level != Good {
			told = append(told, fmt.Sprintf("%s %s: %s", n.cfg.SelfName, r.Service, r.Summary))
		}
	}
	return &told
}

// Links that lose one in a hundred, and directors whose programs stand still for
// 300 ms every few seconds: nothing is told.
func TestNoFalseAlarm(t *testing.T) {
	s := startPair(t, simOptions{})
	for _, l := range s.links {
		l.loss = [2]int{1, 1}
	}
	told := s.alarms()
	for range 200 {
		s.nodes[s.rng.IntN(2)].stop(300 * time.Millisecond)
		s.quiet(told, 300*time.Millisecond+time.Duration(s.rng.IntN(4000))*time.Millisecond)
	}
}

// One that is slow, and where beats overtake each other, is no lossy one.
func TestJumbled(t *testing.T) {
	for link := range 2 {
		s := startPair(t, simOptions{})
		s.links[link].delay, s.links[link].vary, s.links[link].dup = 50*time.Millisecond, 300*time.Millisecond, 50
		s.run(time.Second)
		told := s.alarms()
		s.quiet(told, 30*time.Second)
		s.nodes[0].keeps(0)
	}
}

// hours of one link that loses one beat in a hundred: how often it counts as
// lossy. Each beat that is missed brings the beats of a test with it.
func falseAlarms(rng *rand.Rand, hours, most int) (alarms int) {
	var l linkState
	sent, test := uint16(0), 0
	for i := 0; i < hours*36000; {
		sent++
		if test > 0 {
			test--
		} else {
			i++
		}
		if rng.IntN(100) == 0 {
			continue
		}
		missed, _ := l.count(sent)
		if missed && test == 0 {
			test = testBeats
		}
		was := l.lossy
		if l.judge(most); l.lossy && !was {
			alarms++
		}
	}
	return alarms
}

// With 1 % lost there is less than one alarm in a hundred hours.
func TestFalseAlarms(t *testing.T) {
	const hours = 200
	if n := falseAlarms(rand.New(rand.NewPCG(1, 2)), hours, DefaultLossy); n > hours/100 {
		t.Errorf("%d alarms in %d hours", n, hours)
	} else {
		t.Logf("%d alarms in %d hours", n, hours)
	}
}

// One percent and twenty percent lost on one link: no change.
func TestLoss(t *testing.T) {
	for _, percent := range []int{1, 20} {
		s := startPair(t, simOptions{})
		s.links[1].loss = [2]int{percent, percent}
		s.nodes[0].keeps(time.Minute)
	}
}
