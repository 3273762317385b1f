package clients

import (
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// staged is a configuration with services in every state that clients show.
const staged = `authtype = userfile
userfile = DIR/userfile
cltimeout = 60s
dtlogging = yes
dtlogfile = dt.log
historicfile = hist.log
histlength = 50

hostgroup web w1.example w2.example w3.example

hostgroup single only.example

hostgroup db db1 db2

hostgroup off o1 o2

view webview web db:disk
view offview off

alias shop
the shop
service www
watch web service http items w1.example w2.example
url http://shop.example/

alias empty

watch web
    service http
        description Web servers, "main" site
        interval 1h
        monitor say.monitor -p 80 "quoted arg" 'single q' back\ slash
        exclude_hosts w3.example
        randskew 5s
        period ALL: wd {Sun-Sat}
            alertevery 1h
            alert say.alert ops@example.com "two words"
            upalert say.alert -x ops@example.com
            startupalert say.alert started
            ackalert say.alert acked
        period hr {12am-11pm}
            alert exit=2-9 say.alert severe
            alert exit=1 say.alert mild
    service ping
        interval 1h
        monitor say.monitor
        period
            alert say.alert
    service late
        interval 1h
        monitor say.monitor
        period
            alert say.alert
    service back
        interval 1h
        monitor say.monitor
        period
            alert say.alert
            upalert say.alert
    service acked
        interval 1h
        monitor say.monitor
        period
            alert say.alert

watch db
    service disk
        interval 1h
        failure_interval 30m
        monitor say.monitor
        depend web:ping
        period
            alert say.alert
    service deep
        interval 1h
        monitor say.monitor
        depend web:http && single:ping
        period
            alert say.alert
    service trap
        description trap service
        period
            alert say.alert
            upalert say.alert
    service quiet
        interval 1h
        monitor say.monitor ;;
        exclude_period yr {1999}
        period
            alert say.alert

watch single
    service ping
        interval 1h
        monitor say.monitor
        allow_empty_group
        period
            alert say.alert

watch off
    service a
        interval 1h
        monitor say.monitor
        period
            alert say.alert

watch default
    service default
        period
            alert say.alert catchall
`

// accounts are alice with the password secret, who may do all, and bob with
// hunter2, who may not disable, and readonly with public, whom mon.cgi uses.
const accounts = `# comment
alice : abNANd1rDfiNc
bob: $6$saltsalt$8iYtNHxjWRl.NF6oNZ5tF.iKFlQREaXBLlSmZKP6dy9l5z3vsooWNW0/GZ6Nej73/TFug6pIPSqbJoCT6dfnj.
readonly: abxd5AMtDYJqM
`

// rights are who may do what; trapper with trappw may send traps.
const rights = `command section
ack:		AUTH_ANY
checkauth:	all
clear:		AUTH_ANY
disable:	AUTH_ANY,!bob,!readonly
enable:		AUTH_ANY
get:		all
list:		all
loadstate:	alice
reload:		alice
reset:		alice
savestate:	alice
servertime:	all
set:		alice
start:		alice
stop:		alice
term:		alice
test:		AUTH_ANY

trap section
127.0.0.1	trapper	tpXOGnTcd7hjs
`

// sayMonitor says what the file of its service tells it to: a piece of shell.
const sayMonitor = `#!/bin/sh
echo x >>DIR/ran/$MON_GROUP.$MON_SERVICE
[ ! -e DIR/say/$MON_GROUP.$MON_SERVICE ] || . DIR/say/$MON_GROUP.$MON_SERVICE
echo fine
`

// sayAlert reads what it is told and tells nobody. It can be executed whatever
// happens: an alert of mon that cannot starts a second mon.
const sayAlert = "#!/bin/sh\ncat >/dev/null\n"

// stagedSite is what the tests with staged services start.
func stagedSite() daemons.Site {
	return daemons.Site{
		Config: staged,
		Files: map[string]string{
			"auth.cf": rights, "userfile": accounts,
			"mon.d/say.monitor": sayMonitor, "alert.d/say.alert": sayAlert,
			"ran/none":      "",
			"say/web.http":  "printf 'w1.example\\nconnect: refused\\n\\ttabbed \"quoted\" back\\\\\\\\slash \\303\\251 <b>&amp;\\n'; exit 1\n",
			"say/web.acked": "printf 'w2.example\\nno answer\\n'; exit 3\n",
			"say/web.back":  "echo w3.example; exit 1\n",
			"say/db.disk":   "printf 'db1\\n/var 99%% full\\n'; exit 2\n",
			"say/db.deep":   "exit 1\n",
			"say/off.a":     "",
			"commands":      "list state\nlist group web\n",
		},
	}
}

// stage brings the services into their states.
func stage(t *testing.T, d *daemons.Daemon) {
	t.Helper()
	c := login(t, d)
	check(t, d, c, "web http", "web ping", "web acked", "web back", "db disk", "off a")
	d.File("say/web.back", "echo up again\n")
	check(t, d, c, "web back", "db deep")
	trap(t, d, "db", "trap", 1, "disk full", `line1\0aline2`)
	trap(t, d, "nosuch", "one", 5, "who?", "")
	d.Until("the traps are there", func() bool {
		data, _ := c.Ask("list failures")
		text := strings.Join(data, "\n")
		return strings.Contains(text, "service=trap") && strings.Contains(text, "service=default")
	})
	for _, command := range []string{
		`ack web acked 'I\20am\20on\20it\27s'`, "disable service db quiet", "disable watch off", "disable host w3.example db2",
	} {
		if _, status := c.Ask(command); !strings.HasPrefix(status, "220") {
			t.Fatalf("%s: %s", command, status)
		}
	}
	_, _ = c.Ask("quit")
	_, port, _ := strings.Cut(d.Address, ":")
	d.File("rc", strings.ReplaceAll(monshowrc, "PORT", port))
	d.File("home/.monshowrc", "set port "+port+"\nservice web ping\nset full\n")
}

// login is a connection of alice.
func login(t *testing.T, d *daemons.Daemon) *daemons.Client {
	t.Helper()
	c := d.Dial()
	if _, status := c.Ask("login alice secret"); status != "220 login accepted" {
		t.Fatalf("login: %s", status)
	}
	return c
}

// check has services checked at once, and waits for the results.
func check(t *testing.T, d *daemons.Daemon, c *daemons.Client, services ...string) {
	t.Helper()
	var waits []func()
	for _, s := range services {
		waits = append(waits, checked(d, c, s))
		if _, status := c.Ask("test monitor " + s); !strings.HasPrefix(status, "220") {
			t.Fatalf("test monitor %s: %s", s, status)
		}
	}
	for _, wait := range waits {
		wait()
	}
}

// checked is asked before a check, and waits for its result: the monitor has
// run - or could not be, which shows too - and what clients see of the service
// has changed, or has had the time to, for a check may find what the last one in
// the same second found.
func checked(d *daemons.Daemon, c *daemons.Client, service string) (wait func()) {
	tally := "ran/" + strings.Replace(service, " ", ".", 1)
	show := "list opstatus " + strings.Replace(service, " ", ",", 1)
	ran, before := d.Read(tally), shown(c, show)
	return func() {
		var ended time.Time
		d.Until(service+" was checked", func() bool {
			now := shown(c, show)
			switch {
			case d.Read(tally) == ran && now == before, strings.Contains(now, " monitor_running=1"), strings.Contains(shown(c, "list pids"), service+" "):
				return false
			case ended.IsZero():
				ended = time.Now()
			}
			return now != before || time.Since(ended) > 2*time.Second
		})
	}
}

// timing are the fields of a service that change as time passes.
var timing = regexp.MustCompile(`(timer|failure_duration)=\S*`)

// shown is what clients see, without what changes as time passes.
func shown(c *daemons.Client, command string) string {
	data, _ := c.Ask(command)
	return timing.ReplaceAllString(strings.Join(data, "\n"), "")
}

// trap sends a trap of trapper's.
func trap(t *testing.T, d *daemons.Daemon, group, service string, status int, summary, detail string) {
	t.Helper()
	conn, err := net.Dial("udp", d.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "pro='0.3807'\nusr='trapper'\npas='trappw'\nspc='0'\nseq='0'\ntyp='trap'\ngrp='%s'\nsvc='%s'\nsta='%d'\ntsp='1'\nsum='%s'\ndtl='%s'\n",
		group, service, status, summary, detail)
	if err != nil {
		t.Fatal(err)
	}
}
