package ipvs_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// brought are the schedulers that this kernel brings as modules, and none of
// them is there from the start but those of scripts/lab-init. They are loaded,
// and go again with the test.
func brought(t *testing.T) (names []string) {
	t.Helper()
	dir := os.Getenv("MOND_LAB_MODULES")
	files, err := filepath.Glob(filepath.Join(dir, "lib/modules/*/kernel/net/netfilter/ipvs/ip_vs_*.ko*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no modules in %s: %v", dir, err)
	}
	for _, f := range files {
		name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(f), "ip_vs_"), ".")
		if name != "ftp" && !strings.HasPrefix(name, "pe_") {
			names = append(names, name)
		}
	}
	loadFor(t, names...)
	return names
}

// loadFor loads modules of IPVS for one test. Those that were not there go with
// it, or ip_vs itself could not be unloaded any more.
func loadFor(t *testing.T, names ...string) {
	t.Helper()
	dir := os.Getenv("MOND_LAB_MODULES")
	before, err := os.ReadFile("/proc/modules")
	must(t, err)
	var modules, more []string
	for _, name := range names {
		modules = append(modules, "ip_vs_"+name)
		if !strings.Contains("\n"+string(before), "\nip_vs_"+name+" ") {
			more = append(more, "ip_vs_"+name)
		}
	}
	modprobe(t, dir, append([]string{"-a"}, modules...)...)
	t.Cleanup(func() {
		if len(more) == 0 {
			return
		}
		var out []byte
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if out, err = exec.Command("modprobe", append([]string{"-d", dir, "-r"}, more...)...).CombinedOutput(); err == nil {
				return // connections that name the module are over
			}
		}
		t.Errorf("modprobe -r %v: %v\n%s", more, err, out)
	})
}

// Every scheduler that the kernel brings is taken, by both ways to it and in
// either family, in the place of another too, and is what ipvsadm shows. One
// that it does not bring is refused by the name of its module.
func TestLabSchedulers(t *testing.T) {
	openKernel(t).Close()
	names := brought(t)
	for _, name := range strings.Fields("rr wrr lc wlc sh dh mh sed nq fo ovf lblc lblcr") {
		if !slices.Contains(names, name) {
			t.Errorf("the lab's kernel has no %s", name)
		}
	}
	for way, open := range map[string]func() (*ipvs.Kernel, error){"moby": ipvs.OpenKernel, "raw": ipvs.OpenRaw} {
		t.Run(way, func(t *testing.T) {
			k := openEmpty(t, open)
			defer k.Close()
			list := testSchedulers(t, k, names)
			for _, name := range []string{"twos", "nosuch"} { // twos is of Linux 5.11, where it was built
				if slices.Contains(names, name) {
					continue
				}
				err := k.AddService(t.Context(), ipvs.Service{Virtual: tcp("10.0.0.4:80"), Scheduler: name})
				if !errors.Is(err, ipvs.ErrNoScheduler) || !strings.Contains(err.Error(), "module ip_vs_"+name) {
					t.Errorf("%s: %v", name, err)
				}
			}
			wantServices(t, k, list)
			for _, s := range list {
				must(t, k.DeleteService(t.Context(), s.Virtual))
			}
		})
	}
}

// testSchedulers makes services with each of the schedulers, in both families,
// then gives each the next of the schedulers, and gives the services that there
// are.
func testSchedulers(t *testing.T, k ipvs.Table, names []string) (list []ipvs.Service) {
	t.Helper()
	for at, real := range map[string]string{"10.0.0.3": "192.168.0.1:80", "2001:db8::3": "[2001:db8::1]:80"} {
		for i, name := range names {
			s := ipvs.Service{Virtual: tcp(net.JoinHostPort(at, strconv.Itoa(i+1))), Scheduler: name}
			must(t, k.AddService(t.Context(), s))
			must(t, k.AddDestination(t.Context(), s.Virtual, dest(real, ipvs.NAT, 5)))
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b ipvs.Service) int { return ipvs.CompareVirtual(a.Virtual, b.Virtual) })
	wantServices(t, k, list)
	for i := range list {
		s := &list[i]
		s.Scheduler = names[int(s.Addr.Port())%len(names)]
		must(t, k.UpdateService(t.Context(), *s))
		real := "192.168.0.1:80"
		if s.Is6() {
			real = "[2001:db8::1]:80"
		}
		wantDestinations(t, k, s.Virtual, []ipvs.Destination{dest(real, ipvs.NAT, 5)})
	}
	wantServices(t, k, list)
	out, err := exec.Command("ipvsadm", "-Sn").Output()
	must(t, err)
	for _, s := range list {
		if !strings.Contains("\n"+string(out), "\n-A -t "+s.Addr.String()+" -s "+s.Scheduler+"\n") {
			t.Errorf("%s with %s is not what ipvsadm shows:\n%s", s.Virtual, s.Scheduler, out)
		}
	}
	return list
}

// The engine of persistence is taken, shown and taken away again; one that the
// kernel does not know is refused.
func TestLabEngine(t *testing.T) {
	openKernel(t).Close()
	loadFor(t, "pe_sip")
	for way, open := range map[string]func() (*ipvs.Kernel, error){"moby": ipvs.OpenKernel, "raw": ipvs.OpenRaw} {
		t.Run(way, func(t *testing.T) {
			k := openEmpty(t, open)
			defer k.Close()
			s := ipvs.Service{Virtual: udp("10.0.0.3:5060"), Scheduler: "rr", Persist: 60, Engine: "sip"}
			must(t, k.AddService(t.Context(), s))
			wantServices(t, k, []ipvs.Service{s})
			out, err := exec.Command("ipvsadm", "-Sn").Output()
			if err != nil || !strings.Contains(string(out), "--pe sip") {
				t.Errorf("ipvsadm: %v\n%s", err, out)
			}
			for _, engine := range []string{"", "sip", ""} {
				s.Engine = engine
				must(t, k.UpdateService(t.Context(), s))
				wantServices(t, k, []ipvs.Service{s})
			}
			s.Engine = "nosuch"
			if err := k.UpdateService(t.Context(), s); !errors.Is(err, ipvs.ErrNoScheduler) || !strings.Contains(err.Error(), "ip_vs_pe_nosuch") {
				t.Errorf("one that is not there: %v", err)
			}
			must(t, k.DeleteService(t.Context(), s.Virtual))
		})
	}
}
