package store

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"
)

// reader decodes rows of history one after the other. A report reads a
// million of them, and encoding/json takes 15 times as long: rows as
// [encodeEvent] writes them are read by hand, all others by encoding/json.
type reader struct {
	// words are those that come again and again, such as names of services.
	words map[string]string
}

// wordsMost bounds reader.words, whatever the rows hold.
const wordsMost = 50_000

func newReader() *reader { return &reader{words: map[string]string{}} }

func (r *reader) decode(row []byte) (Event, error) {
	if e, ok := r.quick(row); ok {
		return e, nil
	}
	return decodeEvent(row)
}

// quick reads a row that holds nothing but what encodeEvent usually writes; ok
// is false for any other.
func (r *reader) quick(row []byte) (e Event, ok bool) {
	s := scanner{b: row}
	if !s.take('{') {
		return e, false
	}
	for {
		name, ok := s.plain()
		if !ok || !s.take(':') || !r.member(&e, &s, name) {
			return e, false
		}
		if s.take('}') {
			return e, s.i == len(row)
		}
		if !s.take(',') {
			return e, false
		}
	}
}

// member reads the value of name into e.
func (r *reader) member(e *Event, s *scanner, name []byte) bool {
	switch string(name) {
	case "at":
		text, ok := s.plain()
		e.At, ok = instant(text, ok)
		return ok
	case "exit":
		n, ok := s.number()
		e.Exit = int(n)
		return ok
	case "took_ns":
		n, ok := s.number()
		e.Took = time.Duration(n)
		return ok
	case "text":
		return s.text(&e.Text)
	case "summary":
		return s.text(&e.Summary)
	case "note":
		return s.text(&e.Note)
	case "notice":
		return s.text(&e.Notice)
	}
	if to := fieldOf(e, name); to != nil {
		return r.word(s, to)
	}
	return false
}

// fieldOf is the field of e for a member that holds one of few words.
func fieldOf(e *Event, name []byte) *string {
	switch string(name) {
	case "kind":
		return &e.Kind
	case "group":
		return &e.Group
	case "service":
		return &e.Service
	case "what":
		return &e.What
	case "from":
		return &e.From
	case "to":
		return &e.To
	case "outcome":
		return &e.Outcome
	case "reason":
		return &e.Reason
	case "period":
		return &e.Period
	case "program":
		return &e.Program
	case "user":
		return &e.User
	}
	return nil
}

func instant(text []byte, ok bool) (time.Time, bool) {
	var t time.Time
	if !ok || t.UnmarshalText(text) != nil {
		return t, false
	}
	return local(t), true
}

// word reads a string and keeps one copy of it.
func (r *reader) word(s *scanner, to *string) bool {
	text, ok := s.plain()
	if !ok {
		return false
	}
	known, found := r.words[string(text)]
	if !found {
		known = string(text)
		if len(r.words) < wordsMost {
			r.words[known] = known
		}
	}
	*to = known
	return true
}

// scanner reads JSON without blanks.
type scanner struct {
	b []byte
	i int
}

func (s *scanner) take(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// plain reads a string without escapes.
func (s *scanner) plain() ([]byte, bool) {
	text, escaped, ok := s.raw()
	return text, ok && !escaped
}

// raw reads a string as it stands.
func (s *scanner) raw() (text []byte, escaped, ok bool) {
	if !s.take('"') {
		return nil, false, false
	}
	for from := s.i; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			text = s.b[from:s.i]
			s.i++
			return text, escaped, utf8.Valid(text)
		case c == '\\':
			escaped = true
			s.i++
		case c < ' ':
			return nil, false, false
		}
	}
	return nil, false, false
}

// text reads a string with the escapes that appendText writes.
func (s *scanner) text(to *string) bool {
	raw, escaped, ok := s.raw()
	if !ok || !escaped {
		*to = string(raw)
		return ok
	}
	out := make([]byte, 0, len(raw))
	for {
		at := bytes.IndexByte(raw, '\\')
		if at < 0 {
			*to = string(append(out, raw...))
			return true
		}
		c, n := unescape(raw[at+1:])
		if n == 0 {
			return false
		}
		out = append(append(out, raw[:at]...), c)
		raw = raw[at+1+n:]
	}
}

// unescape reads what follows a backslash: n bytes; 0 if it is another escape
// than those of appendText.
func unescape(b []byte) (c byte, n int) {
	switch {
	case len(b) > 0 && (b[0] == '"' || b[0] == '\\'):
		return b[0], 1
	case len(b) > 0 && b[0] == 'n':
		return '\n', 1
	case len(b) > 0 && b[0] == 't':
		return '\t', 1
	case len(b) >= 5 && string(b[:3]) == "u00":
		v, err := strconv.ParseUint(string(b[3:5]), 16, 8)
		if err == nil && v < ' ' {
			return byte(v), 5
		}
	}
	return 0, 0
}

func (s *scanner) number() (int64, bool) {
	from := s.i
	for s.i < len(s.b) && (s.b[s.i] == '-' || s.b[s.i] >= '0' && s.b[s.i] <= '9') {
		s.i++
	}
	text := s.b[from:s.i]
	n, err := strconv.ParseInt(string(text), 10, 64)
	// JSON knows no leading zeros.
	return n, err == nil && strconv.FormatInt(n, 10) == string(text)
}

// sieve passes over rows that a filter does not choose without decoding them.
type sieve struct{ kinds [][]byte }

var kindName = []byte(`"kind":"`) // not within a string: quotes are escaped there

func newSieve(f Filter) sieve {
	var s sieve
	for _, k := range f.Kinds {
		s.kinds = append(s.kinds, appendText(nil, k)[1:])
	}
	return s
}

// passes is false if the row is surely of another kind.
func (s sieve) passes(row []byte) bool {
	at := bytes.Index(row, kindName)
	if len(s.kinds) == 0 || at < 0 {
		return true
	}
	for _, k := range s.kinds {
		if bytes.HasPrefix(row[at+len(kindName):], k) {
			return true
		}
	}
	return false
}
