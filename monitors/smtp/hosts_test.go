package smtpmon

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/monitors/tcp/replies/repliestest"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/plugintest/realserver"
)

// met is the beginning of a script in which a client is greeted and told what
// is offered.
func met(offers string, more ...string) []string {
	reply := "250 mx"
	if offers != "" {
		reply = "250-mx\r\n250 " + strings.ReplaceAll(offers, "|", "\r\n250 ")
		reply = strings.Replace(reply, "\r\n250 ", "\r\n250-", strings.Count(reply, "\r\n250 ")-1)
	}
	return append([]string{"220 ready", "> EHLO [127.0.0.1]", reply}, more...)
}

// bye is the end of a script.
func bye(steps ...string) []string { return append(steps, "> QUIT", "221 bye") }

func base(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestScripts(t *testing.T) {
	plain := "> AUTH PLAIN " + base("\x00bob\x00hunter2")
	login := []string{"> AUTH LOGIN", "334 " + base("Username:"), "> " + base("bob"), "334 " + base("Password:"), "> " + base("hunter2")}
	const bob = "--user bob --password hunter2 "
	for name, tt := range map[string]struct {
		options string
		script  []string
		ok      bool
		want    string
	}{
		"greets":            {"", bye(met("")...), true, `"220 ready"`},
		"several lines":     {"--banner two", bye("220-one\r\n220 two", "> EHLO *", "250 mx"), true, `"220 one two"`},
		"old server":        {"", bye("220 ready", "> EHLO *", "502 what", "> HELO [127.0.0.1]", "250 mx"), true, `"220 ready", knows HELO only`},
		"HELO refused":      {"", []string{"220 ready", "> EHLO *", "502 what", "> HELO *", "550 no"}, false, `EHLO: the host answered "502 what", want 250; HELO: the host answered "550 no", want 250`},
		"EHLO not now":      {"", []string{"220 ready", "> EHLO *", "451 later"}, false, `EHLO: the host answered "451 later", want 250`},
		"full":              {"", []string{"421 too busy"}, false, `greeting: the host answered "421 too busy", want 220`},
		"no mail here":      {"", []string{"554 no mail here"}, false, `greeting: the host answered "554 no mail here", want 220`},
		"spoke early":       {"", []string{"220 ready\r\n250 well"}, false, `the host spoke out of turn, before EHLO: "250 well"`},
		"torn reply":        {"", []string{"220 ready", "> EHLO *", "250-mx\r\n220 what"}, false, `wait for the answer to EHLO: after "250 mx" came "220 what", want a line that begins with 250`},
		"rude goodbye":      {"", append(met(""), "> QUIT", "500 what"), false, `QUIT: the host answered "500 what", want 221`},
		"no goodbye":        {"", append(met(""), "> QUIT", repliestest.HangUp), false, `wait for the answer to QUIT: the host hung up; nothing came`},
		"own name":          {"--ehlo mond.example", bye("220 ready", "> EHLO mond.example", "250 mx"), true, `"220 ready"`},
		"LMTP":              {"--lmtp", bye("220 ready", "> LHLO [127.0.0.1]", "250-mx\r\n250 PIPELINING"), true, `"220 ready"`},
		"no LMTP":           {"--lmtp", []string{"220 ready", "> LHLO *", "500 what"}, false, `LHLO: the host answered "500 what", want 250`},
		"offers":            {"--expect-ext size", bye(met("SIZE 100|DSN")...), true, `"220 ready", offers SIZE`},
		"offers less":       {"--expect-ext SIZE,DSN,CHUNKING", met("size 100"), false, `the server does not offer DSN, CHUNKING; it offers "SIZE 100"`},
		"offers nothing":    {"--expect-ext SIZE", met(""), false, `the server does not offer SIZE; it offers no extension`},
		"no STARTTLS":       {"--starttls", bye(met("SIZE")...), true, `"220 ready", no STARTTLS offered`},
		"STARTTLS wanted":   {"--require-tls", met("SIZE"), false, `the server offers no STARTTLS; it offers "SIZE"`},
		"STARTTLS not now":  {"--starttls", met("STARTTLS", "> STARTTLS", "454 not now"), false, `STARTTLS: the host answered "454 not now", want 220`},
		"STARTTLS forged":   {"--starttls --insecure", met("STARTTLS", "> STARTTLS", "220 go\r\n250 forged"), false, `the host sent more before TLS began, which anybody may have put there: "250 forged"`},
		"PLAIN":             {bob, bye(met("AUTH LOGIN PLAIN", plain, "235 welcome")...), true, `"220 ready", logged in as bob`},
		"PLAIN in two":      {bob, bye(met("AUTH PLAIN", plain, "334 ", "> "+base("\x00bob\x00hunter2"), "235 welcome")...), true, `"220 ready", logged in as bob`},
		"PLAIN refused":     {bob, met("AUTH PLAIN", plain, "535 hunter2 is wrong, "+plain[13:]), false, `log in as bob: AUTH PLAIN: the host answered "535 *** is wrong, ***", want 235 or 334`},
		"LOGIN":             {bob, bye(met("AUTH CRAM-MD5 LOGIN", append(login, "235 welcome")...)...), true, `"220 ready", logged in as bob`},
		"LOGIN, old way":    {bob, bye(met("AUTH=LOGIN", append(login, "235 welcome")...)...), true, `"220 ready", logged in as bob`},
		"LOGIN refused":     {bob, met("AUTH LOGIN", append(login, "535 no "+base("hunter2"))...), false, `log in as bob: AUTH LOGIN, the password: the host answered "535 no ***", want 235`},
		"LOGIN, user":       {bob, met("AUTH LOGIN", append(login[:3:3], "535 no")...), false, `log in as bob: AUTH LOGIN, the user: the host answered "535 no", want 334`},
		"other ways":        {bob, met("AUTH GSSAPI CRAM-MD5"), false, `the server offers to log in neither by PLAIN nor by LOGIN; it offers "AUTH GSSAPI CRAM-MD5"`},
		"sender":            {"--from a@b.example", bye(met("", "> MAIL FROM:<a@b.example>", "250 ok", "> RSET", "250 ok")...), true, `"220 ready", takes mail from <a@b.example>`},
		"recipient":         {"--to a@b.example", bye(met("", "> MAIL FROM:<>", "250 ok", "> RCPT TO:<a@b.example>", "251 forwards", "> RSET", "250 ok")...), true, `"220 ready", takes mail from <>, to <a@b.example>`},
		"both":              {"--from <x@y> --to <a@b>", bye(met("", "> MAIL FROM:<x@y>", "250 ok", "> RCPT TO:<a@b>", "250 ok", "> RSET", "250 ok")...), true, `"220 ready", takes mail from <x@y>, to <a@b>`},
		"greylisted":        {"--to a@b", met("", "> MAIL FROM:<>", "250 ok", "> RCPT TO:<a@b>", "450 later"), false, `RCPT TO:<a@b>: the host answered "450 later", want 250 or 251`},
		"sender refused":    {"--from a@b", met("", "> MAIL FROM:<a@b>", "452 disk full"), false, `MAIL FROM:<a@b>: the host answered "452 disk full", want 250`},
		"cannot take back":  {"--from a@b", met("", "> MAIL FROM:<a@b>", "250 ok", "> RSET", "500 no"), false, `RSET: the host answered "500 no", want 250`},
		"shuts down":        {"--from a@b", met("", "> MAIL FROM:<a@b>", "421 shutting down"), false, `MAIL FROM:<a@b>: the host answered "421 shutting down", want 250`},
		"password too open": {"--user bob --password-file OPEN", bye(met("AUTH PLAIN", plain, "235 welcome")...), true, `warning: everybody can read the secret in * (mode 0644): chmod o-r it; "220 ready", logged in as bob`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := filepath.Join(t.TempDir(), "password")
			must(t, errors.Join(os.WriteFile(open, []byte("hunter2\n"), 0o600), os.Chmod(open, 0o644)))
			port := repliestest.Serve(t, repliestest.Play(t, tt.script...))
			options := "-t 5 " + strings.ReplaceAll(tt.options, "OPEN", open)
			if !strings.Contains(options, "--ehlo") {
				options += " --ehlo [127.0.0.1]" // whatever this machine is called
			}
			r := check(t, port, options)
			repliestest.Judged(t, r, tt.ok, tt.want)
			if r.Warn != strings.HasPrefix(tt.want, "warning") || strings.Contains(r.Output(), "hunter2") {
				t.Errorf("warns %v: %s", r.Warn, r.Output())
			}
		})
	}
}

// After STARTTLS the server is asked anew, and what it said before is
// forgotten.
func TestWhatWasSaidInTheClearDoesNotCount(t *testing.T) {
	cert := realserver.NewCertificate(t)
	port := repliestest.Serve(t, func(p *repliestest.Peer) {
		repliestest.Play(t, "220 ready", "> EHLO *", "250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS", "> STARTTLS", "220 go", repliestest.HangUp)(p)
		p.Secure(cert.Config)
		repliestest.Play(t, "> EHLO *", "250-mx\r\n250 SIZE")(p)
	})
	repliestest.Judged(t, check(t, port, "--require-tls --user bob --password x --expect-ext STARTTLS,SIZE --ca "+cert.Cert), false,
		`the server offers to log in neither by PLAIN nor by LOGIN; it offers "SIZE"`)
}

func TestLoginInTLS(t *testing.T) {
	cert := realserver.NewCertificate(t)
	port := repliestest.Serve(t, func(p *repliestest.Peer) {
		p.Secure(cert.Config)
		repliestest.Play(t, "220 ready", "> EHLO *", "250-mx\r\n250 AUTH PLAIN", "> AUTH PLAIN *", "235 in", "> QUIT", "221 bye")(p)
	})
	repliestest.Judged(t, check(t, port, "--tls --user bob --password x --ca "+cert.Cert), true, `TLS 1.3, "220 ready", logged in as bob`)
}

func TestHostsThatMisbehave(t *testing.T) {
	pause, never := func() { time.Sleep(time.Millisecond) }, func() {}
	for name, tt := range map[string]struct {
		host    func(*repliestest.Peer)
		options string
		want    string
	}{
		"silent":         {(*repliestest.Peer).UntilHangup, "-t 200ms", "no answer in T: wait for the greeting; nothing came"},
		"silent later":   {repliestest.Play(t, met("")...), "-t 200ms --ehlo [127.0.0.1]", "no answer in T: wait for the answer to QUIT; nothing came"},
		"silent TLS":     {(*repliestest.Peer).UntilHangup, "-t 200ms --tls", "no answer in T: TLS handshake as 127.0.0.1"},
		"silent upgrade": {repliestest.Play(t, met("STARTTLS", "> STARTTLS", "220 go")...), "-t 200ms --starttls --ehlo [127.0.0.1]", "no answer in T: TLS handshake as 127.0.0.1"},
		"drips":          {repliestest.Endlessly("220 ", "z", pause), "-t 200ms", "no answer in T: wait for the greeting; * bytes of a line came: *"},
		"drips lines":    {repliestest.Endlessly("220-", "z\r\n220-", pause), "-t 200ms", "no answer in T: wait for the greeting; *"},
		"endless line":   {repliestest.Endlessly("220 ", strings.Repeat("z", 1000), never), "", `wait for the greeting: a line of more than 4096 bytes: "220 z*`},
		"endless reply":  {repliestest.Endlessly("", "220-"+strings.Repeat("z", 1000)+"\r\n", never), "", `wait for the greeting: no end of it after 65 lines, * bytes: "220 z*`},
		"web server":     {func(p *repliestest.Peer) { p.Say("HTTP/1.1 400 Bad Request") }, "", `wait for the greeting: the host sent "HTTP/1.1 400 Bad Request", want a line that begins with three digits`},
		"hangs up":       {func(*repliestest.Peer) {}, "", "wait for the greeting: the host hung up; nothing came"},
		"resets":         {func(p *repliestest.Peer) { _ = p.Conn.(*net.TCPConn).SetLinger(0) }, "", "*connection reset by peer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := check(t, repliestest.Serve(t, tt.host), "-t 5 "+tt.options)
			repliestest.Judged(t, r, false, tt.want)
			if r.Took > 10*time.Second {
				t.Errorf("took %v", r.Took)
			}
		})
	}
}

// faraway is a connection with a host elsewhere.
type faraway struct{ net.Conn }

func (faraway) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25}
}

func TestThePasswordIsNotShownOnTheWay(t *testing.T) {
	for options, want := range map[string]struct {
		text  string
		local bool
	}{
		"":                {"the password is not sent in the clear: --require-tls or --tls encrypts it", true},
		"--starttls":      {"the server offers no STARTTLS, and the password is not sent in the clear", false},
		"--insecure-auth": {"", false},
	} {
		m, err := configure(append(strings.Fields(options), "--user", "bob", "--password", "hunter2")...)
		must(t, err)
		s := &session{probe: m.(*probe), conn: &reach.Conn{Conn: faraway{}}}
		err = s.private()
		if (err == nil) != (want.text == "") || err != nil && (!strings.Contains(err.Error(), want.text) || monitor.Local(err) != want.local) {
			t.Errorf("%s: %v", options, err)
		}
	}
}

func TestOwnName(t *testing.T) {
	for want, a := range map[string]net.Addr{
		"[192.0.2.1]":        &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)},
		"[IPv6:2001:db8::1]": &net.TCPAddr{IP: net.ParseIP("2001:db8::1")},
		"[IPv6:fe80::1]":     &net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0"},
		"localhost":          &net.UnixAddr{Name: "/x"},
	} {
		if got := literal(a); got != want {
			t.Errorf("%v: %s, want %s", a, got, want)
		}
	}
}

func TestVerdictsAboutThisMachine(t *testing.T) {
	for _, options := range []string{"--source 192.0.2.77", "-6", "--user bob --password-file /nonexistent"} {
		port := repliestest.Serve(t, repliestest.Play(t, "220 ready", "> *", "250 AUTH PLAIN"))
		if r := check(t, port, options); r.Cause != monitor.LocalFault {
			t.Errorf("%s: %v, %q", options, r.Cause, r.Detail)
		}
	}
}

func TestFigures(t *testing.T) {
	port := repliestest.Serve(t, repliestest.Play(t, bye("220 ready", "> *", "250-mx\r\n250 AUTH PLAIN", "> *", "235 in")...))
	perf := check(t, port, "--user bob --password x").Hosts[0].Perf
	for _, name := range []string{"connect_ms", "greeting_ms", "login_ms"} {
		if perf[name] <= 0 || len(perf) != 3 {
			t.Errorf("%s is missing: %v", name, perf)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	port := realserver.Port(t)
	repliestest.Judged(t, check(t, port, ""), false, fmt.Sprintf("connect to 127.0.0.1:%d: connection refused", port))
}

func TestCancelled(t *testing.T) {
	port := repliestest.Serve(t, (*repliestest.Peer).UntilHangup)
	m, err := configure("-p", fmt.Sprint(port))
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(30*time.Millisecond, cancel)
	if r := m.Check(ctx, monitor.Request{Hosts: []string{"127.0.0.1"}}); r.Cause != monitor.NotRun || r.Took > 10*time.Second {
		t.Errorf("%v after %v", r.Cause, r.Took)
	}
}

func TestReset(t *testing.T) {
	ended := make(chan error, 1)
	port := repliestest.Serve(t, func(p *repliestest.Peer) {
		repliestest.Play(t, "220 ready", "> EHLO *", "250 mx", "> QUIT", "221 bye", repliestest.HangUp)(p)
		_, err := p.Read(make([]byte, 1))
		ended <- err
	})
	check(t, port, "--reset")
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the host saw %v, want a reset", err)
	}
}
