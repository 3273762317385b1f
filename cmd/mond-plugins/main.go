// Command mond-plugins holds every shipped monitor and alert in one program,
// so that they share their text in memory. It is installed once and linked
// under each plugin's name; the name it is called by says which one it is.
package main

import (
	execalert "github.com/mondhq/mond/alerts/exec"
	"github.com/mondhq/mond/alerts/fake"
	"github.com/mondhq/mond/alerts/file"
	"github.com/mondhq/mond/alerts/lvs"
	mailalert "github.com/mondhq/mond/alerts/mail"
	syslogalert "github.com/mondhq/mond/alerts/syslog"
	trapalert "github.com/mondhq/mond/alerts/trap"
	"github.com/mondhq/mond/alerts/webhook"
	dnsmon "github.com/mondhq/mond/monitors/dns"
	filemon "github.com/mondhq/mond/monitors/file"
	"github.com/mondhq/mond/monitors/fping"
	"github.com/mondhq/mond/monitors/ftp"
	"github.com/mondhq/mond/monitors/halink"
	"github.com/mondhq/mond/monitors/heartbeat"
	httpmon "github.com/mondhq/mond/monitors/http"
	"github.com/mondhq/mond/monitors/nagios"
	"github.com/mondhq/mond/monitors/ping"
	smtpmon "github.com/mondhq/mond/monitors/smtp"
	"github.com/mondhq/mond/monitors/tcp"
	"github.com/mondhq/mond/monitors/udp"
	"github.com/mondhq/mond/plugins/resolve"
	"github.com/mondhq/mond/plugins/serve"
)

func main() { serve.MainTable(table()) }

// table has a row for each plugin: adding one is a folder and a row here. The
// package is called as its folder, with mon or alert behind where the standard
// library, or what it builds on, has a package of that name.
func table() []serve.Plugin {
	names := new(resolve.Resolver)
	// What --mark and --netns need; the configuration grants it, or not.
	from := serve.Caps("cap_net_raw", "cap_net_admin", "cap_sys_admin")
	return []serve.Plugin{
		serve.Monitor(dnsmon.Name, dnsmon.Synopsis, dnsmon.With(names), from),
		serve.Monitor(filemon.Name, filemon.Synopsis, filemon.New),
		serve.Monitor(fping.Name, fping.Synopsis, fping.With(names), from),
		serve.Monitor(ftp.Name, ftp.Synopsis, ftp.With(names), from),
		serve.Monitor(heartbeat.Name, heartbeat.Synopsis, heartbeat.New, serve.Caps("cap_net_raw", "cap_sys_nice", "cap_ipc_lock")),
		serve.Monitor(halink.Name, halink.Synopsis, halink.New),
		serve.Monitor(httpmon.Name, httpmon.Synopsis, httpmon.With(names), from),
		serve.Monitor(nagios.Name, nagios.Synopsis, nagios.With(new(nagios.Bench)), serve.Caps("cap_sys_admin")),
		serve.Monitor(ping.Name, ping.Synopsis, ping.With(names), from),
		serve.Monitor(smtpmon.Name, smtpmon.Synopsis, smtpmon.With(names), from),
		serve.Monitor(tcp.Name, tcp.Synopsis, tcp.With(names), from),
		serve.Monitor(udp.Name, udp.Synopsis, udp.With(names), from),
		serve.Alert(execalert.Name, execalert.Synopsis, execalert.New),
		serve.Alert(fake.Name, fake.Synopsis, fake.New(), serve.Caps("cap_net_admin", "cap_net_raw")),
		serve.Alert(file.Name, file.Synopsis, file.New),
		serve.Alert(lvs.Name, lvs.Synopsis, lvs.New(), serve.Caps("cap_net_admin", "cap_sys_admin")),
		serve.Alert(mailalert.Name, mailalert.Synopsis, mailalert.New),
		serve.Alert(syslogalert.Name, syslogalert.Synopsis, syslogalert.New),
		serve.Alert(trapalert.Name, trapalert.Synopsis, trapalert.New),
		serve.Alert(webhook.Name, webhook.Synopsis, webhook.New),
	}
}
