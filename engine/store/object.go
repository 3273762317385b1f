package store

import (
	"encoding/base64"
	"strconv"
	"time"
	"unicode/utf8"
)

// object writes one JSON object, leaving out members that are zero. It is
// written by hand because a record is written for every check that is
// answered, and encoding/json takes five times as long; reading, which happens
// once a start, leaves that work to it.
type object struct{ b []byte }

func newObject(size int) *object { return &object{append(make([]byte, 0, size), '{')} }

func (o *object) end() []byte {
	o.b = append(o.b, '}')
	return o.b
}

// comma goes before every member or element but the first.
func (o *object) comma() {
	if last := o.b[len(o.b)-1]; last != '{' && last != '[' {
		o.b = append(o.b, ',')
	}
}

// name begins a member; names need no escapes.
func (o *object) name(name string) {
	o.comma()
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

func (o *object) text(name, s string) {
	if s != "" {
		o.alwaysText(name, s)
	}
}

func (o *object) alwaysText(name, s string) {
	o.name(name)
	o.b = appendText(o.b, s)
}

func (o *object) number(name string, n int64) {
	if n != 0 {
		o.alwaysNumber(name, n)
	}
}

func (o *object) alwaysNumber(name string, n int64) {
	o.name(name)
	o.b = strconv.AppendInt(o.b, n, 10)
}

func (o *object) flag(name string, set bool) {
	if set {
		o.name(name)
		o.b = append(o.b, "true"...)
	}
}

// time writes t in UTC. A time that JSON's readers could not take (a year
// beyond 9999) is left out.
func (o *object) time(name string, t time.Time) {
	if t = stamp(t); !t.IsZero() {
		o.name(name)
		o.b = append(o.b, '"')
		o.b = t.AppendFormat(o.b, time.RFC3339Nano)
		o.b = append(o.b, '"')
	}
}

func (o *object) texts(name string, list []string) {
	o.list(name, len(list), func(i int) { o.b = appendText(o.b, list[i]) })
}

// list writes n elements, if any, each by write.
func (o *object) list(name string, n int, write func(i int)) {
	if n == 0 {
		return
	}
	o.name(name)
	o.b = append(o.b, '[')
	for i := range n {
		o.comma()
		write(i)
	}
	o.b = append(o.b, ']')
}

// object writes an object as a member.
func (o *object) object(name string, write func()) {
	o.name(name)
	o.inner(write)
}

// inner writes an object where a value belongs.
func (o *object) inner(write func()) {
	o.b = append(o.b, '{')
	write()
	o.b = append(o.b, '}')
}

// appendText writes s as [text] reads it.
func appendText(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		b = append(b, `{"b64":"`...)
		b = base64.StdEncoding.AppendEncode(b, []byte(s))
		return append(b, `"}`...)
	}
	b = append(b, '"')
	plain := 0
	for i := range len(s) {
		if s[i] >= ' ' && s[i] != '"' && s[i] != '\\' {
			continue
		}
		b = append(b, s[plain:i]...)
		b = appendEscape(b, s[i])
		plain = i + 1
	}
	b = append(b, s[plain:]...)
	return append(b, '"')
}

func appendEscape(b []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
