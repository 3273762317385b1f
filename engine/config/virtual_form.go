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
	text string
	// params are the parameters in it, nil if it is none that may be shared.
	params []string
	shared bool
}

// written is the form of c: of all lines but those that say which reals it is for.
func (c *vcheck) written() form {
	if c.through != nil {
		return form{} // each has a mark of its own
	}
	f := form{shared: true}
	var b strings.Builder
	add := func(kind Kind, name, text string) {
		b.WriteByte(byte(kind))
		b.WriteString(name)
		b.WriteByte(0)
		b.WriteString(text)
		b.WriteByte(0)
		f.uses(text)
	}
	add(KindService, "", c.name)
	for i := range c.lines {
		st := &c.lines[i]
		if st.Kind != KindComment && st.Kind != KindBlank {
			add(st.Kind, st.Name, st.Text)
		}
	}
	f.text = b.String()
	return f
}

// uses notes the parameters in text.
func (f *form) uses(text string) {
	for {
		at := strings.IndexByte(text, '$')
		if at < 0 {
			return
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
			f.shared = false // of the virtual service, or unknown
		}
	}
}

// of is the form with what its parameters stand for in the checks of a real of a
// virtual service of that port. shared is false if the service cannot be that of
// another virtual service, or a parameter stands for nothing.
func (f *form) of(m *vreal, port uint16) (text string, shared bool) {
	if !f.shared {
		return "", false
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
				return "", false
			}
			b = strconv.AppendUint(b, uint64(n), 10)
		}
		b = append(b, 0)
	}
	return string(m.addr.AppendTo(b)), true
}
