package tcp

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/monitors/tcp/origin/origintest"
	"github.com/mondhq/mond/plugins/monitor"
)

// whole answers what it was sent when that has ended.
func whole(c net.Conn) {
	b, err := io.ReadAll(c)
	if err == nil {
		_, _ = fmt.Fprintf(c, "%d bytes", len(b))
	}
}

// says sends something at once and waits for the other's end.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		_, _ = io.Copy(io.Discard, c)
	}
}

func TestSteps(t *testing.T) {
	pieces := serve(t, func(c net.Conn) {
		for _, b := range []string{"H", "TT", "P/1.0 200"} {
			_, _ = io.WriteString(c, b)
		}
		_, _ = io.Copy(io.Discard, c)
	})
	for name, tt := range map[string]struct {
		answer  func(net.Conn)
		options string
		ok      bool
		want    string // a part of the detail
	}{
		"prefix":               {says("HTTP/1.0 200"), "--expect-prefix HTTP", true, `open, answered "HTTP/1.0 200"`},
		"prefix, escaped":      {says("it's \"ok\""), `--expect-prefix it\'s\x20\"`, true, `open, answered`},
		"another prefix":       {says("SSH-2.0"), "--expect-prefix HTTP", false, `the answer does not begin with "HTTP": "SSH-2.0"`},
		"differs at once":      {says("SSH"), "--expect-prefix SSL-of-many-bytes -t 60", false, `the answer does not begin with "SSL-of-many-bytes": "SSH"`},
		"ends too soon":        {func(c net.Conn) { _, _ = io.WriteString(c, "HT") }, "--expect-prefix HTTP", false, `hung up without an answer that begins with "HTTP"; 2 bytes came: "HT"`},
		"prefix and more":      {says("220 ready"), "--expect-prefix 220 -e ready", true, "answered"},
		"prefix, not more":     {says("220 busy"), "--expect-prefix 220 -e ready -t 300ms", false, `wait for an answer that begins with "220" that matches "ready"; 8 bytes came`},
		"prefix before an end": {says("220 busy\nx"), `--expect-prefix 220 -d \n`, true, `answered "220 busy"`},
		"any answer":           {says("\x00"), "--answer", true, "answered"},
		"no answer":            {func(net.Conn) {}, "--answer", false, "the host hung up without an answer; nothing came"},
		"an empty answer":      {says("\n"), `--answer -d \n`, false, "the answer is empty"},
		"half-close":           {whole, "-s hello --half-close -e ^5", true, `answered "5 bytes"`},
		"half-close alone":     {whole, "--half-close --answer", true, `answered "0 bytes"`},
		"no half-close":        {whole, "-s hello --answer -t 200ms", false, "no answer in"},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, serve(t, tt.answer), "", tt.options)
			if r.Blind() || r.Failing() == tt.ok || !strings.Contains(r.Detail, tt.want) {
				t.Errorf("%v, exit %d: %s", r.Cause, r.Exit, r.Detail)
			}
		})
	}
	if r := check(t, pieces, "", "--expect-prefix HTTP/1"); r.Failing() || r.Blind() {
		t.Errorf("in pieces: %s", r.Detail)
	}
}

func TestHalfCloseWithTLS(t *testing.T) {
	for _, args := range []string{"--half-close -q x", "--service pop -e x", "--service pop --half-close", "--user me --password pw", "--service pop --user me", "--service ftp"} {
		if _, err := configure(loopback(), strings.Fields(args)...); err == nil {
			t.Errorf("%s is taken", args)
		}
	}
}

// mailServer speaks POP3 to one user.
func mailServer(c net.Conn) {
	_, _ = io.WriteString(c, "+OK ready\r\n")
	in := bufio.NewScanner(c)
	for in.Scan() {
		answer := "+OK"
		if word, _, _ := strings.Cut(in.Text(), " "); word == "PASS" && in.Text() != "PASS secret" {
			answer = "-ERR no"
		}
		_, _ = io.WriteString(c, answer+"\r\n")
	}
}

func TestService(t *testing.T) {
	addr := serve(t, mailServer)
	for options, want := range map[string]string{
		"--service pop": `open, greeted "+OK ready" (`,
		"--service pop --user me --password secret":        `open, greeted "+OK ready", logged in (`,
		"--service pop --user me --password wrong":         `the answer to PASS is "-ERR no", want +OK`,
		"--service imap -t 1":                              `the greeting is "+OK ready", want * OK or * PREAUTH`,
		"--service pop --user me --password-file /no/such": "not judged: option --password-file",
	} {
		if r := check(t, addr, "", options); !strings.Contains(r.Detail, want) || strings.Contains(r.Detail, "secret") || strings.Contains(r.Detail, "wrong") {
			t.Errorf("%s: %s", options, r.Detail)
		}
	}
}

// TestPing takes both steps to a host in another namespace.
func TestPing(t *testing.T) {
	space := origintest.New(t)
	port := fmt.Sprint(space.Serve(t, origintest.Far4))
	for args, want := range map[string]string{
		"--ping -p " + port + " -e from": "open, answered",
		"--ping -p 1":                    "connect to 10.77.0.2:1: connection refused",
		"--ping -p " + port + " --netns " + space.Path + " -e from." + origintest.Far4: "open, answered",
		"--ping -p " + port + " --mark 7 --interface near0 -e from":                    "open, answered",
		"--ping -p " + port + " --interface lo -t 300ms":                               "!",
	} {
		r := look(t, origintest.Far4, args)
		if want == "!" && !r.Failing() && !r.Blind() || want != "!" && !strings.Contains(r.Detail, want) {
			t.Errorf("%s: %v %s", args, r.Cause, r.Detail)
		}
	}
	// it does not answer pings, but its port is open
	if err := space.In(func() error { return echotest.Sysctl("net/ipv4/icmp_echo_ignore_all", "1") }); err != nil {
		t.Fatal(err)
	}
	r := look(t, origintest.Far4, "--ping -t 300ms -p "+port)
	if !r.Failing() || !strings.Contains(r.Detail, "no answer in") || !strings.Contains(r.Detail, "ping 10.77.0.2") {
		t.Errorf("%v %s", r.Cause, r.Detail)
	}
	if r := look(t, origintest.Far4, "-p "+port); r.Failing() || r.Blind() {
		t.Errorf("without a ping: %s", r.Detail)
	}
	// with --to it is the host itself that is pinged
	r = look(t, origintest.Far4, "--ping -t 300ms -p "+port+" --to "+origintest.Far4)
	if !r.Failing() {
		t.Errorf("with --to: %s", r.Detail)
	}
	r = look(t, origintest.Near4, "--ping -t 5 -p "+port+" --to "+origintest.Far4+" -e from")
	if r.Failing() || r.Blind() {
		t.Errorf("with --to another: %s", r.Detail)
	}
}

func look(t *testing.T, host, options string) monitor.Result {
	t.Helper()
	m, err := configure(loopback(), strings.Fields(options)...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Check(t.Context(), monitor.Request{Hosts: []string{host}})
}
