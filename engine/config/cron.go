package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/mondhq/mond/engine/schedule"
)

// cronSchedule reads the times of a service.
func cronSchedule(r *resolver, st *Statement) {
	words, err := Words(st.Text)
	if q, ok := errors.AsType[*QuoteError](err); ok {
		r.diag.errorf(st, q.Off, "", "schedule: %v", err)
		return
	}
	parts := make([]string, len(words))
	for i, w := range words {
		parts[i] = w.Text
	}
	text := strings.Trim(strings.Join(parts, " "), blanks)
	calendar, err := parseCalendar(text, r.o.Now)
	if err != nil {
		const hint = `write schedule "MINUTE HOUR DAY MONTH WEEKDAY", or a word such as @hourly`
		r.diag.errorf(st, 0, commentHint(st.Text, hint), "invalid schedule %s: %v", quote(text), err)
		return
	}
	r.svc.Plan.Calendar, r.svc.Plan.Text = calendar, text
}

// parseCalendar reads a cron expression that has a time after now.
func parseCalendar(text string, now time.Time) (schedule.Calendar, error) {
	if zone := strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ="); zone && !strings.Contains(text, " ") {
		return nil, errors.New("nothing after the time zone") // the parser panics
	}
	calendar, err := cron.ParseStandard(text)
	if err != nil {
		return nil, err
	}
	switch c := calendar.(type) {
	case *cron.SpecSchedule:
		if c.Minute == 0 || c.Hour == 0 || c.Dom == 0 || c.Month == 0 || c.Dow == 0 {
			return nil, errors.New("a field without a value")
		}
	case cron.ConstantDelaySchedule:
		if err := checkEvery(text, c.Delay); err != nil {
			return nil, err
		}
	}
	if calendar.Next(now).IsZero() {
		return nil, errors.New("there is no such date")
	}
	return calendar, nil
}

// checkEvery refuses an @every that the parser would round.
func checkEvery(text string, delay time.Duration) error {
	_, every, _ := strings.Cut(text, "@every ")
	if d, err := time.ParseDuration(strings.TrimSpace(every)); err != nil || d != delay {
		return fmt.Errorf("@every counts whole seconds, 1s at least; write an interval instead")
	}
	return nil
}
