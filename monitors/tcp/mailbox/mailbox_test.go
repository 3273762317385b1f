package mailbox

import (
	"bufio"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/monitors/tcp/login"
	"github.com/mondhq/mond/plugins/monitor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// talk holds a dialogue with a peer that answers each line by the next of its
// own, the first of which is the greeting; "" hangs up. heard is what it was told.
func hold(t *testing.T, s Service, who *login.Options, lines ...string) (said string, heard []string, err error) {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	_ = ours.SetDeadline(time.Now().Add(5 * time.Second))
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer theirs.Close()
		in := bufio.NewScanner(theirs)
		for _, line := range lines {
			if line == "" {
				return
			}
			if _, err := io.WriteString(theirs, strings.ReplaceAll(line, "|", "\r\n")+"\r\n"); err != nil {
				return
			}
			if !in.Scan() {
				return
			}
			heard = append(heard, in.Text())
		}
	}()
	said, err = s.Talk(ours, who)
	ours.Close()
	<-done
	return said, heard, err
}

func TestDialogues(t *testing.T) {
	me := func(password string) *login.Options {
		o := &login.Options{User: "me"}
		if err := o.Secret.Set(password); err != nil {
			t.Fatal(err)
		}
		return o
	}
	nobody := new(login.Options)
	for name, tt := range map[string]struct {
		service Service
		who     *login.Options
		lines   []string
		heard   string
		want    string // said, or the error after !
	}{
		"pop":               {pop, nobody, []string{"+OK hi"}, "QUIT", `, greeted "+OK hi"`},
		"pop, login":        {pop, me("a b"), []string{"+OK hi", "+OK", "+OK welcome"}, "USER me|PASS a b|QUIT", `, greeted "+OK hi", logged in`},
		"pop, no user":      {pop, me("x"), []string{"+OK hi", "-ERR who"}, "USER me", `!the answer to USER is "-ERR who", want +OK`},
		"pop, busy":         {pop, nobody, []string{"-ERR busy"}, "", `!the greeting is "-ERR busy", want +OK`},
		"pop, hangs up":     {pop, nobody, []string{""}, "", "!the host hung up instead of the greeting"},
		"nntp":              {nntp, nobody, []string{"201 no posting"}, "QUIT", `, greeted "201 no posting"`},
		"nntp, login":       {nntp, me("x"), []string{"200 hi", "381 go on", "281 ok"}, "AUTHINFO USER me|AUTHINFO PASS x|QUIT", `, greeted "200 hi", logged in`},
		"nntp, no password": {nntp, me("x"), []string{"200 hi", "281 ok"}, "AUTHINFO USER me|QUIT", `, greeted "200 hi", logged in`},
		"nntp, refused":     {nntp, me("x"), []string{"200 hi", "381 go on", "481 no"}, "AUTHINFO USER me|AUTHINFO PASS x", `!the answer to AUTHINFO PASS is "481 no", want 281`},
		"imap":              {imap, nobody, []string{"* OK ready"}, "a2 LOGOUT", `, greeted "* OK ready"`},
		"imap, login":       {imap, me(`a"b\c`), []string{"* OK ready", "* CAPABILITY IMAP4rev2|a1 OK done"}, `a1 LOGIN "me" "a\"b\\c"|a2 LOGOUT`, `, greeted "* OK ready", logged in`},
		"imap, knows us":    {imap, me("x"), []string{"* PREAUTH hi"}, "a2 LOGOUT", `, greeted "* PREAUTH hi", logged in`},
		"imap, refused":     {imap, me("x"), []string{"* OK ready", "a1 NO wrong"}, `a1 LOGIN "me" "x"`, `!the answer to LOGIN is "a1 NO wrong", want a1 OK`},
		"imap, bye":         {imap, me("x"), []string{"* OK ready", "* BYE too many"}, `a1 LOGIN "me" "x"`, `!the answer to LOGIN is "* BYE too many", want a1 OK`},
		"imap, wants more":  {imap, me("x"), []string{"* OK ready", "+ go on"}, `a1 LOGIN "me" "x"`, `!the answer to LOGIN is "+ go on", want a1 OK`},
		"imap, closed":      {imap, nobody, []string{"* BYE"}, "", `!the greeting is "* BYE", want * OK or * PREAUTH`},
		"imap, chatter":     {imap, me("x"), []string{"* OK ready", strings.TrimSuffix(strings.Repeat("* x|", 150), "|")}, `a1 LOGIN "me" "x"`, "!the answer to LOGIN is not among 100 lines that came"},
		"a long line":       {imap, nobody, []string{"* OK " + strings.Repeat("z", 100_000)}, "", "!the host sends more than 8192 bytes without an end for the greeting"},
	} {
		t.Run(name, func(t *testing.T) {
			said, heard, err := hold(t, tt.service, tt.who, tt.lines...)
			got := said
			if err != nil {
				got = "!" + err.Error()
			}
			if !strings.HasPrefix(got, tt.want) || err == nil && got != tt.want || strings.Join(heard, "|") != tt.heard {
				t.Errorf("got %s\nheard %q", got, heard)
			}
		})
	}
}

func TestFileThatAllCanRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	who := &login.Options{User: "me"}
	if err := who.File.Set(path); err != nil {
		t.Fatal(err)
	}
	said, heard, err := hold(t, pop, who, "+OK", "+OK", "+OK")
	if !monitor.Warns(err) || len(heard) != 3 || heard[1] != "PASS secret" {
		t.Errorf("%s, %v, %q", said, err, heard)
	}
}

func TestPorts(t *testing.T) {
	for _, s := range []Service{imap, pop, nntp} {
		if s.Port(false) == 0 || s.Port(true) <= s.Port(false) {
			t.Errorf("%s: %d and %d", s, s.Port(false), s.Port(true))
		}
		if err := new(Service).Set(string(s)); err != nil {
			t.Error(err)
		}
	}
	if new(Service).Set("ftp") == nil {
		t.Error("ftp is taken")
	}
}

func FuzzTalk(f *testing.F) {
	for _, seed := range []string{"+OK\r\n+OK\r\n+OK\r\n", "* OK\r\n* x\r\na1 OK\r\n", "200\n381\n281\n", "* PREAUTH\n", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answers string) {
		for _, s := range []Service{imap, pop, nntp} {
			tk := &talk{out: io.Discard, in: bufio.NewReaderSize(strings.NewReader(answers), maxLine), user: "me", password: "secret"}
			greeting, err := tk.hold(s)
			if err == nil && greeting == "" || err != nil && (len(err.Error()) > 2000 || strings.Contains(err.Error(), "secret") && !strings.Contains(answers, "secret")) {
				t.Errorf("%s: %q, %v", s, greeting, err)
			}
		}
	})
}
