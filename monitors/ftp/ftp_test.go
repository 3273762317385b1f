package ftp

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// configure makes a monitor of a command line.
func configure(args ...string) (monitor.Monitor, error) {
	names := &resolve.Resolver{Func: func(context.Context, string) ([]netip.Addr, error) {
		return nil, errors.New("no such host")
	}}
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	m := With(names)(fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	return m, m.(monitor.Validator).Validate()
}

// check runs one check of a port of 127.0.0.1.
func check(t testing.TB, port uint16, options string) monitor.Result {
	t.Helper()
	m, err := configure(append([]string{"-p", strconv.Itoa(int(port))}, strings.Fields(options)...)...)
	must(t, err)
	return m.Check(t.Context(), monitor.Request{Hosts: []string{"127.0.0.1"}})
}

// untimed is a detail without its durations.
func untimed(detail string) string {
	detail = strings.TrimPrefix(strings.TrimSuffix(detail, "\n"), "127.0.0.1: ")
	detail = regexp.MustCompile(` \([0-9.]+m?s\)$`).ReplaceAllString(detail, "")
	return regexp.MustCompile(`no answer in [0-9.]+m?s`).ReplaceAllString(detail, "no answer in T")
}

// judged is that of a check of one host; want is a pattern in which * stands
// for anything.
func judged(t *testing.T, r monitor.Result, ok bool, want string) {
	t.Helper()
	got := untimed(r.Detail)
	if r.Blind() || r.Failing() == ok || !like(want, got) {
		t.Errorf("%v, exit %d:\n got %s\nwant %s", r.Cause, r.Exit, got, want)
	}
}

// like reports whether text is as a pattern with * says.
func like(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(text)
}

// peer is an end of a connection in a test.
type peer struct {
	net.Conn
	in *bufio.Reader
}

func newPeer(c net.Conn) *peer { return &peer{c, bufio.NewReader(c)} }

// say sends lines.
func (p *peer) say(lines ...string) {
	for _, l := range lines {
		_, _ = io.WriteString(p, l+"\r\n")
	}
}

// heard is the next line, empty at the end.
func (p *peer) heard() string {
	line, _ := p.in.ReadString('\n')
	return strings.TrimRight(line, "\r\n")
}

// hear expects a line.
func (p *peer) hear(t testing.TB, want string) {
	t.Helper()
	if got := p.heard(); got != want {
		t.Errorf("heard %q, want %q", got, want)
	}
}

// dial connects to a port of 127.0.0.1 for the length of a test.
func dial(t testing.TB, port uint16) *peer {
	t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	must(t, err)
	t.Cleanup(func() { c.Close() })
	must(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	return newPeer(c)
}
