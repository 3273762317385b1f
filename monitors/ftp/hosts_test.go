package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/tcp/replies/repliestest"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/plugintest/realserver"
)

// loggedIn is the beginning of a script in which an anonymous user is let in.
func loggedIn(more ...string) []string {
	return append([]string{"220 ready", "> USER anonymous", "331 password", "> PASS mond@", "230 in"}, more...)
}

// asked is loggedIn up to the question for a port.
func asked(more ...string) []string {
	return loggedIn(append([]string{"> TYPE I", "200 binary"}, more...)...)
}

// pause is a wait between two pieces of what never ends.
func pause() { time.Sleep(time.Millisecond) }

// never is no wait.
func never() {}

func TestScripts(t *testing.T) {
	for name, tt := range map[string]struct {
		options string
		script  []string
		ok      bool
		want    string
	}{
		"greets":               {"", []string{"220 ready", "> QUIT", "221 bye"}, true, `"220 ready"`},
		"several lines":        {"--banner three", []string{"220-one\r\n two\r\n220 three", "> QUIT", "221 bye"}, true, `"220 one two three"`},
		"rude goodbye":         {"", []string{"220 ready", "> QUIT", "500 what"}, true, `"220 ready"`},
		"no goodbye":           {"", []string{"220 ready", "> QUIT", repliestest.HangUp}, true, `"220 ready"`},
		"silent goodbye":       {"-t 200ms", []string{"220 ready", "> QUIT"}, true, `"220 ready"`},
		"ready in a minute":    {"", []string{"120 in 001 minutes", "220 ready", "> QUIT", "221 bye"}, true, `asked to wait "120 in 001 minutes", "220 ready"`},
		"never ready":          {"", []string{"120 a\r\n120 b\r\n120 c\r\n120 d\r\n120 e\r\n120 f"}, false, "the host asked 5 times to wait (120)"},
		"not ready in time":    {"-t 200ms", []string{"120 in 001 minutes"}, false, "no answer in T: wait for the greeting; nothing came"},
		"full":                 {"", []string{"421 too many users"}, false, `greeting: the host answered "421 too many users", want 220 or 120`},
		"mail server":          {"--user anonymous", []string{"220 mx", "> USER anonymous", "502 unknown"}, false, `USER: the host answered "502 unknown", want 230 or 331`},
		"no password asked":    {"--user bob --password x", []string{"220 ready", "> USER bob", "230 in", "> QUIT"}, true, `"220 ready", logged in as bob`},
		"account asked":        {"--user bob --password x", []string{"220 ready", "> USER bob", "331 p", "> PASS x", "332 account"}, false, `log in as bob: PASS: the host answered "332 account", want 230 or 202`},
		"shuts down":           {"--user anonymous", []string{"220 ready\r\n421 shutting down"}, false, `the host spoke out of turn, before USER: "421 shutting down"`},
		"hangs up":             {"--user anonymous", []string{"220 ready", "> USER anonymous", repliestest.HangUp}, false, "wait for the answer to USER: the host hung up; nothing came"},
		"password repeated":    {"--user bob --password hunter2", []string{"220 ready", "> USER bob", "331 p", "> PASS hunter2", "530 not hunter2"}, false, `log in as bob: PASS: the host answered "530 not ***", want 230 or 202`},
		"no binary":            {"--retr /f", loggedIn("> TYPE I", "504 no"), false, `TYPE I: the host answered "504 no", want 200`},
		"no EPSV for now":      {"--retr /f", asked("> EPSV", "421 away"), false, `EPSV: the host answered "421 away", want 229`},
		"no port":              {"--retr /f", asked("> EPSV", "229 ok"), false, `EPSV: "229 ok": want a port, written (|||6446|)`},
		"port 0":               {"--retr /f", asked("> EPSV", "229 ok (|||0|)"), false, `EPSV: "229 ok (|||0|)": want a port, written (|||6446|)`},
		"no way":               {"--retr /f", asked("> EPSV", "500 no", "> PASV", "502 no"), false, `PASV: the host answered "502 no", want 227`},
		"no address":           {"--retr /f", asked("> EPSV", "500 no", "> PASV", "227 ok (127,0,0,1,300,1)"), false, `PASV: "227 ok (127,0,0,1,300,1)": want an address and a port, written h1,h2,h3,h4,p1,p2`},
		"closed port":          {"--retr /f", asked("> EPSV", "229 ok (|||1|)"), false, "data connection: connect to 127.0.0.1:1: connection refused"},
		"closed port, old way": {"--retr /f", asked("> EPSV", "500 no", "> PASV", "227 ok (10,0,0,1,0,1)"), false, "data connection: connect to 127.0.0.1:1: connection refused; to PASV it names 10.0.0.1, which was not followed (--follow-pasv would)"},
		"unknown address":      {"--retr /f --follow-pasv", asked("> PASV", "227 ok (0,0,0,0,0,1)"), false, "data connection: connect to 127.0.0.1:1: connection refused"},
		"other address":        {"--retr /f --follow-pasv", asked("> PASV", "227 ok (127,0,0,5,0,1)"), false, "data connection: connect to 127.0.0.5:1: connection refused"},
		"TLS refused":          {"--tls --insecure", []string{"220 ready", "> AUTH TLS", "502 no"}, false, `AUTH TLS: the host answered "502 no", want 234`},
		"TLS forged":           {"--tls --insecure", []string{"220 ready", "> AUTH TLS", "234 go\r\n230 forged"}, false, `the host sent more before TLS began, which anybody may have put there: "230 forged"`},
		"TLS is none":          {"--tls --insecure", []string{"220 ready", "> AUTH TLS", "234 go", "> *"}, false, "*TLS handshake as 127.0.0.1*"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := repliestest.Serve(t, repliestest.Play(t, tt.script...))
			repliestest.Judged(t, check(t, port, "-t 5 "+tt.options), tt.ok, tt.want)
		})
	}
}

func TestHostsThatMisbehave(t *testing.T) {
	for name, tt := range map[string]struct {
		host    func(*repliestest.Peer)
		options string
		want    string
	}{
		"silent":         {(*repliestest.Peer).UntilHangup, "-t 200ms", "no answer in T: wait for the greeting; nothing came"},
		"silent TLS":     {(*repliestest.Peer).UntilHangup, "-t 200ms --tls-implicit", "no answer in T: TLS handshake as 127.0.0.1"},
		"drips":          {repliestest.Endlessly("220 ", "z", pause), "-t 200ms", "no answer in T: wait for the greeting; * bytes of a line came: *"},
		"drips lines":    {repliestest.Endlessly("220-", "z\r\n", pause), "-t 200ms", "no answer in T: wait for the greeting; * lines came: *"},
		"endless line":   {repliestest.Endlessly("220 ", strings.Repeat("z", 1000), never), "", `wait for the greeting: a line of more than 4096 bytes: "220 z*`},
		"endless banner": {repliestest.Endlessly("220-\r\n", strings.Repeat("z\r\n", 1000), never), "", `wait for the greeting: no end of it after 1000 lines, * bytes: "220 z*`},
		"endless waits":  {repliestest.Endlessly("", "120 wait\r\n", never), "", "the host asked 5 times to wait (120)"},
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

// library is a server whose data connections end as end says.
func library(t *testing.T, verb string, data func(net.Conn), end string) (port uint16) {
	return repliestest.Serve(t, func(p *repliestest.Peer) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Error(err)
			return
		}
		defer l.Close()
		script := asked
		if verb == "LIST" {
			script = loggedIn
		}
		repliestest.Play(t, append(script("> EPSV", fmt.Sprintf("229 ok (|||%d|)", l.Addr().(*net.TCPAddr).Port), "> "+verb+" /f", "150 here"), repliestest.HangUp)...)(p)
		c, err := l.Accept()
		if err != nil {
			return
		}
		data(c)
		c.Close()
		if end != "" {
			p.Say(end)
		}
		p.UntilHangup()
	})
}

func TestData(t *testing.T) {
	whole := func(c net.Conn) { io.WriteString(c, "12345") }
	stuck := func(c net.Conn) { io.WriteString(c, "12345"); _, _ = io.Copy(io.Discard, c) }
	forEver := func(piece string, before func()) func(net.Conn) {
		return func(c net.Conn) { repliestest.Endlessly("", piece, before)(repliestest.NewPeer(c)) }
	}
	for name, tt := range map[string]struct {
		verb    string
		data    func(net.Conn)
		end     string
		options string
		ok      bool
		want    string
	}{
		"whole":           {"RETR", whole, "226 sent", "", true, "RETR /f: 5 bytes"},
		"other goodbye":   {"RETR", whole, "250 sent", "", true, "RETR /f: 5 bytes"},
		"empty":           {"RETR", func(net.Conn) {}, "226 sent", "", true, "RETR /f: 0 bytes"},
		"empty, to match": {"RETR", func(net.Conn) {}, "226 sent", "--match .", false, `RETR /f: the data do not match "." (0 bytes)`},
		"broken off":      {"RETR", whole, "426 broken", "", false, `end of RETR /f: the host answered "426 broken", want 226 or 250, after 5 bytes`},
		"disk error":      {"RETR", whole, "451 disk", "", false, `end of RETR /f: the host answered "451 disk", want 226 or 250, after 5 bytes`},
		"no end":          {"RETR", whole, "", "-t 200ms", false, "no answer in T: wait for the end of RETR /f; nothing came, after 5 bytes"},
		"stuck":           {"RETR", stuck, "", "-t 200ms", false, "no answer in T: RETR /f: after 5 bytes: read the data"},
		"drips":           {"RETR", forEver("z", pause), "", "-t 200ms", false, "no answer in T: RETR /f: after * bytes: read the data"},
		"endless":         {"RETR", forEver(strings.Repeat("z", 4096), never), "", "--max-size 100K", true, "RETR /f: the first 102400 bytes"},
		"endless listing": {"LIST", forEver(strings.Repeat("z", 4096), never), "", "--match zz", true, "LIST /f: the first 1048576 bytes that match"},
		"told why":        {"RETR", func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }, "451 disk", "", false, `*the host answered "451 disk", want 226 or 250*`},
		"not told why":    {"RETR", func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }, "", "-t 3", false, `RETR /f: after 0 bytes: read the data: connection reset by peer`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := "-t 5 " + tt.options + " --retr /f"
			if tt.verb == "LIST" {
				options = strings.Replace(options, "--retr", "--list", 1)
			}
			want := tt.want
			if tt.ok {
				want = `"220 ready", logged in as anonymous, ` + want
			}
			repliestest.Judged(t, check(t, library(t, tt.verb, tt.data, tt.end), options), tt.ok, want)
		})
	}
}

// vsftpd's answer to a client that begins a TLS session of its own for data.
func TestASessionThatIsNotTaken(t *testing.T) {
	cert := realserver.NewCertificate(t)
	port := repliestest.Serve(t, func(p *repliestest.Peer) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Error(err)
			return
		}
		defer l.Close()
		repliestest.Play(t, "220 ready", "> AUTH TLS", "234 go", repliestest.HangUp)(p)
		p.Secure(cert.Config)
		repliestest.Play(t, "> USER anonymous", "230 in", "> PBSZ 0", "200 ok", "> PROT P", "200 ok", "> TYPE I", "200 ok", "> EPSV",
			fmt.Sprintf("229 ok (|||%d|)", l.Addr().(*net.TCPAddr).Port), "> RETR /f", "150 here", repliestest.HangUp)(p)
		if c, err := l.Accept(); err == nil {
			c.Close()
		}
		p.Say("522 SSL connection failed; session reuse required: see require_ssl_reuse option in vsftpd.conf man page")
		p.UntilHangup()
	})
	repliestest.Judged(t, check(t, port, "--tls --retr /f --ca "+cert.Cert), false,
		`end of data: the host answered "522 SSL connection failed; session reuse required: *", want 226 or 250 (the server wants data to go on with the TLS session of the control connection; it was offered and not taken: *) (RETR /f: after 0 bytes: data connection: TLS handshake as 127.0.0.1: *)`)
}

func TestVerdictsAboutThisMachine(t *testing.T) {
	port := repliestest.Serve(t, repliestest.Play(t, "220 ready", "> USER bob", "331 p", "> *"))
	for options, want := range map[string]monitor.Cause{
		"--source 192.0.2.77": monitor.LocalFault, "-6": monitor.LocalFault,
		"--user bob --password-file /nonexistent": monitor.LocalFault,
	} {
		port := port
		if strings.Contains(options, "user") {
			port = repliestest.Serve(t, repliestest.Play(t, "220 ready"))
		}
		if r := check(t, port, options); r.Cause != want {
			t.Errorf("%s: %v, %q", options, r.Cause, r.Detail)
		}
	}
}

func TestFigures(t *testing.T) {
	port := library(t, "RETR", func(c net.Conn) { io.WriteString(c, "12345") }, "226 sent")
	perf := check(t, port, "--retr /f").Hosts[0].Perf
	for _, name := range []string{"connect_ms", "greeting_ms", "login_ms", "data_ms"} {
		if perf[name] <= 0 {
			t.Errorf("%s is missing: %v", name, perf)
		}
	}
	if perf["bytes"] != 5 || len(perf) != 5 {
		t.Errorf("%v", perf)
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
		repliestest.Play(t, "220 ready", "> QUIT", "221 bye", repliestest.HangUp)(p)
		_, err := p.Read(make([]byte, 1))
		ended <- err
	})
	check(t, port, "--reset")
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the host saw %v, want a reset", err)
	}
}
