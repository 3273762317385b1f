package toml

import (
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/config"
)

// whole is the configuration that the spellings below are of.
const whole = `
mondir = /a:/b
maxprocs = 20
authtype = pam userfile
grant = x.monitor cap_net_raw,cap_net_admin
grant = y.alert none

hostgroup www a *b

view v www www:http

alias al
    one
    two

watch www
    service http
        description it's "good"
        interval 10s
        monitor x.monitor -u "/a b" c
        unack_summary yes
        allow_empty_group
        A=1
        period p: wd {Mon-Fri}
            alert x.alert one
            alert exit=1-2 x.alert "t w o"
            upalert x.alert
            alertafter 3
            alertafter 10m
        period
            alertexitrange 7
            alert y.alert
`

// All ways that TOML has to say a thing say it.
func TestSpellings(t *testing.T) {
	cf, diag := config.Parse("mon.cf", []byte(whole))
	want := mean(t, cf, diag)
	for _, tt := range []struct{ name, src string }{
		{"tables", `
mondir = ["/a", "/b"]
maxprocs = 20
authtype = ["pam", "userfile"]
[grant]
"x.monitor" = ["cap_net_raw", "cap_net_admin"]
"y.alert" = []
[hostgroup]
www = ["a", "*b"]
[view]
v = ["www", "www:http"]
[alias]
al = """
one
two
"""
[watch]
[watch.www]
[watch.www.service]
[watch.www.service.http]
description = "it's \"good\""
interval = "10s"
monitor = 'x.monitor -u "/a b" c'
unack_summary = true
allow_empty_group = true
[watch.www.service.http.env]
A = "1"
[[watch.www.service.http.period]]
name = "p"
when = "wd {Mon-Fri}"
alert = ["x.alert one", 'exit=1-2 x.alert "t w o"']
upalert = "x.alert"
alertafter = [3, "10m"]
[[watch.www.service.http.period]]
alertexitrange = 7
alert = "y.alert"
`},
		{"dotted keys", `
mondir = "/a:/b"
maxprocs = 0x14
authtype = "pam userfile"
grant."x.monitor" = "cap_net_raw,cap_net_admin"
grant.'y.alert' = []
hostgroup.www = "a *b"
view.v = "www www:http"
alias.al = ["one", "two"]
watch.www.service.http.description = '''it's "good"'''
watch.www.service.http.interval = "10s"
watch.www.service.http.monitor = ["x.monitor", "-u", "/a b", "c"]
watch.www.service.http.unack_summary = true
watch.www.service.http.allow_empty_group = true
watch.www.service.http.env.A = "1"
watch.www.service.http.period = [
  { name = "p", when = "wd {Mon-Fri}", alert = [["x.alert", "one"], ["exit=1-2", "x.alert", "t w o"]], upalert = ["x.alert"], alertafter = ["3", "10m"] },
  { alertexitrange = "7", alert = "y.alert", no_comp_alerts = false },
]
`},
		{"one inline table, and line ends within strings", `
watch = { www = { service = { http = { description = '''
it's
"good"''', interval = "10s", monitor = """
x.monitor
  -u "/a b" \
  c
""", unack_summary = true, allow_empty_group = true, env = { A = "1" }, period = [ { name = "p", when = """
wd
{Mon-Fri}""", alert = ["x.alert one", "exit=1-2 x.alert \u0022t w o\""], upalert = "x.alert", alertafter = [3, "10m"] }, { alertexitrange = 7, alert = "y.alert" } ] } } } }
mondir = ["/a", "/b"]
maxprocs = 2_0
authtype = ["pam", "userfile"]
grant = { "x.monitor" = ["cap_net_raw", "cap_net_admin"], "y.alert" = "none" }
hostgroup = { www = [
  "a",
  # b is off
  "*b",
] }
view = { v = ["www", "www:http"] }
alias = { al = "one\ntwo" }
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, ends := range []string{"\n", "\r\n"} {
				f, diag := Parse("mond.toml", []byte(strings.ReplaceAll(tt.src, "\n", ends)))
				if what, _ := Difference(want, mean(t, f, diag)); what != "" {
					t.Errorf("with %q: %s\n%s", ends, what, config.Format(f))
				}
			}
		})
	}
}

// Several hostgroups in one watch, a period that stands alone, and templates.
func TestMondSyntax(t *testing.T) {
	f, diag := Parse("mond.toml", []byte(`
hostgroup = { a = ["a1"], b = ["b1"] }
[watch."a b"]
use = ["web port=80"]
[watch."a b".service.http]
interval = "5s"
[template.web]
params = ["port", "path=/a b", "n=2"]
[template.web.service.http]
interval = "10s"
rise = "$n"
monitor = ["http.monitor", "-p", "$port", "$path", "$host"]
[template.web.service.http.period]
when = ""
alert = "mail.alert $watch"
`))
	c := mean(t, f, diag)
	if len(c.Services) != 2 {
		t.Fatalf("%d services", len(c.Services))
	}
	s := c.Services[1]
	if got := strings.Join(s.Monitor.Args, "|"); got != "-p|80|/a b|b1" || s.Plan.Up.String() != "5s" || s.Settle.Rise != 2 || s.Periods[0].Lines[0].Args[0] != "b" {
		t.Errorf("%q %+v", got, s)
	}
	if got := s.Monitor.ArgPos[1].String(); got != "mond.toml:12:35" {
		t.Errorf("the port stands at %s", got)
	}
}

// What templates hold is shown in the TOML they stand in, with the use.
func TestTemplateErrors(t *testing.T) {
	f, diag := Parse("mond.toml", []byte("[watch.w.service.s]\nuse = ['t']\n[template.t]\ninterval = '10'\n"))
	whole, more := config.Expand(t.Context(), f, bare())
	_, again := config.Resolve(whole, bare())
	got := printed(append(append(diag, more...), again...))
	if !strings.Contains(got, "mond.toml:4:15: error: invalid time \"10\" for interval: no unit\n    interval = '10'\n                  ^\n") && !strings.Contains(got, "mond.toml:4:13") {
		t.Error(got)
	}
	if !strings.Contains(got, "used at mond.toml:2:8") {
		t.Error(got)
	}
}
