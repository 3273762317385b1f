// Package repliestest is servers that follow a script, good and bad, and the
// reading of what a monitor said of them. It is for tests of monitors that
// speak in replies.
package repliestest

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/mondhq/mond/plugins/monitor"
)

// Peer is a server's end of a connection.
type Peer struct {
	net.Conn
	in *bufio.Reader
}

// NewPeer makes one of a connection.
func NewPeer(c net.Conn) *Peer { return &Peer{c, bufio.NewReader(c)} }

// Say sends lines, each with its end.
func (p *Peer) Say(lines ...string) {
	_, _ = io.WriteString(p, strings.Join(lines, "\r\n")+"\r\n")
}

// Heard is the next line, empty at the end.
func (p *Peer) Heard() string {
	line, _ := p.in.ReadString('\n')
	return strings.TrimRight(line, "\r\n")
}

// Secure goes on in TLS.
func (p *Peer) Secure(c *tls.Config) {
	p.Conn = tls.Server(p.Conn, c)
	p.in.Reset(p.Conn)
}

// UntilHangup reads until the other side hangs up.
func (p *Peer) UntilHangup() { _, _ = io.Copy(io.Discard, p.in) }

// Serve listens on loopback until the test ends and hands every connection to
// a server.
func Serve(t testing.TB, server func(*Peer)) (port uint16) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				p := NewPeer(c)
				server(p)
				_ = p.Close()
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

// HangUp is the last step of a script whose server hangs up; others stay until
// the client does.
const HangUp = "hang up"

// Play is a server that follows a script: a step that begins with "> " is the
// line to hear, "> *" any line; all others are said. A line that is not as
// expected is an error of the test.
func Play(t testing.TB, steps ...string) func(*Peer) {
	return func(p *Peer) {
		for _, step := range steps {
			want, hears := strings.CutPrefix(step, "> ")
			switch {
			case step == HangUp:
				return
			case !hears:
				p.Say(step)
			default:
				if got := p.Heard(); !Like(want, got) {
					t.Errorf("the server heard %q, want %q", got, want)
					return
				}
			}
		}
		p.UntilHangup()
	}
}

// Endlessly is a server that says something, and then something else for ever.
// Give it a pause by what before does between.
func Endlessly(first, more string, before func()) func(*Peer) {
	return func(p *Peer) {
		_, err := io.WriteString(p, first)
		for err == nil {
			before()
			_, err = io.WriteString(p, more)
		}
	}
}

// Judged is an error of the test if the verdict on the one host 127.0.0.1 is
// not as expected. In want, * stands for anything and T for a time.
func Judged(t testing.TB, r monitor.Result, ok bool, want string) {
	t.Helper()
	got := Untimed(r.Detail)
	if r.Blind() || r.Failing() == ok || !Like(want, got) {
		t.Errorf("%v, exit %d:\n got %s\nwant %s", r.Cause, r.Exit, got, want)
	}
}

// Untimed is the detail of the one host 127.0.0.1 without its durations.
func Untimed(detail string) string {
	detail = strings.TrimPrefix(strings.TrimSuffix(detail, "\n"), "127.0.0.1: ")
	detail = regexp.MustCompile(` \([0-9.]+m?s\)$`).ReplaceAllString(detail, "")
	return regexp.MustCompile(`no answer in [0-9.]+m?s`).ReplaceAllString(detail, "no answer in T")
}

// Like reports whether text is as a pattern with * says.
func Like(pattern, text string) bool {
	if !strings.Contains(pattern, "*") {
		return pattern == text
	}
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("(?s)^" + strings.Join(parts, ".*") + "$").MatchString(text)
}
