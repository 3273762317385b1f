package fping

import (
	"strings"
	"testing"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/monitors/tcp/origin/origintest"
	"github.com/mondhq/mond/plugins/monitor"
)

// TestFromElsewhere pings from another namespace.
func TestFromElsewhere(t *testing.T) {
	first := origintest.New(t)
	m, err := configure(zone(), "-r", "0", "-t", "2000", "-netns", first.Path)
	if err != nil {
		t.Fatal(err)
	}
	look := func(m monitor.Monitor, host string) string {
		return m.Check(t.Context(), monitor.Request{Hosts: []string{host}}).Output()
	}
	for _, host := range []string{origintest.Only4, origintest.Near4, origintest.Near6, origintest.NearLink + "%far0"} {
		if out := look(m, host); !strings.Contains(out, host+": ok (") {
			t.Error(out)
		}
	}
	if out := look(m, origintest.NearLink+"%near0"); !strings.Contains(out, "there is no interface near0") {
		t.Error(out)
	}
	if out := check(t, origintest.Only4, "-r 0 -t 300").Output(); strings.Contains(out, "ok (") {
		t.Errorf("it can be reached from here: %s", out)
	}
}

// TestInterfaceMadeAnew keeps no socket that is tied to an interface of the past.
func TestInterfaceMadeAnew(t *testing.T) {
	echotest.Need(t)
	m, err := configure(zone(), "-r", "0", "-t", "1000", "-interface", "anew0")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, words := range []string{"link add anew0 type dummy", "addr add 10.55.0.1/24 dev anew0", "link set anew0 up"} {
			if err := echotest.IP(words); err != nil {
				t.Fatal(err)
			}
		}
		r := m.Check(t.Context(), monitor.Request{Hosts: []string{"10.55.0.1"}})
		if r.Blind() && !strings.Contains(r.Summary, "echo request") {
			t.Errorf("%s", r.Output())
		}
		if err := echotest.IP("link delete anew0"); err != nil {
			t.Fatal(err)
		}
		if r := m.Check(t.Context(), monitor.Request{Hosts: []string{"10.55.0.1"}}); r.Cause != monitor.LocalFault || !strings.Contains(r.Summary, "there is none of that name") {
			t.Errorf("%v %s", r.Cause, r.Output())
		}
	}
}
