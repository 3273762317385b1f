package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const service = "-A -t 10.0.0.3:80 -s wlc"

// weighed is the row of a real of twoReals with another weight.
func weighed(row, weight string) string { return strings.TrimSuffix(row, "5") + weight }

// startPool starts mond with twoReals and more lines of the pool, and waits for
// its table.
func startPool(t *testing.T, more string) *daemon {
	t.Helper()
	newCluster(t)
	director.run(t, "ipvsadm -C")
	install(t, declared(twoReals+"\n"+more))
	d := startMond(t)
	untilTable(t, d, service, row1, row2)
	d.is(t, "192.168.0.1:http", "ok")
	d.is(t, "192.168.0.2:http", "ok")
	return d
}

// monctl gives an order, as an operator would.
func monctl(t *testing.T, args ...string) {
	t.Helper()
	run(t, exec.CommandContext(t.Context(), program(t, "monctl"), args...))
}

// A real that dies leaves, and nobody meets it from then on; it comes back by a
// ramp.
func TestPoolFailureAndRamp(t *testing.T) {
	d := startPool(t, "ramp 20s steps 2")
	rs2.web(t, "down")
	untilTable(t, d, service, row1)
	wantAnswers(t, virtualURL, 20, rs1)
	rs2.web(t, "up")
	untilTable(t, d, service, row1, weighed(row2, "1"))
	untilTable(t, d, service, row1, weighed(row2, "3"))
	untilTable(t, d, service, row1, row2)
	d.end(t, syscall.SIGTERM)
}

// A connection that goes on while its real is drained is not lost; the row goes
// when it has ended. No new client meets the real.
func TestPoolDrain(t *testing.T) {
	d := startPool(t, "drain forever idle 1s")
	director.run(t, "ipvsadm --set 900 1 300") // closed connections are forgotten soon
	monctl(t, "maint", "192.168.0.2")
	untilTable(t, d, service, row1)
	held := open(t)
	monctl(t, "maint", "--end", "192.168.0.2")
	untilTable(t, d, service, row1, row2)
	monctl(t, "drain", "192.168.0.1")
	untilTable(t, d, service, weighed(row1, "0"), row2)
	wantAnswers(t, virtualURL, 20, rs2)
	if got := held.ask(t); !strings.Contains(got, "rs1") {
		t.Errorf("the connection that went on got %q", got)
	}
	untilTable(t, d, service, row2)
	monctl(t, "drain", "--end", "192.168.0.1")
	untilTable(t, d, service, row1, row2)
	d.end(t, syscall.SIGTERM)
}

// connection is one of a client that has asked nothing yet.
type connection struct{ net.Conn }

func open(t *testing.T) (c connection) {
	t.Helper()
	must(t, client.enter(func() (err error) {
		c.Conn, err = net.Dial("tcp", "10.0.0.3:80")
		return err
	}))
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// ask asks, reads to the end, and ends the connection.
func (c connection) ask(t *testing.T) string {
	t.Helper()
	_, err := io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	must(t, err)
	text, err := io.ReadAll(c)
	must(t, err)
	must(t, c.Close())
	return string(text)
}

// Below its quorum the pool serves by its standby, and by its fallback when that
// is dead too; people are told once.
func TestPoolQuorumStandbyFallback(t *testing.T) {
	newCluster(t)
	director.run(t, "ipvsadm -C")
	begin(t, director.command(context.Background(), "busybox", "httpd", "-f", "-p", "127.0.0.1:8000", "-h", "/run/lab/rs1"))
	install(t, declared(`
		address tcp 10.0.0.3:80
		scheduler wlc
		real 192.168.0.1 weight 5
		standby 1 192.168.0.2 weight 5
		fallback 127.0.0.1:8000
		forward nat
		quorum 1 members`))
	d := startMond(t)
	nat := func(address, weight string) string {
		return "-a -t 10.0.0.3:80 -r " + address + " -m -w " + weight
	}
	untilTable(t, d, service, nat("192.168.0.1:80", "5"))
	rs1.web(t, "down")
	untilTable(t, d, service, nat("192.168.0.2:80", "5"))
	d.is(t, "virtual:web", "fail")
	rs2.web(t, "down")
	untilTable(t, d, service, nat("127.0.0.1:8000", "1"))
	rs2.web(t, "up")
	untilTable(t, d, service, nat("192.168.0.2:80", "5"))
	rs1.web(t, "up")
	untilTable(t, d, service, nat("192.168.0.1:80", "5"))
	d.is(t, "virtual:web", "ok")
	d.end(t, syscall.SIGTERM)
}

// When too many fail their checks they are all kept in.
func TestPoolPanic(t *testing.T) {
	d := startPool(t, "panic below 60% until 80%")
	rs2.web(t, "down")
	d.is(t, "192.168.0.2:http", "fail")
	d.is(t, "virtual:web", "warn")
	untilTable(t, d, service, row1, row2)
	rs2.web(t, "up")
	d.is(t, "virtual:web", "ok")
	d.end(t, syscall.SIGTERM)
}

// Maintenance and weights by order outlast a restart.
func TestPoolOrders(t *testing.T) {
	d := startPool(t, "")
	monctl(t, "maint", "192.168.0.2", "--note", "new disk")
	monctl(t, "weight", "web/192.168.0.1", "2")
	untilTable(t, d, service, weighed(row1, "2"))
	d.end(t, syscall.SIGKILL)
	d = startMond(t)
	d.seen(t, "192.168.0.2:http")
	untilTable(t, d, service, weighed(row1, "2"))
	monctl(t, "maint", "--end", "192.168.0.2")
	monctl(t, "weight", "--end", "web/192.168.0.1")
	untilTable(t, d, service, row1, row2)
	d.end(t, syscall.SIGTERM)
}

// Whatever process is killed while the table changes, it comes to be right, and
// the real server that stays is never out of it. (No clients run beside: a plugin
// takes seconds to start on the one CPU as it is.)
func TestPoolKilled(t *testing.T) {
	for _, victim := range []string{"lvs.alert", "http.monitor", "mond"} {
		t.Run(victim, func(t *testing.T) {
			d := startPool(t, "")
			tape := newTape(t)
			for range 3 {
				monctl(t, "maint", "192.168.0.2")
				d = kill(t, d, victim)
				untilTable(t, d, service, row1)
				monctl(t, "maint", "--end", "192.168.0.2")
				d = kill(t, d, victim)
				untilTable(t, d, service, row1, row2)
			}
			d.end(t, syscall.SIGTERM)
			if writes, _ := tape.writes(t); slices.ContainsFunc(writes, func(w byte) bool { return w != newDest && w != delDest }) || len(writes) != 6 {
				t.Errorf("netlink commands that wrote: %v, want a real server out and in three times", writes)
			}
		})
	}
}

// kill kills a process of mond's by its name; mond itself is started again.
func kill(t *testing.T, d *daemon, victim string) *daemon {
	t.Helper()
	if victim == "mond" {
		d.end(t, syscall.SIGKILL)
		return startMond(t)
	}
	// plugins are links to one program: their own name is their first word. The
	// last that was killed may not be back yet
	until(t, d, victim+" is killed", func() bool { return exec.Command("pkill", "-KILL", "-f", "/"+victim).Run() == nil })
	return d
}

// A drain waits for what the kernel still knows of clients: the flows of UDP,
// which it counts as inactive connections, and the templates of persistence. Not
// longer: both end, and so does the drain, long before its deadline.
func TestPoolDrainsWhatIsKnown(t *testing.T) {
	const known = 20 // seconds
	for _, tt := range []struct {
		name, lines, service string
		flow                 int // seconds
	}{
		{"flows", "", "-A -u 10.0.0.3:80 -s wlc", known},
		{"templates", fmt.Sprintf("persistent %ds", known), fmt.Sprintf("-A -u 10.0.0.3:80 -s wlc -p %d", known), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			newCluster(t)
			director.run(t, "ipvsadm -C")
			install(t, declared("address udp 10.0.0.3:80\nscheduler wlc\nreal 192.168.0.1 weight 5\nreal 192.168.0.2 weight 5\ndrain 1h idle 1s\n"+tt.lines))
			d := startMond(t)
			one, other := strings.Replace(row1, "-t", "-u", 1), strings.Replace(row2, "-t", "-u", 1)
			untilTable(t, d, tt.service, one, other)
			director.run(t, fmt.Sprintf("ipvsadm --set 0 0 %d", tt.flow))
			monctl(t, "maint", "192.168.0.2")
			untilTable(t, d, tt.service, one)
			says := speak(t)
			says()
			monctl(t, "maint", "--end", "192.168.0.2")
			untilTable(t, d, tt.service, one, other)
			says() // it goes where it went before
			began := time.Now()
			monctl(t, "drain", "192.168.0.1")
			untilTable(t, d, tt.service, weighed(one, "0"), other)
			untilTable(t, d, tt.service, other)
			if took := time.Since(began); took < known/2*time.Second {
				t.Errorf("it was out after %v, with a client that the kernel knew", took)
			}
			d.end(t, syscall.SIGTERM)
		})
	}
}

// speak gives a client of UDP, who says something each time it is called.
func speak(t *testing.T) (says func()) {
	t.Helper()
	var c net.Conn
	must(t, client.enter(func() (err error) {
		c, err = net.Dial("udp", "10.0.0.3:80")
		return err
	}))
	t.Cleanup(func() { _ = c.Close() })
	return func() {
		_, err := c.Write([]byte("x"))
		if err != nil && !errors.Is(err, syscall.ECONNREFUSED) { // nobody listens at the real servers
			t.Fatal(err)
		}
	}
}
