package beside

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/halink"
	"github.com/mondhq/mond/plugins/monitor"
)

// vip is the address that moves.
const vip = "10.66.0.50"

// haCf is for a machine with much else to do: no beat is late within 2 s.
const haCf = `logfile @DIR@/log
udpport 694
keepalive 200ms
deadtime 2000ms
warntime 1000ms
initdead 4
bcast eth0 eth1
auto_failback on
node dira dirb
crm off
`

// monCf is of a mond that has nothing to do.
const monCf = `hostgroup here localhost

watch here
    service x
        interval 1s
        monitor true.monitor
        period wd {Sun-Sat}
            alert file.alert x
`

const mondDefault = `DAEMON=/usr/local/sbin/mond
CONFIG=@DIR@/mon.cf
PIDFILE=/run/mond.pid
OPTIONS="-s @DIR@/mon.d -a @DIR@/mon.d -D @DIR@/state -L @DIR@ --controlsocket /run/mond.sock --log stderr -A @DIR@/auth.cf"
`

// mondFiles are those of a director whose mond runs on its own.
func mondFiles() map[string]string {
	return map[string]string{
		"mon.cf": monCf, "auth.cf": "", "mond.default": mondDefault,
		"mon.d/true.monitor": "#!/bin/sh\nexit 0\n", "mon.d/file.alert": "#!/bin/sh\nexit 0\n",
	}
}

// heartbeatNode makes the files of a director under heartbeat: the package's own
// ha.d with our scripts in it, and a line as that of the old guide.
func heartbeatNode(t *testing.T, s *site, name string) *node {
	files := mondFiles()
	files["ha.d/ha.cf"] = haCf
	files["ha.d/haresources"] = "dira fake::" + vip + "/24/eth0 lvs mon\n"
	n := s.prepare(name, files, "/usr/libexec/heartbeat/heartbeat")
	write(t, filepath.Join(n.dir, "ha.d/authkeys"), "auth 1\n1 sha1 of-this-test\n", 0o600)
	for _, part := range []string{"harc", "shellfuncs"} {
		copyFile(t, "/etc/ha.d/"+part, filepath.Join(n.dir, "ha.d", part), 0o755)
	}
	for _, folder := range []string{"rc.d", "resource.d"} {
		entries, err := os.ReadDir("/etc/ha.d/" + folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			copyFile(t, filepath.Join("/etc/ha.d", folder, e.Name()), filepath.Join(n.dir, "ha.d", folder, e.Name()), 0o755)
		}
	}
	for ours, as := range map[string]string{"fake": "fake", "lvs": "lvs", "mond": "mon"} {
		copyFile(t, etc(t, "ha.d/resource.d/"+ours), filepath.Join(n.dir, "ha.d/resource.d", as), 0o755)
	}
	s.told(n, "log")
	return n
}

// halinkOn is halink.monitor with the cl_status of a director.
func halinkOn(t *testing.T, s *site, n *node) func() string {
	program := filepath.Join(t.TempDir(), "cl_status")
	write(t, program, "#!/bin/sh\nexec nsenter -t "+strconv.Itoa(n.first())+" -m -u -i -p -n /usr/bin/cl_status \"$@\"\n", 0o755)
	fs := flag.NewFlagSet(halink.Name, flag.ContinueOnError)
	m := halink.New(fs)
	if err := fs.Parse([]string{"--cl-status", program}); err != nil {
		t.Fatal(err)
	}
	return func() string { return m.Check(t.Context(), monitor.Request{Hosts: []string{"dira"}}).Output() }
}

// TestUnderHeartbeat: the real heartbeat of the package with "lvs1 10.0.0.3 lvs
// mon" in our scripts: start, takeover when a director loses power, failback.
func TestUnderHeartbeat(t *testing.T) {
	needs(t, "heartbeat", "/usr/libexec/heartbeat/heartbeat")
	s := newSite(t)
	a, b := heartbeatNode(t, s, "A"), heartbeatNode(t, s, "B")
	s.start(a)
	s.start(b)

	// A fresh pair waits 10 s of its own (RQSTDELAY).
	lvs := func(n *node) string {
		return s.inside(n, "MOND_INIT="+n.dir+"/init.d/mond MOND_DEFAULTS="+n.dir+"/mond.default MOND_SOCKET=/run/mond.sock MOND_RUN=/run/mond-resource /etc/ha.d/resource.d/lvs status || true")
	}
	within(t, 60*time.Second, "the address is on A", func() bool { return s.has("A", vip) })
	within(t, 30*time.Second, "lvs is running on A", func() bool { return lvs(a) == "running" })
	if s.has("B", vip) || lvs(b) != "stopped" {
		t.Errorf("B has the address too, or lvs: %q", lvs(b))
	}
	s.ask(vip)
	if got := s.seen(vip); got != a.mac {
		t.Fatalf("the client sees it at %q, A is %s", got, a.mac)
	}

	// One of two links dies: heartbeat tells nobody, halink.monitor does.
	ask := halinkOn(t, s, b)
	within(t, 10*time.Second, "B sees A by both links", func() bool { return strings.Contains(ask(), "dira: active; eth0 eth1 up") })
	s.ip(s.ns("A"), "link set eth1 down")
	within(t, 20*time.Second, "B says that a link is dead", func() bool { return strings.Contains(ask(), "dira: active; eth1 dead, eth0 up") })

	// Power off: the cables first, for an address outlives its processes.
	s.ip(s.ns("C"), "link set pA down")
	s.kill(a)
	within(t, 60*time.Second, "the address is on B", func() bool { return s.has("B", vip) })
	within(t, 10*time.Second, "the client sees it at B", func() bool { return s.seen(vip) == b.mac })
	within(t, 30*time.Second, "lvs is running on B", func() bool { return lvs(b) == "running" })
	s.ask(vip)
	if text := ask(); !strings.Contains(text, "the node is dead") {
		t.Errorf("halink.monitor says %s", text)
	}

	// A comes back as a machine does: without the address.
	s.ip(s.ns("A"), "addr del "+vip+"/24 dev eth0", "link set eth1 up")
	s.ip(s.ns("C"), "link set pA up")
	s.start(a)
	within(t, 60*time.Second, "the address is on A again", func() bool { return s.has("A", vip) })
	within(t, 10*time.Second, "the client sees it at A", func() bool { return s.seen(vip) == a.mac })
	if s.has("B", vip) {
		t.Error("B still has the address")
	}
	within(t, 10*time.Second, "lvs is stopped on B", func() bool { return lvs(b) == "stopped" })
	if pids := s.inside(b, "pgrep -f 'fak[e].* repeat' || true"); pids != "" {
		t.Errorf("on B a process goes on announcing: %s", pids)
	}
	log, _ := os.ReadFile(filepath.Join(b.dir, "log"))
	if strings.Contains(string(log), "Giving up resources") || strings.Contains(string(log), "ERROR: Return code") {
		t.Errorf("heartbeat complains:\n%s", log)
	}
}
