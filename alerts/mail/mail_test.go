package mailalert

import (
	"context"
	"errors"
	"flag"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mondhq/mond/plugins/alert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// line makes a mail.alert of the words of a line and validates it.
func alertLine(words ...string) (*Alert, error) {
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	a := New(fs).(*Alert)
	if err := fs.Parse(words); err != nil {
		return nil, err
	}
	return a, a.Validate()
}

func mustLine(t *testing.T, words ...string) *Alert {
	t.Helper()
	a, err := alertLine(words...)
	check(t, err)
	return a
}

func request() alert.Request {
	return alert.Request{
		ID: "web:http:17", Group: "web", Service: "http", Kind: alert.Failure, Hosts: []string{"web1", "web2"},
		Summary: "web2", Output: "web2\nweb2: connection refused\n.\n", Status: 0, Exit: 1,
		At:  time.Date(2026, 11, 3, 9, 5, 7, 0, time.Local),
		Env: map[string]string{"MON_DESCRIPTION": "the shop"},
	}
}

func TestValidate(t *testing.T) {
	rows := []struct {
		words string
		bad   string // a part of the error, empty if there is none
	}{
		{"mis@example.com", ""},
		{"wensong", ""},
		{"-S down -f mond@example.com wensong a@b.example,c@d.example", ""},
		{"--server mx.example:25 --tls require a@b.example", ""},
		{"--server [::1]:25 a@b.example", ""},
		{"--server ::1 a@b.example", ""},
		{"--server mx --user u --password-file /p a@b.example", ""},
		{"--server localhost --tls none --user u --password-file /p a@b.example", ""},
		{"--sendmail /bin/true root", ""},
		{"", "no address"},
		{"-S text", "no address"},
		{"a@@b", "neither a local user"},
		{"-f a@@b root", "sender -f"},
		{"root@", "neither a local user"},
		{"--tls maybe root", "must be none"},
		{"--server mx:0 root", "no HOST[:PORT]"},
		{"--server mx:70000 root", "no HOST[:PORT]"},
		{"--server unix:///x root", "no HOST[:PORT]"},
		{"--timeout 0s root", "more than 0"},
		{"--user u root", "go together"},
		{"--password-file f root", "go together"},
		{"--server mx --tls starttls --user u --password-file f root", "would show the password"},
		{"--server mx --sendmail /bin/true root", "goes with none"},
	}
	for _, r := range rows {
		t.Run(r.words, func(t *testing.T) {
			_, err := alertLine(strings.Fields(r.words)...)
			if r.bad == "" {
				check(t, err)
			} else if err == nil || !strings.Contains(err.Error(), r.bad) {
				t.Errorf("error is %v, want %q", err, r.bad)
			}
		})
	}
	for _, word := range []string{"a@b.example\nBcc: x@y.example", "root\r\nX: y", "-oQ/tmp", "|sh", "a b"} {
		if _, err := parseAddresses([]string{word}); err == nil {
			t.Errorf("%q is taken for an address", word)
		}
	}
}

func TestMailBySMTP(t *testing.T) {
	s := (&server{}).start(t)
	a := mustLine(t, "--server", s.addr, "--helo", "lb1.example", "wensong", "Mis <mis@example.com>")
	check(t, a.Alert(t.Context(), request()))
	mails := s.got()
	if len(mails) != 2 {
		t.Fatalf("%d mails", len(mails))
	}
	got := []string{mails[0].from, mails[0].to, mails[1].to}
	if d := cmp.Diff([]string{"FROM:<mond@lb1.example>", "TO:<wensong@lb1.example>", "TO:<mis@example.com>"}, got); d != "" {
		t.Error(d)
	}
	m := mails[0].parse(t)
	want := map[string]string{
		"From": "<mond@lb1.example>", "To": `<wensong@lb1.example>, "Mis" <mis@example.com>`,
		"Subject": "ALERT web/http: web2 (Tue Nov 3 09:05:07)", "Auto-Submitted": "auto-generated",
		"X-Mond-Group": "web", "X-Mond-Service": "http", "X-Mond-Kind": "failure", "X-Mond-Status": "fail", "X-Mond-Id": "web:http:17",
	}
	for name, value := range want {
		if d := cmp.Diff(value, m.Header.Get(name)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	text := bodyOf(t, m)
	wantText := "Failing: web2\n\nGroup:       web\nService:     http\nAbout:       the shop\nStatus:      fail\nTime:        " +
		request().At.Format("Mon Jan 2 15:04:05 MST 2006") + "\nHosts:       web1 web2\n\nDetail:\nweb2: connection refused\n.\n"
	if d := cmp.Diff(wantText, text); d != "" {
		t.Error(d)
	}
	if id := m.Header.Get("Message-ID"); id != mails[1].parse(t).Header.Get("Message-ID") || !strings.HasSuffix(id, "@lb1.example>") {
		t.Errorf("message id is %q", id)
	}
}

func bodyOf(t *testing.T, m *mail.Message) string {
	t.Helper()
	if e := m.Header.Get("Content-Transfer-Encoding"); e != "quoted-printable" {
		t.Fatalf("encoding %q", e)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	check(t, err)
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

func TestErrorsBySMTP(t *testing.T) {
	at := func(verb, reply string) func(string) string {
		return func(line string) string {
			if strings.HasPrefix(line, verb) {
				return reply
			}
			return ""
		}
	}
	rows := []struct {
		name      string
		answer    func(string) string
		permanent bool
		want      string
	}{
		{"busy at once", at("CONNECT", "421 busy"), false, "busy"},
		{"unwelcome", at("CONNECT", "554 go away"), true, "go away"},
		{"greylisted", at("RCPT", "451 later"), false, "later"},
		{"no such user", at("RCPT", "550 unknown"), true, "mail to mis@example.com by"},
		{"sender refused", at("MAIL", "553 not you"), true, "not you"},
		{"no mail now", at("DATA", "452 full"), false, "full"},
		{"content refused", at("DATA-END", "554 spam"), true, "spam"},
		{"content delayed", at("DATA-END", "452 full"), false, "full"},
		{"garbage", at("MAIL", "what?"), false, "what?"},
		{"unwelcome after all", at("RSET", "500 no"), false, ""},
		{"rude", at("QUIT", "500 no"), false, ""},
		{"silent at once", at("CONNECT", silence), false, "took too long"},
		{"silent later", at("RCPT", silence), false, "took too long"},
		{"silent at the end", at("DATA-END", silence), false, "took too long"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := (&server{answer: r.answer}).start(t)
			a := mustLine(t, "--server", s.addr, "mis@example.com")
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if r.want == "took too long" {
				ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
			}
			err := a.Alert(ctx, request())
			if r.want == "" {
				check(t, err)
				return
			}
			if err == nil || !strings.Contains(err.Error(), r.want) || alert.IsPermanent(err) != r.permanent {
				t.Errorf("permanent is %v: %v", alert.IsPermanent(err), err)
			}
			if r.want == "took too long" && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("not a deadline: %v", err)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		a := mustLine(t, "--server", "127.0.0.1:1", "mis@example.com")
		if err := a.Alert(t.Context(), request()); err == nil || alert.IsPermanent(err) {
			t.Error(err)
		}
	})
	t.Run("the option --timeout", func(t *testing.T) {
		s := (&server{answer: at("MAIL", silence)}).start(t)
		a := mustLine(t, "--server", s.addr, "--timeout", "50ms", "mis@example.com")
		if err := a.Alert(t.Context(), request()); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestTheOthersAreToldOnce(t *testing.T) {
	var reply atomic.Value
	reply.Store("451 later")
	s := (&server{answer: func(line string) string {
		if strings.Contains(line, "slow@") {
			return reply.Load().(string)
		}
		return ""
	}}).start(t)
	a := mustLine(t, "--server", s.addr, "a@example.com", "slow@example.com", "b@example.com")
	for range 3 {
		if err := a.Alert(t.Context(), request()); err == nil || alert.IsPermanent(err) {
			t.Fatal(err)
		}
	}
	other := request()
	other.ID = "another"
	reply.Store("550 gone")
	if err := a.Alert(t.Context(), other); !alert.IsPermanent(err) {
		t.Errorf("only a refusal is left: %v", err)
	}
	reply.Store("")
	check(t, a.Alert(t.Context(), request()))
	check(t, a.Alert(t.Context(), request())) // a new notice for all it knows
	var to []string
	for _, m := range s.got() {
		to = append(to, m.to[len("TO:<"):strings.Index(m.to, "@")])
	}
	if d := cmp.Diff([]string{"a", "b", "a", "b", "slow", "a", "slow", "b"}, to); d != "" {
		t.Error(d)
	}
	if n := a.memory.Len(); n != 0 {
		t.Errorf("remembers %d notices for nothing", n)
	}
}

func TestARefusalAmongDelaysIsNotForGood(t *testing.T) {
	s := (&server{answer: func(line string) string {
		switch {
		case strings.Contains(line, "slow@"):
			return "451 later"
		case strings.Contains(line, "gone@"):
			return "550 unknown"
		}
		return ""
	}}).start(t)
	a := mustLine(t, "--server", s.addr, "gone@example.com", "slow@example.com")
	if err := a.Alert(t.Context(), request()); err == nil || alert.IsPermanent(err) {
		t.Error(err)
	}
	// The session broke off before the second address: nothing is for good.
	s = (&server{answer: func(line string) string {
		if line == "DATA" {
			return "554 no"
		}
		return ""
	}}).start(t)
	a = mustLine(t, "--server", s.addr, "a@example.com", "b@example.com")
	if err := a.Alert(t.Context(), request()); err == nil || alert.IsPermanent(err) {
		t.Error(err)
	}
}

func TestEncryption(t *testing.T) {
	config, ca := certificate(t)
	rows := []struct {
		name      string
		server    *server
		words     []string
		bad       string
		encrypted bool
	}{
		{"taken if offered, unchecked", &server{offers: []string{"STARTTLS"}, tls: config}, nil, "", true},
		{"not offered", &server{}, nil, "", false},
		{"not wanted", &server{offers: []string{"STARTTLS"}, tls: config}, []string{"--tls", "none"}, "", false},
		{"required and there", &server{offers: []string{"STARTTLS"}, tls: config}, []string{"--tls", "require", "--ca", ca}, "", true},
		{"required and missing", &server{}, []string{"--tls", "require"}, "does not support STARTTLS", false},
		{"required and forged", &server{offers: []string{"STARTTLS"}, tls: config}, []string{"--tls", "require"}, "certificate", false},
		{"from the first byte", &server{tls: config, implicit: true}, []string{"--tls", "implicit", "--ca", ca}, "", true},
		{"from the first byte, forged", &server{tls: config, implicit: true}, []string{"--tls", "implicit"}, "certificate", false},
		{"no such authorities", &server{}, []string{"--ca", "/nonexistent"}, "--ca", false},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := r.server.start(t)
			words := append([]string{"--server", s.addr}, r.words...)
			err := mustLine(t, append(words, "mis@example.com")...).Alert(t.Context(), request())
			if r.bad != "" {
				if err == nil || !strings.Contains(err.Error(), r.bad) || alert.IsPermanent(err) || len(s.got()) != 0 {
					t.Errorf("error is %v", err)
				}
				return
			}
			check(t, err)
			if got := s.got(); len(got) != 1 || got[0].encrypted != r.encrypted {
				t.Errorf("mails %+v", got)
			}
		})
	}
}

func TestLogin(t *testing.T) {
	config, ca := certificate(t)
	password := filepath.Join(t.TempDir(), "password")
	check(t, os.WriteFile(password, []byte("geheim\r\nmore\n"), 0o600))
	s := (&server{offers: []string{"STARTTLS", "AUTH PLAIN LOGIN"}, tls: config}).start(t)
	words := []string{"--server", s.addr, "--user", "mond", "--password-file", password, "--ca", ca, "mis@example.com"}
	check(t, mustLine(t, words...).Alert(t.Context(), request()))
	if !strings.Contains(s.said(), "AUTH PLAIN AG1vbmQAZ2VoZWlt") || !s.got()[0].encrypted {
		t.Errorf("said %s", s.said())
	}

	s = (&server{offers: s.offers, tls: config, answer: func(line string) string {
		if strings.HasPrefix(line, "AUTH") {
			return "535 wrong"
		}
		return ""
	}}).start(t)
	words[1] = s.addr
	if err := mustLine(t, words...).Alert(t.Context(), request()); !alert.IsPermanent(err) || strings.Contains(err.Error(), "geheim") {
		t.Error(err)
	}
	check(t, os.Remove(password))
	if err := mustLine(t, words...).Alert(t.Context(), request()); err == nil || alert.IsPermanent(err) {
		t.Error(err)
	}
}

func TestNothingIsInjected(t *testing.T) {
	s := (&server{}).start(t)
	evil := "x\r\nBcc: thief@example.com\r\n\r\nhello\n.\nQUIT\u2028\x00\xff"
	r := request()
	r.Summary, r.Group, r.Service, r.ID = evil, evil, evil, evil
	r.Output = evil
	r.Hosts = []string{evil}
	check(t, mustLine(t, "--server", s.addr, "-S", evil, "mis@example.com").Alert(t.Context(), r))
	got := s.got()
	if len(got) != 1 {
		t.Fatalf("%d mails", len(got))
	}
	m := got[0].parse(t)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	check(t, err)
	if m.Header.Get("Bcc") != "" || strings.ContainsAny(subject, "\r\n\x00") || !strings.Contains(subject, "hello . QUIT") {
		t.Errorf("header %v", m.Header)
	}
	for line := range strings.SplitSeq(got[0].text, "\n") {
		if len(line) > 998 || strings.HasPrefix(line, "Bcc") && !strings.Contains(line, "=") {
			if _, inBody, _ := strings.Cut(got[0].text, "\n\n"); !strings.Contains(inBody, line) {
				t.Errorf("line %q", line)
			}
		}
	}
}

func TestTitles(t *testing.T) {
	rows := []struct {
		kind    alert.Kind
		subject string
		want    string
	}{
		{alert.Failure, "", "ALERT web/http: web2 (Tue Nov 3 09:05:07)"},
		{alert.Up, "", "UPALERT web/http: web2 (Tue Nov 3 09:05:07)"},
		{alert.Up, "all well", "UPALERT web/http: all well (Tue Nov 3 09:05:07)"},
		{alert.Startup, "", "STARTUP web/http: web2 (Tue Nov 3 09:05:07)"},
		{alert.Trap, "", "TRAP web/http: web2 (Tue Nov 3 09:05:07)"},
		{alert.TrapTimeout, "", "TRAPTIMEOUT web/http: web2 (Tue Nov 3 09:05:07)"},
		{alert.Ack, "", "ACK web/http: web2 (Tue Nov 3 09:05:07)"},
		{alert.Disable, "", "DISABLE web/http: web2 (Tue Nov 3 09:05:07)"},
		{alert.Test, "", "TEST web/http: web2 (Tue Nov 3 09:05:07)"},
	}
	for _, r := range rows {
		l := letter{subject: r.subject, request: request()}
		l.request.Kind = r.kind
		if d := cmp.Diff(r.want, l.title()); d != "" {
			t.Error(d)
		}
	}
}

func TestBodies(t *testing.T) {
	r := request()
	r.Repeated, r.Late = true, true
	r.Output = "other\r\n\xe4\n\n"
	text := letter{request: r}.body()
	for _, want := range []string{"may have been told before", "could not save", "\nDetail:\nother\n\uFFFD\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if got := (letter{request: alert.Request{Kind: alert.Startup}}).body(); strings.Contains(got, "Detail") || !strings.HasPrefix(got, "mond was started.\n") {
		t.Errorf("startup: %s", got)
	}
	ack := alert.Request{Kind: alert.Ack, Output: "wensong: on it"}
	if got := (letter{request: ack}).body(); !strings.HasPrefix(got, "The failure was acknowledged: wensong: on it\n") {
		t.Errorf("ack: %s", got)
	}
}

func TestEveryTryHasOneMessageID(t *testing.T) {
	a, b := letter{host: "h", request: request()}, letter{host: "h", request: request()}
	b.request.Repeated, b.request.Late = true, true
	if a.id() != b.id() {
		t.Error("two tries differ")
	}
	b.request.ID = "other"
	if a.id() == b.id() {
		t.Error("two notices do not differ")
	}
	a.request.ID, b.request.ID = "", ""
	b.request.Kind = alert.Up
	if a.id() == b.id() {
		t.Error("an alert and its upalert without ID do not differ")
	}
}

// script makes a sendmail program.
func script(t *testing.T, body string) (program, output string) {
	t.Helper()
	dir := t.TempDir()
	program, output = filepath.Join(dir, "sendmail"), filepath.Join(dir, "mail")
	check(t, os.WriteFile(program, []byte("#!/bin/sh\nout="+output+"\n"+body+"\n"), 0o700))
	return program, output
}

func TestMailBySendmail(t *testing.T) {
	program, output := script(t, `{ echo "$@"; cat; } >$out`)
	a := mustLine(t, "--sendmail", program, "-f", "mond", "wensong", "mis@example.com")
	check(t, a.Alert(t.Context(), request()))
	text, err := os.ReadFile(output)
	check(t, err)
	args, letter, _ := strings.Cut(string(text), "\n")
	if args != "-oi -t" || strings.Contains(letter, "\r") || strings.Contains(letter, "Bcc") {
		t.Errorf("%s\n%s", args, letter)
	}
	m, err := mail.ReadMessage(strings.NewReader(letter))
	check(t, err)
	if got := m.Header.Get("To"); got != "wensong, <mis@example.com>" {
		t.Errorf("to %q", got)
	}
	if got := m.Header.Get("From"); !strings.HasPrefix(got, "<mond@") {
		t.Errorf("from %q", got)
	}
	check(t, mustLine(t, "--sendmail", program, "wensong").Alert(t.Context(), request()))
	text, err = os.ReadFile(output)
	check(t, err)
	if strings.Contains(string(text), "\nFrom:") {
		t.Errorf("a sender of our own making: %s", text)
	}
}

func TestErrorsBySendmail(t *testing.T) {
	rows := []struct {
		name, body string
		permanent  bool
		want       string
	}{
		{"no such user", "echo unknown user >&2; exit 67", true, "unknown user"},
		{"try again", "echo full; exit 75", false, "full"},
		{"reads nothing", "exit 1", false, "exit status 1"},
		{"talks much", "yes | head -c 100000; exit 1", false, "y y y"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			program, _ := script(t, r.body)
			err := mustLine(t, "--sendmail", program, "wensong").Alert(t.Context(), request())
			if err == nil || alert.IsPermanent(err) != r.permanent || !strings.Contains(err.Error(), r.want) || len(err.Error()) > 1500 {
				t.Error(err)
			}
		})
	}
	t.Run("hangs", func(t *testing.T) {
		program, _ := script(t, "exec sleep 60")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := mustLine(t, "--sendmail", program, "wensong").Alert(ctx, request())
		if !errors.Is(err, context.DeadlineExceeded) || alert.IsPermanent(err) {
			t.Error(err)
		}
	})
	t.Run("is not there", func(t *testing.T) {
		err := mustLine(t, "--sendmail", "/nonexistent/sendmail", "wensong").Alert(t.Context(), request())
		if err == nil || alert.IsPermanent(err) {
			t.Error(err)
		}
	})
}

func TestWhichProgram(t *testing.T) {
	if got := mustLine(t, "--server", "mx", "root").program(); got != "" {
		t.Errorf("with --server: %q", got)
	}
	if got := mustLine(t, "--sendmail", "/x", "root").program(); got != "/x" {
		t.Errorf("with --sendmail: %q", got)
	}
	want := ""
	if _, err := os.Stat(defaultSendmail); err == nil {
		want = defaultSendmail
	}
	if got := mustLine(t, "root").program(); got != want {
		t.Errorf("by default: %q, want %q", got, want)
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"wensong", "a@b.example", `"X, Y" <a@b.example>, c`, "a@b\r\nBcc: c", "=?utf-8?q?x?= <a@b>", "-t", "g:a@b,c@d;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := parseAddresses([]string{s})
		if err != nil {
			return
		}
		for _, a := range list {
			text := header(a)
			if strings.ContainsAny(text, "\r\n") || a.Address == "" || strings.HasPrefix(text, "-") {
				t.Errorf("%q gives the header %q", s, text)
			}
		}
	})
}
