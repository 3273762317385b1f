package originals

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// verdict is what a daemon made of a check: what it shows of the service, and
// what its alert was given.
type verdict struct {
	status, summary, detail, told string
}

// site is the configuration that makes the checks.
func site(m *machine, table []check) daemons.Site {
	var b strings.Builder
	for i, c := range table {
		hosts := c.hosts
		switch {
		case hosts != "":
		case c.fails:
			hosts = "127.0.0.1 127.0.0.9"
		default:
			hosts = "127.0.0.1"
		}
		fmt.Fprintf(&b, "hostgroup %s %s\n\nwatch %[1]s\n    service check\n        interval 30m\n        monitor %[3]s\n        period\n            alert record.alert\n            alertevery 1d\n\n",
			c.group(i), hosts, strings.TrimSpace(c.file()+" "+c.words))
	}
	return daemons.Site{
		Head:   map[string]string{"mondir": monDir + ":" + localDir},
		Config: "maxprocs = 6\nrandstart = 25s\n\n" + m.ports().Replace(b.String()),
		Env:    []string{"MIBDIRS=/nowhere"}, // or SNMP complains of half of the files of MIBs
		Files:  sightFiles,
	}
}

// sightFiles are what some monitors read, and the alert that writes down the
// exit status and the input.
var sightFiles = map[string]string{
	"alert.d/record.alert":      "#!/bin/sh\n{ echo \"exit $MON_RETVAL\"; cat; } >\"DIR/log/new-$MON_GROUP\"\nmv \"DIR/log/new-$MON_GROUP\" \"DIR/log/$MON_GROUP\"\n",
	"files/constant":            "constant\n",
	"lone/file":                 "file\n",
	"files/other":               "other\n",
	"seq/good.seq":              "0 0 0\n",
	"seq/bad.seq":               "7 7 7\n",
	"syslog/quiet":              "all is well\n",
	"syslog/noisy":              "%LINK-3-UPDOWN: Interface Serial0\n",
	"syslog.cf":                 "Strings %LINK-3-UPDOWN\nBaseDir DIR/syslog\n",
	"dictionary":                "ATTRIBUTE User-Name 1 string\nATTRIBUTE Password 2 string\nATTRIBUTE NAS-IP-Address 4 ipaddr\n",
	"state/lastroute.127.0.0.1": "1 127.0.0.1 -127.0.0.1-\n", // or the route is new
	"log/lastroute.127.0.0.1":   "1 127.0.0.1 -127.0.0.1-\n",
	"traceroute.cf":             "Traceroute /usr/sbin/traceroute\nStateDir DIR/state\n",
	"unexpected.cf":             "Traceroute /usr/sbin/traceroute\nStateDir DIR/log\nUnexpectedHop 127.0.0.1 detour\n",
	"snmpvar.def":               "Variable UPTIME\n  OID .1.3.6.1.2.1.1.3.0\n  Descr Uptime\n  Unit ticks\n",
	"snmpvar.cf":                "Host 127.0.0.1\n  UPTIME Min 0\n",
	"snmpvar-down.cf":           "Host 127.0.0.1\n  UPTIME Max 0\n",
}

func (c check) file() string {
	if strings.Contains(c.monitor, ".") {
		return c.monitor
	}
	return c.monitor + ".monitor"
}

// group is the name of the hostgroup of check i.
func (c check) group(i int) string {
	if c.fails {
		return fmt.Sprintf("%s-down%d", c.monitor, i)
	}
	return fmt.Sprintf("%s-up%d", c.monitor, i)
}

// judged is what Debian's mon shows, by group.
func judgedByMon(t *testing.T, d *daemons.Daemon) map[string]verdict {
	t.Helper()
	lines, status := d.Ask("list opstatus")
	if !strings.HasPrefix(status, "220") {
		t.Fatal(status)
	}
	verdicts := map[string]verdict{}
	for _, line := range lines {
		f := map[string]string{}
		for word := range strings.FieldsSeq(line) {
			name, value, _ := strings.Cut(word, "=")
			f[name] = unescape(value)
		}
		verdicts[f["group"]] = verdict{status: f["opstatus"], summary: f["last_summary"], detail: f["last_detail"], told: d.Read("log/" + f["group"])}
	}
	return verdicts
}

// numbers are mon's of what mond shows.
var numbers = map[string]string{"fail": "0", "ok": "1", "untested": "7"}

// judgedByMond is what mond shows, by group.
func judgedByMond(t *testing.T, d *daemons.Daemon) map[string]verdict {
	t.Helper()
	verdicts := glanceAtMond(t, d)
	for group, v := range verdicts {
		row, err := control.Dial(d.Path("sock")).Service(t.Context(), group, "check")
		must(t, err)
		_, v.detail, _ = strings.Cut(row.Detail, "\n") // it is all that was printed
		verdicts[group] = v
	}
	return verdicts
}

// glanceAtMond is the same without detail.
func glanceAtMond(t *testing.T, d *daemons.Daemon) map[string]verdict {
	t.Helper()
	rows, err := control.Dial(d.Path("sock")).Services(t.Context())
	must(t, err)
	verdicts := map[string]verdict{}
	for _, row := range rows {
		if row.Own {
			continue
		}
		v := verdict{status: numbers[row.Status], summary: row.Summary, told: d.Read("log/" + row.Group)}
		if row.Blind != nil {
			v.status = fmt.Sprintf("blind: %+v", *row.Blind)
		}
		verdicts[row.Group] = v
	}
	return verdicts
}

var escaped = regexp.MustCompile(`\\[0-9a-f]{2}`)

func unescape(s string) string {
	return escaped.ReplaceAllStringFunc(s, func(e string) string {
		n, _ := strconv.ParseUint(e[1:], 16, 8)
		return string([]byte{byte(n)})
	})
}

// figures are what differs between two moments: numbers, and names of days and
// months.
var figures = regexp.MustCompile(`0x[0-9a-f]+|\d+|\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b`)

// plain makes two verdicts of the same thing equal.
func (v verdict) plain(d *daemons.Daemon, l loose) verdict {
	here := strings.NewReplacer(d.Dir, "DIR", strings.ReplaceAll(d.Dir, "/", "_"), "_DIR")
	v.summary = here.Replace(v.summary)
	v.detail = sorted(here.Replace(v.detail))
	exit, told, _ := strings.Cut(here.Replace(v.told), "\n")
	first, rest, _ := strings.Cut(told, "\n")
	rest = sorted(rest)
	if l >= looseSummary {
		v.summary, first = figures.ReplaceAllString(v.summary, "N"), figures.ReplaceAllString(first, "N")
	}
	if l >= looseDetail {
		v.detail, rest = "", ""
	}
	v.told = exit + "\n" + first + "\n" + rest
	return v
}

// sorted is text with its lines in order and without figures: Perl's hashes
// have no order.
func sorted(text string) string {
	lines := strings.Split(figures.ReplaceAllString(strings.TrimSpace(text), "N"), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
