package lab

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// look runs a monitor in the director, as the mon of old would, and returns what
// it printed and whether the host is well.
func look(t *testing.T, monitor, line string) (out string, well bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	b, err := director.command(ctx, append([]string{program(t, "plugins/"+monitor)}, strings.Fields(line)...)...).CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatalf("%s %s: %v", monitor, line, err)
	}
	return string(b), err == nil
}

// wantLook fails the test unless a look has this outcome.
func wantLook(t *testing.T, what, monitor, line string, want bool) {
	t.Helper()
	out, well := look(t, monitor, line)
	if well != want || strings.Contains(out, "not judged") {
		t.Errorf("%s: %s %s: well is %v\n%s", what, monitor, line, well, out)
	}
}

// marked makes a service of a mark with one real server.
func marked(t *testing.T, mark, row string) {
	t.Helper()
	director.run(t, "ipvsadm -A -f "+mark+" -s rr")
	director.run(t, "ipvsadm -a -f "+mark+" "+row)
}

// A check through the director proves what one of the real server's own address
// cannot: that the server takes the virtual address for its own, and packets
// from the tunnel. It needs --source always, and accept_local on a director that
// has the address.
func TestThroughTheDirector(t *testing.T) {
	newCluster(t)
	const acceptLocal = "sysctl -qw net.ipv4.conf.eth0.accept_local="
	t.Cleanup(func() { director.run(t, acceptLocal+"0") })
	marked(t, "1828716545", "-r 192.168.0.1 -g") // 0x6d000001
	marked(t, "1828716546", "-r 192.168.0.2 -i")
	marked(t, "1828716547", "-r 192.168.0.2 -m")
	const (
		dr  = "-t 3 --mark 0x6d000001 --to 10.0.0.3:80 --source 10.0.0.254 --status 200 -m rs1 192.168.0.1"
		tun = "-t 3 --mark 0x6d000002 --to 10.0.0.3:80 --source 10.0.0.254 --status 200 -m rs2 192.168.0.2"
		nat = "-t 3 --mark 0x6d000003 --to 10.0.0.3:80 --source 10.0.0.254 --status 200 -m rs2 192.168.0.2"
		own = "-t 10 --status 200 192.168.0.1 192.168.0.2"
	)
	const web = "http.monitor"
	wantLook(t, "nat, without accept_local", web, nat, true)
	wantLook(t, "dr, without accept_local", web, dr, false)
	director.run(t, acceptLocal+"1")
	for what, line := range map[string]string{"dr": dr, "tun": tun, "nat": nat} {
		wantLook(t, what, web, line, true)
	}
	wantLook(t, "dr, without a source", web, strings.Replace(dr, " --source 10.0.0.254", "", 1), false)
	wantLook(t, "dr, with --ping of the server itself", "tcp.monitor", "-t 5 --ping "+strings.NewReplacer("--status 200 -m rs1", "").Replace(dr[5:]), true)

	for _, rs := range []node{rs1, rs2} {
		rs.run(t, "ip address delete 10.0.0.3/32 dev lo")
		t.Cleanup(func() { rs.run(t, "ip address replace 10.0.0.3/32 dev lo") })
	}
	wantLook(t, "dr, not on lo", web, dr, false)
	wantLook(t, "tun, not on lo", web, tun, false)
	wantLook(t, "their own addresses", web, own, true)
	rs1.run(t, "ip address replace 10.0.0.3/32 dev lo")
	rs2.run(t, "ip address replace 10.0.0.3/32 dev lo")
	wantLook(t, "dr, on lo again", web, dr, true)

	rs2.run(t, "ip link set tunl0 down")
	t.Cleanup(func() { rs2.run(t, "ip link set tunl0 up") })
	wantLook(t, "tun, no tunnel", web, tun, false)
	rs2.run(t, "ip link set tunl0 up")
	wantLook(t, "tun, the tunnel again", web, tun, true)

	rs1.web(t, "down")
	wantLook(t, "dr, no web server", web, dr, false)
}

// IPv6 wants nothing of the director but the source.
func TestThroughTheDirectorIPv6(t *testing.T) {
	newCluster(t)
	const mark = "1828716550"
	director.run(t, "ipvsadm -A -f "+mark+" -6 -s rr")
	director.run(t, "ipvsadm -a -f "+mark+" -6 -r [2001:db8::1]:0 -g")
	const line = "-t 3 --mark " + mark + " --to [2001:db8::3]:80 --source 2001:db8::254 --status 200 -m rs1 2001:db8::1"
	wantLook(t, "on lo", "http.monitor", line, true)
	rs1.run(t, "ip address delete 2001:db8::3/128 dev lo")
	t.Cleanup(func() { rs1.run(t, "ip address replace 2001:db8::3/128 dev lo nodad") })
	wantLook(t, "not on lo", "http.monitor", line, false)
	wantLook(t, "its own address", "http.monitor", "-t 10 --status 200 2001:db8::1", true)
}
