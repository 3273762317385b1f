package syslogalert

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// message is one message of syslog.
type message struct {
	pri       int
	at        time.Time
	host, tag string
	pid       int
	id        string // MSGID
	data      []element
	text      string
}

// element is one of the structured data, RFC 5424 6.3.
type element struct {
	id     string
	params []param
}

type param struct{ name, value string }

const maxValue = 300 // bytes of a value in the structured data

// rfc5424 is the message by RFC 5424, of at most limit bytes. The text has no
// byte order mark: receivers show it as rubbish, and without one it may be in
// any encoding (MSG-ANY), UTF-8 among them.
func (m message) rfc5424(limit int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "<%d>1 %s %s %s %d %s ", m.pri, m.at.Format("2006-01-02T15:04:05.000Z07:00"), m.host, m.tag, m.pid, m.id)
	data := structured(m.data)
	if b.Len()+len(data)+len(" ...") > limit {
		data = "-" // better a message without than half of one
	}
	b.WriteString(data)
	return []byte(cut(b.String()+" "+m.text, limit))
}

// rfc3164 is the message in the older form, of at most limit bytes. On the
// local socket it names no host, as logger(1) and the C library have it.
func (m message) rfc3164(limit int, local bool) []byte {
	host := m.host + " "
	if local {
		host = ""
	} else if name, _, ok := strings.Cut(m.host, "."); ok { // 4.1.2: without its domain
		host = name + " "
	}
	return []byte(cut(fmt.Sprintf("<%d>%s %s%s[%d]: %s", m.pri, m.at.Format(time.Stamp), host, m.tag, m.pid, m.text), limit))
}

// structured are elements as they stand in the message. Empty values are left
// out.
func structured(elements []element) string {
	var b strings.Builder
	for _, e := range elements {
		b.WriteString("[" + e.id)
		for _, p := range e.params {
			if p.value != "" {
				fmt.Fprintf(&b, ` %s="%s"`, p.name, quote(cut(escape(p.value), maxValue)))
			}
		}
		b.WriteString("]")
	}
	return b.String()
}

// quote escapes what ends a value, RFC 5424 6.3.3.
func quote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(s)
}

// escape makes one line of s without control characters: each byte of them
// becomes # and three octal digits, as common daemons write them.
func escape(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, "#%03o", c)
			}
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// cut is at most limit bytes of s, whole characters, with "..." where it was
// longer.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := limit - len("...")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}

// printable reports whether s may be a field of the header.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}
