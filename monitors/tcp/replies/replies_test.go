package replies_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/monitors/tcp/replies"
	"github.com/mondhq/mond/plugins/monitor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// said is a connection on which the host has said all that it will say.
type said struct {
	net.Conn
	in  io.Reader
	out strings.Builder
}

func (s *said) Read(b []byte) (int, error)  { return s.in.Read(b) }
func (s *said) Write(b []byte) (int, error) { return s.out.Write(b) }

// says is a dialogue with a host that says text and hangs up.
func says(text string, g replies.Grammar) (*replies.Dialogue, *said) {
	c := &said{in: strings.NewReader(text)}
	return replies.New(c, g), c
}

func TestReplies(t *testing.T) {
	long := strings.Repeat("z", 4000)
	for name, tt := range map[string]struct {
		text    string
		grammar replies.Grammar
		want    string // the lines with | between them, or the error
	}{
		"one line":          {"220 ready\r\n", replies.Strict, "ready"},
		"no text":           {"220\r\n", replies.Strict, ""},
		"blank text":        {"220 \r\n", replies.Strict, ""},
		"bare line feed":    {"220 ready\n", replies.Strict, "ready"},
		"several":           {"220-a\r\n220-\r\n220 c\r\n", replies.Strict, "a||c"},
		"last without text": {"220-a\r\n220\r\n", replies.Strict, "a|"},
		"later replies":     {"220 a\r\n250 b\r\n", replies.Strict, "a"},
		"FTP's way":         {"220-a\r\n 220 b\r\n221 c\r\n\r\n220-d\r\n220 e\r\n", replies.Loose, "a| 220 b|221 c||d|e"},
		"other alphabets":   {"220 größer\r\n", replies.Strict, "größer"},
		"long line":         {"220 " + long + "\r\n", replies.Strict, long},

		"nothing":         {"", replies.Strict, "wait for the greeting: the host hung up; nothing came"},
		"half a line":     {"220 rea", replies.Strict, `wait for the greeting: the host hung up; 7 bytes of a line came: "220 rea"`},
		"half a reply":    {"220-a\r\n220-b\r\n", replies.Strict, `wait for the greeting: the host hung up; 2 lines came: "220 a b"`},
		"other protocol":  {"SSH-2.0-x\r\n", replies.Strict, `wait for the greeting: the host sent "SSH-2.0-x", want a line that begins with three digits`},
		"blank line":      {"\r\n", replies.Loose, `wait for the greeting: the host sent "", want a line that begins with three digits`},
		"two digits":      {"22 a\r\n", replies.Strict, `wait for the greeting: the host sent "22 a", want a line that begins with three digits`},
		"four digits":     {"2200 a\r\n", replies.Strict, `wait for the greeting: the host sent "2200 a", want a line that begins with three digits`},
		"no such class":   {"620 a\r\n", replies.Strict, `wait for the greeting: the host sent "620 a", want a line that begins with three digits`},
		"codes differ":    {"220-a\r\n250 b\r\n", replies.Strict, `wait for the greeting: after "220 a" came "250 b", want a line that begins with 220`},
		"codes missing":   {"220-a\r\nb\r\n", replies.Strict, `wait for the greeting: after "220 a" came "b", want a line that begins with 220`},
		"other code":      {"421-go\r\n421 away\r\n", replies.Strict, `greeting: the host answered "421 go away", want 220 or 120`},
		"moves cursors":   {"421 \x1b[2J\x00\xff\r\n", replies.Strict, `greeting: the host answered "421 \x1b[2J\x00\xff", want 220 or 120`},
		"long words":      {"421 " + long + "\r\n", replies.Strict, `greeting: the host answered "421 ` + long[:156] + `"..., want 220 or 120`},
		"endless line":    {"220 " + long + long, replies.Strict, `wait for the greeting: a line of more than 4096 bytes: "220 ` + long[:156] + `"...`},
		"endless lines":   {strings.Repeat("220-a\r\n", 2000), replies.Strict, `wait for the greeting: no end of it after 1000 lines, 7000 bytes: "220` + strings.Repeat(" a", 78) + ` "...`},
		"endless reply":   {strings.Repeat("220-"+long+"\r\n", 100), replies.Strict, `wait for the greeting: no end of it after 16 lines, 64096 bytes: "220 ` + long[:156] + `"...`},
		"endless nothing": {"220-a\r\n" + strings.Repeat("\n", 2000), replies.Loose, `wait for the greeting: no end of it after 1000 lines, 1006 bytes: "220 a"`},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := says(tt.text, tt.grammar)
			r, err := d.Wait("greeting", 220, 120)
			got := strings.Join(r.Lines, "|")
			if err != nil {
				got = err.Error()
			}
			if got != tt.want || r.Text() != strings.Join(r.Lines, "\n") {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestSecretsAreNotRepeated(t *testing.T) {
	for name, text := range map[string]string{
		"refused": "500 what is 'PASS hunter2'?\r\n", "garbled": "PASS hunter2\r\n", "cut": "500 PASS hunter2",
		"endless": "500 hunter2" + strings.Repeat("z", 5000), "later line": "500-a\r\n500-PASS hunter2\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			d, c := says(text, replies.Strict)
			d.Hide("", "hunter2")
			r, err := d.Ask("PASS", "PASS hunter2", 230)
			if err == nil || strings.Contains(err.Error()+r.Text()+r.String(), "hunter2") || !strings.Contains(err.Error()+r.Text(), "***") {
				t.Errorf("%v; %v", err, r)
			}
			if c.out.String() != "PASS hunter2\r\n" {
				t.Errorf("sent %q", c.out.String())
			}
		})
	}
}

func TestNoSecondCommandIsSent(t *testing.T) {
	for _, command := range []string{"RETR a\r\nDELE b", "RETR a\nDELE b", "RETR a\rDELE b", "RETR a\x00"} {
		d, c := says("220 a\r\n", replies.Loose)
		if _, err := d.Ask("RETR", command, 220); !monitor.Local(err) || c.out.Len() > 0 {
			t.Errorf("%q: %v, sent %q", command, err, c.out.String())
		}
	}
}

func TestWordsOutOfTurn(t *testing.T) {
	d, _ := says("220 a\r\n421 shutting down\r\n250 b\r\n", replies.Strict)
	if _, err := d.Wait("greeting", 220); err != nil {
		t.Fatal(err)
	}
	_, err := d.Ask("EHLO", "EHLO me", 250)
	if err == nil || err.Error() != `the host spoke out of turn, before EHLO: "421 shutting down"` {
		t.Error(err)
	}
}

// What was sent in the clear must not be read as if it had come in TLS.
func TestNothingIsCarriedOverIntoTLS(t *testing.T) {
	d, _ := says("220 go ahead\r\n250 forged\r\n", replies.Strict)
	if _, err := d.Ask("STARTTLS", "STARTTLS", 220); err != nil {
		t.Fatal(err)
	}
	err := d.Upgrade(func() (net.Conn, error) { t.Error("TLS began"); return nil, io.EOF })
	if err == nil || err.Error() != `the host sent more before TLS began, which anybody may have put there: "250 forged"` {
		t.Error(err)
	}
}

func TestUpgrade(t *testing.T) {
	d, clear := says("220 go ahead\r\n", replies.Strict)
	if _, err := d.Ask("STARTTLS", "STARTTLS", 220); err != nil {
		t.Fatal(err)
	}
	if err := d.Upgrade(func() (net.Conn, error) { return nil, io.ErrNoProgress }); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
	secret := &said{in: strings.NewReader("250 well\r\n")}
	if err := d.Upgrade(func() (net.Conn, error) { return secret, nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Ask("EHLO", "EHLO me", 250); err != nil || secret.out.String() != "EHLO me\r\n" || clear.out.String() != "STARTTLS\r\n" {
		t.Errorf("%v, %q, %q", err, secret.out.String(), clear.out.String())
	}
}

// A host that drips has the time limit of all.
func TestDeadline(t *testing.T) {
	for name, tt := range map[string]struct{ first, more, want string }{
		"silent":        {"", "", "wait for the answer to NOOP; nothing came"},
		"drips a line":  {"250 ", "z", `wait for the answer to NOOP; 104 bytes of a line came: "250 ` + strings.Repeat("z", 100) + `"`},
		"drips a reply": {"", "250-z\r\n", `wait for the answer to NOOP; 100 lines came: "250` + strings.Repeat(" z", 78) + ` "...`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				var host sync.WaitGroup
				defer func() { near.Close(); host.Wait() }()
				host.Go(func() {
					defer far.Close()
					_, _ = far.Read(make([]byte, 100))
					_, err := io.WriteString(far, tt.first)
					for err == nil {
						time.Sleep(100 * time.Millisecond) // in the bubble
						if tt.more == "" {
							_, err = far.Read(make([]byte, 1))
							continue
						}
						_, err = io.WriteString(far, tt.more)
					}
				})
				_ = near.SetDeadline(time.Now().Add(10*time.Second + time.Millisecond))
				began := time.Now()
				_, err := replies.New(near, replies.Strict).Ask("NOOP", "NOOP", 250)
				if time.Since(began) != 10*time.Second+time.Millisecond || err == nil || err.Error() != tt.want || !isLate(err) {
					t.Errorf("%v after %v", err, time.Since(began))
				}
			})
		})
	}
}

func isLate(err error) bool {
	r := monitor.EachHost{One: func(context.Context, string) (string, error) { return "", err }}.
		Check(context.Background(), monitor.Request{Hosts: []string{"h"}})
	return strings.HasPrefix(r.Detail, "h: no answer in ")
}

func TestAHostThatDoesNotListen(t *testing.T) {
	near, far := net.Pipe()
	far.Close()
	defer near.Close()
	if _, err := replies.New(near, replies.Strict).Ask("EHLO", "EHLO me", 250); err == nil || !strings.HasPrefix(err.Error(), "send EHLO: ") {
		t.Error(err)
	}
}

func TestRefusal(t *testing.T) {
	for code, refuses := range map[string]bool{"502": true, "421": false, "354": false} {
		d, _ := says(code+" x\r\n", replies.Strict)
		r, err := d.Wait("greeting", 220)
		refusal, ok := errors.AsType[*replies.Refusal](err)
		if !ok || refusal.Reply.Refuses() != refuses || refusal.Reply.Code != r.Code {
			t.Errorf("%s: %v, %v", code, err, r)
		}
	}
}

// Whatever a reply holds, it is read as it was written.
func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.StringMatching("[1-5][0-9][0-9]").Draw(t, "code")
		lines := rapid.SliceOfN(rapid.StringMatching(`[^\r\n]{0,20}`), 1, 5).Draw(t, "lines")
		g := replies.Grammar(rapid.IntRange(0, 1).Draw(t, "grammar"))
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
		var b strings.Builder
		for i, l := range lines {
			b.WriteString(code + map[bool]string{false: "-", true: " "}[i == len(lines)-1] + l + end)
		}
		d, _ := says(b.String(), g)
		r, err := d.Wait("it")
		if _, ok := errors.AsType[*replies.Refusal](err); !ok || !slices.Equal(r.Lines, lines) {
			t.Fatalf("%q: %q, %v", b.String(), r.Lines, err)
		}
	})
}

func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		"220 ready\r\n", "220-a\r\n220 b\r\n", "220-a\n b\n220 c\n", "220", "220\r\n", "22", "\r\n", "220-\r\n\r\n", "999 x\r\n",
		"250-mx\r\n250-SIZE 1\r\n250 AUTH PLAIN\r\n", strings.Repeat("220-a\n", 1100), strings.Repeat("z", 5000), "421 \x1b[2J\xff\r\n",
	} {
		f.Add([]byte(seed), true, "pass")
		f.Add([]byte(seed), false, "a")
	}
	f.Fuzz(func(t *testing.T, b []byte, strict bool, secret string) {
		g := replies.Loose
		if strict {
			g = replies.Strict
		}
		d, _ := says(string(b), g)
		d.Hide(secret)
		for range 3 {
			r, err := d.Wait("it", 220)
			if err == nil && (r.Code != 220 || len(r.Lines) == 0) || len(r.Lines) > 1000 || len(r.Text()) > (3*64)<<10 {
				t.Fatalf("%v, %v", r, err)
			}
			if shown := r.String(); len(shown) > 4*200 || strings.ContainsAny(shown, "\r\n\x1b\x00") {
				t.Fatalf("shown as %q", shown)
			}
			if err != nil && (len(err.Error()) > 1200 || strings.ContainsAny(err.Error(), "\r\n\x1b\x00")) {
				t.Fatalf("the error is %q", err)
			}
		}
	})
}
