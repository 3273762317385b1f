package config

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mondhq/mond/engine/depend"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
)

var testNow = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// bare are the options of a machine where no file exists.
func bare() Options {
	return Options{Dir: "/cwd", Now: testNow, Exists: func(string) bool { return false }}
}

// resolve reads and resolves text.
func resolve(text string, o Options) (*Config, Diagnostics) {
	f, diag := Parse("mon.cf", []byte(text))
	c, more := Resolve(f, o)
	diag = append(diag, more...)
	diag.Sort()
	return c, diag
}

// good is resolve of a text without errors.
func good(t *testing.T, text string, o Options) *Config {
	t.Helper()
	c, diag := resolve(text, o)
	if diag.HasErrors() {
		t.Fatal(printed(diag))
	}
	return c
}

func TestGuide(t *testing.T) {
	o := bare()
	c, diag := Load(t.Context(), "testdata/guide.cf", o)
	if len(diag) > 0 {
		t.Fatal(printed(diag))
	}
	key := opstatus.Key{Group: "www2", Service: "http"}
	s := c.Service(key)
	if s == nil || len(c.Services) != 2 || c.Group("www1") == nil {
		t.Fatalf("services %v", c.Services)
	}
	if diff := cmp.Diff([]string{"www2.domain.com"}, s.Hosts); diff != "" {
		t.Error(diff)
	}
	if g := c.Globals; g.MaxProcs != 20 || g.RandStart != 30*time.Second || s.Plan.RandStart != g.RandStart || s.Plan.Up != 10*time.Second {
		t.Errorf("globals %+v", g)
	}
	l := s.FindPeriod("wd {Sun-Sat}").Lines[1] // the lines of one kind are beside each other
	want := []string{"-P", "tcp", "-V", "10.0.0.3:80", "-R", "192.168.0.2", "-W", "5", "-F", "dr"}
	if diff := cmp.Diff(want, l.Args); diff != "" || l.On != alert.Failure || l.Program != "lvs.alert" {
		t.Error(l.On, l.Program, diff)
	}
	if got := l.ArgPos[5].String(); got != "testdata/guide.cf:29:54" {
		t.Errorf("argument at %s", got)
	}
	if got := l.Command.Pos.String(); got != "testdata/guide.cf:29:19" {
		t.Errorf("program at %s", got)
	}
	var uses []string
	for u := range c.Commands() {
		uses = append(uses, u.Service.Key.String()+" "+u.Word()+" "+u.Command.Program)
	}
	if len(uses) != 10 || uses[5] != "www2:http monitor http.monitor" || uses[9] != "www2:http upalert lvs.alert" {
		t.Errorf("uses %q", uses)
	}
	for u := range c.Commands() {
		if u.Role == RoleAlert {
			break // an iteration may end early
		}
	}
}

func TestDefaults(t *testing.T) {
	c := good(t, "", bare())
	want := Globals{
		BaseDir: "/usr/lib/mon", CfBaseDir: "/etc/mon", LogDir: "/usr/lib/mon/log.d", StateDir: "/usr/lib/mon/state.d",
		AlertDir:  []string{"/usr/local/lib/mon/alert.d", "/usr/lib/mon/alert.d"},
		MonDir:    []string{"/usr/local/lib/mon/mon.d", "/usr/lib/mon/mon.d"},
		PluginDir: []string{"/usr/lib/mond/plugins"},
		AuthFile:  "/etc/mon/auth.cf", AuthType: []string{"getpwnam"}, PamService: "passwd", UserFile: "/etc/mon/monusers.cf",
		ClientAllow: []string{`\d+.\d+.\d+.\d+`}, ClientTimeout: 30 * time.Second, HistLength: 100, HistoryKeep: 30 * 24 * time.Hour, HistoryRows: 200_000,
		DtLogFile: "/usr/lib/mon/log.d/downtime.log", MonErrFile: "/dev/null", PidFile: "/etc/mon.pid",
		SyslogFacility: "daemon", DepRecurLimit: 10, ControlSocket: "/run/mond/control.sock",
		Timeout: time.Minute, AlertTimeout: time.Minute, Grants: map[string][]string{}, Set: map[string]Pos{},
	}
	opts := cmp.Options{cmpopts.IgnoreFields(Globals{}, "ServerPort", "TrapPort", "ExcludePeriod")}
	if diff := cmp.Diff(want, c.Globals, opts); diff != "" {
		t.Error(diff)
	}
	if g := c.Globals; g.ExcludePeriod.Contains(testNow) || g.ServerPort == 0 || g.TrapPort == 0 {
		t.Errorf("exclude_period %q, ports %d and %d", g.ExcludePeriod, g.ServerPort, g.TrapPort)
	}
	all := bare()
	all.PluginDir, all.Exists = "/opt/mond/plugins", func(string) bool { return true }
	g := good(t, "", all).Globals
	if diff := cmp.Diff([]string{"/opt/mond/plugins", "/usr/lib/mond/plugins"}, g.PluginDir); diff != "" {
		t.Error(diff)
	}
	if g.LogDir != "/var/log/mon" || g.StateDir != "/var/state/mon" || g.PidFile != "/run/mon/mon.pid" {
		t.Errorf("defaults that exist: %q %q %q", g.LogDir, g.StateDir, g.PidFile)
	}
}

func TestGlobals(t *testing.T) {
	c := good(t, `
alertdir = a.d : /abs/a.d
mondir = m.d
plugindir = p.d:/abs/p.d
prefer = resident
basedir = base
cfbasedir = /cf
logdir = log
statedir = state
authfile = my.cf
userfile = /abs/users
authtype = pam trustlocal
pamservice = mon
historicfile = hist
historictime = 1d
historykeep = 7d
historyrows = 5000
dtlogfile = dt
dtlogging = yes
monerrfile = err
pidfile =
controlsocket = sock
serverport = 1
trapport = 65535
serverbind = 127.0.0.1
trapbind = localhost
clientallow = 127.0.0.1 10[.]0.*
cltimeout = 0s
monremote = /bin/true -x "y"
maxprocs = 20
histlength = 0
timeout = 90s
alerttimeout = 500ms
randstart = 0s
syslog_facility = local3
startupalerts_on_reset = on
dep_recur_limit = 3
exclude_period = hr {3}
grant = ping.monitor CAP_NET_RAW,cap_net_admin
grant = ping.monitor cap_net_raw, cap_bpf
grant = lvs.alert cap_net_admin
`, bare())
	g := c.Globals
	if len(g.Set) != 38 || g.Set["basedir"].String() != "mon.cf:6:1" {
		t.Errorf("%d set: %v", len(g.Set), g.Set)
	}
	if g.ExcludePeriod.String() != "hr {3}" {
		t.Errorf("exclude_period %q", g.ExcludePeriod)
	}
	want := Globals{
		BaseDir: "/cwd/base", CfBaseDir: "/cf", LogDir: "/cwd/base/log", StateDir: "/cwd/base/state",
		AlertDir: []string{"/cwd/base/a.d", "/abs/a.d"}, MonDir: []string{"/cwd/base/m.d"},
		PluginDir: []string{"/cwd/base/p.d", "/abs/p.d"}, PreferResident: true,
		AuthFile: "/cf/my.cf", AuthType: []string{"pam", "trustlocal"}, PamService: "mon", UserFile: "/abs/users",
		ServerPort: 1, TrapPort: 65535, ServerBind: "127.0.0.1", TrapBind: "localhost",
		ClientAllow: []string{"127.0.0.1", "10[.]0.*"}, MaxProcs: 20,
		HistoricFile: "/cwd/base/log/hist", HistoricTime: 24 * time.Hour, HistoryKeep: 7 * 24 * time.Hour, HistoryRows: 5000, DtLogFile: "/cwd/base/log/dt", DtLogging: true,
		MonErrFile: "/cwd/err", SyslogFacility: "local3", StartupAlertsOnReset: true, DepRecurLimit: 3,
		MonRemote: `/bin/true -x "y"`, ControlSocket: "/cwd/base/state/sock",
		Timeout: 90 * time.Second, AlertTimeout: 500 * time.Millisecond,
		Grants: map[string][]string{"ping.monitor": {"cap_net_raw", "cap_net_admin", "cap_bpf"}, "lvs.alert": {"cap_net_admin"}},
	}
	if diff := cmp.Diff(want, g, cmpopts.IgnoreFields(Globals{}, "ExcludePeriod", "Set")); diff != "" {
		t.Error(diff)
	}
}

func TestOverrides(t *testing.T) {
	o := bare()
	o.Overrides = map[string]string{"alertdir": "/x", "maxprocs": "7", "pidfile": "", "syslog_facility": "local1", "dep_behavior": "m"}
	c := good(t, "alertdir = /y\nmaxprocs = 20\npidfile = /p\ndep_behavior = hm\n\nwatch w\n service s\n", o)
	g := c.Globals
	if g.AlertDir[0] != "/x" || g.MaxProcs != 7 || g.PidFile != "" || g.SyslogFacility != "local1" || c.Services[0].Depend.Behavior != DependMonitor {
		t.Errorf("%+v", g)
	}
	if got := g.Set["maxprocs"].String(); got != "command line" {
		t.Errorf("set at %s", got)
	}
	if got := good(t, "syslog_facility = local2\n", o).Globals.SyslogFacility; got != "local2" {
		t.Errorf("the file did not win: %s", got)
	}
	o.Overrides = map[string]string{"maxproc": "7", "histlength": "x"}
	_, diag := resolve("", o)
	want := `command line: error: "x" is no number for histlength
command line: error: unknown variable "maxproc"
    hint: did you mean maxprocs?
`
	if diff := cmp.Diff(want, printed(diag)); diff != "" {
		t.Error(diff)
	}
}

func TestService(t *testing.T) {
	c := good(t, `
unack_summary = yes
dep_memory = 5m

hostgroup g a *b c \
   d

watch g
    service full
        FOO=bar "baz"
        _X9=
        description  The  "shop" # one
        interval 1.5M
        failure_interval 10s
        suspect_interval 100ms
        randskew 5s
        timeout 3s
        rise 2
        fall 3
        monitor x.monitor -p "8 0" ;;
        allow_empty_group
        exclude_hosts a
        exclude_hosts c
        exclude_period wd {Sat Sun}
        redistribute r.alert x
        traptimeout 10m
        trapduration 1h
        unack_summary no
        dep_memory 1m
        period
    service plain
        monitor y.monitor
        schedule "*/5 * * * *"
`, bare())
	s := c.Services[0]
	want := Service{
		Key: opstatus.Key{Group: "g", Service: "full"}, Pos: Pos{File: "mon.cf", Line: 9, Col: 5},
		Hosts: []string{"b", "d"}, ExcludeHosts: []string{"a", "c"}, Description: `The  "shop" # one`,
		Timeout: 3 * time.Second, Settle: opstatus.Settings{Rise: 2, Fall: 3}, AllowEmptyGroup: true,
		Monitor: &Command{Program: "x.monitor", Args: []string{"-p", "8 0"}, NoHosts: true},
		Depend:  Depends{Memory: time.Minute}, Env: map[string]string{"FOO": `bar "baz"`, "_X9": ""},
		Redistribute: &Command{Program: "r.alert", Args: []string{"x"}},
		TrapTimeout:  10 * time.Minute, TrapDuration: time.Hour,
	}
	opts := cmp.Options{
		cmpopts.IgnoreFields(Service{}, "Plan", "Exclude", "Periods"), cmpopts.IgnoreFields(Command{}, "Pos", "ArgPos", "Text"),
		cmp.Comparer(func(a, b *depend.Expr) bool { return a == b }),
	}
	if diff := cmp.Diff(want, *s, opts); diff != "" {
		t.Error(diff)
	}
	p := s.Plan
	if p.Up != 90*time.Second || p.Down != 10*time.Second || p.Suspect != 100*time.Millisecond || p.Skew != 5*time.Second {
		t.Errorf("plan %+v", p)
	}
	if s.Exclude.String() != "wd {Sat Sun}" || len(s.Periods) != 1 || s.Periods[0].Name != "" {
		t.Errorf("exclude %v, periods %v", s.Exclude, s.Periods)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, c.Group("g").Hosts); diff != "" || !c.Group("g").Disabled["b"] {
		t.Error(diff)
	}
	plain := c.Services[1]
	if plain.Timeout != time.Minute || !plain.UnackSummary || plain.Depend.Memory != 5*time.Minute || plain.Settle.Fall != 1 {
		t.Errorf("plain %+v", plain)
	}
	if at := plain.Plan.Calendar.Next(testNow); !at.Equal(testNow.Add(5*time.Minute)) || plain.Plan.Text != "*/5 * * * *" {
		t.Errorf("%q comes at %v", plain.Plan.Text, at)
	}
}

func TestPeriods(t *testing.T) {
	c := good(t, `
watch g
    service s
        interval 10s
        monitor m
        period wd {Mon-Fri} hr {9am-4pm}
            alert exit=2-9 a.alert severe
            alert EXIT=1 a.alert mild
            upalert b.alert "two words"
            startupalert c.alert
            ackalert d.alert
            disablealert e.alert
            alertevery 1h Observe_Detail
            alertafter 3
            alertafter 10m
            alertafter 3 30m
            upalertafter 1.5m
            numalerts 0
            alertexitrange 1-3
            no_comp_alerts
            alerts_dont_count
        period night : hr {9pm-6am}
            alertevery 30s strict
            alertexitrange 7
        period x:
            alertevery 1d summary
        period y: hr {1}
            alertevery 5s ignore_summary
`, bare())
	ps := c.Services[0].Periods
	var lines []string
	for _, l := range ps[0].Lines {
		lines = append(lines, l.On.String()+" "+l.Program)
	}
	if diff := cmp.Diff([]string{"failure a.alert", "failure a.alert", "up b.alert", "startup c.alert", "ack d.alert", "disable e.alert"}, lines); diff != "" {
		t.Error(diff)
	}
	if e := ps[0].Lines[0].Exit; e.Match(1) || !e.Match(2) || !e.Match(9) || e.Match(10) || !ps[0].Lines[2].Exit.Match(77) {
		t.Errorf("exit %+v", e)
	}
	want := []Period{
		{Name: "wd {Mon-Fri} hr {9am-4pm}", Every: Every{time.Hour, EveryDetail}, UpAfter: 90 * time.Second,
			After: After{Count: 3, For: 10 * time.Minute, Times: 3, Within: 30 * time.Minute},
			Exit:  ExitRange{true, 1, 3}, NoComp: true, DontCount: true},
		{Name: "night", Every: Every{30 * time.Second, EveryStrict}, Exit: ExitRange{true, 7, 7}},
		{Name: "x", Every: Every{24 * time.Hour, EverySummary}},
		{Name: "y", Every: Every{5 * time.Second, EveryIgnoreSummary}},
	}
	if diff := cmp.Diff(want, ps, cmpopts.IgnoreFields(Period{}, "Pos", "When", "Lines")); diff != "" {
		t.Error(diff)
	}
	if ps[1].When.String() != "hr {9pm-6am}" || ps[2].When.String() != "" {
		t.Errorf("periods %q and %q", ps[1].When, ps[2].When)
	}
	if s := c.Services[0]; s.FindPeriod("night") != &s.Periods[1] || s.FindPeriod("none") != nil {
		t.Error("FindPeriod")
	}
}

// dep_behavior says which expression a depend line stands for, wherever in the
// service it is written.
func TestDepends(t *testing.T) {
	c := good(t, `
watch g
    service s1
    service s2
        depend SELF:s1
    service s3
        depend SELF:s1
        dep_behavior m
    service s4
        dep_behavior hm
        depend SELF:s1 && !g:s2
        alertdepend SELF:s1
        monitordepend SELF:s2
    service s5
        alertdepend SELF:s1
        monitordepend SELF:s2
        hostdepend SELF:s3

dep_behavior = m
dep_memory = 7s

watch h
    service s
        depend mond:plugins
`, bare())
	text := func(e *depend.Expr) string {
		if e == nil {
			return "-"
		}
		return e.String()
	}
	want := []string{"- - - - a 0s", "g:s1 - - g:s1 a 0s", "- g:s1 - g:s1 m 0s", "g:s1 g:s2 g:s1 && !g:s2 g:s1 && !g:s2 hm 0s", "g:s1 g:s2 g:s3 - a 0s",
		"- mond:plugins - mond:plugins m 7s"}
	for i, s := range c.Services {
		d := s.Depend
		got := strings.Join([]string{text(d.Alert), text(d.Monitor), text(d.Host), text(d.Depend), d.Behavior.String(), d.Memory.String()}, " ")
		if got != want[i] {
			t.Errorf("%s: %s, want %s", s.Key, got, want[i])
		}
	}
}

func TestAliasesAndViews(t *testing.T) {
	c := good(t, `
alias shop
  the shop
# not part of it
service www
watch web service http items a b

alias empty

view v web db:disk
   other

view w mond
`, bare())
	want := []Alias{{Name: "shop", Lines: []string{"the shop", "service www", "watch web service http items a b"}}, {Name: "empty"}}
	if diff := cmp.Diff(want, c.Aliases, cmpopts.IgnoreFields(Alias{}, "Pos")); diff != "" {
		t.Error(diff)
	}
	views := []View{{Name: "v", Members: []string{"web", "db:disk", "other"}}, {Name: "w", Members: []string{"mond"}}}
	if diff := cmp.Diff(views, c.Views, cmpopts.IgnoreFields(View{}, "Pos")); diff != "" {
		t.Error(diff)
	}
}

// The watch of the daemon's own condition needs neither hostgroup nor monitor.
func TestSelfWatch(t *testing.T) {
	c, diag := resolve("watch mond\n service plugins\n  interval 10s\n  period\n   alert mail.alert x\n", bare())
	if len(diag) > 0 {
		t.Error(printed(diag))
	}
	if g := c.Group("mond"); g == nil || !g.Implied {
		t.Errorf("group %+v", g)
	}
}

func TestAllowPattern(t *testing.T) {
	for _, tt := range []struct {
		pattern, address string
		want             bool
	}{
		{`\d+.\d+.\d+.\d+`, "10.0.0.1", true}, {"127.0.0.1", "127.0.0.1", true}, {"127.0.0.1", "127.0.0x1", false},
		{"10[.]0.*", "10.0...", true}, {"10.0.0.1", "10.0.0.11", false}, {`10\.0.0.1|1.1.1.1`, "1.1.1.1", true},
	} {
		re, err := AllowPattern(tt.pattern)
		if err != nil || re.MatchString(tt.address) != tt.want {
			t.Errorf("%s on %s: %v, %v", tt.pattern, tt.address, !tt.want, err)
		}
	}
}

func TestCalendar(t *testing.T) {
	for text, want := range map[string]string{
		"0 3 * * *": "2026-01-01T03:00", "@hourly": "2026-01-01T01:00", "@every 90s": "2026-01-01T00:01",
		"CRON_TZ=UTC 30 4 1 * *": "2026-01-01T04:30", "0 0 29 2 *": "2028-02-29T00:00",
	} {
		c, err := parseCalendar(text, testNow)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := c.Next(testNow).Format("2006-01-02T15:04"); got != want {
			t.Errorf("%s comes at %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "TZ=0", "CRON_TZ=", "TZ=", "TZ=Nowhere/Land * * * * *", "0 0 31 2 *", "* * * *", "* * * * 7", "60 * * * *",
		", * * * *", "* * * * ,", "@every 100ms", "@every 1.5s", "@every -5s", "@every", "@reboot", "@", "*/0 * * * *", "\x00"} {
		if c, err := parseCalendar(text, testNow); err == nil {
			t.Errorf("%q: accepted, next %v", text, c.Next(testNow))
		}
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir + "/none.cf", dir, "/dev/zero"} {
		c, diag := Load(t.Context(), path, bare())
		if c != nil || diag.Errors() != 1 || diag[0].Pos.String() != path {
			t.Errorf("%s: %v, %s", path, c, printed(diag))
		}
	}
}
