package config_test

import (
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/opstatus"
)

func elects(p string) bool { return p == "heartbeat.monitor" }
func holds(p string) bool  { return p == "fake.alert" }

// directors is a file with a service that elects.
func directors(lines string) string {
	return "hostgroup directors lvs2\n\nwatch directors\n    service role\n        monitor heartbeat.monitor --node 1\n        period wd {Sun-Sat}\n" + lines
}

const alwaysLines = `            alert fake.alert --group web --priority 100 10.0.0.3/32/eth0 10.0.0.4/32/eth0
            alert mail.alert root
            alert fake.alert --tell 10.9.9.9 192.168.0.254/32/eth1
            alert fake.alert --group=six 2001:db8::3/128/eth0
`

func TestTakeRoles(t *testing.T) {
	c := configtest.Parse(t, directors(alwaysLines))
	if diags := c.TakeRoles(elects, holds); len(diags) > 0 {
		t.Fatal(diags)
	}
	s := c.Service(opstatus.Key{Group: "directors", Service: "role"})
	var groups []string
	for _, h := range s.Holds {
		groups = append(groups, h.Group.Name+"="+strings.Join(h.Args, " "))
	}
	want := "web=--group web --priority 100 10.0.0.3/32/eth0 10.0.0.4/32/eth0; 192.168.0.254=--tell 10.9.9.9 192.168.0.254/32/eth1; six=--group=six 2001:db8::3/128/eth0"
	if got := strings.Join(groups, "; "); got != want || !s.Elects {
		t.Errorf("holds %s", got)
	}
	if lines := s.Periods[0].Lines; len(lines) != 1 || lines[0].Program != "mail.alert" {
		t.Errorf("what is left: %+v", lines)
	}
}

func TestTakeRolesSaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct{ name, lines, says string }{
		{"twice", "alert fake.alert --group a 10.0.0.3\nalert fake.alert --group a 10.0.0.4", "error: group a is declared at mon.cf:7:"},
		{"upalert", "alert fake.alert 10.0.0.3\nupalert fake.alert 10.0.0.3", "error: upalert fake.alert: what a director holds is decided by heartbeat.monitor"},
		{"exit", "alert exit=1 fake.alert 10.0.0.3", "error: exit= says nothing"},
		{"no address", "alert fake.alert --priority 3", "mon.cf:7:7: error: fake.alert: no address: say ip[/bits"},
		{"a bad option", "alert fake.alert --priority 300 10.0.0.3", "mon.cf:7:29: error: fake.alert: option --priority: \"300\": say a number from 0 to 255"},
		{"an unknown option", "alert fake.alert --prioritty 3 10.0.0.3", "mon.cf:7:18: error: fake.alert: option --prioritty: there is no such option"},
		{"a bad address", "alert fake.alert --group a 10.0.0.3 10.0.0.256", "mon.cf:7:37: error: fake.alert: address \"10.0.0.256\""},
		{"nothing", "alert mail.alert root", "warning: service directors:role decides about directors, and nothing is declared"},
	} {
		c := configtest.Parse(t, directors(tt.lines+"\n"))
		diags := c.TakeRoles(elects, holds)
		if len(diags) != 1 || !strings.Contains(diags[0].String(), tt.says) {
			t.Errorf("%s: %v", tt.name, diags)
		}
	}
	// A witness decides and holds nothing.
	witness := strings.Replace(directors("alert mail.alert root\n"), "heartbeat.monitor ", "heartbeat.monitor --director 1=udp:10.0.0.9,10.0.0.1 ", 1)
	if diags := configtest.Parse(t, witness).TakeRoles(elects, holds); !strings.Contains(witness, "--director") || len(diags) > 0 {
		t.Errorf("a witness: %v", diags)
	}
	c := configtest.Parse(t, strings.Replace(directors(alwaysLines), "wd {Sun-Sat}", "wd {Mon-Fri}", 1))
	diags := c.TakeRoles(elects, holds)
	if len(diags) != 3 || diags.HasErrors() || !strings.Contains(diags[0].Message, "does not count for fake.alert") {
		t.Errorf("a period: %v", diags)
	}
	two := directors("alert fake.alert --group a 10.0.0.3\n") + "    service second\n        monitor heartbeat.monitor --node 2\n        period\nalert fake.alert --group a 10.0.0.4\n"
	c = configtest.Parse(t, two)
	if diags := c.TakeRoles(elects, holds); diags.Errors() != 1 || !strings.Contains(diags.Err().Error(), "group a is declared") {
		t.Errorf("two electors for one group: %v", diags)
	}
	// With any other monitor the line is an ordinary one.
	c = configtest.Parse(t, strings.Replace(directors(alwaysLines), "heartbeat.monitor", "fping.monitor", 1))
	if diags := c.TakeRoles(elects, holds); len(diags) > 0 || len(c.Services[0].Holds) > 0 || len(c.Services[0].Periods[0].Lines) != 4 {
		t.Errorf("under fping: %v", diags)
	}
}

// Where the word of another program counts an elector has nothing to hold, and
// lines of other services are ordinary ones.
func TestRoleSource(t *testing.T) {
	for word, want := range map[string]config.RoleSource{"mond": config.SourceMond, "heartbeat": config.SourceHeartbeat, "pacemaker": config.SourcePacemaker, "keepalived": config.SourceKeepalived} {
		if got := configtest.Parse(t, "role_source = "+word+"\n").Globals.RoleSource; got != want || got.String() != word {
			t.Errorf("%s: %v", word, got)
		}
		c := configtest.Parse(t, "role_source = "+word+"\n"+directors("alert mail.alert root\nalert fake.alert 10.0.0.3\n"))
		diags := c.TakeRoles(elects, holds)
		s := c.Services[0]
		if want == config.SourceMond {
			if len(diags) > 0 || len(s.Holds) != 1 {
				t.Errorf("%s: %v, %+v", word, diags, s.Holds)
			}
			continue
		}
		says := "mon.cf:9:7: error: role_source is " + word + ", so heartbeat.monitor may not decide what fake.alert holds (leave the line to " + word + ", or"
		if len(diags) != 1 || !strings.HasPrefix(diags[0].String(), says) || len(s.Holds) != 0 {
			t.Errorf("%s: %v", word, diags)
		}
		c = configtest.Parse(t, "role_source = "+word+"\n"+directors("alert mail.alert root\n"))
		if diags := c.TakeRoles(elects, holds); len(diags) > 0 || !c.Services[0].Elects {
			t.Errorf("%s, an elector that only looks: %v", word, diags)
		}
		c = configtest.Parse(t, "role_source = "+word+"\n"+strings.Replace(directors("alert fake.alert 10.0.0.3\n"), "heartbeat.monitor", "fping.monitor", 1))
		if diags := c.TakeRoles(elects, holds); len(diags) > 0 || len(c.Services[0].Periods[0].Lines) != 1 {
			t.Errorf("%s, a claim: %v", word, diags)
		}
	}
}

func TestOnStop(t *testing.T) {
	for word, want := range map[string]config.StopHow{"handover": config.StopHandover, "release": config.StopRelease, "keep": config.StopKeep} {
		if got := configtest.Parse(t, "on_stop = "+word+"\n").Globals.OnStop; got != want || got.String() != word {
			t.Errorf("%s: %v", word, got)
		}
	}
	if got := configtest.Parse(t, "").Globals.OnStop; got != config.StopHandover {
		t.Errorf("default %v", got)
	}
}

// Both directors see the same where only what is local differs, and no more.
func TestHash(t *testing.T) {
	base := directors(alwaysLines)
	of := func(text string) uint64 {
		c := configtest.Parse(t, text)
		if diags := c.TakeRoles(elects, holds); diags.HasErrors() {
			t.Fatal(diags)
		}
		return c.Hash()
	}
	want := of(base)
	if of(base) != want {
		t.Fatal("the hash is not the same twice")
	}
	for _, tt := range []struct {
		old, new string
		same     bool
	}{
		{"--node 1", "--node 2 --peer 1", true},
		{"--priority 100", "--priority 50", true},
		{"/eth0", "/eno1", true},
		{"hostgroup", "statedir = /srv\nmaxprocs = 3\n\nhostgroup", true},
		{"10.0.0.4/32", "10.0.0.5/32", false},
		{"--group web", "--group www", false},
		{"10.0.0.3/32/eth0 10.0.0.4/32/eth0", "10.0.0.4 10.0.0.3", true},
		{"mail.alert root", "mail.alert ann", false},
		{"lvs2", "lvs1", true}, // the other director, as each calls it
	} {
		if same := of(configtest.Replace(base, tt.old, tt.new)) == want; same != tt.same {
			t.Errorf("%s -> %s: same=%v", tt.old, tt.new, same)
		}
	}
	virtual := "syntax = mond\nvirtual web\n    address tcp 10.0.0.3:80\n    real 192.168.0.1\n    check tcp\n        interval 5s\n        monitor tcp.monitor\n"
	a := configtest.Parse(t, virtual).Hash()
	if a != configtest.Parse(t, virtual).Hash() || a == configtest.Parse(t, configtest.Replace(virtual, "192.168.0.1", "192.168.0.2")).Hash() {
		t.Error("virtual services do not count, or not the same twice")
	}
}
