package lvs

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/alert"
)

// wantTable compares ipvsadm-save -n, which leaves thresholds out, with lines,
// in any order.
func wantTable(t *testing.T, lines ...string) {
	t.Helper()
	out, err := exec.Command("ipvsadm-save", "-n").Output()
	must(t, err)
	got := slices.Sorted(strings.Lines(string(out)))
	for i := range lines {
		lines[i] = strings.Replace(lines[i], " -x 100 -y 50", "", 1) + "\n"
	}
	slices.Sort(lines)
	if d := cmp.Diff(lines, got); d != "" {
		t.Errorf("(-want +ipvsadm-save):\n%s", d)
	}
}

// What is declared comes, is kept, and goes; a restart writes nothing.
func TestLabDeclared(t *testing.T) {
	ipvsadm(t, "-C")
	t.Cleanup(func() { ipvsadm(t, "-C") })
	rows := map[string]string{
		"-P tcp -V 10.0.0.3:80 --service -s mh -b mh-port":                                           "-A -t 10.0.0.3:80 -s mh -b mh-port",
		"-P tcp -V 10.0.0.3:80 -R 192.168.0.1 -W 5 -F dr -x 100 -y 50":                               "-a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 5 -x 100 -y 50",
		"-P tcp -V 10.0.0.3:80 -R 192.168.0.2 -F tun --tun-type gue --tun-port 6080 --tun-csum csum": "-a -t 10.0.0.3:80 -r 192.168.0.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum",
		"-P tcp -V 10.0.0.4:0 --service -s rr -p 60 -M 24":                                           "-A -t 10.0.0.4:0 -s rr -p 60 -M 255.255.255.0",
		"-P tcp -V 10.0.0.4:0 -R 192.168.0.1":                                                        "-a -t 10.0.0.4:0 -r 192.168.0.1:0 -g -w 1",
		"-P udp -V 10.0.0.3:53 --service -s rr -o":                                                   "-A -u 10.0.0.3:53 -s rr -o",
		"-P sctp -V [2001:db8::3]:80 --service -s wlc":                                               "-A --sctp-service [2001:db8::3]:80 -s wlc",
		"-P sctp -V [2001:db8::3]:80 -R 192.168.0.7 -F tun":                                          "-a --sctp-service [2001:db8::3]:80 -r 192.168.0.7:80 -i -w 1 --tun-type ipip",
		"-V fwmark6:7 --service -s rr":                                                               "-A -f 7 -6 -s rr",
		"-V fwmark6:7 -R 2001:db8::1":                                                                "-a -f 7 -6 -r [2001:db8::1]:0 -g -w 1",
	}
	var in []alert.Claim
	var want []string
	for args, row := range rows {
		in, want = append(in, claim(args)), append(want, row)
	}
	first := labKeeper(t)
	must(t, first.Keep(t.Context(), true, in))
	wantTable(t, slices.Clone(want)...)
	dir := first.owner.given.StateDir
	second := labKeeperIn(t, dir)
	must(t, second.Keep(t.Context(), true, in))
	if now := decodeShow(t, second).Tables[0]; now.Added+now.Set+now.Deleted != 0 || !now.Agrees() {
		t.Errorf("a restart: %+v", now)
	}
	ipvsadm(t, "-C") // a flush by hand
	resyncOf(t, second)
	wantTable(t, slices.Clone(want)...)
	for _, line := range strings.Split(strings.TrimSpace(show(t, second, "ipvsadm")), "\n") {
		if !slices.Contains(want, line) {
			t.Errorf("shown as wanted: %s", line)
		}
	}
	ipvsadm(t, "-E", "-t", "10.0.0.3:80", "-s", "rr")
	ipvsadm(t, "-a", "-t", "10.0.0.4:0", "-r", "192.168.0.9:0", "-g", "-w", "3") // foreign
	resyncOf(t, second)
	const foreign = "-a -t 10.0.0.4:0 -r 192.168.0.9:0 -g -w 3"
	wantTable(t, append(slices.Clone(want), foreign)...)
	if err := second.Keep(t.Context(), true, nil); err == nil {
		t.Error("a virtual service with a foreign real server went, or nobody was told")
	}
	wantTable(t, "-A -t 10.0.0.4:0 -s rr -p 60 -M 255.255.255.0", foreign)
}
