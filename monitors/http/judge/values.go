package judge

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// statuses is an option's value: the statuses that are well.
type statuses []span

// span is the statuses from one to another, both included.
type span struct{ from, to int }

// mons are the statuses that mon's http monitor takes for well.
func mons() statuses {
	return statuses{
		{http.StatusOK, http.StatusOK}, {http.StatusMovedPermanently, http.StatusMovedPermanently},
		{http.StatusFound, http.StatusFound}, {http.StatusUnauthorized, http.StatusUnauthorized},
	}
}

// String is the list as Set reads it.
func (s *statuses) String() string {
	words := make([]string, len(*s))
	for i, r := range *s {
		words[i] = strconv.Itoa(r.from)
		if r.to != r.from {
			words[i] += "-" + strconv.Itoa(r.to)
		}
	}
	return strings.Join(words, ",")
}

// Set reads a list of statuses and ranges of them.
func (s *statuses) Set(text string) error {
	var out statuses
	for word := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(word, "-")
		if !isRange {
			last = first
		}
		r := span{code(first), code(last)}
		if r.from == 0 || r.to < r.from {
			return fmt.Errorf("%q: want statuses from 100 to 999 and ranges of them, such as 200,301-302,401", word)
		}
		out = append(out, r)
	}
	*s = out
	return nil
}

// code is a status of three digits, 0 if it is none.
func code(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || len(text) != 3 || n < 100 {
		return 0
	}
	return n
}

// has reports whether a status is well.
func (s *statuses) has(code int) bool {
	for _, r := range *s {
		if r.from <= code && code <= r.to {
			return true
		}
	}
	return false
}

// age is an option's value: a time of a second at least, 0 as long as none was
// chosen.
type age time.Duration

const day = 24 * time.Hour

// maxAge is the longest: ten years.
const maxAge = age(3650 * day)

// String is the age as Set reads it.
func (a *age) String() string {
	if *a == 0 {
		return ""
	}
	return a.text()
}

// text is the age for people.
func (a age) text() string {
	d := time.Duration(a)
	if d >= 2*day && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	return d.String()
}

// Set reads an age: seconds, or with a unit, which may be d for days.
func (a *age) Set(text string) error {
	d, err := parseAge(text)
	if err != nil || d < time.Second || d > time.Duration(maxAge) {
		return errors.New("want a time from 1s to 3650d, such as 90s, 12h or 2d")
	}
	*a = age(d)
	return nil
}

func parseAge(text string) (time.Duration, error) {
	if figure, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(figure, 10, 12)
		return time.Duration(n) * day, err
	}
	if d, err := time.ParseDuration(text); err == nil {
		return d, nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	return time.Duration(n) * time.Second, err
}
