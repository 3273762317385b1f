package lab

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// other is a second director on the same wire, where the real ldirectord runs.
const other node = "ldirectord"

// bothRead is a file that ldirectord and mond read alike. The fallback is each
// director's own.
const bothRead = `checktimeout = 2
negotiatetimeout = 2
checkinterval = 2
maintenancedir = /run/maintenance
fallback = 127.0.0.1:80 gate

virtual = 10.0.0.3:80
	real = 192.168.0.1:80 gate 5
	real = 192.168.0.2:80 gate 3 "/index.html", "rs2" l:10 u:20
	request = "/index.html"
	receive = "rs"
	scheduler = wlc
	persistent = 300
	netmask = 255.255.255.0
	protocol = tcp

virtual = 10.0.0.4:8080
	real = 192.168.0.1->192.168.0.2:80 masq
	service = http
	checktype = 2
	scheduler = sh
	schedflags = sh-fallback,sh-port
	quiescent = yes

virtual = 7
	real = 192.168.0.1 ipip 2
	real = 192.168.0.2 gate 4
	checktype = connect
	checkport = 80
	fallback = 192.168.0.9 gate
	protocol = fwm
`

// newOther makes the second director; it ends with the kernel.
func newOther(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/run/netns/" + string(other)); err == nil {
		return
	}
	for _, line := range []string{
		"ip netns add ldirectord", "ip link add ldirectord type veth peer name eth0 netns ldirectord", "ip link set ldirectord master lab up",
		"ip -n ldirectord link set lo up", "ip -n ldirectord link set eth0 up", "ip -n ldirectord address add 192.168.0.253/24 dev eth0",
	} {
		run(t, exec.Command("ip", strings.Fields(line)[1:]...))
	}
}

// startLdirectord runs the real one, in the foreground.
func startLdirectord(t *testing.T, file string) {
	t.Helper()
	program := "/usr/sbin/ldirectord"
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatal("needs the Debian package ldirectord")
		}
		t.Skip("needs the Debian package ldirectord")
	}
	must(t, os.MkdirAll("/var/run/ldirectord", 0o755))
	ctx, cancel := context.WithCancel(context.Background())
	log, err := os.CreateTemp(t.TempDir(), "ldirectord")
	must(t, err)
	cmd := other.command(ctx, program, "-d", file, "start")
	cmd.Stdout, cmd.Stderr = log, log
	must(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		_ = log.Close()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("ldirectord, its last words:\n%s", text[max(0, len(text)-8<<10):])
		}
	})
}

// playBoth brings a director that reads bothRead through all that is compared:
// all is well, one real server dead, all dead, when they are back, and one in
// maintenance. (What ipvsadm saves has no thresholds.)
func playBoth(t *testing.T, n node, d *daemon) {
	t.Helper()
	patient := patience{limit: 5 * time.Minute, pause: 2 * time.Second}
	holds := func(reals ...string) {
		t.Helper()
		n.untilTable(t, d, patient, append(reals,
			"-A -t 10.0.0.3:80 -s wlc -p 300 -M 255.255.255.0", "-A -t 10.0.0.4:8080 -s sh -b sh-fallback,sh-port", "-A -f 7 -s wrr")...)
	}
	const (
		web1, web2     = "-a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 5", "-a -t 10.0.0.3:80 -r 192.168.0.2:80 -g -w 3"
		nat1, nat2     = "-a -t 10.0.0.4:8080 -r 192.168.0.1:80 -m -w 1", "-a -t 10.0.0.4:8080 -r 192.168.0.2:80 -m -w 1"
		quiet1, quiet2 = "-a -t 10.0.0.4:8080 -r 192.168.0.1:80 -m -w 0", "-a -t 10.0.0.4:8080 -r 192.168.0.2:80 -m -w 0"
		mark1, mark2   = "-a -f 7 -r 192.168.0.1:0 -i -w 2 --tun-type ipip", "-a -f 7 -r 192.168.0.2:0 -g -w 4"
	)
	holds(web1, web2, nat1, nat2, mark1, mark2)
	rs1.web(t, "down")
	holds(web2, quiet1, nat2, mark2)
	rs2.web(t, "down")
	holds("-a -t 10.0.0.3:80 -r 127.0.0.1:80 -g -w 1", quiet1, quiet2, "-a -t 10.0.0.4:8080 -r 127.0.0.1:8080 -g -w 1", "-a -f 7 -r 192.168.0.9:0 -g -w 1")
	rs1.web(t, "up")
	rs2.web(t, "up")
	holds(web1, web2, nat1, nat2, mark1, mark2)
	must(t, os.WriteFile(maintenance+"/192.168.0.1:80", nil, 0o644))
	holds(web2, quiet1, nat2, mark1, mark2)
	must(t, os.Remove(maintenance+"/192.168.0.1:80"))
	holds(web1, web2, nat1, nat2, mark1, mark2)
}

// maintenance is bothRead's maintenancedir.
const maintenance = "/run/maintenance"

// bothFile writes bothRead, and empties its directory of maintenance.
func bothFile(t *testing.T) string {
	t.Helper()
	must(t, os.RemoveAll(maintenance))
	must(t, os.MkdirAll(maintenance, 0o755))
	file := filepath.Join(t.TempDir(), "www.cf")
	must(t, os.WriteFile(file, []byte(bothRead), 0o644))
	return file
}

// The real ldirectord makes of the file what the test says. It is not run beside
// mond: the kernel has one CPU, and it starts a program for every look.
func TestLdirectord(t *testing.T) {
	newCluster(t)
	newOther(t)
	startLdirectord(t, bothFile(t))
	playBoth(t, other, nil)
}

// mond makes of it the same tables.
func TestLdirectordByMond(t *testing.T) {
	newCluster(t)
	director.run(t, "ipvsadm -C")
	install(t, "") // forgets what an earlier mond kept
	playBoth(t, director, startMond(t, "-c", bothFile(t)))
}
