// Package trapalert is trap.alert: it reports a failure or a recovery to the
// daemons on other hosts by mon's trap, as mon's program of the same name does.
//
// A trap is one UDP packet that nobody answers. What is known is that it was
// sent; nobody listening at the port of a host that is up is found out as a
// rule, and is an error. The password in it is in clear: see plugins/trap.
package trapalert

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/alert/told"
	"github.com/mondhq/mond/plugins/alert/wording"
	"github.com/mondhq/mond/plugins/credential"
	"github.com/mondhq/mond/plugins/trap"
)

// Name is the program's name in mon.cf.
const Name = "trap.alert"

// Synopsis is what it does, in one sentence.
const Synopsis = "reports failures and recoveries to other daemons by mon's trap"

// maxPacket bounds a trap: a datagram is lost if one of its fragments is, so a
// long detail would rather keep the trap from arriving than arrive.
const maxPacket = 16 << 10

// Alert is one trap.alert line: options, and the hosts in words.
type Alert struct {
	words      *flag.FlagSet
	user       string
	password   credential.Secret
	passwordOf credential.File
	status     status
	timeout    time.Duration

	memory told.Memory
}

// New declares the options of trap.alert.
func New(fs *flag.FlagSet) alert.Alert {
	a := &Alert{words: fs}
	fs.StringVar(&a.user, "U", "", "`NAME` to send by; MON_TRAP_USER in the environment goes before it")
	fs.Var(&a.password, "P", "`PASSWORD` of the name; MON_TRAP_PASS in the environment goes before it")
	fs.Var(&a.passwordOf, "password-file", "`FILE` whose first line is the password")
	fs.Var(&a.status, "o", "`OPSTATUS` to report, in mon's number or word (default: the service's)")
	fs.DurationVar(&a.timeout, "timeout", 10*time.Second, "longest `TIME` for the traps to all hosts")
	return a
}

// Validate judges options and hosts together.
func (a *Alert) Validate() error {
	if a.words.NArg() == 0 {
		return errors.New("no host: name at least one, as in \"trap.alert mon.example.com\"")
	}
	for _, word := range a.words.Args() {
		if _, err := Address(word); err != nil {
			return err
		}
	}
	switch {
	case a.password.Reveal() != "" && a.passwordOf.Given():
		return errors.New("-P and --password-file: only one of them can be given")
	case a.timeout <= 0:
		return fmt.Errorf("--timeout %v: must be more than 0", a.timeout)
	}
	return nil
}

// Alert sends a trap to each host. An acknowledgement and a disabling say
// nothing of a status, and mon has no trap for them: nobody is told.
func (a *Alert) Alert(ctx context.Context, r alert.Request) error {
	if err := a.Validate(); err != nil {
		return alert.Permanent(err)
	}
	if r.Kind == alert.Ack || r.Kind == alert.Disable {
		return nil
	}
	t, err := a.trap(r)
	if err != nil {
		return err
	}
	packet, err := Pack(t)
	if err != nil {
		return alert.Permanent(err)
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	return a.memory.Each(r.ID, a.words.Args(), func(word string) error { return send(ctx, word, packet) })
}

func send(ctx context.Context, word string, packet []byte) error {
	address, err := Address(word)
	if err != nil {
		return alert.Permanent(err)
	}
	return Send(ctx, address, packet)
}

// trap is what is sent.
func (a *Alert) trap(r alert.Request) (trap.Trap, error) {
	summary, detail := split(r)
	t := trap.Trap{
		User:  cmp.Or(variable(r, "MON_TRAP_USER"), a.user),
		Group: r.Group, Service: r.Service, Status: exit(r), HasStatus: true, OpStatus: r.Status,
		Time: r.At, Summary: summary, Detail: detail,
	}
	if t.Time.IsZero() {
		t.Time = time.Now()
	}
	if a.status.given {
		t.OpStatus = a.status.n
	}
	t.Password = cmp.Or(variable(r, "MON_TRAP_PASS"), a.password.Reveal())
	if t.Password == "" && a.passwordOf.Given() {
		var err error
		if t.Password, err = a.passwordOf.Read(); err != nil {
			return trap.Trap{}, fmt.Errorf("option --password-file: %w", err)
		}
	}
	return t, nil
}

// variable is one of the service's, or of this process.
func variable(r alert.Request, name string) string {
	return cmp.Or(r.Env[name], os.Getenv(name))
}

// exit is the status to report. The receiver knows no other word for failure
// and recovery, so it must agree with the kind.
func exit(r alert.Request) int {
	switch r.Kind {
	case alert.Failure, alert.Trap, alert.TrapTimeout, alert.Unset:
		return cmp.Or(r.Exit, 1)
	case alert.Up:
		return 0
	case alert.Startup, alert.Ack, alert.Disable, alert.Test:
	}
	return r.Exit
}

// split gives the first line of the output and the rest of it, as mon's program
// reads them, or the summary where there is no output.
func split(r alert.Request) (summary, detail string) {
	if strings.TrimSpace(r.Output) == "" {
		return r.Summary, ""
	}
	summary, detail, _ = strings.Cut(r.Output, "\n")
	return strings.TrimSuffix(summary, "\r"), strings.TrimSuffix(detail, "\n")
}

// status is an option's value: an opstatus.
type status struct {
	n     int
	given bool
}

// String is mon's word, empty without one.
func (s *status) String() string {
	if !s.given {
		return ""
	}
	return wording.Status(s.n)
}

// Set reads mon's word or number.
func (s *status) Set(text string) error {
	n, ok := wording.ParseStatus(text)
	if !ok {
		return errors.New("want mon's number of an opstatus from 0 to 9, or its word, such as fail, ok or unknown")
	}
	s.n, s.given = n, true
	return nil
}
