package lang

import (
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/config"
)

// sequence is a source: the line of a ~SEQ or ~LST, once for each value.
type sequence struct {
	r    *reader
	pos  config.Pos
	body text
	// set gives the variables their next values; false when there are no more.
	set func() bool
}

func (s *sequence) next() (text, bool) {
	if !s.r.spend(len(s.body.s), s.pos) || !s.set() {
		return text{}, false
	}
	return s.body, true
}

func (r *reader) assign(name, value string, pos config.Pos) {
	r.defs[name] = &definition{pos: pos, lines: []text{madeAt(value, pos)}}
}

// sequence takes t in if it is a ~SEQ or ~LST: its lines are the next ones.
func (r *reader) sequence(t text) bool {
	var next func() bool
	var body text
	var ok bool
	switch {
	case strings.HasPrefix(t.s, "~SEQ"):
		next, body, ok = r.numbers(t)
	case strings.HasPrefix(t.s, "~LST"):
		next, body, ok = r.list(t)
	default:
		return false
	}
	if !ok {
		r.errorf(t.at(0), "write ~SEQ(VAR, [START, [STEP,]] END) TEXT or ~LST(VAR, VALUE, ...) TEXT", "a sequence that keepalived cannot read")
		return true
	}
	r.push(&sequence{r, t.at(0), body, next})
	return true
}

// within is what stands between the parentheses of a sequence, and its body.
func within(t text, word int) (inside, body text, ok bool) {
	t = t.cut(word, len(t.s)).trim()
	end := strings.IndexByte(t.s, ')')
	if !strings.HasPrefix(t.s, "(") || end < 0 {
		return t, t, false
	}
	return t.cut(1, end).trim(), t.cut(end+1, len(t.s)).trim(), true
}

// numbers reads ~SEQ(VAR, [START, [STEP,]] END), and ~SEQx, which counts in
// hexadecimal digits.
func (r *reader) numbers(t text) (func() bool, text, bool) {
	hex := strings.HasPrefix(t.s, "~SEQx")
	word := len("~SEQ")
	if hex {
		word++
	}
	inside, body, ok := within(t, word)
	comma := strings.IndexByte(inside.s, ',')
	if !ok || comma < 0 {
		return nil, body, false
	}
	variable := strings.TrimRight(inside.s[:comma], blanks)
	params, _ := r.replace(inside.cut(comma+1, len(inside.s)))
	var n []int64
	for part := range strings.SplitSeq(params.s, ",") {
		i, err := strconv.ParseInt(strings.Trim(part, blanks), 0, 64)
		if err != nil {
			return nil, body, false
		}
		n = append(n, i)
	}
	at, step, last, ok := span(n)
	if !ok || name(variable) != len(variable) || variable == "" || hex && (at < 0 || last < 0) {
		return nil, body, false
	}
	base := 10
	if hex {
		base = 16
	}
	pos := t.at(0)
	return func() bool {
		if step > 0 && at > last || step < 0 && at < last {
			return false
		}
		r.assign(variable, strconv.FormatInt(at, base), pos)
		if next := at + step; (next > at) == (step > 0) {
			at = next
		} else {
			step, at, last = 1, 1, 0 // the end of all numbers
		}
		return true
	}, body, true
}

// span is what the numbers of a ~SEQ mean.
func span(n []int64) (start, step, last int64, ok bool) {
	switch len(n) {
	case 1:
		start, step, last = 1, 1, n[0]
		if last < 1 {
			step = -1
		}
		if last < 0 {
			start = -1
		}
	case 2:
		start, step, last = n[0], 1, n[1]
		if start > last {
			step = -1
		}
	case 3:
		start, step, last = n[0], n[1], n[2]
		if step == 0 || start < last && step < 0 || start > last && step > 0 {
			return 0, 0, 0, false
		}
	default:
		return 0, 0, 0, false
	}
	return start, step, last, true
}

// list reads ~LST(VAR, VALUE, ...) and ~LST({VAR, ...}, {VALUE, ...}, ...).
func (r *reader) list(t text) (func() bool, text, bool) {
	inside, body, ok := within(t, len("~LST"))
	sets, fine := groups(inside.s)
	if !ok || !fine || len(sets) < 2 {
		return nil, body, false
	}
	names, sets := sets[0], sets[1:]
	for _, n := range names {
		if n == "" || name(n) != len(n) {
			return nil, body, false
		}
	}
	for _, set := range sets {
		if len(set) > len(names) {
			return nil, body, false
		}
	}
	pos := t.at(0)
	return func() bool {
		if len(sets) == 0 {
			return false
		}
		for i, n := range names {
			value := "" // one that is missing is blank
			if i < len(sets[0]) {
				value = sets[0][i]
			}
			r.assign(n, value, pos)
		}
		sets = sets[1:]
		return true
	}, body, true
}

// groups splits a list at commas; {a, b} in it is one of several words.
func groups(s string) ([][]string, bool) {
	var all [][]string
	for {
		s = strings.TrimLeft(s, blanks)
		var one []string
		if rest, is := strings.CutPrefix(s, "{"); is {
			inside, after, ok := strings.Cut(rest, "}")
			if !ok {
				return nil, false
			}
			for part := range strings.SplitSeq(inside, ",") {
				one = append(one, strings.Trim(part, blanks))
			}
			s = strings.TrimLeft(after, blanks)
		} else {
			end := strings.IndexByte(s, ',')
			if end < 0 {
				end = len(s)
			}
			one = []string{strings.Trim(s[:end], blanks)}
			s = s[end:]
		}
		all = append(all, one)
		if s == "" {
			return all, true
		}
		if s[0] != ',' {
			return nil, false
		}
		s = s[1:]
	}
}
