package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
)

// whenHint says how a time is written.
const whenHint = "a time ago such as 90m, 24h or 30d, or a date such as 2026-11-25, \"2026-11-25 14:30\" or 14:30"

// dates are the forms of a date, in local time.
var dates = []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05"}

// when reads a time of the past: so long ago, or a date.
func when(text string, now time.Time) (time.Time, error) {
	if d, err := config.Timeval(text); err == nil {
		return now.Add(-d), nil
	}
	text = strings.TrimSpace(text)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.Local(), nil
	}
	for _, form := range dates {
		if t, err := time.ParseInLocation(form, text, now.Location()); err == nil {
			return t, nil
		}
	}
	for _, form := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(form, text); err == nil {
			return today(t, now), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; write %s", text, whenHint)
}

// today is the last time that a clock showed t.
func today(t, now time.Time) time.Time {
	at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location())
	if at.After(now) {
		at = at.AddDate(0, 0, -1)
	}
	return at
}
