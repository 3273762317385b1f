package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// declared is a configuration of one virtual service, declared whole: its lines
// are those of lines, and a check that looks at each real's web server.
func declared(lines string) string {
	return "syntax = mond\n\nvirtual web\n" + indent(lines) + indent(`
		check http
		interval 1s
		suspect_interval 200ms
		failure_interval 1s
		fall 3
		timeout 5s
		monitor http.monitor -p $port -u /`)
}

func indent(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString("    " + line + "\n")
		}
	}
	return b.String()
}

// way is a way that packets go.
type way struct {
	name, address, url string
	forward, flag      string
	reals              [2]string
	// route is what a real server needs besides, for ip route.
	route, unroute string
}

func ways() []way {
	four, six := [2]string{"192.168.0.1", "192.168.0.2"}, [2]string{"2001:db8::1", "2001:db8::2"}
	const url6 = "http://[2001:db8::3]/"
	return []way{
		{"dr", "tcp 10.0.0.3:80", virtualURL, "dr", "-g", four, "", ""},
		{"tun", "tcp 10.0.0.3:80", virtualURL, "tun", "-i", four, "", ""},
		{"nat", "tcp 10.0.0.3:80", virtualURL, "nat", "-m", four,
			"route replace 10.0.0.0/24 via 192.168.0.254", "route replace 10.0.0.0/24 dev eth0"},
		{"IPv6 dr", "tcp [2001:db8::3]:80", url6, "dr", "-g", six, "", ""},
		{"IPv6 tun", "tcp [2001:db8::3]:80", url6, "tun", "-i", six, "", ""},
		{"IPv6 nat", "tcp [2001:db8::3]:80", url6, "nat", "-m", six,
			"-6 route replace 2001:db8::100/128 via 2001:db8::254", "-6 route delete 2001:db8::100/128"},
	}
}

// row is a real's row of the way, as ipvsadm saves it.
func (w way) row(real string, weight int) string {
	at := strings.Fields(w.address)[1]
	if strings.Contains(real, ":") {
		real = "[" + real + "]"
	}
	row := fmt.Sprintf("-a -t %s -r %s:80 %s -w %d", at, real, w.flag, weight)
	if w.forward == "tun" {
		row += " --tun-type ipip"
	}
	return row
}

// Clients are served through what mond made of the declaration, in the shares
// that the weights say, however packets travel. (Tunnels of the other family are
// tried where real servers are set up for them: alerts/lvs/doctor.)
func TestDeclared(t *testing.T) {
	newCluster(t)
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			director.run(t, "ipvsadm -C")
			for _, rs := range []node{rs1, rs2} {
				if w.route != "" {
					rs.run(t, "ip "+w.route)
					defer rs.run(t, "ip "+w.unroute)
				}
			}
			install(t, declared(fmt.Sprintf("address %s\nscheduler wrr\nforward %s\nreal %s weight 3\nreal %s weight 1", w.address, w.forward, bracket(w.reals[0]), bracket(w.reals[1]))))
			d := startMond(t)
			untilTable(t, d, "-A -t "+strings.Fields(w.address)[1]+" -s wrr", w.row(w.reals[0], 3), w.row(w.reals[1], 1))
			wantShare(t, served(t, w.url, 80), 0.75)
			d.end(t, syscall.SIGTERM)
		})
	}
}

func bracket(address string) string {
	if strings.Contains(address, ":") {
		return "[" + address + "]"
	}
	return address
}

// wantShare fails the test unless rs1 had this share of the answers, within 5 %
// of it.
func wantShare(t *testing.T, a answers, want float64) {
	t.Helper()
	all := a.from["rs1"] + a.from["rs2"]
	if got := float64(a.from["rs1"]) / float64(all); got < want*0.95 || got > want*1.05 {
		t.Errorf("rs1 had %d of %d answers, %.3f of them: want %.3f", a.from["rs1"], all, got, want)
	}
}

// Rows of others stay, be they in a virtual service of ours; what somebody does
// to ours, be it a flush, is undone; a restart writes nothing.
func TestDeclaredAmongOthers(t *testing.T) {
	newCluster(t)
	director.run(t, "ipvsadm -C")
	foreign := []string{
		"-A -t 10.0.0.4:80 -s rr -p 60",
		"-a -t 10.0.0.4:80 -r 192.168.0.2:80 -g -w 7",
		"-A -f 7 -s sh",
		"-a -f 7 -r 192.168.0.1:0 -g -w 2",
	}
	inside := "-a -t 10.0.0.3:80 -r 192.168.0.9:80 -g -w 0"
	ours := []string{"-A -t 10.0.0.3:80 -s wlc", row1, row2}
	for _, row := range foreign {
		director.run(t, "ipvsadm "+row)
	}
	install(t, declared(twoReals))
	d := startMond(t)
	untilTable(t, d, append(foreign, ours...)...)
	director.run(t, "ipvsadm "+inside)
	director.run(t, "ipvsadm -d -t 10.0.0.3:80 -r 192.168.0.1:80")
	director.run(t, "ipvsadm -E -t 10.0.0.3:80 -s rr")
	director.run(t, "ipvsadm -e -t 10.0.0.3:80 -r 192.168.0.2:80 -m -w 1")
	untilTable(t, d, append(append(foreign, inside), ours...)...)
	tape := newTape(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		d.end(t, sig)
		d = startMond(t)
		d.seen(t, "192.168.0.1:http")
		d.seen(t, "192.168.0.2:http")
		tape.wantWrites(t)
		untilTable(t, d, append(append(foreign, inside), ours...)...)
	}
	director.run(t, "ipvsadm -C")
	untilTable(t, d, ours...)
	d.end(t, syscall.SIGTERM)
	untilTable(t, nil, ours...)
}

const twoReals = `
	address tcp 10.0.0.3:80
	scheduler wlc
	real 192.168.0.1 weight 5
	real 192.168.0.2 weight 5`

// What leaves the configuration leaves the table, and only that.
func TestDeclaredLeaves(t *testing.T) {
	newCluster(t)
	director.run(t, "ipvsadm -C")
	install(t, declared(twoReals))
	d := startMond(t)
	untilTable(t, d, "-A -t 10.0.0.3:80 -s wlc", row1, row2)
	rewrite(t, declared(strings.ReplaceAll(twoReals, "real 192.168.0.2 weight 5", "")))
	untilTable(t, d, "-A -t 10.0.0.3:80 -s wlc", row1)
	rewrite(t, declared(strings.ReplaceAll(twoReals, "10.0.0.3:80", "10.0.0.4:80")))
	untilTable(t, d, "-A -t 10.0.0.4:80 -s wlc", "-a -t 10.0.0.4:80 -r 192.168.0.1:80 -g -w 5", "-a -t 10.0.0.4:80 -r 192.168.0.2:80 -g -w 5")
	d.end(t, syscall.SIGTERM)
}

// rewrite changes the configuration of a mond that runs.
func rewrite(t *testing.T, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(configDir, "mon.cf"), []byte(text), 0o644))
	monctl(t, "reload")
}
