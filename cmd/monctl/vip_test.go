package main

import (
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/control"
)

func TestPrintRoles(t *testing.T) {
	at := func(d time.Duration) *time.Time { return new(noon.Add(-d)) }
	r := control.Roles{
		Groups: []control.Role{
			{Group: "web", Addresses: []string{"10.0.0.3/32/eth0", "10.0.0.4/32/eth0"}, State: "hold", Held: new(2), Total: 2, Epoch: 7,
				Expires: new(noon.Add(2800 * time.Millisecond)), Since: at(3 * time.Hour), Reason: "the peer is\ndead",
				Order: &control.RoleOrder{Verb: "hold", All: true, By: "ann", At: at(time.Hour), Text: "works"}},
			{Group: "inside", Addresses: []string{"192.168.0.254/32/eth1"}, State: "hold", Held: new(0), Total: 1, Epoch: 3, Since: at(time.Second),
				Reason: "this director is preferred", Error: "add 192.168.0.254: operation not permitted\x1b[0m"},
			{Group: "six", Addresses: []string{"2001:db8::3"}, State: "release", Held: new(0), Total: 1, Epoch: 9, Since: at(time.Minute), Reason: "the peer holds it"},
			{Group: "new", Addresses: []string{}, State: "unknown"},
			{Group: "alone", Addresses: []string{"10.9.9.9"}, State: "hold", Held: new(1), Total: 1, Permanent: true},
		},
		Services: []control.Service{{Group: "mond", Service: "peer", Status: "ok", Summary: "alive"}},
	}
	var b strings.Builder
	printRoles(&b, r, noon)
	golden(t, "vip.txt", plain(b.String()))
	for i, want := range []bool{true, false, true, true, true} {
		if got := asItShould(r.Groups[i]); got != want {
			t.Errorf("%s: as it should be: %v", r.Groups[i].Group, got)
		}
	}
	b.Reset()
	printRoles(&b, control.Roles{}, noon)
	if !strings.Contains(b.String(), "no service that decides") {
		t.Error(b.String())
	}
}

// Where another program moves addresses, it is named, and what mond sees of the
// pair is shown.
func TestPrintRolesOfOthers(t *testing.T) {
	r := control.Roles{Source: "heartbeat", Services: []control.Service{{Group: "mond", Service: "peer", Status: "ok", Summary: "alive"}}}
	var b strings.Builder
	printRoles(&b, r, noon)
	for _, want := range []string{"heartbeat decides who holds addresses (role_source)", "only looks", "peer"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "no service that decides") {
		t.Error(b.String())
	}
}

// What decides does not run: it is named, with the reason. A standby that was told
// nothing yet holds nothing.
func TestPrintRolesUndecided(t *testing.T) {
	blind := control.Service{Group: "directors", Service: "role", Status: "untested", Blind: &control.Blind{Cause: "local fault", Reason: "read the keys"}}
	r := control.Roles{Groups: []control.Role{{Group: "web", State: "unknown", Held: new(0), Total: 1}}, Services: []control.Service{blind}}
	var b strings.Builder
	printRoles(&b, r, noon)
	for _, want := range []string{"web    -          no ", "directors:role  untested, blind  -      local fault: read the keys"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	if !sightless(blind) || sightless(control.Service{Group: "mond", Service: "peer", Blind: blind.Blind}) {
		t.Error("sightless is who decides and cannot")
	}
}

func TestFailoverCommand(t *testing.T) {
	d := newDaemon(t)
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"failover", "release", "web", "--note", "new kernel"}, 0, ""},
		{[]string{"failover", "off"}, 0, ""},
		{[]string{"failover"}, 0, "no service that decides"},
		{[]string{"vip"}, 0, "no service that decides"},
		{[]string{"vip", "--json"}, 0, `"groups": []`},
		{[]string{"failover", "--json"}, 0, `"groups": []`},
		{[]string{"failover", "explode"}, 2, "want one of auto, hold, release, standby, off"},
		{[]string{"failover", "hold", "a", "b"}, 2, "want one of"},
		{[]string{"failover", "hold", "--json"}, 2, "nothing to print"},
		{[]string{"failover", "--note", "x"}, 2, "--note says why"},
		{[]string{"vip", "web"}, 2, "want no words"},
	} {
		code, out, complaints := d.run(tt.args...)
		if code != tt.code || !strings.Contains(out+complaints, tt.says) {
			t.Errorf("%v: %d %q %q", tt.args, code, out, complaints)
		}
	}
	if got := d.script.asked(); got != "failover release \"web\": new kernel\nfailover off \"\": " {
		t.Errorf("asked %q", got)
	}
}
