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
	m, err := configure(zone(), "-r", "0", "-t", "1000", "-interface", origintest.Near)
	if err != nil {
		t.Fatal(err)
	}
	look := func() monitor.Result {
		return m.Check(t.Context(), monitor.Request{Hosts: []string{origintest.Far4}})
	}
	for _, name := range []string{"first", "second", "third"} {
		t.Run(name, func(t *testing.T) {
			origintest.New(t)
			if r := look(); r.Blind() || r.Failing() {
				t.Errorf("%v %s", r.Cause, r.Output())
			}
		})
		if r := look(); r.Cause != monitor.LocalFault || !strings.Contains(r.Summary, "there is none of that name") {
			t.Errorf("%v %s", r.Cause, r.Output())
		}
	}
}
