package ask

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mondhq/mond/plugins/getopt"
)

// parse reads a command line as the plugin does, with a proxy beside.
func parse(args ...string) (*Options, *Proxy, error) {
	o, p := new(Options), new(Proxy)
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o.Declare(fs)
	fs.Var(p, "proxy", "")
	if _, err := getopt.Parse(fs, args); err != nil {
		return nil, nil, err
	}
	return o, p, errors.Join(o.Validate(), p.Validate())
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRequest(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		to   Target
		want string
	}{
		"plain": {nil, Target{}, "GET / HTTP/1.1|Host: web|User-Agent: mond/http.monitor|Accept: */*|Accept-Encoding: identity|Connection: close||"},
		"method": {
			[]string{"--method", "head"}, Target{},
			"HEAD / HTTP/1.1|Host: web|User-Agent: mond/http.monitor|Accept: */*|Accept-Encoding: identity|Connection: close||",
		},
		"compressed": {
			[]string{"--compressed"}, Target{},
			"GET / HTTP/1.1|Host: web|User-Agent: mond/http.monitor|Accept: */*|Accept-Encoding: gzip, deflate|Connection: close||",
		},
		"headers": {
			[]string{"--header", "accept: text/html", "--header", "X-A:1", "--header", "x-a:  two words "}, Target{},
			"GET / HTTP/1.1|Host: web|User-Agent: mond/http.monitor|Accept-Encoding: identity|Accept: text/html|X-A: 1|X-A: two words|Connection: close||",
		},
		"body": {
			[]string{"--method", "POST", "--body", "a=1&b=2"}, Target{},
			"POST / HTTP/1.1|Host: web|User-Agent: mond/http.monitor|Accept: */*|Accept-Encoding: identity|Content-Type: application/x-www-form-urlencoded|Content-Length: 7|Connection: close||a=1&b=2",
		},
		"body of a file": {
			[]string{"--method", "PUT", "--body-file", file(t, `{"a":1}`), "--content-type", "application/json"}, Target{},
			`PUT / HTTP/1.1|Host: web|User-Agent: mond/http.monitor|Accept: */*|Accept-Encoding: identity|Content-Type: application/json|Content-Length: 7|Connection: close||{"a":1}`,
		},
		"no body": {
			[]string{"--method", "POST"}, Target{},
			"POST / HTTP/1.1|Host: web|User-Agent: mond/http.monitor|Accept: */*|Accept-Encoding: identity|Content-Length: 0|Connection: close||",
		},
		"basic": {
			[]string{"--user", "Aladdin:open sesame"}, Target{}, // RFC 7617, section 2
			"GET / HTTP/1.1|Host: web|User-Agent: mond/http.monitor|Accept: */*|Accept-Encoding: identity|Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==|Connection: close||",
		},
		"basic from a file": {
			[]string{"--user", "Aladdin", "--password-file", file(t, "open sesame\n")}, Target{},
			"GET / HTTP/1.1|Host: web|User-Agent: mond/http.monitor|Accept: */*|Accept-Encoding: identity|Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==|Connection: close||",
		},
		"bearer from a file": {
			[]string{"--bearer-file", file(t, "abc\r\n")}, Target{},
			"GET / HTTP/1.1|Host: web|User-Agent: mond/http.monitor|Accept: */*|Accept-Encoding: identity|Authorization: Bearer abc|Connection: close||",
		},
		"foreign": {
			[]string{"--bearer", "abc", "--header", "X-Key: k", "--header", "Accept: x", "-a", "me"}, Target{Foreign: true},
			"GET / HTTP/1.1|Host: web|User-Agent: me|Accept: */*|Accept-Encoding: identity|Connection: close||",
		},
		"turned into GET": {
			[]string{"--method", "POST", "--body", "x"}, Target{Fetch: true, Path: "/done"},
			"GET /done HTTP/1.1|Host: web|User-Agent: mond/http.monitor|Accept: */*|Accept-Encoding: identity|Connection: close||",
		},
		"through a proxy": {
			[]string{"--proxy", "http://me:pw@proxy:3128"}, Target{Port: 8080, Path: "/a"},
			"GET http://web:8080/a HTTP/1.1|Host: web:8080|User-Agent: mond/http.monitor|Accept: */*|Accept-Encoding: identity|Proxy-Authorization: Basic bWU6cHc=|Connection: close||",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, p, err := parse(tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			tt.to.Host = "web"
			if tt.to.Port == 0 {
				tt.to.Port = 80
			}
			if tt.to.Path == "" {
				tt.to.Path = "/"
			}
			if !p.Given() {
				p = nil
			}
			b, err := o.Bytes(tt.to, p)
			if got := strings.ReplaceAll(string(b), "\r\n", "|"); got != tt.want || err != nil {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
			if _, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b))); err != nil {
				t.Errorf("a server would say: %v", err)
			}
		})
	}
}

func TestBothFormsAreOneRequest(t *testing.T) {
	o, _, err := parse("--method", "POST", "--body", "x=1", "--header", "X-A: 1", "--user", "a:b", "--host", "www.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/a/b?c=d", "//x?", "/%zz|{}?a=%"} {
		to := Target{Host: "10.0.0.1", Port: 443, TLS: true, Path: path}
		b, err := o.Bytes(to, nil)
		if err != nil {
			t.Fatal(err)
		}
		req, err := o.Request(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimPrefix(req.URL.RequestURI(), "https://www.example.com"); got != path {
			t.Errorf("HTTP/2 asks for %q, want %q", got, path)
		}
		for name, values := range req.Header {
			if want := name + ": " + values[0] + "\r\n"; !bytes.Contains(b, []byte(want)) {
				t.Errorf("HTTP/1.1 lacks %q", want)
			}
		}
		body, err := io.ReadAll(req.Body)
		if req.Method != "POST" || req.Host != "www.example.com" || string(body) != "x=1" || req.ContentLength != 3 || err != nil {
			t.Errorf("%s %s %q %v", req.Method, req.Host, body, err)
		}
	}
}

func TestConnect(t *testing.T) {
	_, p, err := parse("--proxy", "http://me@[::1]:8080/")
	if err != nil || p.Host != "::1" || p.Port != 8080 {
		t.Fatalf("%q %d %v", p.Host, p.Port, err)
	}
	want := "CONNECT web:443 HTTP/1.1|Host: web:443|User-Agent: mond/http.monitor|Proxy-Authorization: Basic bWU6|"
	got := string(p.Connect(Target{Host: "web", Port: 443, TLS: true}))
	if got = strings.ReplaceAll(got, "\r\n", "|"); got != want+"|" {
		t.Errorf("%s", got)
	}
}

func TestOptionErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-u http://web/":                                `option -u: "http://web/": want the path only, such as /index.html?a=1: the hosts are those of the hostgroup`,
		"--method CONNECT":                              `option --method: "CONNECT": CONNECT is for proxies: --proxy uses it where it is needed`,
		"--method G€T":                                  `option --method: "G€T": want a method such as GET, HEAD, POST or PUT`,
		"--body x":                                      "option --body: the method GET has none: --method POST or PUT sends one",
		"--body @":                                      `option --body: "@": want the path of a file after @`,
		"--method POST --body @/no/body":                "option --body: open /no/body: no such file or directory",
		"--content-type text/plain":                     "option --content-type: it needs --body",
		"--header s3cret":                               `option --header: want "Name: value", with a name of letters, figures and dashes`,
		"--header s3:cret\x01":                          "option --header: the value of s3 is empty or has control characters",
		"--header Host:s3cret":                          "option --header: Host is said by --host",
		"--header user-agent:s3cret":                    "option --header: User-Agent is said by -a",
		"--header connection:s3cret":                    "option --header: Connection belongs to the connection, which is this monitor's",
		"--header authorization:s3cret --bearer s3cret": "option --header: Authorization is said by --user or --bearer already",
		"--user s3cret":                                 "option --user: want name:password, or --password-file",
		"--user :s3cret":                                "option --user: want a name",
		"--user a:s3cret\x01":                           "a name and a password are text without control characters",
		"--user a:s3cret --password-file x":             "options --user and --password-file: the password can be in one of them only",
		"--user a --password-file /no/pw":               "option --password-file: open /no/pw: no such file or directory",
		"--password-file x":                             "option --password-file: it needs --user",
		"--bearer s3cr€t":                               "a token is ASCII without blanks, and not empty",
		"--bearer-file /no/token":                       "option --bearer-file: open /no/token: no such file or directory",
		"--bearer s3cret --bearer-file x":               "options --bearer and --bearer-file: only one of them can be given",
		"--user a:s3cret --bearer s3cret":               "options --user and --bearer: only one of them can be given",
		"--proxy socks://s3cret@proxy":                  "option --proxy: want http://host:port, with user:password@ before the host if need be",
		"--proxy http://a:s3cret@proxy:0":               "option --proxy: want http://host:port, with user:password@ before the host if need be",
		"--proxy http://a:s3%cret@proxy:3128":           "option --proxy: want http://host:port, with user:password@ before the host if need be",
		"--proxy http://a:s3cret@proxy/path":            "option --proxy: want http://host:port, with user:password@ before the host if need be",
		"--proxy proxy:3128":                            "option --proxy: want http://host:port, with user:password@ before the host if need be",
	} {
		_, _, err := parse(strings.Fields(args)...)
		if err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", args, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cr") {
			t.Errorf("%s: the secret is told", args)
		}
	}
}

// What flag and getopt show of an option is what its String says.
func TestSecretsHaveNoString(t *testing.T) {
	o, p := new(Options), new(Proxy)
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	o.Declare(fs)
	fs.Var(p, "proxy", "")
	for _, name := range []string{"user", "bearer", "header", "proxy"} {
		for _, value := range []string{"a:s3cret", "s3cret", "http://a:s3cret@b", "X: s3cret"} {
			if err := fs.Set(name, value); err != nil {
				t.Errorf("--%s refuses %q: it would be shown", name, value)
			}
			if got := fs.Lookup(name).Value.String(); strings.Contains(got, "s3cret") {
				t.Errorf("--%s shows %q", name, got)
			}
		}
	}
}

func TestValuesReadBack(t *testing.T) {
	for in, want := range map[string]string{"": "/", "/": "/", "a": "/a", "?q=1": "/?q=1", "//a": "//a", "/a%20b?c=d&e": "/a%20b?c=d&e"} {
		var p Path
		if err := p.Set(in); err != nil || p.String() != want {
			t.Errorf("path %s: %v, %v, want %s", in, p, err, want)
		}
	}
}

// Whatever the options are, what is sent is one request and no more.
func FuzzRequest(f *testing.F) {
	f.Add("/", "POST", "X-A: 1", "a:b", "text", "agent", "www.example.com")
	f.Add("/a?b", "get", "a\r\nb: c", "a:b\r\nc", "@", "\x7f", "a b")
	f.Add("//x", "X-Y", "Cookie: \xff", "ä:ö", "", "ä", "[::1]:8")
	f.Fuzz(func(t *testing.T, path, method, header, user, body, agent, host string) {
		if strings.HasPrefix(body, "@") {
			return // would name a file of this machine
		}
		o, _, err := parse("-u", path, "--method", method, "--header", header, "--user", user, "--body", body, "-a", agent, "--host", host)
		if err != nil {
			return
		}
		b, err := o.Bytes(Target{Host: "web", Port: 80, Path: string(o.Path)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		head, sent, _ := bytes.Cut(b, []byte("\r\n\r\n"))
		if lines := bytes.Count(head, []byte("\n")); lines != 9 || bytes.Count(head, []byte("\r")) != 9 || string(sent) != body {
			t.Errorf("%d lines, body %q:\n%q", lines, sent, b)
		}
	})
}

func FuzzProxy(f *testing.F) {
	for _, seed := range []string{"http://a:b@proxy:3128", "http://[::1]", "http://proxy:0", "http://proxy\r\n", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var p Proxy
		if err := p.Set(in); err != nil {
			t.Errorf("%q: %v would show it", in, err)
		}
		if p.Validate() == nil && (p.Host == "" || p.Port == 0 || bytes.Count(p.Connect(Target{Host: "web", Port: 1}), []byte("\n")) > 5) {
			t.Errorf("%q: %+v", in, p)
		}
	})
}
