// Package schedule says when a service is due next. It is pure: time and
// randomness are arguments. It starts nothing; the engine's loop does.
package schedule

import "time"

// Calendar gives the times of a calendar schedule, such as a cron expression.
// It is the one method of robfig/cron's Schedule.
type Calendar interface {
	// Next is the first time after t, or the zero time if there is none.
	Next(t time.Time) time.Time
}

// Phase says which of a Plan's intervals counts.
type Phase uint8

// The phases of a service.
const (
	Up      Phase = iota // good
	Suspect              // the last result was against the status (rise, fall)
	Down                 // failing
)

// Plan is the schedule of one service. The zero Plan never comes due (a
// service that only gets traps).
type Plan struct {
	// Up is the interval, 10 ms at least; 0 means no interval.
	Up time.Duration
	// Suspect and Down are the intervals in those phases; 0 means Up.
	Suspect, Down time.Duration
	// Skew moves each due time by up to this much, either way (randskew).
	Skew time.Duration
	// RandStart spreads first checks at random over this span; 0 means the
	// stagger described at First.
	RandStart time.Duration
	// Calendar replaces the intervals when it is set; Text is its source.
	Calendar Calendar
	Text     string
}
