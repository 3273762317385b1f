package trap

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxProblems bounds what is said about one packet.
const maxProblems = 8

// Problem is a line of a packet that was not understood, and was skipped.
type Problem struct {
	// Line counts from 1.
	Line   int
	Reason string
}

// String is "line 3: ...".
func (p Problem) String() string { return fmt.Sprintf("line %d: %s", p.Line, p.Reason) }

// Parse reads a packet. As in mon, a line that it does not understand is
// skipped, the last of several lines of one tag counts, quotes are left off
// where there are both, and spc, seq, tsp and tags that mon does not know decide
// nothing. Whether the trap may be taken is for [Trap.Check] to say, after the
// sender has been.
func Parse(packet []byte) (Trap, []Problem) {
	t := Trap{OpStatus: -1}
	var problems []Problem
	number := 0
	for text := range bytes.Lines(packet) {
		number++
		if err := t.line(bytes.TrimRight(text, "\r\n")); err != nil && len(problems) < maxProblems {
			problems = append(problems, Problem{number, err.Error()})
		}
	}
	return t, problems
}

// line takes one line of a packet.
func (t *Trap) line(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	tag, value, ok := bytes.Cut(text, []byte("="))
	if !ok || len(tag) == 0 || bytes.ContainsFunc(tag, notWord) {
		return fmt.Errorf("%.60q is not TAG='VALUE'", text)
	}
	if n := len(value); n >= 2 && value[0] == '\'' && value[n-1] == '\'' {
		value = value[1 : n-1]
	}
	return t.set(string(tag), unescape(value))
}

func notWord(r rune) bool {
	return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// set takes the value of one tag.
func (t *Trap) set(tag, value string) error {
	if text := t.text(tag); text != nil {
		*text = value
		return nil
	}
	switch tag {
	case "sta":
		n, err := leading(value)
		if err == nil && n == 0 && value != "0" {
			err = fmt.Errorf("%.60q is not 0", value)
		}
		if err != nil {
			return fmt.Errorf("status: %w", err)
		}
		t.Status, t.HasStatus = n, true
	case "spc":
		n, err := leading(value)
		if err != nil {
			return fmt.Errorf("opstatus: %w", err)
		}
		t.OpStatus = n
	case "seq":
		n, err := leading(value)
		if err != nil {
			return fmt.Errorf("sequence: %w", err)
		}
		t.Sequence = n
	case "tsp":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("time: %.60q is no number of seconds", value)
		}
		t.Time = time.Unix(n, 0)
	case "aut": // mon knows it and looks at nothing in it
	default:
		return fmt.Errorf("there is no tag %.60q", tag)
	}
	return nil
}

// text is where a tag's text goes, nil for a tag that is none.
func (t *Trap) text(tag string) *string {
	switch tag {
	case "pro":
		return &t.Protocol
	case "usr":
		return &t.User
	case "pas":
		return &t.Password
	case "typ":
		return &t.Type
	case "grp":
		return &t.Group
	case "svc":
		return &t.Service
	case "hst":
		return &t.Host
	case "sum":
		return &t.Summary
	case "dtl":
		return &t.Detail
	}
	return nil
}

// leading is the number that a value begins with, as Perl takes "3x" for 3. A
// text without any is an error. For a status mon takes every text but "0" and
// none at all for a failure: one that is 0 in another spelling is an error as
// well, since it may have been meant either way.
func leading(value string) (int, error) {
	value = strings.TrimLeft(value, " '")
	end := 0
	for end < len(value) && (value[end] >= '0' && value[end] <= '9' || end == 0 && value[end] == '-') {
		end++
	}
	n, err := strconv.ParseInt(value[:end], 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%.60q is no number", value)
	}
	return int(n), nil
}

// Errors of [Trap.Check].
var (
	ErrProtocol = errors.New("its protocol is older than " + Protocol)
	ErrStatus   = errors.New("it has no status (sta)")
)

// Check says why a trap is not to be taken whoever sent it, in mon's order: its
// protocol is too old or not said, or it has no status.
func (t Trap) Check() error {
	version, err := strconv.ParseFloat(t.Protocol, 64)
	oldest, _ := strconv.ParseFloat(Protocol, 64) // a number as it stands
	switch {
	case err != nil || !(version >= oldest): // NaN is none
		return fmt.Errorf("%w: %.60q", ErrProtocol, t.Protocol)
	case !t.HasStatus:
		return ErrStatus
	}
	return nil
}
