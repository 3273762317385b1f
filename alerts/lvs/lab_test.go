package lvs

import (
	"context"
	"flag"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/mondhq/mond/alerts/internal/shared"
	"github.com/mondhq/mond/alerts/lvs/report"
	"github.com/mondhq/mond/alerts/lvs/words"
	"github.com/mondhq/mond/plugins/alert"
)

// underLab reports whether this runs on a kernel that has IPVS.
func underLab() bool { return os.Getenv("MOND_LAB") == "1" }

func mustParse(t *testing.T, args string) words.Job {
	t.Helper()
	j, err := words.Parse(strings.Fields(args))
	must(t, err)
	return j
}

func mustReal(t *testing.T, args string) netip.AddrPort { return mustParse(t, args).Row.Addr }

// ipvsadm runs ipvsadm; the table is empty before and after the test.
func ipvsadm(t testing.TB, args ...string) {
	t.Helper()
	if !underLab() {
		t.Skip("needs a kernel with IPVS: make test")
	}
	if out, err := exec.Command("ipvsadm", args...).CombinedOutput(); err != nil {
		t.Fatalf("ipvsadm %v: %v\n%s", args, err, out)
	}
}

func wantSaved(t *testing.T, lines ...string) {
	t.Helper()
	out, err := exec.Command("ipvsadm-save", "-n").Output()
	must(t, err)
	for _, l := range lines {
		if !strings.Contains(string(out), l+"\n") {
			t.Errorf("%s\nis not in\n%s", l, out)
		}
	}
	if n := strings.Count(string(out), "-a "); n != len(lines) {
		t.Errorf("%d real servers, want %d:\n%s", n, len(lines), out)
	}
}

func labKeeper(t *testing.T) *lvsAlert { return labKeeperIn(t, t.TempDir()) }

func decodeShow(t *testing.T, a *lvsAlert) report.Report { return decode(t, show(t, a, "table")) }

func show(t *testing.T, a *lvsAlert, topic string) string {
	t.Helper()
	text, err := a.Show(t.Context(), topic)
	must(t, err)
	return text
}

func resyncOf(t *testing.T, a *lvsAlert) {
	t.Helper()
	_, err := shared.Ask(t.Context(), a.owner.Work(), func(d *desk) (struct{}, error) {
		for d.beginRound(); d.round.slice < d.round.slices; {
			d.resync()
		}
		return struct{}{}, nil
	})
	must(t, err)
}

// labKeeperIn is a keeper of the kernel's table whose record is in dir.
func labKeeperIn(t *testing.T, dir string) *lvsAlert {
	ctx, cancel := context.WithCancel(context.Background())
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	a := NewFactory(Options{Context: ctx, StateDir: dir, Sockets: []string{}, Log: slog.New(slog.DiscardHandler)})(fs).(*lvsAlert)
	t.Cleanup(func() {
		cancel()
		if done := a.owner.Work().Done; done != nil {
			<-done
		}
	})
	return a
}

func TestLabKeep(t *testing.T) {
	for _, s := range []string{"-t 10.0.0.3:80", "-u 10.0.0.3:53", "-t [2001:db8::3]:80", "-f 7"} {
		ipvsadm(t, append([]string{"-A"}, append(strings.Fields(s), "-s", "wlc")...)...)
	}
	t.Cleanup(func() { ipvsadm(t, "-C") })
	ipvsadm(t, "-a", "-t", "10.0.0.3:80", "-r", "192.168.0.9:80", "-g", "-w", "3") // foreign
	ipvsadm(t, "-a", "-t", "10.0.0.3:80", "-r", "192.168.0.4:80", "-m", "-w", "3") // ours, wrong
	const foreign = "-a -t 10.0.0.3:80 -r 192.168.0.9:80 -g -w 3"
	rows := map[string]string{
		"-P tcp -V 10.0.0.3:80 -R 192.168.0.1 -W 5 -F dr":           "-a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 5",
		"-P tcp -V 10.0.0.3:80 -R 192.168.0.2:8080 -W 65535 -F nat": "-a -t 10.0.0.3:80 -r 192.168.0.2:8080 -m -w 65535",
		"-P tcp -V 10.0.0.3:80 -R 192.168.0.3 -W 0 -F tun":          "-a -t 10.0.0.3:80 -r 192.168.0.3:80 -i -w 0 --tun-type ipip",
		"-P tcp -V 10.0.0.3:80 -R 192.168.0.4 -W 5 -F dr":           "-a -t 10.0.0.3:80 -r 192.168.0.4:80 -g -w 5",
		"-P tcp -V 10.0.0.3:80 -R 2001:db8::4 -W 2 -F tun":          "-a -t 10.0.0.3:80 -r [2001:db8::4]:80 -i -w 2 --tun-type ipip",
		"-P udp -V 10.0.0.3:53 -R 192.168.0.1 -F nat":               "-a -u 10.0.0.3:53 -r 192.168.0.1:53 -m -w 1",
		"-P tcp -V [2001:db8::3]:80 -R 2001:db8::1 -F dr":           "-a -t [2001:db8::3]:80 -r [2001:db8::1]:80 -g -w 1",
		"-V fwmark:7 -R 192.168.0.1 -F dr":                          "-a -f 7 -r 192.168.0.1:0 -g -w 1",
	}
	var in, out []alert.Claim
	want := []string{foreign}
	for args, row := range rows {
		in, out, want = append(in, claim(args)), append(out, claim(args, down)), append(want, row)
	}
	a := labKeeper(t)
	must(t, a.Keep(t.Context(), true, in))
	wantSaved(t, want...)
	must(t, a.Keep(t.Context(), false, out))
	wantSaved(t, foreign)
	must(t, a.Keep(t.Context(), false, in))
	wantSaved(t, want...)
}

func TestLabOnce(t *testing.T) {
	ipvsadm(t, "-A", "-t", "10.0.0.3:80", "-s", "wlc")
	t.Cleanup(func() { ipvsadm(t, "-C") })
	for range 2 {
		must(t, program(t, []string{}, web1, alert.Up))
		wantSaved(t, strings.TrimSpace(row1))
	}
	for range 2 {
		must(t, program(t, []string{}, web1, alert.Failure))
		wantSaved(t)
	}
}

func BenchmarkLabDecision(b *testing.B) {
	ipvsadm(b, "-A", "-t", "10.0.0.3:80", "-s", "wlc")
	defer ipvsadm(b, "-C")
	benchmark(b, web1)
}
