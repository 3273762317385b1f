// Package mailalert is mail.alert: it tells of an event by electronic mail, through
// the machine's own sendmail program or by SMTP.
//
// It takes the options of mon's program of the same name (-S, -f, addresses as
// operands) and more. It queues nothing: an error says whether another try may
// help, and the outbox makes it.
package mailalert

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/mail"
	"os"
	"time"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/alert/told"
	"github.com/mondhq/mond/plugins/alert/wording"
	"github.com/mondhq/mond/plugins/credential"
)

// Name is the program's name in mon.cf.
const Name = "mail.alert"

// Synopsis is what it does, in one sentence.
const Synopsis = "tells of failures and recoveries by mail"

// Alert is one mail.alert line: options, and the addresses in words.
type Alert struct {
	words       *flag.FlagSet
	summary     string
	title       wording.Text
	text        wording.File
	html        wording.HTML
	from        string
	server      string
	sendmail    string
	tls         string
	user        string
	passwordOf  credential.File
	authorities string
	helo        string
	timeout     time.Duration

	memory told.Memory
}

// New declares the options of mail.alert.
func New(fs *flag.FlagSet) alert.Alert {
	a := &Alert{words: fs}
	fs.StringVar(&a.summary, "S", "", "`TEXT` in place of the summary in the subject")
	fs.Var(&a.title, "subject", "`TEMPLATE` of the whole subject, such as \"{{.Group}} {{.Status}}: {{.Summary}}\"")
	fs.Var(&a.text, "template", "`FILE` with a template of the text")
	fs.Var(&a.html, "html", "`FILE` with a template of HTML to send beside the text")
	fs.StringVar(&a.from, "f", "", "sender `ADDRESS` (default: as sendmail has it; by SMTP mond@ this host)")
	fs.StringVar(&a.server, "server", "", "send by SMTP to `HOST[:PORT]` (port 25, or 465 with --tls implicit)")
	fs.StringVar(&a.sendmail, "sendmail", "", "pass the mail to `PROGRAM` -oi -t (default without --server: "+defaultSendmail+" if there is one, else SMTP to localhost)")
	fs.StringVar(&a.tls, "tls", "", "`MODE` of encryption by SMTP: none, starttls (if offered), require (STARTTLS, certificate checked), implicit (from the first byte, certificate checked); default starttls, with --user require")
	fs.StringVar(&a.user, "user", "", "log in as `NAME`")
	fs.Var(&a.passwordOf, "password-file", "`FILE` whose first line is the password")
	fs.StringVar(&a.authorities, "ca", "", "PEM `FILE` of the authorities that may sign the server's certificate (default: the system's)")
	fs.StringVar(&a.helo, "helo", "", "`NAME` of this host in SMTP and in addresses of local users (default: its host name)")
	fs.DurationVar(&a.timeout, "timeout", time.Minute, "longest `TIME` for one delivery")
	return a
}

// Validate judges options and addresses together.
func (a *Alert) Validate() error {
	if _, err := a.recipients(); err != nil {
		return err
	}
	if a.from != "" {
		if _, err := parseAddress(a.from); err != nil {
			return fmt.Errorf("sender -f: %w", err)
		}
	}
	if err := a.validateTemplates(); err != nil {
		return err
	}
	if a.timeout <= 0 {
		return fmt.Errorf("--timeout %v: must be more than 0", a.timeout)
	}
	if a.sendmail != "" && a.wantsSMTP() {
		return errors.New("--sendmail goes with none of --server, --tls, --user, --password-file, --ca, --helo")
	}
	return a.validateSMTP()
}

// wantsSMTP reports whether an option makes sense with SMTP only.
func (a *Alert) wantsSMTP() bool {
	for _, s := range []string{a.server, a.tls, a.user, a.passwordOf.String(), a.authorities, a.helo} {
		if s != "" {
			return true
		}
	}
	return false
}

// recipients are the addresses among the words of the line.
func (a *Alert) recipients() ([]mail.Address, error) {
	list, err := parseAddresses(a.words.Args())
	if err == nil && len(list) == 0 {
		err = errors.New("no address: name at least one person, as in \"mail.alert mis@example.com\"")
	}
	return list, err
}

// Alert sends one mail to each address. What the server or sendmail refused
// for good is a Permanent error; after any other error another try may help,
// and leaves out those who have it.
func (a *Alert) Alert(ctx context.Context, r alert.Request) error {
	to, err := a.recipients()
	if err != nil {
		return alert.Permanent(err)
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	l := letter{subject: a.summary, to: to, host: a.host(), request: r}
	a.word(ctx, &l)
	if program := a.program(); program != "" {
		return a.pipe(ctx, program, l)
	}
	return a.deliver(ctx, l)
}

// host is the name of this host, as told or as the system has it.
func (a *Alert) host() string {
	if a.helo != "" {
		return a.helo
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}
