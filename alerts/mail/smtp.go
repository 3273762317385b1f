package mailalert

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/alert/told"
	"github.com/mondhq/mond/plugins/credential"
)

// The modes of --tls.
const (
	tlsNone     = "none"
	tlsStart    = "starttls"
	tlsRequire  = "require"
	tlsImplicit = "implicit"
)

func (a *Alert) validateSMTP() error {
	host, _, err := a.address()
	if err != nil {
		return err
	}
	switch a.mode() {
	case tlsNone, tlsStart:
		if a.user != "" && !loopback(host) {
			return fmt.Errorf("--tls %s with --user would show the password on the way to %s: use --tls require or implicit", a.tls, host)
		}
	case tlsRequire, tlsImplicit:
	default:
		return fmt.Errorf("--tls %s: must be none, starttls, require or implicit", a.tls)
	}
	if (a.user == "") != !a.passwordOf.Given() {
		return errors.New("--user and --password-file go together")
	}
	return nil
}

// mode is --tls with its default: who logs in wants it encrypted.
func (a *Alert) mode() string {
	switch {
	case a.tls != "":
		return a.tls
	case a.user != "":
		return tlsRequire
	}
	return tlsStart
}

// address is the server's host and port.
func (a *Alert) address() (host string, port int, err error) {
	port = 25
	if a.mode() == tlsImplicit {
		port = 465
	}
	if a.server == "" {
		return "localhost", port, nil
	}
	host, text, err := net.SplitHostPort(a.server)
	if err != nil { // no port
		host = strings.TrimSuffix(strings.TrimPrefix(a.server, "["), "]")
		if strings.ContainsAny(host, "/[] ") {
			return "", 0, fmt.Errorf("--server %q is no HOST[:PORT]", a.server)
		}
		return host, port, nil
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 || host == "" {
		return "", 0, fmt.Errorf("--server %q is no HOST[:PORT]", a.server)
	}
	return host, port, nil
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// deliver sends the letter by SMTP, one mail for each address: one that is
// refused must not keep the others from being told.
func (a *Alert) deliver(ctx context.Context, l letter) error {
	from := mail.Address{Address: "mond"}
	if a.from != "" {
		var err error
		if from, err = parseAddress(a.from); err != nil {
			return alert.Permanent(err)
		}
	}
	from = qualify(from, l.host)
	l.from = &from
	for i := range l.to {
		l.to[i] = qualify(l.to[i], l.host)
	}
	left := slices.DeleteFunc(slices.Clone(l.to), func(to mail.Address) bool { return a.memory.Has(l.request.ID, to.Address) })
	return a.memory.Close(l.request.ID, a.session(ctx, l, left))
}

// session connects and sends l to each of left.
func (a *Alert) session(ctx context.Context, l letter, left []mail.Address) error {
	host, port, err := a.address()
	if err != nil {
		return alert.Permanent(err)
	}
	where := net.JoinHostPort(host, strconv.Itoa(port))
	line := &line{}
	defer line.close()
	defer context.AfterFunc(ctx, line.close)() // go-mail minds its own deadlines only
	client, err := a.client(host, port, line)
	if err != nil {
		return fmt.Errorf("mail by %s: %w", where, err)
	}
	s, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return explain(ctx, "connect to", where, err)
	}
	err = a.each(ctx, l, left, where, func(m *gomail.Msg) error { return client.SendWithSMTPClient(s, m) })
	_ = client.CloseWithSMTPClient(s) // what was sent is sent, whatever the server says to QUIT
	return err
}

// each sends l to each of left as long as the session lasts.
func (a *Alert) each(ctx context.Context, l letter, left []mail.Address, where string, send func(*gomail.Msg) error) error {
	var errs []error
	for i, to := range left {
		m := l.message(to)
		err := send(m)
		if m.IsDelivered() {
			a.memory.Remember(l.request.ID, to.Address)
			continue
		}
		errs = append(errs, explain(ctx, "mail to "+to.Address+" by", where, err))
		if rest := len(left) - i - 1; rest > 0 && !survives(err) {
			errs = append(errs, fmt.Errorf("%d more addresses were not tried", rest))
			break
		}
	}
	return told.Join(errs)
}

// survives reports whether the session can go on with the next address.
func survives(err error) bool {
	e, ok := errors.AsType[*gomail.SendError](err)
	return ok && e.ErrorCode() != 0 && (e.Reason == gomail.ErrSMTPMailFrom || e.Reason == gomail.ErrSMTPRcptTo || e.Reason == gomail.ErrSMTPDataClose)
}

// explain says what was tried and marks err as permanent if the server refused
// for good (5xx).
func explain(ctx context.Context, what, where string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s %s took too long: %w", what, where, context.Cause(ctx))
	}
	wrapped := fmt.Errorf("%s %s: %w", what, where, err)
	if code(err) >= 500 {
		return alert.Permanent(wrapped)
	}
	return wrapped
}

// code is the server's answer in err, 0 if there was none.
func code(err error) int {
	if e, ok := errors.AsType[*gomail.SendError](err); ok {
		return e.ErrorCode()
	}
	if e, ok := errors.AsType[*textproto.Error](err); ok {
		return e.Code
	}
	return 0
}

// client prepares go-mail for one session.
func (a *Alert) client(host string, port int, line *line) (*gomail.Client, error) {
	config, err := a.tlsConfig(host)
	if err != nil {
		return nil, err
	}
	policy := gomail.NoTLS
	switch a.mode() {
	case tlsStart:
		policy = gomail.TLSOpportunistic
	case tlsRequire:
		policy = gomail.TLSMandatory
	case tlsImplicit:
		line.tls = config
	}
	// Our own context ends a session first, and says so better.
	options := []gomail.Option{
		gomail.WithPort(port), gomail.WithTimeout(2 * a.timeout), gomail.WithHELO(a.host()), gomail.WithoutNoop(),
		gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(config), gomail.WithDialContextFunc(line.dial),
	}
	if a.user != "" {
		password, err := a.passwordOf.Read()
		if err != nil {
			return nil, fmt.Errorf("option --password-file: %w", err)
		}
		options = append(options, gomail.WithUsername(a.user), gomail.WithPassword(password), gomail.WithOpportunisticSMTPAuth(
			gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	return gomail.NewClient(host, options...)
}

// tlsConfig checks the certificate where encryption is asked for. Where it is
// only taken if offered nothing is gained by that: who could forge it could
// also not offer it.
func (a *Alert) tlsConfig(host string) (*tls.Config, error) {
	t := credential.TLS{CA: a.authorities, Insecure: a.mode() == tlsStart}
	return t.Config(host)
}
