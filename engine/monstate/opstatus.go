package monstate

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/opstatus"
)

// Service is a line of statedir/opstatus. Times are in seconds since 1970, 0
// for never.
type Service struct {
	Key opstatus.Key
	// Status and Last are mon's numbers, or -1 where the file has none.
	Status, Last int
	// Exit is the exit status of the last verdict, -1 before the first.
	Exit int
	// Failures and Alerts count since ever, Consecutive since the last success.
	Failures, Alerts, Consecutive int
	LastSuccess, FirstSuccess     int64
	LastFailure, FirstFailure     int64
	LastCheck, LastTrap           int64
	// Summary is the first line of what was said last, Detail the others;
	// Failed is all of what failed last in this outage.
	Summary, Detail, Failed string
	// Ack is when the failure was acknowledged; Comment is "user: comment".
	Ack     int64
	Comment string
	// TrapTimer is how many seconds are left for the next trap; 0 is none.
	TrapTimer int64
	Periods   []Period
}

// Period is what is kept of a period.
type Period struct {
	Name                 string
	LastAlert, FirstFail int64
	Sent, FailCount      int
}

// field is a field of a service, in the order of the file. A field without
// functions is written empty, as mon does, and not read: mon never sets it.
type field struct {
	name string
	get  func(s *Service) string
	set  func(s *Service, text string) bool
}

// number is a field that holds a number; blank is the number whose text is
// empty, word that of -1.
func number[T int | int64](name, word string, at func(*Service) *T) field {
	return field{
		name: name,
		get: func(s *Service) string {
			if n := *at(s); n != -1 {
				return strconv.FormatInt(int64(n), 10)
			}
			return word
		},
		set: func(s *Service, text string) bool {
			if text == word && word != "" {
				*at(s) = -1
				return true
			}
			n, ok := parse(text)
			*at(s) = T(n)
			return ok
		},
	}
}

// status is a field that holds a status: mon's number or, after its command set
// G S opstatus NAME, a name.
func status(name string, at func(*Service) *int) field {
	f := number(name, "", at)
	f.set = func(s *Service, text string) bool {
		if text == "" {
			*at(s) = -1
			return true
		}
		st, ok := opstatus.ParseStatus(text)
		*at(s) = st.Number()
		return ok
	}
	return f
}

func text(name string, at func(*Service) *string) field {
	return field{
		name: name,
		get:  func(s *Service) string { return *at(s) },
		set:  func(s *Service, text string) bool { *at(s) = text; return true },
	}
}

// trapTimer is empty where there is none, as under mon.
func trapTimer() field {
	f := number("trap_timer", "", func(s *Service) *int64 { return &s.TrapTimer })
	get := f.get
	f.get = func(s *Service) string {
		if s.TrapTimer == 0 {
			return ""
		}
		return get(s)
	}
	return f
}

func fields() []field {
	return []field{
		status("op_status", func(s *Service) *int { return &s.Status }),
		number("failure_count", "", func(s *Service) *int { return &s.Failures }),
		number("alert_count", "", func(s *Service) *int { return &s.Alerts }),
		number("last_success", "", func(s *Service) *int64 { return &s.LastSuccess }),
		number("first_success", "", func(s *Service) *int64 { return &s.FirstSuccess }),
		number("consec_failures", "", func(s *Service) *int { return &s.Consecutive }),
		number("last_failure", "", func(s *Service) *int64 { return &s.LastFailure }),
		number("first_failure", "", func(s *Service) *int64 { return &s.FirstFailure }),
		text("last_summary", func(s *Service) *string { return &s.Summary }),
		{name: "last_failure_time"}, {name: "last_failure_summary"}, {name: "last_failure_detail"},
		text("last_detail", func(s *Service) *string { return &s.Detail }),
		number("ack", "", func(s *Service) *int64 { return &s.Ack }),
		text("ack_comment", func(s *Service) *string { return &s.Comment }),
		number("last_trap", "", func(s *Service) *int64 { return &s.LastTrap }),
		{name: "last_traphost"},
		number("exitval", "undef", func(s *Service) *int { return &s.Exit }),
		number("last_check", "", func(s *Service) *int64 { return &s.LastCheck }),
		status("last_op_status", func(s *Service) *int { return &s.Last }),
		text("failure_output", func(s *Service) *string { return &s.Failed }),
		trapTimer(),
	}
}

// periodFields are those of a period, after its name and a colon.
func periodFields() []struct {
	name string
	get  func(p *Period) int64
	set  func(p *Period, n int64)
} {
	return []struct {
		name string
		get  func(p *Period) int64
		set  func(p *Period, n int64)
	}{
		{"last_alert", func(p *Period) int64 { return p.LastAlert }, func(p *Period, n int64) { p.LastAlert = n }},
		{"alert_sent", func(p *Period) int64 { return int64(p.Sent) }, func(p *Period, n int64) { p.Sent = int(n) }},
		{"1stfailtime", func(p *Period) int64 { return p.FirstFail }, func(p *Period, n int64) { p.FirstFail = n }},
		{"failcount", func(p *Period) int64 { return int64(p.FailCount) }, func(p *Period, n int64) { p.FailCount = int(n) }},
	}
}

// Encode is the text of statedir/opstatus. The names of groups, services and
// periods stand as they are, as under mon; a period whose name has a TAB or an
// = in it is left out, since mon could not read it.
func Encode(services []Service) []byte {
	var b bytes.Buffer
	all, inPeriod := fields(), periodFields()
	for i := range services {
		s := &services[i]
		b.WriteString("group=" + s.Key.Group + "\tservice=" + s.Key.Service)
		for _, f := range all {
			b.WriteString("\t" + f.name + "=")
			if f.get != nil {
				escape(&b, f.get(s))
			}
		}
		for j := range s.Periods {
			p := &s.Periods[j]
			if strings.ContainsAny(p.Name, "\t\n=") {
				continue
			}
			for _, f := range inPeriod {
				b.WriteString("\t" + p.Name + ":" + f.name + "=" + strconv.FormatInt(f.get(p), 10))
			}
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Decode reads the text of statedir/opstatus. A line without a group or service
// is left out, and so is a value that is none.
func Decode(data []byte) ([]Service, []Problem) {
	d := decoder{fields: map[string]field{}}
	for _, f := range fields() {
		d.fields[f.name] = f
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			d.line(n, line)
		}
	}
	return d.services, d.bad
}

// periodsMost is how many periods of one service are read.
const periodsMost = 1000

type decoder struct {
	fields   map[string]field
	services []Service
	bad      problems
}

func (d *decoder) line(n int, line string) {
	s := Service{Status: -1, Last: -1, Exit: -1}
	for part := range strings.SplitSeq(line, "\t") {
		name, value, ok := cutField(part)
		switch {
		case !ok:
			d.bad.add(n, "%q has no =", cut(part))
		case name == "group":
			s.Key.Group = value
		case name == "service":
			s.Key.Service = value
		default:
			d.field(n, &s, name, unescape(value))
		}
	}
	if s.Key.Group == "" || s.Key.Service == "" {
		d.bad.add(n, "it names no group and service")
		return
	}
	d.services = append(d.services, s)
}

// cutField splits a field at its =. Values hold some where mon wrote them, the
// names of fields and periods do not.
func cutField(part string) (name, value string, ok bool) { return strings.Cut(part, "=") }

func (d *decoder) field(n int, s *Service, name, value string) {
	f, known := d.fields[name]
	switch {
	case known && f.set == nil:
	case known:
		if !f.set(s, value) {
			d.bad.add(n, "%s of %s: %q is no value for it", name, s.Key, cut(value))
		}
	default:
		d.period(n, s, name, value)
	}
}

// period reads a field "NAME:field"; NAME may be empty, and may hold colons.
func (d *decoder) period(n int, s *Service, name, value string) {
	at := strings.LastIndexByte(name, ':')
	if at < 0 {
		d.bad.add(n, "there is no field %q", cut(name))
		return
	}
	if len(s.Periods) == periodsMost {
		d.bad.add(n, "%s has more than %d periods", s.Key, periodsMost)
		return
	}
	for _, f := range periodFields() {
		if f.name != name[at+1:] {
			continue
		}
		v, ok := parse(value)
		if !ok {
			d.bad.add(n, "%q of %s: %q is no number", cut(name), s.Key, cut(value))
			return
		}
		f.set(periodOf(s, name[:at]), v)
		return
	}
	d.bad.add(n, "there is no field %q", cut(name))
}

// periodOf is the period of that name, made if need be. The fields of one stand
// together.
func periodOf(s *Service, name string) *Period {
	for i := range s.Periods {
		if s.Periods[i].Name == name {
			return &s.Periods[i]
		}
	}
	s.Periods = append(s.Periods, Period{Name: name})
	return &s.Periods[len(s.Periods)-1]
}

// parse reads a count or a time; mon leaves those that it never set empty. What
// no clock and no counter can have is refused.
func parse(text string) (n int64, ok bool) {
	if text == "" {
		return 0, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		return 0, false
	}
	return n, true
}

const hex = "0123456789abcdef"

// escape writes s with a backslash and two hexadecimal digits for what mon
// escapes, and for two bytes that mon leaves: a backslash, which it would read
// with the digits behind it, and =, at the last of which it splits.
func escape(b *bytes.Buffer, s string) {
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ' || c > '~' || c == '"' || c == '\'' || c == '\\' || c == '=':
			b.Write([]byte{'\\', hex[c>>4], hex[c&15]})
		default:
			b.WriteByte(c)
		}
	}
}

// unescape is what mon makes of escaped text.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+2 < len(s) {
			hi, lo := strings.IndexByte(hex, s[i+1]), strings.IndexByte(hex, s[i+2])
			if hi >= 0 && lo >= 0 {
				b = append(b, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}
