package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// tick is the shortest interval: what is due more often is not a check but a
// load test.
const tick = 10 * time.Millisecond

// maxTime is the longest time that is read; beyond it sums would overflow.
const maxTime = 100 * 365 * 24 * time.Hour

// timeHint says how a time is written.
const timeHint = "a time is a number and a unit, without a blank: 100ms, 30s, 5m, 1.5h, 1d"

var units = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

// Timeval reads a time as mon.cf writes it: digits, a fraction if any, and one
// of the units ms, s, m, h, d in either case. The unit must be there. It is
// between 0 and 100 years.
func Timeval(text string) (time.Duration, error) {
	text = strings.ToLower(strings.Trim(text, blanks))
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	if !decimal(number) {
		return 0, errors.New("not a number with a unit")
	}
	if number == text {
		return 0, errors.New("no unit")
	}
	unit, ok := units[text[len(number):]]
	if !ok {
		return 0, errors.New("unknown unit " + strconv.Quote(text[len(number):]))
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n*float64(unit) > float64(maxTime) {
		return 0, errors.New("more than 100 years")
	}
	return time.Duration(math.Round(n * float64(unit))), nil
}

// decimal reports whether s is digits, with a point and digits if any.
func decimal(s string) bool {
	whole, fraction, point := strings.Cut(s, ".")
	return digits(whole) && (!point || digits(fraction))
}

// digits reports whether s is one digit or more, and nothing else.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// atoi reads a number of digits only.
func atoi(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && digits(s)
}

// timeIn is d as a time of mon.cf in that unit.
func timeIn(d time.Duration, unit string) string {
	return strconv.FormatInt(int64(d/units[unit]), 10) + unit
}
