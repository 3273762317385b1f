package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mondhq/mond/alerts/internal/alerttest"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/alert/wording"
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
		Summary: "web2", Output: "web2\nweb2: connection refused\n", Exit: 1, At: time.Unix(1700000000, 0), Env: map[string]string{},
	}
}

func secretFile(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "secret")
	check(t, os.WriteFile(path, []byte(text+"\n"), 0o600))
	return path
}

// asked is a request that a service got.
type asked struct {
	method, path, body string
	header             http.Header
	host               string
}

// service answers on the loopback and keeps what it was asked.
type service struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request)

	mu    sync.Mutex
	asked []asked
}

func newService(t *testing.T, status int) *service {
	return serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

func serve(t *testing.T, answer http.HandlerFunc) *service {
	t.Helper()
	s := &service{answer: answer}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.asked = append(s.asked, asked{r.Method, r.URL.Path, string(body), r.Header, r.Host})
	s.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.answer(w, r)
}

func (s *service) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func (s *service) last(t *testing.T) asked {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asked) == 0 {
		t.Fatal("it was not asked")
	}
	return s.asked[len(s.asked)-1]
}

func TestValidate(t *testing.T) {
	good := secretFile(t, "{{json .Summary}}")
	broken := secretFile(t, "{\n\"a\": {{.Summary}}\n}")
	field := secretFile(t, "{{.Sumary}}")
	variable := secretFile(t, `{{.Var "key" | json}}`)
	rows := []struct{ words, bad string }{
		{"https://hooks.example.com/a", ""},
		{"--url-file /none", ""},
		{"--method put http://a/ http://b/", ""},
		{"--ok 200-204,302 --timeout 5s --follow http://[::1]:80/x?y=z", ""},
		{"--user u --password-file f https://a", ""},
		{"--proxy socks5://127.0.0.1:1080 https://a", ""},
		{"--header X-A:b --header x-b:c https://a", ""},
		{"--template " + good + " https://a", ""},
		{"--template " + variable + " --var-file key=/none https://a", ""},
		{"--secret-file f --signature-header X-Hub-Signature-256 https://a", ""},
		{"", "no URL"},
		{"ftp://a/", "want http://HOST"},
		{"hooks.example.com", "want http://HOST"},
		{"https:///x", "names no host"},
		{"https://u:secret@a/", "holds a name or password"},
		{"https://a/%zz-secret", "cannot be read"},
		{"--method GET https://a", "POST, PUT or PATCH"},
		{"--header X https://a", "NAME: VALUE"},
		{"--header Content-Length:5 https://a", "belongs to the connection"},
		{"--header content-type:5 https://a", "option of its own"},
		{"--header idempotency-key:5 https://a", "the notice's own"},
		{"--header A:1 --header a:2 https://a", "given twice"},
		{"--header A/B:1 https://a", "no name of a header"},
		{"--user u https://a", "go together"},
		{"--user u:v --password-file f https://a", "no colon"},
		{"--user u --password-file f --bearer-file f https://a", "only one"},
		{"--bearer-file f --header Authorization:x https://a", "goes with neither"},
		{"--signature-header X-Hub-Signature-256 https://a", "needs --secret-file"},
		{"--ca /none https://a", "--ca"},
		{"--ca " + good + " https://a", "no certificate"},
		{"--ca " + good + " --insecure https://a", "only one"},
		{"--cert f https://a", "go together"},
		{"--insecure http://a", "go with https"},
		{"--proxy ftp://a https://a", "--proxy: want"},
		{"--ok 99 https://a", "from 200 to 599"},
		{"--timeout 0s https://a", "more than 0"},
		{"--content-type text/plain https://a", "go with --template"},
		{"--var a=b https://a", "go with --template"},
		{"--var a https://a", "NAME=VALUE"},
		{"--template /none https://a", "no such file"},
		{"--template " + broken + " https://a", "no valid JSON"},
		{"--template " + broken + " https://a", "in line 2 behind"},
		{"--template " + field + " https://a", ":1:2: executing"},
		{"--template " + variable + " https://a", `"key" is not set`},
		{"--template " + variable + " --var key=a --var-file key=f https://a", "set twice"},
		{"--template " + good + " --content-type / https://a", "--content-type"},
	}
	for _, r := range rows {
		t.Run(r.words, func(t *testing.T) {
			_, err := alertLine(strings.Fields(r.words)...)
			if r.bad == "" {
				check(t, err)
			} else if err == nil || !strings.Contains(err.Error(), r.bad) || strings.Contains(err.Error(), "secret@") || strings.Contains(err.Error(), "zz-secret") {
				t.Errorf("error is %v, want %q", err, r.bad)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	s := newService(t, http.StatusNoContent)
	key, token := secretFile(t, "the key"), secretFile(t, "the token")
	a := mustLine(t, "--secret-file", key, "--bearer-file", token, "--header", "X-Team: night", "--header", "Host: hooks.example.com", s.URL+"/hook?a=b")
	check(t, a.Alert(t.Context(), request()))
	got := s.last(t)
	if got.method != "POST" || got.path != "/hook" || got.host != "hooks.example.com" {
		t.Errorf("%s %s of %s", got.method, got.path, got.host)
	}
	if d := cmp.Diff(string(wording.Of(request()).JSON()), got.body); d != "" {
		t.Error(d)
	}
	mac := hmac.New(sha256.New, []byte("the key"))
	mac.Write([]byte(got.body))
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Idempotency-Key": "web:http:17", "X-Team": "night", "User-Agent": "mond/webhook.alert",
		"Authorization": "Bearer the token", "X-Mond-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		if value := got.header.Get(name); value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
}

func TestOtherRequests(t *testing.T) {
	s := newService(t, http.StatusOK)
	text := secretFile(t, "{{.Group}} {{.Var \"a\"}}")
	r := request()
	r.ID = "an odd\nID"
	url := secretFile(t, s.URL+"/from-a-file")
	check(t, mustLine(t, "--method", "PUT", "--template", text, "--content-type", "text/plain; charset=utf-8", "--var", "a=b=c",
		"--user", "u", "--password-file", secretFile(t, "p:w"), "--url-file", url).Alert(t.Context(), r))
	got := s.last(t)
	if got.method != "PUT" || got.body != "web b=c\n" || got.header.Get("Content-Type") != "text/plain; charset=utf-8" || got.path != "/from-a-file" {
		t.Errorf("%+v", got)
	}
	if len(got.header.Get("Idempotency-Key")) != 64 || got.header.Get("Authorization") != "Basic dTpwOnc=" {
		t.Errorf("%v", got.header)
	}
}

func TestAnswers(t *testing.T) {
	rows := []struct {
		status    int
		words     string
		told      bool
		permanent bool
	}{
		{200, "", true, false},
		{204, "", true, false},
		{202, "--ok 200", false, true},
		{404, "--ok 404", true, false},
		{301, "", false, true},
		{307, "", false, true},
		{400, "", false, true},
		{401, "", false, true},
		{403, "", false, true},
		{404, "", false, true},
		{408, "", false, false},
		{410, "", false, true},
		{422, "", false, true},
		{425, "", false, false},
		{429, "", false, false},
		{500, "", false, false},
		{502, "", false, false},
		{503, "", false, false},
	}
	for _, r := range rows {
		t.Run(fmt.Sprint(r.status, r.words), func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "120")
				w.Header().Set("Location", "https://other.example.com/secret")
				w.WriteHeader(r.status)
				if r.status != 204 {
					fmt.Fprint(w, "the\nreason\x1b[31m", strings.Repeat(" is long", 100_000))
				}
			})
			a := mustLine(t, append(strings.Fields(r.words), s.URL+"/token-in-the-path")...)
			err := a.Alert(t.Context(), request())
			if r.told {
				check(t, err)
				return
			}
			if err == nil || alert.IsPermanent(err) != r.permanent {
				t.Fatalf("permanent is %v: %v", alert.IsPermanent(err), err)
			}
			for _, want := range []string{fmt.Sprint("answered by ", r.status), "(try again after 2m0s)", ": the reason [31m is long"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v: lacks %q", err, want)
				}
			}
			if len(err.Error()) > 600 || strings.ContainsAny(err.Error(), "\n\x1b") || strings.Contains(err.Error(), "token-in") || strings.Contains(err.Error(), "/secret") {
				t.Errorf("%d bytes: %q", len(err.Error()), err)
			}
			if s.count() != 1 {
				t.Errorf("asked %d times", s.count())
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	other := newService(t, http.StatusOK)
	var s *service
	s = serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/307":
			http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
		case "/303":
			http.Redirect(w, r, "/end", http.StatusSeeOther)
		case "/away":
			http.Redirect(w, r, other.URL+"/end", http.StatusPermanentRedirect)
		case "/ring":
			http.Redirect(w, r, "/ring", http.StatusPermanentRedirect)
		}
	})
	for path, well := range map[string]bool{"/307": true, "/303": false, "/away": false, "/ring": false} {
		err := mustLine(t, "--follow", s.URL+path).Alert(t.Context(), request())
		if (err == nil) != well || err != nil && !alert.IsPermanent(err) {
			t.Errorf("%s: %v", path, err)
		}
		if got := s.last(t); well && (got.path != "/end" || got.method != "POST" || got.body == "") {
			t.Errorf("%s ended in %+v", path, got)
		}
	}
	if other.count() > 0 {
		t.Error("another host got the notice")
	}
}

func TestTheOthersAreToldOnce(t *testing.T) {
	good := newService(t, http.StatusOK)
	status := http.StatusServiceUnavailable
	slow := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	a := mustLine(t, good.URL, slow.URL)
	for range 2 {
		if err := a.Alert(t.Context(), request()); err == nil || alert.IsPermanent(err) {
			t.Fatal(err)
		}
	}
	status = http.StatusOK
	check(t, a.Alert(t.Context(), request()))
	if good.count() != 1 || slow.count() != 3 || a.memory.Len() != 0 {
		t.Errorf("asked %d and %d times", good.count(), slow.count())
	}
	if first, last := slow.asked[0], slow.asked[2]; first.body != last.body || first.header.Get("Idempotency-Key") != last.header.Get("Idempotency-Key") {
		t.Error("another try is another notice")
	}
}

func TestTLS(t *testing.T) {
	s := &service{answer: func(http.ResponseWriter, *http.Request) {}}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that are to fail
	s.StartTLS()
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	check(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	check(t, mustLine(t, "--ca", ca, s.URL).Alert(t.Context(), request()))
	check(t, mustLine(t, "--insecure", s.URL).Alert(t.Context(), request()))
	err := mustLine(t, s.URL+"/secret").Alert(t.Context(), request())
	if err == nil || alert.IsPermanent(err) || !strings.Contains(err.Error(), "--ca FILE trusts another") || strings.Contains(err.Error(), "/secret") {
		t.Error(err)
	}
	plain := newService(t, 200)
	err = mustLine(t, strings.Replace(plain.URL, "http:", "https:", 1)).Alert(t.Context(), request())
	if err == nil || alert.IsPermanent(err) || plain.count() > 0 {
		t.Errorf("TLS with a server that has none: %v", err)
	}
}

func TestProxy(t *testing.T) {
	s := newService(t, http.StatusOK)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // is not regarded
	check(t, mustLine(t, s.URL).Alert(t.Context(), request()))
	through := serve(t, func(w http.ResponseWriter, r *http.Request) {
		(&httputil.ReverseProxy{Director: func(*http.Request) {}, Transport: &http.Transport{DisableKeepAlives: true}}).ServeHTTP(w, r)
	})
	check(t, mustLine(t, "--proxy", through.URL, s.URL).Alert(t.Context(), request()))
	if s.count() != 2 || through.count() != 1 {
		t.Errorf("asked %d times, the proxy %d times", s.count(), through.count())
	}
}

// TestNastyServers: none holds up an alert beyond its time, or its memory.
func TestNastyServers(t *testing.T) {
	rows := []struct {
		name, want string
		deaf       bool // it does not read first
		talk       func(net.Conn)
	}{
		{"silent", "took too long", true, func(net.Conn) {}},
		{"closes", "POST to http://127.0.0.1", true, func(c net.Conn) { _ = c.Close() }},
		{"garbage", "malformed HTTP", false, func(c net.Conn) { fmt.Fprint(c, "220 post office\r\n\r\n") }},
		{"endless header", "", false, func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\n")
			for err := error(nil); err == nil; {
				_, err = fmt.Fprint(c, "X: ", strings.Repeat("x", 1000), "\r\n")
			}
		}},
		{"endless reason", "answered by 500", false, func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 500 No\r\nContent-Type: text/plain\r\n\r\n")
			for err := error(nil); err == nil; {
				_, err = fmt.Fprint(c, strings.Repeat("x", 1000))
			}
		}},
		{"a reason that drips", "answered by 500", false, func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 500 No\r\n\r\nx") }},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			check(t, err)
			var sessions sync.WaitGroup
			sessions.Go(func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				if !r.deaf {
					_, _ = c.Read(make([]byte, 1))
				}
				r.talk(c)
				_, _ = io.Copy(io.Discard, c) // until we are gone
				_ = c.Close()
			})
			defer sessions.Wait()
			defer l.Close()
			err = mustLine(t, "--timeout", "300ms", "http://"+l.Addr().String()).Alert(t.Context(), request())
			if err == nil || alert.IsPermanent(err) || !strings.Contains(err.Error(), r.want) {
				t.Errorf("error is %v, want %q", err, r.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := mustLine(t, "http://127.0.0.1:1").Alert(ctx, request()); !errors.Is(err, context.Canceled) || alert.IsPermanent(err) {
		t.Error(err)
	}
	if err := mustLine(t, "http://127.0.0.1:1").Alert(t.Context(), request()); err == nil || alert.IsPermanent(err) || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
}

func TestFilesThatAreMissing(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	s := newService(t, http.StatusOK)
	for _, words := range [][]string{
		{"--bearer-file", none, s.URL}, {"--user", "u", "--password-file", none, s.URL}, {"--secret-file", none, s.URL}, {"--url-file", none},
		{"--template", secretFile(t, `"{{.Var "a"}}"`), "--var-file", "a=" + none, s.URL},
	} {
		err := mustLine(t, words...).Alert(t.Context(), request())
		if err == nil || alert.IsPermanent(err) || !strings.Contains(err.Error(), ": open "+none) || s.count() > 0 {
			t.Errorf("%v: %v", words, err)
		}
	}
}
