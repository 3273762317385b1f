package heartbeat

import (
	"syscall"
	"testing"
	"time"
)

// soon is how long a test waits for what comes at once.
const soon = 10 * time.Second

// TestPair starts two directors together and lets them go through what happens
// to directors.
func TestPair(t *testing.T) {
	l := newLab(t)
	a, b := l.start(1, site(web)), l.start(2, site(web))
	a.takes("web", soon)
	a.says("role-web", "holding", soon)
	b.says("redundancy", "", soon)
	b.says("role-web", "standby", soon)
	l.eventually("A has it", soon, func() bool { return l.has(1) })
	if l.has(2) {
		t.Fatal("both have it")
	}

	a.kill() // its kernel keeps the address as long as the lease
	b.says("peer", "silent", soon)
	b.takes("web", soon)
	l.eventually("B has it", soon, func() bool { return l.has(2) })
	if l.has(1) {
		t.Fatal("both have it")
	}

	a = l.start(1, site(web))
	a.says("peer", "alive", soon)
	a.steady(false, 500*time.Millisecond)
	b.steady(true, 100*time.Millisecond)

	b.signal(syscall.SIGTERM)
	<-b.ended
	a.takes("web", soon)
	l.eventually("A has it again", soon, func() bool { return l.has(1) && !l.has(2) })
}
