package ping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/monitors/tcp/origin/origintest"
)

// With a mark the sockets are others, and the outcome is the same.
func TestFromElsewhereIsTheSame(t *testing.T) {
	played(t)
	const fast = "-c 10 -i 5 -w 1000 -mark 7 "
	for name, tt := range map[string]struct{ host, options, want string }{
		"none lost":      {"10.9.0.9", fast, `exited 0 false "10.9.0.9: 0 of 10 pings lost"`},
		"some lost":      {"10.9.3.9", fast + "-w 300", `exited 0 false "10.9.3.9: 3 of 10 pings lost (30%)"`},
		"too many":       {"10.9.3.9", fast + "-w 300 -loss 30%", `exited 1 false "10.9.3.9: 3 of 10 pings lost (30%)"`},
		"all lost":       {"10.9.10.9", fast + "-w 300", `exited 1 false "10.9.10.9: no answer: 10 pings sent"`},
		"v6":             {"fd09::9", fast, `exited 0 false "fd09::9: 0 of 10 pings lost"`},
		"dressed":        {"10.9.0.9", "-c 1 -size 1000 -ttl 9 -source 10.9.0.1 -interface played", `exited 0 false "10.9.0.9: 0 of 1 pings lost"`},
		"no route":       {"10.66.0.1", fast, `local fault 0 false "10.66.0.1: not judged: send an echo request to 10.66.0.1: network is unreachable"`},
		"not our source": {"10.9.0.9", fast + "-source 192.0.2.1", `local fault 0 false "10.9.0.9: not judged: send from the address 192.0.2.1: cannot assign requested address"`},
		"no interface":   {"10.9.0.9", "-interface eth99", `local fault 0 false "10.9.0.9: not judged: send by the interface eth99 (--interface): there is none of that name"`},
		"to":             {"192.0.2.1", "-c 2 -i 5 -to 10.9.0.9", `exited 0 false "192.0.2.1: 0 of 2 pings lost"`},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, text(check(t, tt.host, tt.options))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFromAnotherNamespace(t *testing.T) {
	space := origintest.New(t)
	for host, want := range map[string]string{
		origintest.Only4:              `exited 0 false "10.78.0.2: 0 of 3 pings lost"`,
		origintest.Near4:              `exited 0 false "10.77.0.1: 0 of 3 pings lost"`,
		origintest.NearLink + "%far0": `exited 0 false "fe80::77:1%far0: 0 of 3 pings lost"`,
	} {
		if got := text(check(t, host, "-c 3 -i 5 -netns "+space.Path)); got != want {
			t.Errorf("%s: %s", host, got)
		}
	}
	if got := text(check(t, origintest.Near4, "-netns blue-99")); !strings.Contains(got, "local fault") || !strings.Contains(got, "/run/netns/blue-99 does not exist") {
		t.Error(got)
	}
}

func TestNoPort(t *testing.T) {
	if _, err := configure("-to", "10.0.0.3:80"); err == nil || !strings.Contains(err.Error(), "a ping has no port") {
		t.Error(err)
	}
}
