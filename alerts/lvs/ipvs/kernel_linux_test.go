package ipvs_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// openKernel opens the real table, empty.
func openKernel(t testing.TB) ipvs.Table { return openEmpty(t, ipvs.OpenKernel) }

func openEmpty(t testing.TB, open func() (*ipvs.Kernel, error)) ipvs.Table {
	t.Helper()
	if !underLab() {
		t.Skip("needs a kernel with IPVS: make test")
	}
	k, err := open()
	if err != nil {
		t.Fatal(err)
	}
	list, err := k.Services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if err := k.DeleteService(t.Context(), s.Virtual); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func TestLabKernelTable(t *testing.T) {
	testTable(t, func(t *testing.T) ipvs.Table { return openKernel(t) })
}

// After the module was loaded anew all goes over netlink.
func TestLabRawTable(t *testing.T) {
	testTable(t, func(t *testing.T) ipvs.Table { return openEmpty(t, ipvs.OpenRaw) })
}

// A machine without IPVS is the one on which moby/ipvs reports success for
// everything.
func TestNoKernel(t *testing.T) {
	k, err := ipvs.OpenKernel()
	if err == nil { // this machine has IPVS
		defer k.Close()
		if _, err := k.Services(t.Context()); err != nil && !errors.Is(err, ipvs.ErrPermission) {
			t.Error(err)
		}
		return
	}
	if errors.Is(err, ipvs.ErrPermission) {
		return
	}
	if !errors.Is(err, ipvs.ErrNoKernel) || ipvs.ActionFor(err) != ipvs.GiveUp {
		t.Errorf("got %v (%v), want ErrNoKernel", err, ipvs.ActionFor(err))
	}
	if !strings.Contains(err.Error(), "modprobe ip_vs") || !strings.Contains(err.Error(), "--table") {
		t.Errorf("%v: does not say what to do", err)
	}
}

func TestLabUnknownScheduler(t *testing.T) {
	k := openKernel(t)
	defer k.Close()
	err := k.AddService(t.Context(), ipvs.Service{Virtual: tcp("10.0.0.3:80"), Scheduler: "nosuch"})
	if !errors.Is(err, ipvs.ErrNoScheduler) {
		t.Errorf("got %v, want ErrNoScheduler", err)
	}
}

// moby/ipvs alone hangs within a few calls of this.
func TestLabManyGoroutines(t *testing.T) {
	k := openKernel(t)
	defer k.Close()
	v := tcp("10.0.0.3:80")
	must(t, k.AddService(t.Context(), service(v)))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 1, byte(g + 1)}), 80)
			for i := range 50 {
				churn(t, k, v, ipvs.Destination{Addr: a, Forward: ipvs.Direct, Weight: uint32(i)})
			}
		})
	}
	wg.Wait()
	wantDestinations(t, k, v, []ipvs.Destination{})
}

func churn(t *testing.T, k ipvs.Table, v ipvs.Virtual, d ipvs.Destination) {
	err := errors.Join(k.AddDestination(t.Context(), v, d), k.UpdateDestination(t.Context(), v, d))
	if _, e := k.Destinations(t.Context(), v); e != nil {
		err = errors.Join(err, e)
	}
	if err := errors.Join(err, k.DeleteDestination(t.Context(), v, d.Addr)); err != nil {
		t.Error(err)
	}
}

func TestLabEndedContext(t *testing.T) {
	k := openKernel(t)
	defer k.Close()
	ctx, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	if _, err := k.Services(ctx); !errors.Is(err, ipvs.ErrTimeout) {
		t.Errorf("got %v, want ErrTimeout", err)
	}
}

// What this package reads is what ipvsadm shows, and what it writes as a file
// is what ipvsadm saves.
func TestLabSameAsIpvsadm(t *testing.T) {
	k := openKernel(t)
	defer k.Close()
	for _, row := range []string{
		"-A -t 10.0.0.3:80 -s wlc -p 300 -M 255.255.255.0",
		"-a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 5",
		"-a -t 10.0.0.3:80 -r 192.168.0.2:8080 -m -w 1",
		"-a -t 10.0.0.3:80 -r 192.168.0.3:80 -i -w 0",
		"-a -t 10.0.0.3:80 -r 192.168.0.4:80 -i -w 2 --tun-type gue --tun-port 6080",
		"-a -t 10.0.0.3:80 -r 192.168.0.5:80 -i -w 2 --tun-type gre --tun-csum",
		"-A -t 10.0.0.4:0 -s rr -p 60",
		"-A -u 10.0.0.3:53 -s sh -o -b sh-port,sh-fallback",
		"-A -t [2001:db8::3]:80 -s mh -p 360 -M 64 -b mh-port",
		"-a -t [2001:db8::3]:80 -r [2001:db8::1]:80 -g -w 1",
		"-A -f 7 -s rr",
		"-a -f 7 -r 192.168.0.1:0 -g -w 2",
		"-A -f 8 -6 -s rr",
		"-a -f 8 -6 -r [2001:db8::1]:0 -g -w 2",
	} {
		if out, err := exec.Command("ipvsadm", strings.Fields(row)...).CombinedOutput(); err != nil {
			t.Fatalf("ipvsadm %s: %v\n%s", row, err, out)
		}
	}
	copied := ipvs.NewFake()
	copyTable(t, k, copied)
	saved, err := exec.Command("ipvsadm-save", "-n").Output()
	must(t, err)
	if got, want := sortedLines(copied.Text()), sortedLines(string(saved)); got != want {
		t.Errorf("written here:\n%s\nby ipvsadm-save:\n%s", got, want)
	}
}

// A set of an encapsulated destination keeps what it is wrapped in.
func TestLabSetKeepsTunnel(t *testing.T) {
	k := openKernel(t)
	defer k.Close()
	v := tcp("10.0.0.3:80")
	must(t, k.AddService(t.Context(), service(v)))
	d := dest("192.168.0.1:80", ipvs.Tunnel, 1)
	d.Tunnel = ipvs.Encapsulation{Type: ipvs.GUE, Port: 6080, Checksum: 1}
	must(t, k.AddDestination(t.Context(), v, d))
	list, err := k.Destinations(t.Context(), v)
	must(t, err)
	list[0].Weight = 9
	must(t, k.UpdateDestination(t.Context(), v, list[0]))
	d.Weight = 9
	wantDestinations(t, k, v, []ipvs.Destination{d})
}

func BenchmarkLabKernelEdit(b *testing.B) {
	k := openKernel(b)
	defer k.Close()
	v := tcp("10.0.0.3:80")
	if err := k.AddService(b.Context(), service(v)); err != nil {
		b.Fatal(err)
	}
	d := dest("192.168.0.1:80", ipvs.Direct, 1)
	for b.Loop() {
		if err := k.AddDestination(b.Context(), v, d); err != nil {
			b.Fatal(err)
		}
		if err := k.DeleteDestination(b.Context(), v, d.Addr); err != nil {
			b.Fatal(err)
		}
	}
}

// A module that goes is noticed, and one that comes again is used although
// moby/ipvs does not know its new family. MOND_LAB_MODULES is what modprobe -d
// takes.
func TestLabModuleLoadedAnew(t *testing.T) {
	dir := os.Getenv("MOND_LAB_MODULES")
	if !underLab() || dir == "" {
		t.Skip("needs a kernel whose IPVS can be unloaded: make test")
	}
	k := openKernel(t)
	defer k.Close()
	modprobe(t, dir, "-r", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_wlc", "ip_vs_sh", "ip_vs_mh", "ip_vs")
	v := tcp("10.0.0.3:80")
	if err := k.AddService(t.Context(), service(v)); !errors.Is(err, ipvs.ErrNoKernel) {
		t.Errorf("without the module: %v, want ErrNoKernel", err)
	}
	modprobe(t, dir, "-a", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_wlc", "ip_vs_sh", "ip_vs_mh", "ip_vs")
	if _, err := k.Services(t.Context()); !errors.Is(err, ipvs.ErrNoKernel) {
		t.Errorf("an old handle: %v, want ErrNoKernel", err)
	}
	testTable(t, func(t *testing.T) ipvs.Table { return openKernel(t) })
}

func modprobe(t *testing.T, dir string, args ...string) {
	t.Helper()
	if out, err := exec.Command("modprobe", append([]string{"-d", dir}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("modprobe %v: %v\n%s", args, err, out)
	}
}
