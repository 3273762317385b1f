package period

import (
	"fmt"
	"strconv"
	"strings"
)

// SyntaxError says what is wrong with an expression, and where.
type SyntaxError struct {
	// Text is the whole expression.
	Text string
	// Col is the byte column of the bad token in Text, counted from 1;
	// len(Text)+1 if something is missing at the end.
	Col int
	// Msg names the token and says what to write instead.
	Msg string
}

// Error gives the expression, the column and the message.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("period %q: column %d: %s", e.Text, e.Col, e.Msg)
}

// blanks separate words, as \s in Perl does.
const blanks = " \t\n\v\f\r"

// Parse reads a period expression. An empty one is always, "none" is never.
// Letter case does not matter. The error is a [*SyntaxError].
func Parse(text string) (Spec, error) {
	if strings.Trim(text, blanks) == "" {
		return Spec{text: text}, nil
	}
	if isNone(text) {
		return Spec{text: text, subs: &[]sub{}}, nil
	}
	p := parser{text: text}
	subs, err := p.period()
	if err != nil {
		return Spec{}, err
	}
	return Spec{text: text, subs: &subs}, nil
}

// parser reads text from pos on.
type parser struct {
	text string
	pos  int
}

func (p *parser) period() ([]sub, error) {
	var subs []sub
	gap := -1 // where a sub-period is missing; fine if none follows
	for {
		p.skip()
		switch c := p.peek(); {
		case c == 0 && p.atEnd():
			return subs, nil
		case c == ',':
			if gap < 0 {
				gap = p.pos
			}
			p.pos++
			continue
		case gap >= 0:
			return nil, p.fail(gap, `nothing before ","`)
		}
		s, err := p.sub()
		if err != nil {
			return nil, err
		}
		subs = append(subs, s)
		if p.peek() == ',' {
			p.pos++
		}
	}
}

// sub reads scales up to a comma or the end, and at least one.
func (p *parser) sub() (sub, error) {
	var s sub
	for {
		sc, err := p.scale()
		if err != nil {
			return s, err
		}
		s.limits |= 1 << sc
		if err := p.values(&s, sc); err != nil {
			return s, err
		}
		p.skip()
		if p.atEnd() || p.peek() == ',' {
			s.simplify()
			return s, nil
		}
	}
}

// simplify takes back limits that allow everything.
func (s *sub) simplify() {
	for i := month; i < scales; i++ {
		if s.sets[i] == fullSet(i) {
			s.limits &^= 1 << i
		}
	}
	for _, y := range s.years {
		if min(y.from, y.to) == 0 && max(y.from, y.to) == 99 {
			s.limits &^= 1 << year
		}
	}
}

// scale reads a scale's name and the brace after it.
func (p *parser) scale() (scale, error) {
	start := p.pos
	name := p.word("{},")
	if name == "" {
		return 0, p.unexpected(`a scale such as "hr"`)
	}
	sc, ok := findScale(name)
	if !ok {
		return 0, p.fail(start, unknownScale(name))
	}
	p.skip()
	if p.peek() != '{' {
		return 0, p.unexpected(fmt.Sprintf(`"{" after %q`, name))
	}
	p.pos++
	return sc, nil
}

// values reads ranges up to the closing brace.
func (p *parser) values(s *sub, sc scale) error {
	for {
		p.skip()
		if p.peek() == '}' {
			p.pos++
			return nil
		}
		lo, err := p.value(sc)
		if err != nil {
			return err
		}
		hi := lo
		p.skip()
		if p.peek() == '-' {
			p.pos++
			p.skip()
			if hi, err = p.value(sc); err != nil {
				return err
			}
		}
		s.allow(sc, lo, hi)
	}
}

func (s *sub) allow(sc scale, lo, hi int) {
	if sc == year {
		s.years = append(s.years, span{lo, hi})
		return
	}
	s.sets[sc].addWrapped(sc, lo, hi)
}

// value reads one value of sc.
func (p *parser) value(sc scale) (int, error) {
	start := p.pos
	word := p.word("{},-")
	if word == "" {
		return 0, p.unexpected(fmt.Sprintf(`a value or "}" (%s {...})`, units[sc].code))
	}
	v, ok := parseValue(sc, strings.ToLower(word))
	if !ok {
		return 0, p.fail(start, badValue(sc, word))
	}
	return v, nil
}

func badValue(sc scale, word string) string {
	if sc == hour && strings.Trim(word, "amnopAMNOP") == "" {
		return fmt.Sprintf("%q without an hour: write 9am, without a blank", word)
	}
	return fmt.Sprintf("bad %s %q: want %s", scaleWords[sc], word, units[sc].want)
}

func (p *parser) atEnd() bool { return p.pos >= len(p.text) }

// peek is the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.atEnd() {
		return 0
	}
	return p.text[p.pos]
}

func (p *parser) skip() {
	for !p.atEnd() && strings.IndexByte(blanks, p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// word reads up to a blank, one of stops or the end.
func (p *parser) word(stops string) string {
	rest := p.text[p.pos:]
	if n := strings.IndexAny(rest, blanks+stops); n >= 0 {
		rest = rest[:n]
	}
	p.pos += len(rest)
	return rest
}

func (p *parser) fail(pos int, msg string) error {
	return &SyntaxError{Text: p.text, Col: pos + 1, Msg: msg}
}

// unexpected complains of the next byte, which is not part of a word unless
// it stands where a mark belongs.
func (p *parser) unexpected(want string) error {
	switch c := p.peek(); {
	case p.atEnd():
		return p.fail(p.pos, "ends early: want "+want)
	case c == ',':
		return p.fail(p.pos, `unexpected ",": want `+want+"; values are separated by blanks, sub-periods by commas")
	case strings.IndexByte("{}-", c) >= 0:
		return p.fail(p.pos, fmt.Sprintf("unexpected %q: want %s", string(c), want))
	}
	start := p.pos
	return p.fail(start, fmt.Sprintf("unexpected %q: want %s", p.word("{},"), want))
}

func findScale(name string) (scale, bool) {
	name = strings.ToLower(name)
	for i := range scales {
		if name == units[i].code || name == units[i].long {
			return i, true
		}
	}
	return 0, false
}

// scaleWords name the scales in messages.
var scaleWords = [scales]string{"year", "month", "week of the month", "day of the year", "day of the month", "weekday", "hour", "minute", "second"}

// unknownScale says that name is no scale and guesses what was meant.
func unknownScale(name string) string {
	msg := fmt.Sprintf("unknown scale %q", name)
	switch lower := strings.ToLower(name); lower {
	case "none":
		return `"none" must stand alone`
	case "weekday", "dow":
		return msg + `; did you mean "wd"?`
	case "day", "days", "dom":
		return msg + `; did you mean "md"?`
	case "mon", "months":
		return msg + `; did you mean "mo"?`
	default:
		if sc, ok := findScale(strings.TrimSuffix(lower, "s")); ok {
			return fmt.Sprintf("%s; did you mean %q?", msg, units[sc].code)
		}
	}
	return msg + "; the scales are yr mo wk yd md wd hr min sec"
}

// parseValue reads a value of sc, in lower case.
func parseValue(sc scale, word string) (int, bool) {
	v, ok := 0, false
	switch sc {
	case month:
		v, ok = named(word, 3, "janfebmaraprmayjunjulaugsepoctnovdec")
	case wday:
		v, ok = named(word, 2, "sumotuwethfrsa")
	case hour:
		return parseHour(word)
	}
	if !ok {
		v, ok = number(word)
	}
	if sc == year && v >= 100 && v < 1970 {
		return 0, false
	}
	return v, ok && v >= units[sc].min && v <= units[sc].max
}

// named finds the first n letters of word in names, which are n letters each,
// and counts from 1. What follows those letters does not matter, as in
// Time::Period.
func named(word string, n int, names string) (int, bool) {
	if len(word) < n {
		return 0, false
	}
	for i := 0; i < len(names); i += n {
		if word[:n] == names[i:i+n] {
			return i/n + 1, true
		}
	}
	return 0, false
}

// parseHour reads 9, 9am, 9pm or 12noon.
func parseHour(word string) (int, bool) {
	digits := strings.TrimRight(word, "amnop")
	v, ok := number(digits)
	switch word[len(digits):] {
	case "":
	case "am":
		if v == 12 {
			v = 0
		}
	case "pm":
		if v != 12 {
			v += 12
		}
	case "noon":
		ok = ok && v == 12
	default:
		return 0, false
	}
	return v, ok && v <= units[hour].max
}

// number reads a decimal number; leading zeros do not count, and one that is
// larger than any year is maxYear.
func number(word string) (int, bool) {
	if word == "" || strings.Trim(word, "0123456789") != "" {
		return 0, false
	}
	v, err := strconv.Atoi(word)
	if err != nil || v > maxYear {
		v = maxYear
	}
	return v, true
}
