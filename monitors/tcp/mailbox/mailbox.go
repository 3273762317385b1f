// Package mailbox holds the short dialogues by which tcp.monitor looks at
// servers of mail and news: IMAP (RFC 9051), POP3 (RFC 1939) and NNTP (RFC 3977,
// 4643). Each hears the greeting, logs in if it is told who, and takes its leave.
//
// It is no client: it opens no mailbox and reads no message. It knows neither
// STARTTLS nor other ways to log in than by the password itself, which without
// TLS goes over the network for all to read.
package mailbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/mondhq/mond/monitors/tcp/escape"
	"github.com/mondhq/mond/monitors/tcp/login"
	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
)

// Service is an option's value: which dialogue, "" for none.
type Service string

// The services there are.
const (
	imap Service = "imap"
	pop  Service = "pop"
	nntp Service = "nntp"
)

// String is the name.
func (s *Service) String() string { return string(*s) }

// Set reads a name.
func (s *Service) Set(text string) error {
	switch v := Service(text); v {
	case imap, pop, nntp:
		*s = v
		return nil
	}
	return errors.New("want imap, pop or nntp")
}

// Port is the service's usual port, with TLS from the first byte or without.
func (s Service) Port(tls bool) uint16 {
	ports := map[Service][2]uint16{imap: {143, 993}, pop: {110, 995}, nntp: {119, 563}}[s]
	if tls {
		return ports[1]
	}
	return ports[0]
}

const (
	// maxLine is how many bytes a line of the server's may have.
	maxLine = 8 << 10
	// maxLines is how many lines are read for one command: an IMAP server may
	// say anything in between.
	maxLines = 100
)

// talk is a dialogue under way.
type talk struct {
	out      io.Writer
	in       *bufio.Reader
	user     string // "" for nobody
	password string
}

// Talk holds the dialogue on a new connection, whose deadline holds. said is for
// the detail.
func (s Service) Talk(c net.Conn, who *login.Options) (said string, err error) {
	t := &talk{out: c, in: bufio.NewReaderSize(c, maxLine), user: who.User}
	password, exposed, err := who.Password()
	if err != nil {
		return "", err
	}
	t.password = password
	greeting, err := t.hold(s)
	if err != nil {
		return "", err
	}
	said = ", greeted " + escape.Show([]byte(greeting))
	if t.user != "" {
		said += ", logged in"
	}
	if exposed != "" {
		return said, monitor.Warning(exposed + said)
	}
	return said, nil
}

// hold holds the dialogue of a service.
func (t *talk) hold(s Service) (greeting string, err error) {
	switch s {
	case imap:
		return t.imap()
	case pop:
		return t.pop()
	case nntp:
		return t.nntp()
	}
	return "", fmt.Errorf("%q is no service", string(s))
}

// say sends a line. what names it for an error: the line may hold a password.
func (t *talk) say(what, line string) error {
	if _, err := io.WriteString(t.out, line+"\r\n"); err != nil {
		return reach.Failure("send "+what, err)
	}
	return nil
}

// leave takes leave. It changes nothing any more whether the host hears it.
func (t *talk) leave(line string) { _ = t.say("the farewell", line) }

// hear reads a line; what names what it is to be.
func (t *talk) hear(what string) (string, error) {
	b, err := t.in.ReadSlice('\n')
	switch {
	case err == nil:
		return strings.TrimRight(string(b), "\r\n"), nil
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("the host sends more than %d bytes without an end for %s: %s", maxLine, what, escape.Show(b))
	case errors.Is(err, io.EOF):
		return "", fmt.Errorf("the host hung up instead of %s", what)
	}
	return "", reach.Failure("wait for "+what, err)
}

// expect reads a line that must begin with one of those that are wanted.
func (t *talk) expect(what string, want ...string) (string, error) {
	line, err := t.hear(what)
	if err != nil {
		return "", err
	}
	for _, w := range want {
		if strings.HasPrefix(line, w) {
			return line, nil
		}
	}
	return "", fmt.Errorf("%s is %s, want %s", what, escape.Show([]byte(line)), strings.Join(want, " or "))
}

// ask says a line and reads the answer.
func (t *talk) ask(what, line string, want ...string) (string, error) {
	if err := t.say(what, line); err != nil {
		return "", err
	}
	return t.expect("the answer to "+what, want...)
}

// pop is the dialogue of POP3.
func (t *talk) pop() (string, error) {
	greeting, err := t.expect("the greeting", "+OK")
	if err == nil && t.user != "" {
		if _, err = t.ask("USER", "USER "+t.user, "+OK"); err == nil {
			_, err = t.ask("PASS", "PASS "+t.password, "+OK")
		}
	}
	if err != nil {
		return "", err
	}
	t.leave("QUIT")
	return greeting, nil
}

// nntp is the dialogue of NNTP. An answer of 281 to the name says that no password
// is wanted.
func (t *talk) nntp() (string, error) {
	greeting, err := t.expect("the greeting", "200", "201")
	if err == nil && t.user != "" {
		var answer string
		answer, err = t.ask("AUTHINFO USER", "AUTHINFO USER "+t.user, "381", "281")
		if strings.HasPrefix(answer, "381") {
			_, err = t.ask("AUTHINFO PASS", "AUTHINFO PASS "+t.password, "281")
		}
	}
	if err != nil {
		return "", err
	}
	t.leave("QUIT")
	return greeting, nil
}

// imap is the dialogue of IMAP.
func (t *talk) imap() (string, error) {
	greeting, err := t.expect("the greeting", "* OK", "* PREAUTH")
	if err == nil && t.user != "" && !strings.HasPrefix(greeting, "* PREAUTH") {
		err = t.logIn()
	}
	if err != nil {
		return "", err
	}
	t.leave("a2 LOGOUT")
	return greeting, nil
}

// logIn is LOGIN of IMAP with all that comes until it is done.
func (t *talk) logIn() error {
	const what, tag = "the answer to LOGIN", "a1"
	if err := t.say("LOGIN", tag+" LOGIN "+quoted(t.user)+" "+quoted(t.password)); err != nil {
		return err
	}
	for range maxLines {
		line, err := t.hear(what)
		if err != nil {
			return err
		}
		word, rest, _ := strings.Cut(line, " ")
		rest = strings.ToUpper(rest)
		switch {
		case word == tag && strings.HasPrefix(rest, "OK"):
			return nil
		case word == tag, word == "+", word == "*" && strings.HasPrefix(rest, "BYE"):
			return fmt.Errorf("%s is %s, want %s OK", what, escape.Show([]byte(line)), tag)
		}
	}
	return fmt.Errorf("%s is not among %d lines that came", what, maxLines)
}

// quoted is text as IMAP has strings.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
