package replies

import (
	"strconv"
	"strings"
)

// Reply is an answer of the host.
type Reply struct {
	// Code is from 100 to 599.
	Code int
	// Lines are the texts, without the codes and without secrets.
	Lines []string
}

// Text is the lines with a line feed between them.
func (r Reply) Text() string { return strings.Join(r.Lines, "\n") }

// String is the reply for a detail: in quotes, on one line, cut if it is long.
func (r Reply) String() string {
	text := strconv.Itoa(r.Code)
	for _, l := range r.Lines {
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		if text += " " + l; len(text) > shown {
			break
		}
	}
	return quote(text)
}

// Refuses reports whether the host will not do what it was asked however often
// it is asked (5xx).
func (r Reply) Refuses() bool { return r.Code >= 500 }

// add takes a line of the reply and says whether it is the last one, or no part
// of a reply at all.
func (r *Reply) add(line []byte, g Grammar) (last, ok bool) {
	code, more, text, ok := split(line)
	switch {
	case r.Lines == nil && !ok:
		return false, false
	case r.Lines == nil:
		r.Code = code
	case ok && code == r.Code:
	case g == Strict:
		return false, false
	default:
		more, text = true, string(trimmed(line))
	}
	r.Lines = append(r.Lines, text)
	return !more, true
}

// split takes a line apart. A line may end after its code, as RFC 5321 4.2 asks
// clients to accept.
func split(line []byte) (code int, more bool, text string, ok bool) {
	line = trimmed(line)
	if len(line) < 3 || line[0] < '1' || line[0] > '5' || !digit(line[1]) || !digit(line[2]) {
		return 0, false, "", false
	}
	code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	if len(line) == 3 {
		return code, false, "", true
	}
	if line[3] != ' ' && line[3] != '-' {
		return 0, false, "", false
	}
	return code, line[3] == '-', string(line[4:]), true
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// trimmed is a line without its end, which may lack the carriage return.
func trimmed(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}

// shown is how many bytes of a text errors and details show.
const shown = 160

// quote is the beginning of a text in quotes, with nothing in it that could
// move a cursor.
func quote(text string) string {
	more := ""
	if len(text) > shown {
		text, more = strings.ToValidUTF8(text[:shown], ""), "..."
	}
	return strconv.Quote(text) + more
}
