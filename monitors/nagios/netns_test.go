package nagios

import (
	"os"
	"strings"
	"testing"

	"github.com/mondhq/mond/monitors/tcp/origin/origintest"
)

// TestNetns runs a plugin in another network namespace, and the next one in ours.
func TestNetns(t *testing.T) {
	space := origintest.New(t)
	folder := scripts(t, `echo "$(readlink /proc/self/ns/net) $(sed -n s/^CapAmb://p /proc/self/status)"`)
	const noCapability = "0000000000000000"
	here, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	var there string
	if err := space.In(func() (err error) {
		there, err = os.Readlink("/proc/thread-self/ns/net")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for options, want := range map[string]string{"--netns " + space.Path: there, "": here} {
			r := run(t, "web", append(strings.Fields(options), "--plugin", "check", "--dir", folder)...)
			if fields := strings.Fields(r.Detail); len(fields) < 3 || fields[1] != want || strings.TrimSpace(fields[2]) != noCapability {
				t.Errorf("%q: %v %s, want %s", options, r.Cause, r.Output(), want)
			}
		}
	}
	r := run(t, "web", "--netns", "blue-99", "--plugin", "check", "--dir", folder)
	if !r.Blind() || !strings.Contains(r.Summary, "there is none: /run/netns/blue-99 does not exist") {
		t.Errorf("%v %s", r.Cause, r.Output())
	}
}
