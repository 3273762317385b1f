// Package syslogalert is syslog.alert: it tells of an event by a message to
// syslog, on this machine or on another.
//
// It writes the forms of RFC 5424 and RFC 3164, to the local socket, by UDP
// (RFC 5426), TCP (RFC 6587, octet counting) and TLS (RFC 5425). Syslog answers
// nothing: told means handed over. By TCP and TLS it waits a moment for the
// server to take the end of the connection, so that a server that is going
// down is noticed as a rule.
package syslogalert

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mondhq/mond/alerts/internal/peer"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/alert/wording"
	"github.com/mondhq/mond/plugins/credential"
)

// Name is the program's name in mon.cf.
const Name = "syslog.alert"

// Synopsis is what it does, in one sentence.
const Synopsis = "tells of failures and recoveries by syslog"

// defaultSocket is where the local syslog listens.
const defaultSocket = "/dev/log"

// Alert is one syslog.alert line.
type Alert struct {
	words    *flag.FlagSet
	server   string
	proto    choice
	socket   string
	format   choice
	facility facility
	severity severities
	tag      name
	hostname name
	sdID     name
	message  wording.Text
	template wording.File
	size     size
	tls      credential.TLS
	timeout  time.Duration
}

// New declares the options of syslog.alert.
func New(fs *flag.FlagSet) alert.Alert {
	a := &Alert{
		words: fs, proto: choice{of: []string{"udp", "tcp", "tls"}}, format: choice{of: []string{"rfc5424", "rfc3164"}},
		facility: daemon, severity: usual(), tag: name{text: "mond", most: 32}, hostname: name{most: 255},
		sdID: name{text: "mond@32473", most: 32}, size: 2048,
	}
	fs.StringVar(&a.server, "server", "", "send to `HOST[:PORT]` (port 514, by TLS 6514) in place of the local socket")
	fs.Var(&a.proto, "proto", "`PROTOCOL` to the server: udp, tcp or tls (default udp)")
	fs.StringVar(&a.socket, "socket", "", "local `SOCKET` (default "+defaultSocket+")")
	fs.Var(&a.format, "format", "`FORM` of the message: rfc5424 or rfc3164 (default: rfc3164 to the local socket, rfc5424 to a server)")
	fs.Var(&a.facility, "facility", "`FACILITY`, such as daemon, user or local0")
	fs.Var(&a.severity, "severity", "`LIST` of severities by kind, such as failure=crit,up=info, or one for all")
	fs.Var(&a.tag, "tag", "`NAME` of the sending program")
	fs.Var(&a.hostname, "hostname", "`NAME` of this host (default: its host name)")
	fs.Var(&a.sdID, "sd-id", "`ID` of the structured data, as NAME@ENTERPRISE-NUMBER (32473 is nobody's, RFC 5612)")
	fs.Var(&a.message, "message", "`TEMPLATE` of the text (default: ALERT GROUP/SERVICE: SUMMARY)")
	fs.Var(&a.template, "template", "`FILE` with a template of the text")
	fs.Var(&a.size, "max-size", "longest message in `BYTES`, 480 to 65000")
	a.tls.Declare(fs)
	fs.DurationVar(&a.timeout, "timeout", 10*time.Second, "longest `TIME` for one message")
	return a
}

// Validate judges the options together, and tries the template.
func (a *Alert) Validate() error {
	switch {
	case a.words.NArg() > 0:
		return fmt.Errorf("%q: there are no words but options; a server is --server HOST[:PORT]", a.words.Arg(0))
	case a.server != "" && a.socket != "":
		return errors.New("--server and --socket: only one of them can be given")
	case a.proto.text != "" && a.server == "":
		return errors.New("--proto needs --server")
	case a.tls.Given() && a.proto.text != "tls":
		return errors.New("--ca, --cert, --key and --insecure go with --proto tls")
	case a.message.Given() && a.template.Given():
		return errors.New("--message and --template: only one of them can be given")
	case a.timeout <= 0:
		return fmt.Errorf("--timeout %v: must be more than 0", a.timeout)
	}
	if a.server != "" {
		if _, _, err := peer.Split(a.server, a.port()); err != nil {
			return fmt.Errorf("--server %w", err)
		}
	}
	if err := a.tls.Validate(); err != nil {
		return err
	}
	return a.trial()
}

func (a *Alert) trial() error {
	switch {
	case a.message.Given():
		return a.message.Trial()
	case a.template.Given():
		return a.template.Trial()
	}
	return nil
}

// port is the usual one of the protocol.
func (a *Alert) port() string {
	if a.proto.text == "tls" {
		return "6514"
	}
	return "514"
}

// Alert sends one message.
func (a *Alert) Alert(ctx context.Context, r alert.Request) error {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	return a.send(ctx, a.compose(ctx, r))
}

// compose makes the message. A template that fails must not keep an event from
// being told: the usual text is, and why.
func (a *Alert) compose(ctx context.Context, r alert.Request) []byte {
	n := wording.Of(r)
	text, err := a.text(ctx, n)
	if err != nil || strings.TrimSpace(text) == "" {
		text = usualText(n)
	}
	if err != nil {
		text += " (the template failed: " + err.Error() + ")"
	}
	m := message{
		pri: int(a.facility)*8 + a.severity.of(n.Kind), at: n.At, host: a.host(), tag: a.tag.text, pid: os.Getpid(),
		id: n.Kind, data: a.data(n), text: escape(strings.TrimRight(text, "\r\n")),
	}
	if a.form() == "rfc3164" {
		return m.rfc3164(int(a.size), a.server == "")
	}
	return m.rfc5424(int(a.size))
}

func (a *Alert) text(ctx context.Context, n wording.Notice) (string, error) {
	switch {
	case a.message.Given():
		return a.message.Render(ctx, n)
	case a.template.Given():
		return a.template.Render(ctx, n)
	}
	return usualText(n), nil
}

// usualText is the text in mon's form of a subject.
func usualText(n wording.Notice) string {
	text := fmt.Sprintf("%s %s/%s: %s", n.Heading, n.Group, n.Service, n.Summary)
	if n.Ack != "" {
		text += " (acknowledged: " + n.Ack + ")"
	}
	return text
}

// form is --format with its default: daemons that listen on the local socket
// read the older form, not all of them the newer.
func (a *Alert) form() string {
	switch {
	case a.format.text != "":
		return a.format.text
	case a.server == "":
		return "rfc3164"
	}
	return "rfc5424"
}

func (a *Alert) host() string {
	if a.hostname.text != "" {
		return a.hostname.text
	}
	if host, err := os.Hostname(); err == nil && printable(host) {
		return host
	}
	return "-"
}

// data are the elements of the structured data.
func (a *Alert) data(n wording.Notice) []element {
	return []element{{a.sdID.text, []param{
		{"kind", n.Kind}, {"group", n.Group}, {"service", n.Service}, {"opstatus", n.Status},
		{"summary", n.Summary}, {"id", n.ID},
	}}}
}
