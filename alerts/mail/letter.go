package mailalert

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/alert/wording"
)

// letter is all that a mail is made of.
type letter struct {
	// subject replaces the summary in the subject.
	subject string
	// from is nil where sendmail is to fill it in.
	from    *mail.Address
	to      []mail.Address
	host    string
	request alert.Request

	// ownTitle and ownText are what templates make in place of the usual, html
	// stands beside the text; all may be empty. faults say which failed.
	ownTitle, ownText, html string
	faults                  []string
}

// message makes the mail. The addresses go into a header of our own making:
// go-mail knows no local users, and the envelope is often another.
func (l letter) message(envelope ...mail.Address) *gomail.Msg {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if l.from != nil {
		m.FromMailAddress(l.from)
	}
	for _, to := range envelope {
		m.AddBccMailAddress(&to)
	}
	names := make([]string, len(l.to))
	for i, to := range l.to {
		names[i] = header(to)
	}
	m.SetGenHeaderPreformatted("To", strings.Join(names, ",\r\n "))
	m.Subject(l.title())
	m.SetMessageIDWithValue(l.id())
	r := l.request
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	for name, value := range map[gomail.Header]string{
		"X-Mond-Kind": r.Kind.String(), "X-Mond-Group": r.Group, "X-Mond-Service": r.Service,
		"X-Mond-Status": wording.Status(r.Status), "X-Mond-ID": r.ID,
	} {
		if value = wording.OneLine(value, 400); value != "" {
			m.SetGenHeader(name, value)
		}
	}
	m.SetBodyString(gomail.TypeTextPlain, l.body())
	if l.html != "" {
		m.AddAlternativeString(gomail.TypeTextHTML, l.html)
	}
	return m
}

// title is the subject, in mon's form if no template made it: TYPE
// GROUP/SERVICE: SUMMARY (TIME).
func (l letter) title() string {
	if l.ownTitle != "" {
		return l.ownTitle
	}
	r := l.request
	summary := l.subject
	if summary == "" {
		summary = wording.Summary(r)
	}
	return fmt.Sprintf("%s %s/%s: %s (%s)", r.Kind.Heading(), wording.OneLine(r.Group, 100), wording.OneLine(r.Service, 100),
		wording.OneLine(summary, 200), r.At.Local().Format("Mon Jan 2 15:04:05"))
}

// id names the notice, not the mail: every try at one notice carries the same
// Message-ID, so that a reader of mail can drop what came twice.
func (l letter) id() string {
	r := l.request
	key := r.ID
	if key == "" { // run by hand or by mon
		key = strings.Join([]string{r.Group, r.Service, r.Kind.String(), r.At.Format(time.RFC3339Nano), r.Output}, "\x00")
	}
	sum := sha256.Sum256([]byte(key))
	return "mond." + hex.EncodeToString(sum[:16]) + "@" + wording.OneLine(l.host, 200)
}

// body is the text of the mail.
func (l letter) body() string {
	text := l.ownText
	if text == "" {
		text = l.usualBody()
	}
	for _, fault := range l.faults {
		text += "\n" + fault + "\n"
	}
	return text
}

func (l letter) usualBody() string {
	r := l.request
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-12s %s\n", name+":", value)
		}
	}
	fmt.Fprintf(&b, "%s\n\n", strings.TrimSpace(sentence(r.Kind)+" "+wording.OneLine(wording.Summary(r), 1000)))
	line("Group", wording.OneLine(r.Group, 400))
	line("Service", wording.OneLine(r.Service, 400))
	line("About", wording.OneLine(r.Env["MON_DESCRIPTION"], 400))
	line("Status", wording.Status(r.Status))
	line("Time", r.At.Local().Format("Mon Jan 2 15:04:05 MST 2006"))
	line("Hosts", wording.OneLine(strings.Join(r.Hosts, " "), 4000))
	line("Acknowledged", wording.OneLine(r.Env["MON_ACK"], 400))
	for _, remark := range remarks(r) {
		fmt.Fprintf(&b, "\n%s\n", remark)
	}
	if detail := wording.Detail(r); detail != "" {
		fmt.Fprintf(&b, "\nDetail:\n%s\n", detail)
	}
	return b.String()
}

func sentence(k alert.Kind) string {
	switch k {
	case alert.Failure, alert.Unset:
		return "Failing:"
	case alert.Up:
		return "Working again. It failed with:"
	case alert.Startup:
		return "mond was started."
	case alert.Trap:
		return "A trap reports a failure:"
	case alert.TrapTimeout:
		return "No trap came in time:"
	case alert.Ack:
		return "The failure was acknowledged:"
	case alert.Disable:
		return "Disabled:"
	case alert.Test:
		return "This is a test:"
	}
	return ""
}

// remarks are what the reader must know of how this mail came about.
func remarks(r alert.Request) []string {
	var out []string
	if r.Repeated {
		out = append(out, "This may have been told before: mond was interrupted while it was telling it.")
	}
	if r.Late {
		out = append(out, "mond could not save this notice before it told it: look after the disk of its host.")
	}
	return out
}
