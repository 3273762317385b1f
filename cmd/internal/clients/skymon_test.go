package clients

import (
	"os"
	"strings"
	"testing"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
	"github.com/mondhq/mond/plugins/plugintest/realserver"
)

// TestSkymon sends commands from a pager through skymon, to a daemon that lets
// everybody do everything: skymon does not log in. Its list of failures has
// been out of order since mon 0.38, which is in mon's KNOWN-PROBLEMS: it shows
// a line "/:" for each. All else works.
func TestSkymon(t *testing.T) {
	needClients(t)
	realserver.Need(t, "mon", "/usr/bin/skymon")
	t.Parallel()
	s := daemons.Site{
		Config: "hostgroup web a b\n\nwatch web\n    service http\n        interval 1h\n        monitor say.monitor\n        period\n",
		Files: map[string]string{
			"mon.d/say.monitor": sayMonitor, "say/web.http": "echo a; exit 1\n", "ran/none": "",
			"home/.skytel/password": "abNANd1rDfiNc\n", "home/.skytel/allow": "lf\nld\ndh\ndw\nds\neh\new\n# not es\n",
			"alert.d/sendmail": "#!/bin/sh\ncat >>DIR/mail\n",
		},
	}
	failing := func(t *testing.T, d *daemons.Daemon) { check(t, d, d.Dial(), "web http") }
	refused := step{"skymon refused", func(t *testing.T, d *daemons.Daemon) string { return skymon(t, d, "/wrong:ld\n") }}
	works := step{"skymon", func(t *testing.T, d *daemons.Daemon) string {
		return skymon(t, d, "From: me\n\n/secret:lf;ld;dh a;ds web http;dw web;ld;eh a;es web http;ew web;ld;dh nosuch\n")
	}}
	compare(t, s, failing, []step{refused}, []step{works})
}

// skymon runs it with a mail to it, and is what it mails back. The places of
// moncmd, sendmail and mon, which are in its text, are made ours.
func skymon(t *testing.T, d *daemons.Daemon, mail string) string {
	text, err := os.ReadFile("/usr/bin/skymon")
	if err != nil {
		t.Error(err)
	}
	host, port, _ := strings.Cut(d.Address, ":")
	d.File("skymon", strings.NewReplacer("/usr/local/bin/moncmd -s monhost", "/usr/bin/moncmd -p "+port+" -s "+host,
		"/usr/local/bin/moncmd", "/usr/bin/moncmd -p "+port, `"monhost"`, `"`+host+`"`, "/usr/lib/sendmail", d.Path("alert.d/sendmail")).Replace(string(text)))
	said := call{program: "/usr/bin/perl", args: []string{"DIR/skymon", "pager@example.com"}, stdin: mail, env: []string{"HOME=DIR/home"}}.run(t, d)
	return said + normal(d, d.Read("mail"))
}
