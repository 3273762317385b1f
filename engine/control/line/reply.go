package line

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// chunk is how much is gathered before it is sent.
const chunk = 32 << 10

// reply gathers the answers of a session and sends them in parts. A client that
// does not take a part within patience is given up: err is set, what follows
// is dropped, and the session ends. It never holds more than a part and a line.
type reply struct {
	to       net.Conn
	patience time.Duration
	buf      []byte
	// begin is where the line that is being written begins in buf.
	begin int
	err   error
}

// lit adds text that has no ends of lines: our own, or a name of the
// configuration.
func (r *reply) lit(s string) *reply { r.buf = append(r.buf, s...); return r }

// text adds text that is sent as it is. The end of a line in it would end the
// answer's line, and is escaped.
func (r *reply) text(s string) *reply {
	if strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 {
		r.buf = append(r.buf, s...)
		return r
	}
	for i := range len(s) {
		if s[i] == '\n' || s[i] == '\r' {
			r.buf = appendHex(r.buf, s[i])
		} else {
			r.buf = append(r.buf, s[i])
		}
	}
	return r
}

// esc adds text as mon escapes it, escq as it does within quotes.
func (r *reply) esc(s string) *reply  { r.buf = appendEsc(r.buf, s, false); return r }
func (r *reply) escq(s string) *reply { r.buf = appendEsc(r.buf, s, true); return r }

func (r *reply) int(n int64) *reply { r.buf = strconv.AppendInt(r.buf, n, 10); return r }

// epoch adds a time in seconds since 1970; 0 for the zero time.
func (r *reply) epoch(t time.Time) *reply {
	if t.IsZero() {
		return r.int(0)
	}
	return r.int(t.Unix())
}

// end ends a line of data. Clients take three digits and a blank at its
// beginning for the end of the answer, so the first of them is escaped.
func (r *reply) end() {
	if line := r.buf[r.begin:]; likeStatus(line) {
		r.buf = slices.Replace(r.buf, r.begin, r.begin+1, appendHex(nil, line[0])...)
	}
	r.buf = append(r.buf, '\n')
	r.ended()
}

// likeStatus reports whether clients would take a line for a status line.
func likeStatus(line []byte) bool {
	if len(line) < 3 {
		return false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(line) == 3 || isSpace(line[3])
}

// isSpace reports whether c is white space in a regular expression.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// status ends the answer with a status line.
func (r *reply) status(text string) {
	r.text(text)
	r.buf = append(r.buf, '\n')
	r.ended()
}

// ended notes the end of a line, and sends what has gathered.
func (r *reply) ended() {
	r.begin = len(r.buf)
	if len(r.buf) >= chunk {
		_ = r.flush()
	}
}

// idle is flush before a wait, over which no large buffer is kept.
func (r *reply) idle() error {
	err := r.flush()
	if cap(r.buf) > 4<<10 {
		r.buf = nil
	}
	return err
}

// flush sends what has gathered.
func (r *reply) flush() error {
	if r.err == nil && len(r.buf) > 0 {
		_ = r.to.SetWriteDeadline(time.Now().Add(r.patience))
		_, r.err = r.to.Write(r.buf)
	}
	r.buf, r.begin = r.buf[:0], 0
	return r.err
}
