package config

import (
	"slices"
	"strconv"
	"strings"
)

// form is a check as it is written, so that the many virtual services that check
// the same reals in the same way make each service once: a thousand of ten reals
// each are not ten thousand.
type form struct {
	// text is empty if the services of the check cannot be those of another
	// virtual service.
	text   string
	params []string // in text
}

// written is the form of c: of all lines but those that say which reals it is for.
func (c *vcheck) written() form {
	if c.through != nil {
		return form{} // each has a mark of its own
	}
	var f form
	shared := f.uses(c.name)
	for i := range c.lines {
		if c.lines[i].means() {
			shared = f.uses(c.lines[i].Text) && shared
		}
	}
	if shared {
		f.text = c.name + "\x00" + textOf(c.lines)
	}
	return f
}

// uses notes the parameters in text; shared is false if one is of the virtual
// service, or unknown.
func (f *form) uses(text string) (shared bool) {
	for {
		at := strings.IndexByte(text, '$')
		if at < 0 {
			return true
		}
		text = text[at:]
		n := dollar(text)
		name := strings.Trim(text[:n], "${}")
		switch text = text[n:]; name {
		case "":
		case "real", "host", "hosts", "name", "weight", "port", "watch":
			if !slices.Contains(f.params, name) {
				f.params = append(f.params, name)
			}
		default:
			return false
		}
	}
}

// of is the form with what its parameters stand for in the checks of a real of a
// virtual service of that port: what has the same one is the same service of that
// real's group. It is empty if there is none, or a parameter stands for nothing.
func (f *form) of(m *vreal, port uint16) string {
	if f.text == "" {
		return ""
	}
	b := make([]byte, 0, len(f.text)+32)
	b = append(b, f.text...)
	for _, name := range f.params {
		switch name {
		case "name":
			b = append(b, m.label()...)
		case "weight":
			b = strconv.AppendInt(b, int64(m.weight), 10)
		case "port":
			n := m.portIn(port)
			if n == 0 {
				return ""
			}
			b = strconv.AppendUint(b, uint64(n), 10)
		}
		b = append(b, 0)
	}
	return string(m.addr.AppendTo(b))
}

// form is that of check i of v for m, which stays the same.
func (m *vreal) form(v *virtualDraft, i int) string {
	if m.forms == nil {
		m.forms = make([]string, len(v.checks))
	}
	if m.forms[i] == "" {
		m.forms[i] = v.checks[i].form.of(m, v.port())
	}
	return m.forms[i]
}
