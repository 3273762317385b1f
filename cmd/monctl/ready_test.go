package main

import (
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/engine/view"
)

func TestReady(t *testing.T) {
	d := newDaemon(t)
	for _, tt := range []struct {
		line string
		code int
		want string // in what it prints or complains
	}{
		{"ready|gone", 1, `no watch or service "gone"`},
		{"ready|www2:http", 1, "not ready: "},
		{"ready|--frob", 2, "unknown flag"},
	} {
		code, out, complaint := d.run(strings.Split(tt.line, "|")...)
		if code != tt.code || !strings.Contains(out+complaint, tt.want) {
			t.Errorf("%s: exit status %d, want %d; %q %q, want %q", tt.line, code, tt.code, out, complaint, tt.want)
		}
	}
	if code, _, complaint := monctl("--socket", "/nonexistent/sock", "ready"); code != 1 || complaint == "" {
		t.Errorf("without a daemon: exit status %d, %q", code, complaint)
	}
}

// A table that the kernel does not take is not loaded, whatever was decided.
func TestUnreadyTable(t *testing.T) {
	d := newDaemon(t)
	d.board.SetDaemon(&view.Daemon{Unkept: map[string]string{"lvs.alert": "the kernel has no IPVS"}})
	for _, verb := range []string{"ready", "status"} {
		code, out, _ := d.run(verb)
		if (code == 0) != (verb == "status") || !strings.Contains(out, "lvs.alert does not keep what is claimed: the kernel has no IPVS") {
			t.Errorf("%s: exit status %d, %q", verb, code, out)
		}
	}
}

func TestUnreadyVirtual(t *testing.T) {
	for want, v := range map[string]control.Virtual{
		"":                                  {Name: "web", In: 1},
		"virtual web is not decided yet":    {Name: "web", Waiting: true},
		"virtual web: no permission":        {Name: "web", Fault: "no permission", In: 1},
		"virtual web has no real server in": {Name: "web"},
	} {
		if got := unreadyVirtual(v, true); got != want {
			t.Errorf("%+v: %q, want %q", v, got, want)
		}
	}
	if got := unreadyVirtual(control.Virtual{Name: "web"}, false); got != "" {
		t.Errorf("without --serving: %q", got)
	}
}
