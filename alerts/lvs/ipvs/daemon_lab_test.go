package ipvs_test

import (
	"errors"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// The kernel's sync daemons are as they were asked for, and as ipvsadm shows
// them.
func TestLabDaemons(t *testing.T) {
	k := openKernel(t).(*ipvs.Kernel)
	defer k.Close()
	for _, line := range []string{"link add sync0 type veth peer name sync1", "address add 10.9.0.1/24 dev sync0", "address add 2001:db8:9::1/64 dev sync0 nodad", "link set sync0 up", "link set sync1 up"} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v\n%s", line, err, out)
		}
	}
	t.Cleanup(func() { _ = exec.Command("ip", "link", "delete", "sync0").Run() })
	for name, s := range map[string]ipvs.Sync{
		"plain": {Link: "sync0", ID: 7},
		"all":   {Link: "sync0", ID: 255, MaxLen: 1400, Group: netip.MustParseAddr("224.0.0.99"), Port: 8900, TTL: 3},
		"IPv6":  {Link: "sync0", ID: 1, Group: netip.MustParseAddr("ff02::51")},
	} {
		t.Run(name, func(t *testing.T) {
			for _, state := range []ipvs.DaemonState{ipvs.Master, ipvs.Backup} {
				must(t, k.StartDaemon(t.Context(), ipvs.Daemon{State: state, Sync: s}))
			}
			if err := k.StartDaemon(t.Context(), ipvs.Daemon{State: ipvs.Master, Sync: s}); !errors.Is(err, ipvs.ErrExists) {
				t.Errorf("a second master: %v", err)
			}
			run, err := k.Daemons(t.Context())
			if err != nil || len(run) != 2 || !s.Like(run[0].Sync) || !s.Like(run[1].Sync) || run[0].State != ipvs.Master {
				t.Errorf("%+v, %v", run, err)
			}
			out, err := exec.Command("ipvsadm", "-L", "--daemon").Output()
			if err != nil || strings.Count(string(out), "mcast=sync0") != 2 {
				t.Errorf("ipvsadm: %v\n%s", err, out)
			}
			for _, state := range []ipvs.DaemonState{ipvs.Backup, ipvs.Master} {
				must(t, k.StopDaemon(t.Context(), state))
			}
			if err := k.StopDaemon(t.Context(), ipvs.Master); !errors.Is(err, ipvs.ErrNoDaemon) {
				t.Errorf("stopped twice: %v", err)
			}
			if run, err := k.Daemons(t.Context()); err != nil || len(run) != 0 {
				t.Errorf("%+v, %v", run, err)
			}
		})
	}
	if err := k.StartDaemon(t.Context(), ipvs.Daemon{State: ipvs.Backup, Sync: ipvs.Sync{Link: "nosuch"}}); !errors.Is(err, ipvs.ErrNoLink) {
		t.Errorf("an interface that is not there: %v", err)
	}
}

// A real server of another address family and copies do not go together, and
// it is said which one it is.
func TestLabDaemonsMixed(t *testing.T) {
	k := openKernel(t).(*ipvs.Kernel)
	defer k.Close()
	v := tcp("10.0.0.3:80")
	must(t, k.AddService(t.Context(), service(v)))
	must(t, k.AddDestination(t.Context(), v, dest("[2001:db8::1]:80", ipvs.Tunnel, 1)))
	err := k.StartDaemon(t.Context(), ipvs.Daemon{State: ipvs.Master, Sync: ipvs.Sync{Link: "lo"}})
	if !errors.Is(err, ipvs.ErrInvalid) || !strings.Contains(err.Error(), "[2001:db8::1]:80") {
		t.Errorf("%v does not name the real server", err)
	}
	must(t, k.DeleteService(t.Context(), v))
	if run, err := k.Daemons(t.Context()); cmp.Diff([]ipvs.Daemon(nil), run) != "" || err != nil {
		t.Errorf("%+v, %v", run, err)
	}
}
