package tcp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/mondhq/mond/monitors/tcp/escape"
	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
)

const (
	// maxAnswer is how many bytes of an answer are looked at.
	maxAnswer = 64 << 10
	// eager is how many pieces of an answer are each searched at once. A host
	// that sends more of them, a byte at a time perhaps, is searched only when
	// there is a good deal more than before, so that it costs no more than
	// others.
	eager = 64
)

// talk holds the dialogue on a new connection and ends it; detail begins what is
// told of it.
func (p *probe) talk(c *reach.Conn, host, detail string) (string, error) {
	defer c.Close()
	if !p.tls.On {
		return p.converse(c, detail)
	}
	secured, err := p.tls.Handshake(c, host)
	if err != nil {
		return "", err
	}
	defer secured.Close()
	warning, err := p.tls.Expiry(secured.ConnectionState(), time.Now())
	if err != nil {
		return "", err
	}
	detail, err = p.converse(secured, detail+" with TLS")
	if err == nil && warning != "" {
		err = monitor.Warning(warning + "; " + detail)
	}
	return detail, err
}

// converse says what is to be said and judges the answer; detail begins what is
// told of it.
func (p *probe) converse(conn net.Conn, detail string) (string, error) {
	if p.service != "" {
		said, err := p.service.Talk(conn, &p.login)
		return detail + said, err
	}
	if err := write(conn, "send", p.send); err != nil {
		return "", err
	}
	if err := p.closeHalf(conn); err != nil {
		return "", err
	}
	if p.answers() {
		answer, err := p.read(conn)
		if err != nil {
			return "", err
		}
		detail += ", answered " + escape.Show(answer)
	}
	return detail, write(conn, "send the quit string", p.quit)
}

// closeHalf ends our half of the connection if that is asked for.
func (p *probe) closeHalf(conn net.Conn) error {
	c, ok := conn.(interface{ CloseWrite() error })
	if !p.half || !ok {
		return nil
	}
	if err := c.CloseWrite(); err != nil {
		return reach.Failure("close the sending half", err)
	}
	return nil
}

func write(c net.Conn, what string, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if _, err := c.Write(b); err != nil {
		return reach.Failure(what, err)
	}
	return nil
}

// read reads until the answer is as expected, cannot be any more, or is longer
// than is looked at.
func (p *probe) read(c io.Reader) ([]byte, error) {
	var got []byte
	chunk := make([]byte, 4096)
	looked, looks := 0, 0
	for {
		n, err := c.Read(chunk[:min(len(chunk), maxAnswer-len(got))])
		got = append(got, chunk[:n]...)
		last := err != nil || len(got) == maxAnswer
		if looks++; !last && looks > eager && len(got)-looked < looked/8 {
			continue
		}
		answer, done := p.judge(got, looked)
		looked = len(got)
		if done {
			return p.verdict(answer)
		}
		if last {
			return nil, p.unfinished(got, err)
		}
	}
}

// judge reports whether got holds what is expected, or an ended answer that
// does not. The first looked bytes hold no end of an answer.
func (p *probe) judge(got []byte, looked int) (answer []byte, done bool) {
	if len(p.delim) == 0 {
		return got, p.fits(got) || !p.begins(got)
	}
	from := max(0, looked-len(p.delim)+1)
	if i := bytes.Index(got[from:], p.delim); i >= 0 {
		return got[:from+i], true
	}
	return nil, false
}

// fits reports whether an answer is as expected.
func (p *probe) fits(answer []byte) bool {
	if p.answer && len(answer) == 0 {
		return false
	}
	return bytes.HasPrefix(answer, p.prefix) && p.expect.Matches(answer)
}

// begins reports whether what came is, or may yet become, an answer with the
// prefix that is expected.
func (p *probe) begins(got []byte) bool {
	n := min(len(got), len(p.prefix))
	return bytes.Equal(got[:n], p.prefix[:n])
}

// verdict is about an answer of which no more is waited for.
func (p *probe) verdict(answer []byte) ([]byte, error) {
	switch {
	case p.fits(answer):
		return answer, nil
	case !bytes.HasPrefix(answer, p.prefix):
		return nil, fmt.Errorf("the answer does not begin with %s: %s", quote(p.prefix.String()), escape.Show(answer))
	case p.expect.Matches(answer):
		return nil, errors.New("the answer is empty")
	}
	return nil, fmt.Errorf("the answer does not match %s: %s", quote(p.expect.String()), escape.Show(answer))
}

// unfinished is the error of an answer that is not as expected when no more of
// it comes.
func (p *probe) unfinished(got []byte, err error) error {
	want := "answer"
	if len(p.prefix) > 0 {
		want += " that begins with " + quote(p.prefix.String())
	}
	if p.expect.Regexp != nil {
		want += " that matches " + quote(p.expect.String())
	}
	if len(p.delim) > 0 {
		want += " and ends with " + quote(p.delim.String())
	}
	came := "nothing came"
	if len(got) > 0 {
		came = fmt.Sprintf("%d bytes came: %s", len(got), escape.Show(got))
	}
	switch {
	case err == nil:
		return fmt.Errorf("no %s within %d bytes: %s", want, maxAnswer, escape.Show(got))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the host hung up without an %s; %s", want, came)
	}
	return reach.Failure("wait for an "+want+"; "+came, err)
}

// quote is an option's value for the detail.
func quote(s string) string { return `"` + s + `"` }
