// Package replies is the dialogue of the protocols that answer a line with
// lines of three digits and text: SMTP and LMTP (RFC 5321 4.2), FTP (RFC 959
// 4.2). It sends commands, reads replies of bounded size, and says in a
// person's words what the host did instead of answering as it should.
//
// It knows no command and gives no verdict; the time limit is that of the
// connection.
package replies

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
)

// Grammar says how the lines of one reply hang together.
type Grammar uint8

const (
	// Strict is that of SMTP: every line of a reply has the code.
	Strict Grammar = iota
	// Loose is that of FTP: between the first and the last line of a reply,
	// which have the code, there may be any text.
	Loose
)

const (
	// maxLine is how many bytes a line may have. RFC 5321 4.5.3.1.5 allows 512;
	// FTP sets no limit.
	maxLine = 4096
	// maxReply is how many bytes a reply may have, and maxLines how many lines.
	maxReply = 64 << 10
	maxLines = 1000
)

// Dialogue is one conversation. It is used by one goroutine.
type Dialogue struct {
	conn    net.Conn
	in      *bufio.Reader
	grammar Grammar
	hidden  []string
}

// New begins a conversation on a connection, which stays the caller's.
func New(c net.Conn, g Grammar) *Dialogue {
	return &Dialogue{conn: c, in: bufio.NewReaderSize(c, maxLine), grammar: g}
}

// Hide keeps secrets out of everything that this conversation reports from now
// on: a host may well repeat what it was sent.
func (d *Dialogue) Hide(secrets ...string) {
	for _, s := range secrets {
		if s != "" {
			d.hidden = append(d.hidden, s)
		}
	}
}

// mask is text without the secrets.
func (d *Dialogue) mask(text string) string {
	for _, s := range d.hidden {
		text = strings.ReplaceAll(text, s, "***")
	}
	return text
}

// Upgrade goes on over another connection, one that wraps the first: TLS. What
// the host sent in the clear beyond its consent may have been put there by
// anybody, and would pass for an answer given in secret: it is an error.
func (d *Dialogue) Upgrade(wrap func() (net.Conn, error)) error {
	if n := d.in.Buffered(); n > 0 {
		rest, _ := d.in.Peek(n)
		return fmt.Errorf("the host sent more before TLS began, which anybody may have put there: %s", d.show(rest))
	}
	c, err := wrap()
	if err != nil {
		return err
	}
	d.conn = c
	d.in.Reset(c)
	return nil
}

// Wait reads a reply that nothing was sent for, such as the "greeting", and
// judges its code.
func (d *Dialogue) Wait(what string, want ...int) (Reply, error) {
	return d.answer(what, "the "+what, want)
}

// Ask sends a command and reads the reply. An error calls the command what, so
// that the command may hold secrets. A reply with a code that is not wanted is
// a [*Refusal].
func (d *Dialogue) Ask(what, command string, want ...int) (Reply, error) {
	if d.in.Buffered() > 0 {
		r, err := d.read("what the host says unasked")
		if err != nil {
			return Reply{}, err
		}
		return r, fmt.Errorf("the host spoke out of turn, before %s: %s", what, r)
	}
	if err := d.Send(what, command); err != nil {
		return Reply{}, err
	}
	return d.answer(what, "the answer to "+what, want)
}

// Send sends a command.
func (d *Dialogue) Send(what, command string) error {
	if strings.ContainsAny(command, "\r\n\x00") {
		return monitor.Fault(fmt.Errorf("%s: not sent, since it holds a line break", what))
	}
	if _, err := io.WriteString(d.conn, command+"\r\n"); err != nil {
		return reach.Failure("send "+what, err)
	}
	return nil
}

// answer reads a reply and judges its code.
func (d *Dialogue) answer(what, waited string, want []int) (Reply, error) {
	r, err := d.read(waited)
	if err != nil {
		return Reply{}, err
	}
	for _, code := range want {
		if r.Code == code {
			return r, nil
		}
	}
	return r, &Refusal{what, r, want}
}

// read reads a reply.
func (d *Dialogue) read(waited string) (Reply, error) {
	var r Reply
	size := 0
	for {
		line, err := d.in.ReadSlice('\n')
		if err != nil {
			return Reply{}, d.unfinished(waited, r, line, err)
		}
		if size += len(line); size > maxReply || len(r.Lines) == maxLines {
			return Reply{}, fmt.Errorf("wait for %s: no end of it after %d lines, %d bytes: %s", waited, len(r.Lines), size-len(line), r)
		}
		last, ok := r.add(line, d.grammar)
		if !ok {
			return Reply{}, d.garbled(waited, r, line)
		}
		r.Lines[len(r.Lines)-1] = d.mask(r.Lines[len(r.Lines)-1])
		if last {
			return r, nil
		}
	}
}

// unfinished is the error of a reply of which no more came than r and the
// beginning of a line.
func (d *Dialogue) unfinished(waited string, r Reply, line []byte, err error) error {
	came := "nothing came"
	switch {
	case len(line) > 0:
		came = fmt.Sprintf("%d bytes of a line came: %s", len(line), d.show(line))
	case len(r.Lines) > 0:
		came = fmt.Sprintf("%d lines came: %s", len(r.Lines), r)
	}
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return fmt.Errorf("wait for %s: a line of more than %d bytes: %s", waited, maxLine, d.show(line))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("wait for %s: the host hung up; %s", waited, came)
	}
	return reach.Failure("wait for "+waited+"; "+came, err)
}

// garbled is the error of a line that is no reply.
func (d *Dialogue) garbled(waited string, r Reply, line []byte) error {
	if len(r.Lines) > 0 {
		return fmt.Errorf("wait for %s: after %s came %s, want a line that begins with %d", waited, r, d.show(line), r.Code)
	}
	return fmt.Errorf("wait for %s: the host sent %s, want a line that begins with three digits", waited, d.show(line))
}

// show is the beginning of what the host sent.
func (d *Dialogue) show(b []byte) string {
	return quote(d.mask(strings.TrimRight(string(b), "\r\n")))
}

// Refusal is the error of a reply with another code than those that are wanted.
type Refusal struct {
	What  string
	Reply Reply
	want  []int
}

// Error tells the host's words.
func (r *Refusal) Error() string {
	want := make([]string, len(r.want))
	for i, code := range r.want {
		want[i] = strconv.Itoa(code)
	}
	return fmt.Sprintf("%s: the host answered %s, want %s", r.What, r.Reply, strings.Join(want, " or "))
}
