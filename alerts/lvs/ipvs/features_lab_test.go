package ipvs_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// everything are rows of every kind that a kernel holds, in the format of
// ipvsadm-save -n.
const everything = `-A -t 10.0.0.3:0 -s wlc -p 300 -M 255.255.255.0
-a -t 10.0.0.3:0 -r 192.168.0.1:0 -g -w 5
-A -t 10.0.0.3:80 -s mh -b mh-fallback,mh-port
-a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 5 -x 100 -y 50
-a -t 10.0.0.3:80 -r 192.168.0.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 10.0.0.3:80 -r 192.168.0.3:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-a -t 10.0.0.3:80 -r 192.168.0.4:80 -i -w 1 --tun-type gre --tun-csum
-a -t 10.0.0.3:80 -r [2001:db8::4]:80 -i -w 1 --tun-type ipip
-A -u 10.0.0.3:53 -s rr -o
-A --sctp-service 10.0.0.3:80 -s sh -b sh-fallback,sh-port
-A -t [2001:db8::3]:80 -s wrr -p 60 -M 64
-a -t [2001:db8::3]:80 -r 192.168.0.9:80 -i -w 0 --tun-type ipip
-A -f 7 -s rr
-a -f 7 -r 192.168.0.1:0 -m -w 65535
-A -f 7 -6 -s lc
-a -f 7 -6 -r [2001:db8::1]:0 -g -w 1
`

// What is written here is what ipvsadm shows, by both ways to the kernel.
func TestLabEverything(t *testing.T) {
	for name, open := range map[string]func() (*ipvs.Kernel, error){"moby": ipvs.OpenKernel, "raw": ipvs.OpenRaw} {
		t.Run(name, func(t *testing.T) {
			k := openEmpty(t, open)
			defer k.Close()
			f, _ := tableFile(t, everything)
			copyTable(t, f, k)
			saved, err := exec.Command("ipvsadm-save", "-n").Output()
			must(t, err)
			shown := strings.Replace(everything, " -x 100 -y 50", "", 1) // ipvsadm-save leaves thresholds out
			if d := cmp.Diff(sortedLines(shown), sortedLines(string(saved))); d != "" {
				t.Errorf("(-wanted +ipvsadm-save):\n%s", d)
			}
			again := ipvs.NewFake()
			copyTable(t, k, again)
			if d := cmp.Diff(sortedLines(everything), sortedLines(again.Text())); d != "" {
				t.Errorf("(-wanted +read):\n%s", d)
			}
			s, err := k.(*ipvs.Kernel).Service(t.Context(), ipvs.Virtual{Mark: 7, V6: true})
			if err != nil || s.Scheduler != "lc" {
				t.Errorf("%+v, %v", s, err)
			}
			if _, err := k.(*ipvs.Kernel).Service(t.Context(), tcp("10.9.9.9:1")); !errors.Is(err, ipvs.ErrNoService) {
				t.Errorf("a service that is not there: %v", err)
			}
		})
	}
}

// Everything about a service can be set in its place.
func TestLabSetService(t *testing.T) {
	k := openKernel(t)
	defer k.Close()
	v := udp("10.0.0.3:53")
	must(t, k.AddService(t.Context(), ipvs.Service{Virtual: v, Scheduler: "sh", SchedFlags: 3, OnePacket: true, Persist: 5, Mask: 8}))
	must(t, k.AddDestination(t.Context(), v, dest("192.168.0.1:53", ipvs.NAT, 1)))
	for _, s := range []ipvs.Service{
		{Virtual: v, Scheduler: "rr"},
		{Virtual: v, Scheduler: "mh", SchedFlags: 2},
		{Virtual: v, Scheduler: "wlc", Persist: 360, Mask: 24, OnePacket: true},
	} {
		must(t, k.UpdateService(t.Context(), s))
		wantServices(t, k, []ipvs.Service{s})
	}
	wantDestinations(t, k, v, []ipvs.Destination{dest("192.168.0.1:53", ipvs.NAT, 1)})
	err := k.UpdateService(t.Context(), ipvs.Service{Virtual: v, Scheduler: "nosuch"})
	if !errors.Is(err, ipvs.ErrNoScheduler) || !strings.Contains(err.Error(), "module ip_vs_nosuch") {
		t.Errorf("got %v", err)
	}
}

func TestLabTimeouts(t *testing.T) {
	k := openKernel(t).(*ipvs.Kernel)
	defer k.Close()
	before, err := k.Timeouts(t.Context())
	must(t, err)
	must(t, k.SetTimeouts(t.Context(), ipvs.Timeouts{TCP: 901, UDP: 302}))
	now, err := k.Timeouts(t.Context())
	want := ipvs.Timeouts{TCP: 901, TCPFin: before.TCPFin, UDP: 302}
	if err != nil || now != want {
		t.Errorf("%v, %v; want %v", now, err, want)
	}
	out, err := exec.Command("ipvsadm", "-L", "--timeout").Output()
	if err != nil || !strings.Contains(string(out), "901") || !strings.Contains(string(out), "302") {
		t.Errorf("ipvsadm: %v\n%s", err, out)
	}
	must(t, k.SetTimeouts(t.Context(), before))
}

// A table in another namespace is another table, and a name that goes is told.
func TestLabNamespace(t *testing.T) {
	own := openKernel(t)
	defer own.Close()
	if _, err := ipvs.OpenKernelIn("blue"); !errors.Is(err, ipvs.ErrNoNamespace) {
		t.Errorf("one that is not there: %v", err)
	}
	netns(t, "add")
	k, err := ipvs.OpenKernelIn("blue")
	must(t, err)
	must(t, k.AddService(t.Context(), service(tcp("10.0.0.3:80"))))
	wantServices(t, own, []ipvs.Service{})
	out, err := exec.Command("ip", "netns", "exec", "blue", "ipvsadm", "-Sn").Output()
	if err != nil || string(out) != "-A -t 10.0.0.3:80 -s wlc\n" {
		t.Errorf("%v\n%s", err, out)
	}
	netns(t, "del")
	for range 2 {
		if err := k.AddService(t.Context(), service(tcp("10.0.0.4:80"))); !errors.Is(err, ipvs.ErrNoNamespace) {
			t.Errorf("after it went: %v", err)
		}
		netns(t, "add") // another one of that name
	}
	must(t, k.Close())
	k, err = ipvs.OpenKernelIn("/run/netns/blue")
	must(t, err)
	wantServices(t, k, []ipvs.Service{})
	must(t, k.Close())
	netns(t, "del")
	if _, err := ipvs.OpenKernelIn("/etc/hostname"); !errors.Is(err, ipvs.ErrNoNamespace) {
		t.Errorf("a file that is none: %v", err)
	}
}

func netns(t *testing.T, verb string) {
	t.Helper()
	if out, err := exec.Command("ip", "netns", verb, "blue").CombinedOutput(); err != nil && !strings.Contains(string(out), "exists") {
		t.Fatalf("ip netns %s blue: %v\n%s", verb, err, out)
	}
}
