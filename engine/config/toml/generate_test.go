package toml

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/config"
)

// site is a mon.cf in the making.
type site struct {
	t *rapid.T
	b strings.Builder
	// mond is set below `syntax = mond`.
	mond bool
	n    int // comments so far, to tell them apart
}

func (s *site) flip(what string) bool { return rapid.Bool().Draw(s.t, what) }

func (s *site) pick(what string, from ...string) string {
	return rapid.SampledFrom(from).Draw(s.t, what)
}

// line writes one, with comments here and there.
func (s *site) line(indent int, text string) {
	pad := strings.Repeat(" ", indent)
	if rapid.IntRange(0, 9).Draw(s.t, "comment") == 0 {
		s.n++
		fmt.Fprintf(&s.b, "%s# %d %s\n", pad, s.n, s.pick("comment", "a word", `"quoted" \ 'and'`, "= [x]", "ä"))
	}
	s.b.WriteString(pad + text)
	if s.mond && rapid.IntRange(0, 9).Draw(s.t, "beside") == 0 {
		s.n++
		fmt.Fprintf(&s.b, "  # beside %d", s.n)
	}
	s.b.WriteByte('\n')
}

func (s *site) blank() { s.b.WriteString("\n") }

// value is one that k takes.
func (s *site) value(k config.Keyword) string {
	switch k.Name { // these have a least value of their own
	case "historykeep":
		return s.pick(k.Name, "1m", "30d")
	case "historyrows":
		return s.pick(k.Name, "1000", "65535")
	}
	switch k.Form {
	case config.FormFlag:
		return ""
	case config.FormNumber:
		return s.pick("number", "1", "2", "20", "65535")
	case config.FormTime:
		return s.pick("time", "10s", "1m", "1.5h", "500ms", "2d", "1H")
	case config.FormTimeWord:
		return s.pick("every", "1h", "10m strict", "30s observe_detail", "1d ignore_summary")
	case config.FormYes:
		return s.pick("yes", "yes", "no", "1", "0")
	case config.FormCommand:
		return s.command(k)
	case config.FormPaths:
		return s.pick("paths", "/a", "/a:/b", "rel:/x y", "a::b")
	case config.FormWords, config.FormText, config.FormPhrase, config.FormCounts:
		return s.text(k)
	case config.FormGrant:
		return s.pick("grant", "a.monitor cap_net_raw", "b.alert cap_net_admin,cap_net_raw", "a.monitor none", "c cap_chown cap_kill")
	case config.FormQuoted, config.FormRecord:
	}
	s.t.Fatalf("no values for form %d of %s", k.Form, k.Name)
	return ""
}

func (s *site) command(k config.Keyword) string {
	text := s.pick("program", "a.monitor", "mail.alert", "b.x") + s.pick("words", "", " root", ` -u "/a b"`, ` 'it is' "q\"r"`, ` a\ b`, ` -x=#1`, ` it\'s "\\n" 'x\y'`, "   spaced  out")
	switch {
	case k.Name == "monitor":
		text += s.pick("end", "", " ;;")
	case k.Scope == config.ScopePeriod:
		text = s.pick("exit", "", "", "exit=1 ", "exit=2-9 ") + text
	}
	return text
}

// text are values of directives that are each of a kind of its own.
func (s *site) text(k config.Keyword) string {
	switch k.Name {
	case "prefer":
		return s.pick(k.Name, "resident", "classic")
	case "authtype":
		return s.pick(k.Name, "pam", "userfile getpwnam")
	case "clientallow":
		return s.pick(k.Name, `\d+.\d+.1.1`, `10.0.0.1 [^.]+.1.1.1`)
	case "syslog_facility":
		return s.pick(k.Name, "daemon", "local3")
	case "dep_behavior":
		return s.pick(k.Name, "a", "m", "hm")
	case "exclude_period":
		return s.pick(k.Name, "wd {Sat-Sun}", "hr {1-2}, hr {5}", "none")
	case "exclude_hosts":
		return s.pick(k.Name, "a", "b  a")
	case "depend", "alertdepend", "monitordepend", "hostdepend":
		return s.pick(k.Name, "g1:dns", "g1:dns && (g1:dns || !g1:dns)")
	case "schedule":
		return s.pick(k.Name, `"*/5 * * * *"`, "@hourly", "0 3  * * 1", `"CRON_TZ=Europe/Berlin 0 6 * * *"`, `'1 2 3 4 5'`)
	case "local_fault":
		return s.pick(k.Name, "link eth0", "source  192.168.0.254", "gateway 2001:db8::1")
	case "weight_from":
		return s.pick(k.Name, "exit", "perf load as  load", "perf x", `perf "free space"`, `perf 'it"s  # 1' as delta`, `perf a\ b`)
	case "ipvs_timeouts":
		return s.pick(k.Name, "tcp=900,tcpfin=120,udp=300", "udp=30")
	case "ipvs_sync":
		return s.pick(k.Name, "interface=eth1,syncid=7", "mode=by-role,interface=eth1.7,maxlen=1400,group=ff02::51,port=8900,ttl=2")
	case "role_source":
		return s.pick(k.Name, "mond", "heartbeat", "pacemaker", "keepalived")
	case "on_stop":
		return s.pick(k.Name, "handover", "release", "keep")
	case "notify":
		return s.pick(k.Name, "active", "always")
	case "table":
		return s.pick(k.Name, "warm", "by-role")
	case "alertafter":
		return s.pick(k.Name, "3", "10m", "2 99h")
	case "alertexitrange":
		return s.pick(k.Name, "7", "1-3")
	case "description":
		return s.pick(k.Name, "the web", `"quoted" it's \ here`, "naïve # sign"[:6], `''' """`, "x\ty")
	case "snmp", "snmpport", "ocfile":
		return "1"
	}
	return s.pick("text", "/var/x", "name", "127.0.0.1", "with blank")
}

// generate is a mon.cf that has every directive.
func generate(t *rapid.T) string {
	s := &site{t: t}
	if s.flip("head") {
		s.b.WriteString("# head of the file\n# and more\n\n")
	}
	if s.mond = s.flip("mond"); s.mond {
		s.b.WriteString("syntax = mond\n")
	}
	var service, period, virtual, check []config.Keyword
	for _, k := range config.Keywords() {
		switch {
		case k.Form != config.FormRecord && k.Scope == config.ScopeVirtual:
			virtual = append(virtual, k)
		case k.Form != config.FormRecord && k.Scope == config.ScopeCheck:
			check = append(check, k)
		case k.Form == config.FormRecord || k.Gated || k.Name == "syntax":
		case k.Scope == config.ScopeGlobal:
			s.global(k)
		case k.Scope == config.ScopeService:
			service = append(service, k)
		case k.Scope == config.ScopePeriod:
			period = append(period, k)
		}
	}
	s.records()
	s.templates()
	s.watches(service, period)
	s.virtuals(virtual, append(check, service...), period)
	if s.flip("tail") {
		s.b.WriteString("\n# the end\n")
	}
	return s.b.String()
}

func (s *site) global(k config.Keyword) {
	for range 1 + rapid.IntRange(0, 1).Draw(s.t, "times") {
		s.line(0, k.Name+" = "+s.value(k))
		if !k.Repeat {
			break
		}
	}
	if rapid.IntRange(0, 5).Draw(s.t, "gap") == 0 {
		s.blank()
	}
}

func (s *site) records() {
	s.blank()
	for _, g := range []string{"g1", "g2", "www.example.com", "solo"} {
		s.line(0, "hostgroup "+g+s.pick("hosts", " a", " a b", " a *b"))
		for range rapid.IntRange(0, 2).Draw(s.t, "rows") {
			s.line(4, s.pick("row", "c", "d *e", strings.Repeat("long.host.example.com ", 9)+"end"))
		}
		s.blank()
	}
	s.line(0, "view v g1 g1:dns")
	s.line(4, "g2")
	s.blank()
	s.line(0, "alias al")
	for range rapid.IntRange(0, 3).Draw(s.t, "lines") {
		s.line(4, s.pick("line", "some text", `"quoted" \x`, "watch g1 service x"))
	}
	s.blank()
}

func (s *site) templates() {
	if !s.mond {
		return
	}
	s.line(0, `template people to=root "text=a b"`)
	s.line(4, "period people: wd {Sun-Sat}")
	s.line(8, "alertevery 1h")
	s.line(8, "alert mail.alert ${to} $text")
	s.blank()
	s.line(0, "template web port")
	s.line(4, "service http")
	s.line(8, "interval 10s")
	s.line(8, "monitor http.monitor -p $port $$x")
	s.line(8, "use people to=$port")
	s.blank()
	s.line(0, "template settings n=3")
	s.line(4, "rise $n")
	s.line(4, "allow_empty_group")
	s.line(4, "FOO=$n")
	s.blank()
	s.line(0, "template checked by=x.monitor")
	s.line(4, "drain 5m")
	s.line(4, "local_fault link eth1")
	s.line(4, "check checked")
	s.line(8, "monitor $by -p $port -x $$")
	s.line(8, "fall 3")
	s.blank()
	s.line(0, "template quiet")
	s.line(4, "numalerts 3")
	s.line(4, "alerts_dont_count")
	s.blank()
}

func (s *site) watches(service, period []config.Keyword) {
	s.line(0, "watch g1")
	s.line(4, "service dns")
	s.blank()
	s.line(0, "watch "+s.pick("watch", "g2", "www.example.com"))
	if s.mond && s.flip("use") {
		s.line(4, "use web port=80")
	}
	s.service("all", service, period)
	for i := range rapid.IntRange(0, 2).Draw(s.t, "services") {
		s.service(fmt.Sprint("s", i), nil, nil)
	}
	s.blank()
	if s.mond && s.flip("several") {
		s.line(0, "watch several1 several2")
		s.service("x", nil, nil)
		s.blank()
	}
}

// service writes one with these directives.
func (s *site) service(name string, directives, period []config.Keyword) {
	s.line(4, "service "+name)
	if s.mond && s.flip("use") {
		s.line(8, "use settings"+s.pick("n", "", " n=5"))
	}
	for _, k := range directives {
		if k.Name == "schedule" && s.flip("interval") {
			continue
		}
		s.line(8, strings.TrimSpace(k.Name+" "+s.value(k)))
		if k.Repeat && s.flip("again") {
			s.line(8, k.Name+" "+s.value(k))
		}
		if rapid.IntRange(0, 5).Draw(s.t, "env") == 0 {
			s.line(8, s.pick("name", "PATHX", "A1", "_B")+"="+s.pick("value", "x", "a b", "", `"q"`, ` lead`, `it's "x" \y`))
		}
	}
	if s.mond && s.flip("people") {
		s.line(8, `use people to="ann bob"`)
	}
	if directives == nil {
		return
	}
	s.line(8, "period all: wd {Mon-Fri}")
	if s.mond && s.flip("quiet") {
		s.line(12, "use quiet")
	}
	for _, k := range period {
		for range 1 + rapid.IntRange(0, 2).Draw(s.t, "times") {
			s.line(12, strings.TrimSpace(k.Name+" "+s.value(k)))
			if !k.Repeat {
				break
			}
		}
	}
	s.line(8, s.pick("period", "period", "period wd {Sat}", "period x:"))
}
