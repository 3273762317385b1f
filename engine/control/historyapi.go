package control

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
)

// History is what was written down; the store is one. Reading it never holds
// up who writes it.
type History interface {
	Events(f store.Filter) iter.Seq2[store.Event, error]
	Extent() (store.Extent, error)
	// Flush waits until what has happened is among it.
	Flush(ctx context.Context) error
}

// Event is a row of history. Which members it has depends on its kind; text
// says all of it for people.
type Event struct {
	Number  uint64    `json:"number"`
	At      time.Time `json:"at"`
	Group   string    `json:"group,omitempty"`
	Service string    `json:"service,omitempty"`
	Kind    string    `json:"kind"`
	Text    string    `json:"text"`
	What    string    `json:"what,omitempty"`
	From    string    `json:"from,omitempty"`
	To      string    `json:"to,omitempty"`
	Exit    int       `json:"exit,omitempty"`
	Summary string    `json:"summary,omitempty"`
	Outcome string    `json:"outcome,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Note    string    `json:"note,omitempty"`
	Period  string    `json:"period,omitempty"`
	Program string    `json:"program,omitempty"`
	Notice  string    `json:"notice,omitempty"`
	User    string    `json:"user,omitempty"`
	Took    float64   `json:"took_seconds,omitempty"`
}

// EventOf is a row of the store as the API shows it.
func EventOf(e store.Event) Event {
	return Event{
		Number: e.Number, At: e.At, Group: e.Group, Service: e.Service, Kind: e.Kind, Text: e.Text, What: e.What, From: e.From, To: e.To,
		Exit: e.Exit, Summary: e.Summary, Outcome: e.Outcome, Reason: e.Reason, Note: e.Note, Period: e.Period, Program: e.Program,
		Notice: e.Notice, User: e.User, Took: e.Took.Seconds(),
	}
}

// HistoryQuery chooses rows of history. The zero value chooses all, newest
// first.
type HistoryQuery struct {
	Since, Until time.Time // zero is no bound
	// Name is GROUP or GROUP:SERVICE; rows about the whole of its watch and of
	// the daemon come too. Empty is all.
	Name  string
	Kinds []string
	// Limit is how many rows at most; 0 is no limit.
	Limit int
	// After leaves out rows with this number and below.
	After       uint64
	OldestFirst bool
}

func (q HistoryQuery) values() url.Values {
	v := url.Values{}
	setTime(v, "since", q.Since)
	setTime(v, "until", q.Until)
	set := func(name, value string) {
		if value != "" && value != "0" {
			v.Set(name, value)
		}
	}
	set("name", q.Name)
	set("kind", strings.Join(q.Kinds, ","))
	set("limit", strconv.Itoa(q.Limit))
	set("after", strconv.FormatUint(q.After, 10))
	if q.OldestFirst {
		v.Set("order", "oldest")
	}
	return v
}

func setTime(v url.Values, name string, t time.Time) {
	if !t.IsZero() {
		v.Set(name, t.Format(time.RFC3339Nano))
	}
}

// queryError is about a parameter.
type queryError struct{ text string }

func (e queryError) Error() string { return e.text }

// query reads parameters, and keeps the first that is wrong.
type query struct {
	v   url.Values
	err error
}

// only refuses parameters with other names: nobody shall believe that a
// misspelt one was heeded.
func (q *query) only(names ...string) {
	for name, values := range q.v {
		if !slices.Contains(names, name) {
			q.refuse(name, "there is no such parameter; there are %s", strings.Join(names, ", "))
		} else if len(values) > 1 && name != "name" {
			q.refuse(name, "it is given twice")
		}
	}
}

func (q *query) refuse(name, format string, args ...any) {
	if q.err == nil {
		q.err = queryError{name + ": " + fmt.Sprintf(format, args...)}
	}
}

func (q *query) time(name string) time.Time {
	text := q.v.Get(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		q.refuse(name, "%q is no time such as 2026-11-25T12:00:00Z", text)
	}
	return t.Local()
}

func (q *query) number(name string) uint64 {
	text := q.v.Get(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		q.refuse(name, "%q is no number", text)
	}
	return n
}

// word reads one of a few words, the first of which is the usual one.
func (q *query) word(name string, words ...string) string {
	text := q.v.Get(name)
	if text == "" {
		return words[0]
	}
	if !slices.Contains(words, text) {
		q.refuse(name, "%q is none of %s", text, strings.Join(words, ", "))
	}
	return text
}

func (q *query) words(name string, known []string) []string {
	var words []string
	for w := range strings.SplitSeq(q.v.Get(name), ",") {
		switch {
		case w == "":
		case !slices.Contains(known, w):
			q.refuse(name, "%q is none of %s", w, strings.Join(known, ", "))
		default:
			words = append(words, w)
		}
	}
	return words
}

// keyFor is the group, or the service, of a name.
func keyFor(name string) opstatus.Key {
	if key, ok := opstatus.ParseKey(name); ok {
		return key
	}
	return opstatus.Key{Group: name}
}

// filter is what q chooses.
func (q HistoryQuery) filter() store.Filter {
	return store.Filter{
		Since: q.Since, Until: q.Until, Key: keyFor(q.Name), Wider: q.Name != "", Kinds: q.Kinds, Limit: q.Limit, After: q.After,
		OldestFirst: q.OldestFirst,
	}
}

// Select gives the rows that q chooses from h.
func Select(h History, q HistoryQuery) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for e, err := range h.Events(q.filter()) {
			if !yield(EventOf(e), err) {
				return
			}
		}
	}
}
