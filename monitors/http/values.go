package httpmon

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// path is an option's value: what is asked for, from the first slash on.
type path string

// String is the path.
func (p *path) String() string { return string(*p) }

// Set reads a path; the first slash may be left out.
func (p *path) Set(text string) error {
	switch {
	case strings.HasPrefix(text, "http://"), strings.HasPrefix(text, "https://"):
		return errors.New("want the path only, such as /index.html?a=1: the hosts are those of the hostgroup")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return errors.New("want ASCII without blanks: write them percent-encoded, a blank is %20")
	case strings.Contains(text, "#"):
		return errors.New("what follows a # is never sent: leave it out")
	}
	*p = path("/" + strings.TrimPrefix(text, "/"))
	return nil
}

// header is an option's value: the value of a header.
type header string

// String is the value.
func (h *header) String() string { return string(*h) }

// Set reads a value that cannot end the header.
func (h *header) Set(text string) error {
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("want text without control characters")
	}
	*h = header(text)
	return nil
}

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

// size is an option's value: a number of bytes, at least 1 and at most maxSize.
type size int64

// maxSize is what one check may hold in memory at most.
const maxSize = 256 << 20

// String is the number as Set reads it.
func (s *size) String() string {
	n := int64(*s)
	switch {
	case n != 0 && n%(1<<20) == 0:
		return strconv.FormatInt(n>>20, 10) + "M"
	case n != 0 && n%(1<<10) == 0:
		return strconv.FormatInt(n>>10, 10) + "K"
	}
	return strconv.FormatInt(n, 10)
}

// Set reads a number of bytes; K or M after it multiplies it by 1024 once or
// twice.
func (s *size) Set(text string) error {
	figure, unit := text, int64(1)
	if f, ok := strings.CutSuffix(strings.ToUpper(text), "K"); ok {
		figure, unit = f, 1<<10
	} else if f, ok := strings.CutSuffix(strings.ToUpper(text), "M"); ok {
		figure, unit = f, 1<<20
	}
	n, err := strconv.ParseUint(figure, 10, 32)
	if err != nil || n == 0 || int64(n) > maxSize/unit {
		return errors.New("want a number of bytes from 1 to 256M, such as 4096, 64K or 1M")
	}
	*s = size(int64(n) * unit)
	return nil
}
