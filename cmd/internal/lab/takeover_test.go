package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/engine/control"
)

// Connections survive a takeover: two directors with whole monds, whose sync
// daemons copy connections over a cable, and a client that stays connected while
// the addresses move.
//
//	tc   client         10.7.0.100/24
//	ta   director       10.7.0.1/24, 172.16.7.1/24 inside, 10.1.7.1/24 the cable
//	tb   director       10.7.0.2/24, 172.16.7.2/24 inside, 10.1.7.2/24 the cable
//	ts   real server    172.16.7.10/24 inside, and 10.7.0.10/24 for dr and tun
//
// 10.7.0.3 is the virtual address, 172.16.7.254 the gateway of real servers
// behind NAT.
const (
	takeoverVIP  = "10.7.0.3"
	takeoverPort = "80"
)

// gently leaves the one CPU to two monds: each look starts a program.
var gently = patience{limit: 3 * limit, pause: time.Second}

// twoDirectors is that site.
type twoDirectors struct {
	method                  string
	client, a, b, real, lan node
	daemons                 map[node]*pairDaemon
	// more are further lines of the virtual service.
	more string
}

// pairDaemon is a mond of one of two directors.
type pairDaemon struct {
	dir    string
	words  []string
	cmd    *exec.Cmd
	ended  chan struct{}
	client *control.Client
}

func newTwoDirectors(t *testing.T, method string) *twoDirectors {
	t.Helper()
	if os.Getenv("MOND_LAB") != "1" {
		t.Skip("needs a kernel with IPVS: make test runs it in one")
	}
	s := &twoDirectors{method: method, client: "tc", a: "ta", b: "tb", real: "ts", lan: "tw", daemons: map[node]*pairDaemon{}}
	for _, n := range []node{s.client, s.a, s.b, s.real, s.lan} {
		run(t, exec.Command("ip", "netns", "add", string(n)))
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "delete", string(n)).Run() })
	}
	wires := []string{"link add lan type bridge forward_delay 0 stp_state 0", "link set lan up", "link add inside type bridge forward_delay 0 stp_state 0", "link set inside up"}
	for _, n := range []node{s.client, s.a, s.b, s.real} {
		wires = append(wires, fmt.Sprintf("link add l%s type veth peer name eth0 netns %s", n, n), fmt.Sprintf("link set l%s master lan up", n))
		if n != s.client {
			wires = append(wires, fmt.Sprintf("link add i%s type veth peer name eth1 netns %s", n, n), fmt.Sprintf("link set i%s master inside up", n))
		}
	}
	batch(t, s.lan, wires...)
	batch(t, s.a, "link add eth2 type veth peer name eth2 netns "+string(s.b))
	batch(t, s.client, "link set lo up", "link set eth0 up", "address add 10.7.0.100/24 dev eth0")
	for i, n := range []node{s.a, s.b} {
		batch(t, n, "link set lo up", "link set eth0 up", "link set eth1 up", "link set eth2 up",
			fmt.Sprintf("address add 10.7.0.%d/24 dev eth0", i+1), fmt.Sprintf("address add 172.16.7.%d/24 dev eth1", i+1), fmt.Sprintf("address add 10.1.7.%d/24 dev eth2", i+1))
		n.write(t, "net/ipv4/ip_forward", "1")
		n.write(t, "net/ipv4/conf/all/send_redirects", "0")
		// Each connection is told when it is established, and every 10 s again
		// if it has traffic.
		n.write(t, "net/ipv4/vs/sync_threshold", "0 0")
		n.write(t, "net/ipv4/vs/sync_refresh_period", "10")
	}
	s.realServer(t)
	return s
}

// realServer makes the real server one of the method.
func (s *twoDirectors) realServer(t *testing.T) {
	t.Helper()
	lines := []string{"link set lo up", "link set eth1 up", "address add 172.16.7.10/24 dev eth1"}
	if s.method == "nat" {
		lines = append(lines, "route add default via 172.16.7.254")
	} else {
		lines = append(lines, "link set eth0 up", "address add 10.7.0.10/24 dev eth0")
		s.real.write(t, "net/ipv4/conf/all/arp_ignore", "1")
		s.real.write(t, "net/ipv4/conf/all/arp_announce", "2")
		s.real.write(t, "net/ipv4/conf/all/rp_filter", "0")
		lines = append(lines, "address add "+takeoverVIP+"/32 dev lo")
	}
	batch(t, s.real, lines...)
	if s.method == "tun" {
		batch(t, s.real, "link set tunl0 up")
		s.real.write(t, "net/ipv4/conf/tunl0/rp_filter", "0")
	}
	l := s.real.listen(t, ":"+takeoverPort)
	go echo(l)
}

// batch runs lines of ip(8) in a node.
func batch(t *testing.T, n node, lines ...string) {
	t.Helper()
	cmd := exec.Command("ip", "-n", string(n), "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", n, err, out)
	}
}

// write writes a sysctl of the node.
func (n node) write(t *testing.T, name, value string) {
	t.Helper()
	must(t, n.enter(func() error { return os.WriteFile("/proc/sys/"+name, []byte(value), 0o644) }))
}

// listen listens in the node.
func (n node) listen(t *testing.T, addr string) (l net.Listener) {
	t.Helper()
	must(t, n.enter(func() (err error) {
		l, err = net.Listen("tcp4", addr)
		return err
	}))
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// echo sends every line back until the listener is closed.
func echo(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			r := bufio.NewReader(c)
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if _, err := c.Write([]byte(line)); err != nil {
					return
				}
			}
		}()
	}
}

// fake gives the address to a director, or takes it away, as a person would.
func (s *twoDirectors) fake(t *testing.T, n node, action string) {
	t.Helper()
	cmd := n.command(t.Context(), program(t, "fake"), takeoverVIP+"/32/eth0", action)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: fake %s: %v\n%s", n, action, err, out)
	}
}

// declare fills the table of a director and starts its sync daemons.
func (s *twoDirectors) declare(t *testing.T, n node) {
	t.Helper()
	k, err := ipvs.OpenKernelIn(string(n))
	must(t, err)
	t.Cleanup(func() { _ = k.Close() })
	v := ipvs.Virtual{Protocol: ipvs.TCP, Addr: netip.MustParseAddrPort(takeoverVIP + ":" + takeoverPort)}
	must(t, k.AddService(t.Context(), ipvs.Service{Virtual: v, Scheduler: "rr"}))
	must(t, k.AddDestination(t.Context(), v, ipvs.Destination{Addr: netip.MustParseAddrPort("10.7.0.10:" + takeoverPort), Weight: 1, Forward: ipvs.Direct}))
	for _, state := range []ipvs.DaemonState{ipvs.Master, ipvs.Backup} {
		must(t, k.StartDaemon(t.Context(), ipvs.Daemon{State: state, Sync: ipvs.Sync{Link: "eth2", ID: 7}}))
	}
}

// config is the configuration of a director whose files are in dir.
func (s *twoDirectors) config(n node, dir string) string {
	number, peer := 1, 2
	if n == s.b {
		number, peer = 2, 1
	}
	group, real, inside := takeoverVIP+"/32/eth0", "10.7.0.10", ""
	if s.method == "nat" {
		real = "172.16.7.10"
		group += " 172.16.7.254/32/eth1"
		inside = "--neighbour " + real // on the network of the gateway
	}
	return fmt.Sprintf(`syntax = mond
controlsocket = %[1]s/sock
statedir = %[1]s/state
logdir = %[1]s/state
ipvs_sync = interface=eth2,syncid=7

virtual web
    address tcp %[2]s:%[3]s
    scheduler rr
    forward %[4]s
    real %[5]s
%[11]s
hostgroup directors other

watch directors
    service role
        monitor heartbeat.monitor --node %[6]d --peer %[7]d --keys %[1]s/keys --epochs %[1]s/epochs --interval 1s --dead 10s --lease 20s --initdead 12s --neighbour 10.7.0.100 %[8]s --link cable=udp:10.1.7.%[6]d,10.1.7.%[7]d
        period wd {Sun-Sat}
            alert fake.alert --group web --priority %[9]d %[10]s
`, dir, takeoverVIP, takeoverPort, s.method, real, number, peer, inside, 100-number, group, s.more)
}

// start starts the mond of a director and waits until it answers.
func (s *twoDirectors) start(t *testing.T, n node) {
	t.Helper()
	d := &pairDaemon{}
	var err error
	d.dir, err = os.MkdirTemp("", "mond") // short, for the socket
	must(t, err)
	path := func(name string) string { return filepath.Join(d.dir, name) }
	must(t, os.WriteFile(path("keys"), []byte("auth 1\n1 a-secret-of-the-tests-0123456789\n"), 0o600))
	must(t, os.Mkdir(path("state"), 0o755))
	must(t, os.WriteFile(path("mon.cf"), []byte(s.config(n, d.dir)), 0o644))
	d.words = n.command(t.Context(), program(t, "mond"), "-c", path("mon.cf"), "-P", "", "--log", "stderr").Args
	d.client = control.Dial(path("sock"))
	s.daemons[n] = d
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		<-d.ended
		if t.Failed() {
			text, _ := os.ReadFile(path("log"))
			t.Logf("log of %s:\n%s", n, text)
			out, _ := n.command(context.Background(), "sh", "-c", "ip -br a; ipvsadm -Ln; ipvsadm -L --daemon; ipvsadm -Lnc | sort | uniq -c | head -20").CombinedOutput()
			t.Logf("%s:\n%s", n, out)
		}
	})
	for range 3 { // a plugin has 30 s to start, which is not much there while the machine is busy
		d.run(t)
		gently.until(t, nil, string(n)+" answers", func() bool {
			_, err := d.client.Daemon(t.Context())
			return err == nil || d.hasEnded()
		})
		if !d.hasEnded() {
			return
		}
	}
	t.Fatalf("the mond of %s does not start", n)
}

// run runs it.
func (d *pairDaemon) run(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(t, err)
	defer log.Close()
	cmd, ended := exec.Command(d.words[0], d.words[1:]...), make(chan struct{})
	cmd.Stdout, cmd.Stderr = log, log
	must(t, cmd.Start())
	d.cmd, d.ended = cmd, ended
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
}

// hasEnded reports whether it has.
func (d *pairDaemon) hasEnded() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// lives fails the test if the mond of a director has ended.
func (s *twoDirectors) lives(t *testing.T, n node) {
	t.Helper()
	if s.daemons[n].hasEnded() {
		t.Fatalf("the mond of %s has ended", n)
	}
}

// order orders a director to keep the addresses, or lets the rules decide again:
// where everything takes seconds, neighbours answer too late to be believed.
func (s *twoDirectors) order(t *testing.T, n node, verb string) {
	t.Helper()
	must(t, s.daemons[n].client.Failover(t.Context(), control.FailoverRequest{Verb: verb}))
}

// holds waits until the director holds the addresses.
func (s *twoDirectors) holds(t *testing.T, n node) {
	t.Helper()
	gently.until(t, nil, string(n)+" holds", func() bool {
		s.lives(t, n)
		return strings.Contains(n.run(t, "ip -br -4 address show dev eth0"), takeoverVIP+"/")
	})
}

// copies waits until both sync daemons of both directors run.
func (s *twoDirectors) copies(t *testing.T) {
	t.Helper()
	for _, n := range []node{s.a, s.b} {
		gently.until(t, nil, "sync daemons run on "+string(n), func() bool {
			s.lives(t, n)
			return strings.Count(n.run(t, "ipvsadm -L --daemon"), "syncid=7") == 2
		})
	}
}

// established is how many connections a director knows as such.
func (n node) established(t *testing.T) int {
	t.Helper()
	return strings.Count(n.run(t, "ipvsadm -Lnc"), "ESTABLISHED")
}

// lines is a connection of the client.
type lines struct {
	net.Conn
	r *bufio.Reader
}

// say sends a line and wants it back.
func (c *lines) say(text string) error {
	_ = c.SetDeadline(time.Now().Add(limit))
	if _, err := fmt.Fprintln(c, text); err != nil {
		return err
	}
	got, err := c.r.ReadString('\n')
	if err == nil && strings.TrimSpace(got) != text {
		err = fmt.Errorf("said %q and heard %q", text, got)
	}
	return err
}

// connect makes n connections from the client, each of which said one line.
func (s *twoDirectors) connect(t *testing.T, n int) (out []*lines) {
	t.Helper()
	for i := range n {
		var c net.Conn
		must(t, s.client.enter(func() (err error) {
			c, err = net.DialTimeout("tcp4", net.JoinHostPort(takeoverVIP, takeoverPort), limit)
			return err
		}))
		t.Cleanup(func() { _ = c.Close() })
		l := &lines{c, bufio.NewReader(c)}
		if err := l.say(fmt.Sprintf("hello %d", i)); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		out = append(out, l)
	}
	return out
}

// talk has half of the connections speak all the time until stop is closed; it
// gives the errors of each.
func talk(conns []*lines, stop <-chan struct{}) (wait func() []error) {
	errs := make([]error, len(conns))
	var all sync.WaitGroup
	for i, c := range conns {
		if i%2 == 1 {
			continue // idle ones
		}
		all.Go(func() {
			pause := time.NewTicker(200 * time.Millisecond)
			defer pause.Stop()
			for n := 0; errs[i] == nil; n++ {
				errs[i] = c.say(fmt.Sprintf("word %d", n))
				select {
				case <-stop:
					return
				case <-pause.C:
				}
			}
		})
	}
	return func() []error { all.Wait(); return errs }
}

// both starts both directors, of which a holds the addresses.
func (s *twoDirectors) both(t *testing.T) {
	t.Helper()
	s.start(t, s.a)
	s.holds(t, s.a)
	s.start(t, s.b)
	s.copies(t)
	gently.until(t, nil, "the real server is in both tables", func() bool {
		row := "-a -t " + takeoverVIP + ":" + takeoverPort
		return strings.Contains(s.a.run(t, "ipvsadm -Sn"), row) && strings.Contains(s.b.run(t, "ipvsadm -Sn"), row)
	})
	gently.until(t, nil, "the other director is heard", func() bool {
		p, err := s.daemons[s.a].client.Service(t.Context(), "mond", "peer")
		return err == nil && p.Status == "ok"
	})
	s.order(t, s.a, "hold")
	s.holds(t, s.a)
}

// survive moves the addresses from a to b and wants every connection to live on.
func (s *twoDirectors) survive(t *testing.T, n int, move func()) {
	t.Helper()
	began := time.Now()
	phase := func(what string) { t.Logf("%s: after %v", what, time.Since(began).Round(time.Second)) }
	s.both(t)
	phase("both are up")
	conns := s.connect(t, n)
	phase("connected")
	gently.until(t, nil, "the standby knows all connections", func() bool { return s.b.established(t) >= n })
	phase("copied")
	stop := make(chan struct{})
	wait := talk(conns, stop)
	s.order(t, s.a, "auto")
	event := time.Now()
	move()
	s.holds(t, s.b)
	t.Logf("%s: moved after %v", s.method, time.Since(event).Round(time.Millisecond))
	time.AfterFunc(3*time.Second, func() { close(stop) })
	errs := wait()
	lived := 0
	for i, c := range conns {
		if errs[i] == nil {
			errs[i] = c.say("still here")
		}
		if errs[i] == nil {
			lived++
		}
	}
	t.Logf("%s: %d of %d connections survived", s.method, lived, n)
	if lived != n {
		t.Errorf("of the others: %v", errors.Join(errs...))
	}
	if s.b.established(t) < n {
		t.Errorf("they did not go by %s", s.b)
	}
}

// orderly ends the mond of a, which hands over.
func (s *twoDirectors) orderly(t *testing.T) func() {
	return func() {
		must(t, s.daemons[s.a].cmd.Process.Signal(syscall.SIGTERM))
		<-s.daemons[s.a].ended
	}
}

// powerOff takes the power from a: its interfaces go and its mond is killed.
func (s *twoDirectors) powerOff(t *testing.T) func() {
	return func() {
		batch(t, s.a, "link set eth0 down", "link set eth1 down", "link set eth2 down")
		_ = s.daemons[s.a].cmd.Process.Kill()
		<-s.daemons[s.a].ended
	}
}

// The daemons as mond starts them, and the address moved by hand: what can be
// had every day.
func TestCopiedConnections(t *testing.T) {
	s := newTwoDirectors(t, "dr")
	s.declare(t, s.a)
	s.declare(t, s.b)
	s.fake(t, s.a, "start")
	conns := s.connect(t, 20)
	until(t, nil, "the standby knows all connections", func() bool { return s.b.established(t) >= len(conns) })
	s.fake(t, s.a, "stop")
	s.fake(t, s.b, "start")
	for i, c := range conns {
		if err := c.say("still here"); err != nil {
			t.Errorf("connection %d: %v", i, err)
		}
	}
}

// Whole monds. Each takes minutes there: for LAB_ALL.
func TestTakeovers(t *testing.T) {
	for _, method := range []string{"dr", "nat", "tun"} {
		t.Run(method+" handed over", func(t *testing.T) {
			s := newTwoDirectors(t, method)
			s.survive(t, 100, s.orderly(t))
		})
		t.Run(method+" power off", func(t *testing.T) {
			s := newTwoDirectors(t, method)
			s.survive(t, 100, s.powerOff(t))
		})
	}
}
