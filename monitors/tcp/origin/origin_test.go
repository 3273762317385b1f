package origin_test

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/monitors/tcp/origin"
	"github.com/mondhq/mond/monitors/tcp/origin/origintest"
	"github.com/mondhq/mond/plugins/monitor"
)

func TestMain(m *testing.M) { echotest.Main(m) }

// configure reads a command line of http.monitor.
func configure(args ...string) (*origin.Origin, error) {
	o := new(origin.Origin)
	fs := flag.NewFlagSet("http.monitor", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o.Declare(fs)
	return o, fs.Parse(args)
}

func TestOptions(t *testing.T) {
	for line, want := range map[string]string{
		"--source 10.0.0.1":                   "",
		"--source web":                        "want an IP address",
		"--interface eth0.100":                "",
		"--interface 0123456789abcdef":        "want the name of a network interface",
		"--interface a/b":                     "want the name of a network interface",
		"--mark 7":                            "",
		"--mark 0x6D000001":                   "",
		"--mark 4294967295":                   "",
		"--mark 4294967296":                   "want a number from 1 to 4294967295",
		"--mark 0":                            "want a number from 1",
		"--mark -1":                           "want a number from 1",
		"--mark 0x":                           "want a number from 1",
		"--mark 010":                          "", // decimal, as people who write zeros mean it
		"--netns blue":                        "",
		"--netns /proc/1/ns/net":              "",
		"--netns ../blue":                     "want the name of a network namespace",
		"--netns ..":                          "want the name of a network namespace",
		"--netns " + strings.Repeat("x", 256): "want the name of a network namespace",
	} {
		_, err := configure(strings.Fields(line)...)
		if got := errorText(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if o, _ := configure("--mark", "0x10"); o.Mark != 16 {
		t.Errorf("0x10 is %d", o.Mark)
	}
	if o, _ := configure("--source", "10.0.0.1"); o.Given() {
		t.Error("a source address needs a socket of its own")
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// netns is the namespace of the calling thread.
func netns(t testing.TB) string {
	t.Helper()
	name, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Error(err)
	}
	return name
}

func TestSocketsAreMadeElsewhereAndNobodyStaysThere(t *testing.T) {
	space := origintest.New(t)
	home := netns(t)
	o, err := configure("--netns", space.Path, "--interface", origintest.Far, "--mark", "9")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				fd, err := o.Socket(unix.AF_INET, unix.SOCK_STREAM, 0, "")
				if err != nil {
					t.Error(err)
					return
				}
				mark, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK)
				device, _ := unix.GetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE)
				if mark != 9 || device != origintest.Far {
					t.Errorf("mark %d, device %q", mark, device)
				}
				_ = unix.Close(fd)
				if here := netns(t); here != home {
					t.Errorf("a goroutine is in %s", here)
				}
			}
		})
	}
	all.Wait()
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range threads {
		if name, err := os.Readlink(path); err == nil && name != home {
			t.Errorf("the thread of %s is in %s", path, name)
		}
	}
}

func TestAroundComesBack(t *testing.T) {
	space := origintest.New(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home := netns(t)
	o, _ := configure("--netns", space.Path)
	bug := errors.New("not started")
	var there string
	err := o.Around(func() error {
		there = netns(t)
		return bug
	})
	if !errors.Is(err, bug) || there == home || netns(t) != home {
		t.Errorf("%v; was in %s, is in %s, comes from %s", err, there, netns(t), home)
	}
}

// TestFaults tells what this machine's own faults look like.
func TestFaults(t *testing.T) {
	echotest.Need(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"--interface eth99": "send by the interface eth99 (--interface): there is none of that name",
		"--netns blue-99":   "enter the network namespace blue-99 (--netns): there is none: /run/netns/blue-99 does not exist",
		"--netns " + file:   "enter the network namespace " + file + " (--netns): " + file + " is not the file of a network namespace",
	} {
		o, err := configure(strings.Fields(line)...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = o.Socket(unix.AF_INET, unix.SOCK_STREAM, 0, "")
		if !monitor.Local(err) || errorText(err) != want {
			t.Errorf("%s: local %v, %v", line, monitor.Local(err), err)
		}
	}
	o, _ := configure("--interface", "lo")
	if _, err := o.Socket(unix.AF_INET6, unix.SOCK_STREAM, 0, "eth7"); !monitor.Local(err) {
		t.Errorf("a zone that is another interface: %v", err)
	}
}

// TestWithoutCapabilities drops them on a thread that ends with the test.
func TestWithoutCapabilities(t *testing.T) {
	echotest.Need(t)
	marked, _ := configure("--mark", "7")
	named, _ := configure("--netns", "/proc/self/ns/net")
	plain, _ := configure("--source", "127.0.0.1")
	results := make(chan []error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&hdr, &none[0]); err != nil {
			results <- []error{err}
			return
		}
		_, err := plain.Socket(unix.AF_INET, unix.SOCK_STREAM, 0, "")
		_, errMark := marked.Socket(unix.AF_INET, unix.SOCK_STREAM, 0, "")
		errNetns := named.Around(func() error { return nil })
		results <- []error{err, errMark, errNetns}
	}()
	errs := <-results
	if errs[0] != nil {
		t.Fatal(errs[0])
	}
	for i, want := range []string{
		1: `set the firewall mark 7 (--mark): not permitted: it needs the capability cap_net_raw, which "grant = http.monitor cap_net_raw" passes on if mond itself has it (before Linux 5.17: cap_net_admin)`,
		2: `enter the network namespace /proc/self/ns/net (--netns): not permitted: it needs the capability cap_sys_admin, which "grant = http.monitor cap_sys_admin" passes on if mond itself has it`,
	} {
		if want != "" && (!monitor.Local(errs[i]) || errs[i].Error() != want) {
			t.Errorf("got  %v\nwant %s", errs[i], want)
		}
	}
}

func TestVersion(t *testing.T) {
	space := origintest.New(t)
	o, _ := configure("--netns", space.Path)
	n, _ := configure("--netns", "blue-99")
	d, _ := configure("--interface", "lo")
	gone, _ := configure("--interface", "eth99")
	versions := []origin.Version{o.Version(), n.Version(), d.Version()}
	for i, v := range versions {
		if slices.Contains(versions[:i], v) {
			t.Errorf("%d: %v is not the only one of its kind", i, v)
		}
	}
	if gone.Version() != (origin.Version{}) || new(origin.Origin).Version() != (origin.Version{}) {
		t.Error("what there is not has a version")
	}
}
