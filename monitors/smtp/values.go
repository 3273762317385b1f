package smtpmon

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/monitors/tcp/replies"
)

// name is an option's value: a domain name, or an address in brackets.
type name string

// String is the name.
func (n *name) String() string { return string(*n) }

// Set reads a name.
func (n *name) Set(text string) error {
	if len(text) > 255 || text == "" || strings.ContainsFunc(text, func(r rune) bool {
		return !letter(r) && !strings.ContainsRune(".-_:[]", r)
	}) {
		return errors.New("want a name of letters, digits, dots and hyphens, or an address such as [192.0.2.1] or [IPv6:2001:db8::1]")
	}
	*n = name(text)
	return nil
}

func letter(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// address is an option's value: a mail address without angle brackets, "<>"
// for that of bounces.
type address string

// String is the address.
func (a *address) String() string { return string(*a) }

// Set reads an address that can end no command.
func (a *address) Set(text string) error {
	if text == "<>" {
		*a = "<>"
		return nil
	}
	bare := text
	if inner, ok := strings.CutPrefix(text, "<"); ok {
		bare, ok = strings.CutSuffix(inner, ">")
		if !ok {
			bare = ""
		}
	}
	if bare == "" || len(bare) > 320 || strings.ContainsFunc(bare, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' || r == '>' }) {
		return errors.New("want a mail address in ASCII without blanks, such as operator@example.com")
	}
	*a = address(bare)
	return nil
}

// path is the address as a command has it; without one it is that of bounces,
// which every server has to take (RFC 5321 6.1).
func (a address) path() string {
	if a == "" || a == "<>" {
		return "<>"
	}
	return "<" + string(a) + ">"
}

// either is an option's value of two kinds, which nobody can mistake for each
// other: an IP address, with a port perhaps, to connect to, or a recipient's.
type either struct {
	connect   *reach.To
	recipient *address
}

// String is the one to connect to; the recipient is an option of its own.
func (e *either) String() string {
	if e.connect == nil {
		return ""
	}
	return e.connect.String()
}

// Set reads one of the two.
func (e *either) Set(text string) error {
	if e.connect.Set(text) == nil {
		return nil
	}
	if e.recipient.Set(text) != nil {
		return errors.New("want a mail address in ASCII without blanks, such as operator@example.com, or an IP address to connect to, such as 10.0.0.3:25")
	}
	return nil
}

// extensions is an option's value: the names of extensions, in capitals.
type extensions []string

// String is the list.
func (e *extensions) String() string { return strings.Join(*e, ",") }

// Set adds extensions.
func (e *extensions) Set(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		if word == "" || strings.ContainsFunc(word, func(r rune) bool { return !letter(r) && r != '-' }) {
			return fmt.Errorf("%q: want the name of an extension, such as SIZE, STARTTLS or 8BITMIME", word)
		}
		*e = append(*e, strings.ToUpper(word))
	}
	return nil
}

// offers are the extensions that a server offers, each with its words, in
// capitals.
type offers [][]string

// offered reads the reply to EHLO: after its first line, one extension a line
// (RFC 5321 4.1.1.1). Servers of old wrote "AUTH=LOGIN".
func offered(r replies.Reply) offers {
	o := offers{}
	for _, line := range r.Lines[1:] {
		if words := strings.Fields(strings.ToUpper(strings.Replace(line, "AUTH=", "AUTH ", 1))); len(words) > 0 {
			o = append(o, words)
		}
	}
	return o
}

// has reports whether an extension is offered.
func (o offers) has(extension string) bool {
	return slices.ContainsFunc(o, func(words []string) bool { return words[0] == extension })
}

// words are those that follow an extension.
func (o offers) words(extension string) (all []string) {
	for _, words := range o {
		if words[0] == extension {
			all = append(all, words[1:]...)
		}
	}
	return all
}

// String is the extensions for an error.
func (o offers) String() string {
	if len(o) == 0 {
		return "no extension"
	}
	lines := make([]string, len(o))
	for i, words := range o {
		lines[i] = strings.Join(words, " ")
	}
	text := fmt.Sprintf("%q", strings.Join(lines, ", "))
	const most = 300
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + `..."`
	}
	return text
}
