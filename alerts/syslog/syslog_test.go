package syslogalert

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mondhq/mond/alerts/internal/alerttest"
	"github.com/mondhq/mond/plugins/alert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func alertLine(words ...string) (*Alert, error) { return alerttest.Line[*Alert](New, words...) }

func mustLine(t *testing.T, words ...string) *Alert {
	t.Helper()
	return alerttest.Must[*Alert](t, New, words...)
}

func request() alert.Request {
	return alert.Request{
		ID: "web:http:17", Group: "web", Service: "http", Kind: alert.Failure, Hosts: []string{"web1", "web2"},
		Summary: "web2 \"down\" ] \\", Output: "web2\nx\n", At: time.Unix(1700000000, 123456789), Env: map[string]string{},
	}
}

func TestValidate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "template")
	check(t, os.WriteFile(file, []byte("{{.Group}}\n{{.Nobody}}"), 0o600))
	rows := []struct{ words, bad string }{
		{"", ""},
		{"--server log.example.com", ""},
		{"--server [::1]:1514 --proto tcp --format rfc3164", ""},
		{"--server a --proto tls --insecure", ""},
		{"--facility local7 --severity crit --severity up=debug,ack=info --tag mon", ""},
		{"--message {{.Summary}} --max-size 480 --sd-id a@1 --hostname h", ""},
		{"word", "no words but options"},
		{"--server a:b", "no HOST[:PORT]"},
		{"--server a --socket /dev/log", "only one"},
		{"--proto tcp", "needs --server"},
		{"--proto sctp --server a", "want one of udp, tcp, tls"},
		{"--server a --insecure", "go with --proto tls"},
		{"--server a --proto tls --ca /none", "--ca"},
		{"--format json", "rfc5424, rfc3164"},
		{"--facility kern", "want one of user"},
		{"--facility local8", "want one of user"},
		{"--severity bad", "emerg, alert"},
		{"--severity fail=err", "none of the kinds"},
		{"--tag a:b", "without blanks"},
		{"--tag " + strings.Repeat("a", 33), "up to 32"},
		{"--hostname \u00fc", "up to 255"},
		{"--max-size 479", "480 to 65000"},
		{"--message {{ ", "text:1"},
		{"--message a --template " + file, "only one"},
		{"--template " + file, ":2:2: executing"},
		{"--timeout 0s", "more than 0"},
	}
	for _, r := range rows {
		t.Run(r.words, func(t *testing.T) {
			_, err := alertLine(strings.Fields(r.words)...)
			if r.words == "--message {{ " {
				_, err = alertLine("--message", "{{ ")
			}
			if r.bad == "" {
				check(t, err)
			} else if err == nil || !strings.Contains(err.Error(), r.bad) {
				t.Errorf("error is %v, want %q", err, r.bad)
			}
		})
	}
}

// A message by RFC 5424, as strict as its grammar: PRI VERSION TIMESTAMP
// HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG.
var rfc5424 = regexp.MustCompile(`^<([1-9][0-9]{0,2})>1 ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}(?:Z|[+-][0-9]{2}:[0-9]{2})) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) (-|\[[!#-<>-\\^-~]{1,32}(?: [a-z]+="(?:[^"\\\]]|\\["\\\]])*")*\])(?: (.*))?$`)

// And by RFC 3164, without the host as on the local socket, and with it.
var (
	rfc3164Local  = regexp.MustCompile(`^<([0-9]{1,3})>([A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8}) ([A-Za-z0-9]{1,32})\[([0-9]+)\]: (.*)$`)
	rfc3164Remote = regexp.MustCompile(`^<([0-9]{1,3})>([A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8}) ([A-Za-z0-9_-]+) ([A-Za-z0-9]{1,32})\[([0-9]+)\]: (.*)$`)
)

// received is the next datagram.
func received(t *testing.T, c net.Conn) string {
	t.Helper()
	check(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	b := make([]byte, 70000)
	n, err := c.Read(b)
	check(t, err)
	return string(b[:n])
}

func listenUDP(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestLocalSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "log")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	check(t, err)
	defer c.Close()
	check(t, mustLine(t, "--socket", socket).Alert(t.Context(), request()))
	m := rfc3164Local.FindStringSubmatch(received(t, c))
	at := request().At.Local().Format(time.Stamp)
	want := []string{"27", at, "mond", strconv.Itoa(os.Getpid()), `ALERT web/http: web2 "down" ] \`}
	if m == nil || cmp.Diff(want, m[1:]) != "" {
		t.Errorf("%q", m)
	}
	check(t, mustLine(t, "--socket", socket, "--format", "rfc5424").Alert(t.Context(), request()))
	if got := received(t, c); !rfc5424.MatchString(got) {
		t.Error(got)
	}
	none := filepath.Join(t.TempDir(), "none")
	if err := mustLine(t, "--socket", none).Alert(t.Context(), request()); err == nil || alert.IsPermanent(err) || !strings.Contains(err.Error(), "is a syslog daemon running?") {
		t.Error(err)
	}
}

func TestLocalStream(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "log")
	l, err := net.Listen("unix", socket)
	check(t, err)
	defer l.Close()
	check(t, mustLine(t, "--socket", socket).Alert(t.Context(), request()))
	c, err := l.Accept()
	check(t, err)
	defer c.Close()
	text, err := io.ReadAll(c)
	check(t, err)
	if line, ok := strings.CutSuffix(string(text), "\n"); !ok || !rfc3164Local.MatchString(line) {
		t.Errorf("%q", text)
	}
}

func TestUDP(t *testing.T) {
	c := listenUDP(t)
	at := c.LocalAddr().String()
	check(t, mustLine(t, "--server", at, "--hostname", "lb1.example.com", "--facility", "local3").Alert(t.Context(), request()))
	m := rfc5424.FindStringSubmatch(received(t, c))
	want := []string{
		"155", request().At.Local().Format("2006-01-02T15:04:05.000Z07:00"), "lb1.example.com", "mond", strconv.Itoa(os.Getpid()), "failure",
		`[mond@32473 kind="failure" group="web" service="http" opstatus="fail" summary="web2 \"down\" \] \\" id="web:http:17"]`,
		`ALERT web/http: web2 "down" ] \`,
	}
	if m == nil {
		t.Fatal("not by RFC 5424")
	}
	if d := cmp.Diff(want, m[1:]); d != "" {
		t.Error(d)
	}
	check(t, mustLine(t, "--server", at, "--hostname", "lb1.example.com", "--format", "rfc3164").Alert(t.Context(), request()))
	if m := rfc3164Remote.FindStringSubmatch(received(t, c)); m == nil || m[3] != "lb1" {
		t.Errorf("%q", m)
	}
	check(t, c.Close())
	if err := mustLine(t, "--server", at).Alert(t.Context(), request()); err == nil || alert.IsPermanent(err) || !strings.Contains(err.Error(), "nobody listens at UDP") {
		t.Error(err)
	}
}

func TestSeverities(t *testing.T) {
	rows := []struct {
		kind  alert.Kind
		words string
		want  string
	}{
		{alert.Failure, "", "27"},
		{alert.Trap, "", "27"},
		{alert.TrapTimeout, "", "27"},
		{alert.Up, "", "29"},
		{alert.Ack, "", "29"},
		{alert.Startup, "", "29"},
		{alert.Test, "", "30"},
		{alert.Failure, "--severity failure=crit,up=info", "26"},
		{alert.Up, "--severity failure=crit,up=info", "30"},
		{alert.Ack, "--severity failure=crit,up=info", "29"},
		{alert.Ack, "--severity emerg --facility user", "8"},
	}
	for _, r := range rows {
		t.Run(r.kind.String()+" "+r.words, func(t *testing.T) {
			req := request()
			req.Kind = r.kind
			got := string(mustLine(t, append(strings.Fields(r.words), "--format", "rfc5424")...).compose(t.Context(), req))
			if m := rfc5424.FindStringSubmatch(got); m == nil || m[1] != r.want || m[6] != r.kind.String() {
				t.Errorf("%s", got)
			}
		})
	}
}

// TestHostileTexts: what a monitor said never breaks the form.
func TestHostileTexts(t *testing.T) {
	for _, text := range []string{
		"", "two\nlines\r\n<13>and a message", "\x00\x07\x1b[31m\x7f\u0085\u2028", "\xff\xfe", strings.Repeat("\u00e9]\"\\", 5000), "] [x@1 a=\"b\"",
	} {
		r := request()
		r.Summary, r.ID, r.Group, r.Output = text, text, "g\n"+text, text
		for _, words := range [][]string{{"--format", "rfc5424"}, {"--format", "rfc3164"}, {"--format", "rfc5424", "--max-size", "480"}, {"--message", "{{.Output}}", "--format", "rfc5424"}} {
			a := mustLine(t, words...)
			got := string(a.compose(t.Context(), r))
			form := rfc5424
			if a.form() == "rfc3164" {
				form = rfc3164Local
			}
			if !form.MatchString(got) || len(got) > int(a.size) || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x00\x1b\x7f") {
				t.Errorf("%v: %d bytes: %q", words, len(got), got)
			}
		}
	}
	if got := escape("a\tb\n\u0085"); got != "a#011b#012#302#205" {
		t.Error(got)
	}
}

func TestTemplates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "template")
	check(t, os.WriteFile(file, []byte("{{.Kind | upper}} {{join \",\" .Hosts}}\n"), 0o600))
	a := mustLine(t, "--template", file)
	if got := string(a.compose(t.Context(), request())); !strings.HasSuffix(got, "]: FAILURE web1,web2") {
		t.Error(got)
	}
	check(t, os.WriteFile(file, []byte("{{"), 0o600))
	if got := string(a.compose(t.Context(), request())); !strings.Contains(got, `: ALERT web/http: web2 "down"`) || !strings.Contains(got, "(the template failed: "+file+":1: ") {
		t.Error(got)
	}
	r := request()
	r.Kind, r.Env["MON_ACK"] = alert.Ack, "wensong: on it"
	if got := string(mustLine(t).compose(t.Context(), r)); !strings.HasSuffix(got, "(acknowledged: wensong: on it)") {
		t.Error(got)
	}
}

// taker accepts one connection and gives what came, as by RFC 6587.
func taker(t *testing.T, l net.Listener) <-chan string {
	t.Helper()
	got := make(chan string, 1)
	go func() { // ends with the connection
		defer close(got)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		length, err := in.ReadString(' ')
		if err != nil {
			return
		}
		n, _ := strconv.Atoi(strings.TrimSuffix(length, " "))
		b := make([]byte, n)
		if _, err := io.ReadFull(in, b); err != nil {
			return
		}
		if rest, _ := io.ReadAll(in); len(rest) > 0 {
			b = fmt.Appendf(nil, "too much: %q", rest)
		}
		got <- string(b)
	}()
	return got
}

func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	got := taker(t, l)
	check(t, mustLine(t, "--server", l.Addr().String(), "--proto", "tcp").Alert(t.Context(), request()))
	if m := <-got; !rfc5424.MatchString(m) {
		t.Errorf("%q", m)
	}
	check(t, l.Close())
	if err := mustLine(t, "--server", l.Addr().String(), "--proto", "tcp").Alert(t.Context(), request()); err == nil || alert.IsPermanent(err) || !strings.Contains(err.Error(), "by tcp") {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS() // for its certificate
	config, ca := s.TLS.Clone(), filepath.Join(t.TempDir(), "ca.pem")
	check(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	s.Close()
	config.NextProtos = nil
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	check(t, err)
	defer l.Close()
	got := taker(t, l)
	check(t, mustLine(t, "--server", l.Addr().String(), "--proto", "tls", "--ca", ca).Alert(t.Context(), request()))
	if m := <-got; !rfc5424.MatchString(m) {
		t.Errorf("%q", m)
	}
	got = taker(t, l)
	err = mustLine(t, "--server", l.Addr().String(), "--proto", "tls").Alert(t.Context(), request())
	if err == nil || alert.IsPermanent(err) || !strings.Contains(err.Error(), "--ca FILE trusts another") {
		t.Error(err)
	}
	if m, ok := <-got; ok {
		t.Errorf("a server that is not trusted got %q", m)
	}
}

// TestServersThatDoNotListen: an alert ends in its time.
func TestServersThatDoNotListen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts; nobody reads or closes
	check(t, err)
	defer l.Close()
	err = mustLine(t, "--server", l.Addr().String(), "--proto", "tls", "--timeout", "100ms").Alert(t.Context(), request())
	if !errors.Is(err, context.DeadlineExceeded) || alert.IsPermanent(err) {
		t.Errorf("TLS that is never finished: %v", err)
	}
	check(t, mustLine(t, "--server", l.Addr().String(), "--proto", "tcp", "--timeout", "100ms").Alert(t.Context(), request()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, words := range [][]string{{"--server", "127.0.0.1"}, {"--server", "127.0.0.1", "--proto", "tcp"}} {
		if err := mustLine(t, words...).Alert(ctx, request()); !errors.Is(err, context.Canceled) || alert.IsPermanent(err) {
			t.Errorf("%v: %v", words, err)
		}
	}
}

func FuzzMessage(f *testing.F) {
	f.Add("web2", "a\nb", 480)
	f.Add("\x00]\"\\", "\xff", 2048)
	f.Fuzz(func(t *testing.T, summary, id string, limit int) {
		limit = 480 + max(0, limit)%3000
		m := message{pri: 27, host: "h", tag: "t", pid: 1, id: "failure", data: []element{{"a@1", []param{{"summary", summary}, {"id", id}}}}, text: escape(summary)}
		got := m.rfc5424(limit)
		if !rfc5424.Match(got) || len(got) > limit {
			t.Errorf("%d bytes: %q", len(got), got)
		}
	})
}
