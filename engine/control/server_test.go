package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/user"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/view"
)

// raw sends a request by hand and returns status, type and body.
func (r *rig) raw(method, path, body string) (code int, kind, text string) {
	r.t.Helper()
	c := r.dial()
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", method, path, len(body), body)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(b)
}

// me is the user that the kernel vouches for here.
func me(t *testing.T) string {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return u.Username
}

func TestActions(t *testing.T) {
	r := newRig(t, nil)
	for _, tt := range []struct {
		path, body string
		code       int
		asked      string // ME stands for the user
		answer     string // part of the error
	}{
		{"/v1/services/www1/http/ack", `{"text":"on it"}`, 200, "ack www1:http by ME: on it", ""},
		{"/v1/services/www1/http/disable", `{"text":"cable"}`, 200, "disable www1:http by ME: cable", ""},
		{"/v1/services/www1/http/enable", "", 200, "enable www1:http by ME", ""},
		{"/v1/services/www1/http/test", " \n", 200, "test www1:http", ""},
		{"/v1/services/www1/http/test-alert", `{"kind":"up","period":"wd {Sun-Sat}"}`, 200, "test alert www1:http up wd {Sun-Sat}", ""},
		{"/v1/watches/www1/disable", `{"text":"x"}`, 200, "disable watch www1 by ME: x", ""},
		{"/v1/watches/www1/enable", `{}`, 200, "enable watch www1 by ME", ""},
		{"/v1/hosts/web1/disable", `{"text":"y"}`, 200, "disable host web1 by ME: y", ""},
		{"/v1/hosts/web1/enable", `{}`, 200, "enable host web1 by ME", ""},
		{"/v1/scheduler/stop", `{"text":"z"}`, 200, "stop by ME: z", ""},
		{"/v1/scheduler/start", `{}`, 200, "start by ME", ""},
		{"/v1/reload", "", 200, "reload", ""},

		// A name that is not there is the Controller's to refuse.
		{"/v1/services/gone/http/ack", `{}`, 404, "ack gone:http by ME: ", "not exist"},
		{"/v1/services/a%2Fb/%2E%2E/ack", `{}`, 404, "ack a/b:.. by ME: ", "not exist"},
		{"/v1/watches/gone/disable", `{}`, 404, "disable watch gone by ME: ", "not exist"},
		{"/v1/hosts/gone/disable", `{}`, 404, "disable host gone by ME: ", "not exist"},

		// What makes no sense never reaches it.
		{"/v1/services/www1/http/explode", `{}`, 404, "", "no such call: POST /v1/services/www1/http/explode"},
		{"/v1/watches/www1/ack", `{}`, 404, "", "no such call"},
		{"/v1/hosts/web1/ack", `{}`, 404, "", "no such call"},
		{"/v1/scheduler/pause", `{}`, 404, "", "no such call"},
		{"/v1/daemon", `{}`, 404, "", "no such call: POST /v1/daemon"},
		{"/", `{}`, 404, "", "no such call"},
		{"/v1/services/www1/http/test-alert", `{"kind":"trap"}`, 400, "", `kind of alert "trap": want one of [failure up startup ack disable]`},
		{"/v1/services/www1/http/ack", `{"text":`, 400, "", "read the request: unexpected EOF"},
		{"/v1/services/www1/http/ack", `{"txt":"on it"}`, 400, "", `unknown field "txt"`},
		{"/v1/services/www1/http/ack", `{"text":7}`, 400, "", "read the request"},
		{"/v1/services/www1/http/ack", `{} {}`, 400, "", "more than one JSON value"},
		{"/v1/services/www1/http/ack", `{"text":"` + strings.Repeat("x", 64<<10) + `"}`, 413, "", "too large"},
	} {
		t.Run(tt.path+" "+tt.body[:min(20, len(tt.body))], func(t *testing.T) {
			code, kind, text := r.raw("POST", tt.path, tt.body)
			if code != tt.code || kind != "application/json" {
				t.Errorf("%d %s: %s", code, kind, text)
			}
			asked := strings.Join(r.fake.asked(), "\n")
			if want := strings.ReplaceAll(tt.asked, "ME", me(t)); asked != want {
				t.Errorf("asked %q, want %q", asked, want)
			}
			var p problem
			if err := json.Unmarshal([]byte(text), &p); err != nil || !strings.Contains(p.Error, tt.answer) || (p.Error == "") != (code == 200) {
				t.Errorf("answered %q (%v), want %q", text, err, tt.answer)
			}
		})
	}
}

func TestReads(t *testing.T) {
	r := newRig(t, nil)
	for _, tt := range []struct {
		path string
		code int
		kind string
		want string // part of the body
	}{
		{"/v1/daemon", 200, "application/json", `"services":2,"statuses":{"fail":1,"untested":1}`},
		{"/v1/services", 200, "application/json", `"service":"store","status":"ok"`},
		{"/v1/services/www1/http", 200, "application/json", `"detail":"web1: refused\n"`},
		{"/v1/services/a%2Fb/%2E%2E", 200, "application/json", `"group":"a/b","service":".."`},
		{"/v1/services/gone/http", 404, "application/json", "service gone:http: no such name in the configuration"},
		{"/v1/show/lvs.alert/table", 200, "text/plain; charset=utf-8", "<b>the table</b>\n"},
		{"/v1/show/lvs.alert/x", 502, "application/json", "there is: table"},
		{"/v1/show/gone.alert/table", 404, "application/json", "gone.alert does not run"},
		{"/v1/reload", 404, "application/json", "no such call: GET /v1/reload"},
		{"/v2/daemon", 404, "application/json", "no such call: GET /v2/daemon"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			code, kind, text := r.raw("GET", tt.path, "")
			if code != tt.code || kind != tt.kind || !strings.Contains(text, tt.want) {
				t.Errorf("%d %s: %s", code, kind, text)
			}
		})
	}
	if asked := r.fake.asked(); asked != nil {
		t.Errorf("reading went through the Controller: %q", asked)
	}
}

func TestNothingToShow(t *testing.T) {
	r := newRig(t, func(s *Server) { s.opt.Show = nil })
	if code, _, text := r.raw("GET", "/v1/show/lvs.alert/table", ""); code != 404 || !strings.Contains(text, "no plugin can be asked") {
		t.Errorf("%d %s", code, text)
	}
}

// An empty board is an empty list, not null.
func TestNoServices(t *testing.T) {
	r := newRig(t, func(s *Server) { s.opt.Board = view.NewBoard() })
	if _, _, text := r.raw("GET", "/v1/services", ""); text != "[]\n" {
		t.Errorf("%q", text)
	}
}

// The Controller's reasons reach the caller; what it does not finish in time
// is told apart from what it refuses.
func TestRefusals(t *testing.T) {
	r := newRig(t, func(s *Server) { s.lim.call = 20 * time.Millisecond })
	r.fake.answer(func(context.Context) error { return errors.New("service is in a non-failure state") })
	if code, _, text := r.raw("POST", "/v1/services/www1/http/ack", "{}"); code != 409 || text != `{"error":"service is in a non-failure state"}`+"\n" {
		t.Errorf("%d %s", code, text)
	}
	r.fake.answer(func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) })
	if code, _, text := r.raw("POST", "/v1/reload", ""); code != 504 || !strings.Contains(text, "did not finish within 20ms") {
		t.Errorf("%d %s", code, text)
	}
	r.fake.answer(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	if code, _, text := r.raw("POST", "/v1/reload", ""); code != 504 {
		t.Errorf("%d %s", code, text)
	}
}

// Reads are answered while the Controller is busy.
func TestReadsBesideABusyController(t *testing.T) {
	r := newRig(t, nil)
	busy, free := make(chan struct{}), make(chan struct{})
	r.fake.answer(func(context.Context) error { close(busy); <-free; return nil })
	done := make(chan error, 1)
	go func() { done <- r.client.Do(context.Background(), Remark{}, "reload") }()
	<-busy
	if _, err := r.client.Services(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := r.client.Service(t.Context(), "www1", "http"); err != nil {
		t.Error(err)
	}
	close(free)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A long call is not taken for a client that went away, although sending a
// request is bounded.
func TestLongCall(t *testing.T) {
	r := newRig(t, func(s *Server) { s.lim.read = 20 * time.Millisecond })
	r.fake.answer(func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond): // longer than lim.read
			return nil
		}
	})
	if err := r.client.Do(t.Context(), Remark{Text: "x"}, "reload"); err != nil {
		t.Error(err)
	}
}

// Who is slow to send loses the connection and changes nothing.
func TestSlowSender(t *testing.T) {
	r := newRig(t, func(s *Server) { s.lim.read = 20 * time.Millisecond })
	for name, begin := range map[string]string{
		"silent": "",
		"header": "POST /v1/reload HTTP/1.1\r\nHo",
		"body":   "POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			c := r.dial()
			_, _ = io.WriteString(c, begin)
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Errorf("the connection is still there: %v", err)
			}
			if asked := r.fake.asked(); asked != nil {
				t.Errorf("asked %q", asked)
			}
		})
	}
}

// large is a board whose list does not fit a socket's buffer.
func large() *view.Board {
	b := view.NewBoard()
	row := board().Service(web)
	summary := *row
	summary.State.Summary = strings.Repeat("x", 512<<10)
	cell := new(view.Cell)
	cell.Store(&summary)
	b.Replace(new(config.Config), []opstatus.Key{web}, []*view.Cell{cell})
	return b
}

// A client that asks and never reads costs its own connection and nothing
// else; it is dropped in the end.
func TestClientThatNeverReads(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(s *Server) {
		s.opt.Board = large()
		s.lim.call, s.lim.write = 0, 2*time.Second
	})
	var deaf []net.Conn
	for range 5 {
		c := r.dial()
		fmt.Fprint(c, "GET /v1/services HTTP/1.1\r\nHost: x\r\n\r\n")
		deaf = append(deaf, c)
	}
	if _, err := r.client.Daemon(t.Context()); err != nil {
		t.Errorf("beside them: %v", err)
	}
	if err := r.client.Do(t.Context(), Remark{}, "reload"); err != nil {
		t.Errorf("beside them: %v", err)
	}
	for _, c := range deaf {
		waitDropped(t, c)
	}
}

// waitDropped waits until the server has given up on a client that does not
// read: writing to it fails.
func waitDropped(t *testing.T, c net.Conn) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		if _, err := c.Write([]byte("x")); err != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server still holds on to a client that never reads")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestHundredClientsAtOnce(t *testing.T) {
	r := newRig(t, nil)
	var clients sync.WaitGroup
	for i := range 100 {
		clients.Go(func() {
			rows, err := r.client.Services(t.Context())
			if err != nil || len(rows) != 3 {
				t.Errorf("%d rows, %v", len(rows), err)
			}
			if err := r.client.Do(t.Context(), Remark{Text: fmt.Sprint(i)}, "services", "www1", "http", "ack"); err != nil {
				t.Error(err)
			}
		})
	}
	clients.Wait()
	seen := map[string]bool{}
	for _, call := range r.fake.asked() {
		seen[call] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d different calls arrived, want 100", len(seen))
	}
}

// The end of the daemon ends a call under way, which is told so, and leaves
// nothing behind.
func TestEndWhileACallIsUnderWay(t *testing.T) {
	r := newRig(t, nil)
	busy := make(chan struct{})
	r.fake.answer(func(ctx context.Context) error {
		close(busy)
		<-ctx.Done()
		return errors.New("the engine has stopped")
	})
	done := make(chan error, 1)
	go func() { done <- r.client.Do(context.Background(), Remark{}, "reload") }()
	<-busy
	r.stop()
	if err := <-done; err == nil || err.Error() != "the engine has stopped" {
		t.Errorf("the caller was told %v", err)
	}
	if _, err := r.client.Daemon(t.Context()); err == nil || !strings.Contains(err.Error(), "no mond answers") {
		t.Errorf("after the end: %v", err)
	}
}

// A client that connected and says nothing does not hold up the end.
func TestEndBesideASilentClient(t *testing.T) {
	r := newRig(t, func(s *Server) { s.lim.end = 50 * time.Millisecond })
	c := r.dial()
	if err := r.client.Do(t.Context(), Remark{}, "reload"); err != nil { // c was accepted before
		t.Fatal(err)
	}
	r.stop()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the silent client's connection: %v", err)
	}
}

// A bug in a handler is one caller's trouble, and is in the log.
func TestPanic(t *testing.T) {
	r := newRig(t, nil)
	r.fake.answer(func(context.Context) error { panic("a bug") })
	if err := r.client.Do(t.Context(), Remark{}, "reload"); err == nil {
		t.Error("no error")
	}
	if _, err := r.client.Daemon(t.Context()); err != nil {
		t.Error(err)
	}
	if !strings.Contains(r.log.String(), "a bug") {
		t.Errorf("log: %s", r.log)
	}
}

// When the listener breaks, Serve says so instead of ending as if told to.
func TestBrokenListener(t *testing.T) {
	l, err := Listen(shortPath(t, "sock"))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	r := newRig(t, nil)
	s := New(Options{Controller: r.fake, Board: board(), Log: slog.New(slog.DiscardHandler)})
	if err := s.Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "serve the control socket") {
		t.Error(err)
	}
}

// What is read back is what is on the board.
func TestRows(t *testing.T) {
	r := newRig(t, nil)
	at := func(d time.Duration) *time.Time { t := noon.Add(d); return &t }
	want := Service{
		Group: "www1", Service: "http", Status: "fail", Summary: "web1", Since: at(-time.Hour), LastCheck: at(-time.Second), NextCheck: at(9 * time.Second),
		Blind: &Blind{Cause: "killed", Reason: "segmentation fault", Since: noon, Times: 2},
		Took:  0.25, Interval: 10, Monitor: "http.monitor", Description: "the web", Failures: 3, AlertsSent: 2, LastAlert: at(0),
		Ack: &Note{At: noon, User: "ann", Text: "on it"}, Disabled: &Note{At: noon, User: "bob"}, Skipped: "it still ran", Running: true,
	}
	rows, err := r.client.Services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Service{want, {Group: "a/b", Service: "..", Status: "untested"}, {Group: "mond", Service: "store", Status: "ok", Own: true}}, rows); diff != "" {
		t.Error(diff)
	}
	want.Detail = "web1: refused\n"
	want.Decisions = []Decision{{At: noon, Event: "failure", Period: "wd", Command: "mail.alert root", Sent: true, Reason: "the service fails", Note: "3 in a row"}}
	want.Claims = []Claim{{Program: "lvs.alert", Args: []string{"-R", "web1"}, Out: true, Reason: "fails", Since: noon}}
	one, err := r.client.Service(t.Context(), "www1", "http")
	if diff := cmp.Diff(want, one); err != nil || diff != "" {
		t.Error(err, diff)
	}
	d, err := r.client.Daemon(t.Context())
	wantDaemon := Daemon{
		Version: "v1", PID: 42, Config: "mon.cf", Started: noon, Loaded: noon, ReloadError: "mon.cf:1:1: bad", Stopped: &Note{At: noon, User: "ann"},
		Hosts: map[string]Note{"web9": {At: noon, Text: "burnt"}}, Checks: 10, Blind: 1, Running: 2, Late: 1.5, Outbox: 3,
		Services: 2, Statuses: map[string]int{"fail": 1, "untested": 1},
	}
	if diff := cmp.Diff(wantDaemon, d); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// The handlers work without a Unix socket, such as behind another server; the
// caller then has no name.
func TestCallerWithoutAName(t *testing.T) {
	f := &fake{}
	h := New(Options{Controller: f, Board: board(), Log: slog.New(slog.DiscardHandler)}).Handler()
	w := &recorder{header: http.Header{}}
	req, _ := http.NewRequestWithContext(t.Context(), "POST", "/v1/scheduler/start", nil)
	req.Body = io.NopCloser(bytes.NewReader(nil))
	h.ServeHTTP(w, req)
	if diff := cmp.Diff([]string{"start by "}, f.asked()); diff != "" {
		t.Error(diff, w.body.String())
	}
}

// recorder is a ResponseWriter without a connection.
type recorder struct {
	header http.Header
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recorder) WriteHeader(int)             {}
