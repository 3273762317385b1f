package httpmon

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mondhq/mond/plugins/monitor"
)

// anywhere is a server that is reached by every address of 127.0.0.0/8.
func anywhere(t testing.TB, h http.HandlerFunc) (s *httptest.Server, port string) {
	t.Helper()
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	s = &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	t.Cleanup(s.Close)
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return s, port
}

// met is the address of this machine that a request came to.
func met(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.Context().Value(http.LocalAddrContextKey).(net.Addr).String())
	return host
}

// crossroads leads to wherever the query says, with the status in the path.
func crossroads(w http.ResponseWriter, r *http.Request) {
	var status int
	if _, err := fmt.Sscanf(r.URL.Path, "/to/%d", &status); err == nil {
		to := r.URL.Query().Get("u")
		if strings.HasPrefix(to, "count") { // a way without end
			to = "/to/302?u=" + to + "1"
		}
		w.Header().Set("Location", to)
		w.WriteHeader(status)
		return
	}
	if r.URL.Path == "/missing" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s|%s|%s|%s|auth=%s|key=%s|body=%s", r.Method, r.RequestURI, r.Host, met(r), r.Header.Get("Authorization"), r.Header.Get("X-Key"), body)
}

func TestRedirects(t *testing.T) {
	s, port := anywhere(t, crossroads)
	s.Start()
	at := func(host string) string { return "http://" + net.JoinHostPort(host, port) }
	for name, tt := range map[string]struct {
		options []string
		path    string
		ok      bool
		want    string
	}{
		"not followed":      {nil, "/to/302?u=/missing", true, "302 Found, 0 bytes"},
		"no":                {[]string{"--redirects", "no"}, "/to/302?u=/missing", true, "302 Found, 0 bytes"},
		"followed":          {[]string{"--redirects", "1"}, "/to/302?u=/here", true, "200 OK, N bytes at " + at("web") + "/here"},
		"to an error":       {[]string{"--redirects", "1"}, "/to/302?u=/missing", false, "redirected to " + at("web") + "/missing: status 404 Not Found, want 200,301,302,401"},
		"not needed":        {[]string{"--redirects", "3"}, "/here", true, "200 OK, N bytes"},
		"without Location":  {[]string{"--redirects", "3"}, "/to/302", true, "302 Found, 0 bytes"},
		"304 leads nowhere": {[]string{"--redirects", "3", "--status", "304"}, "/to/304?u=/here", true, "304 Not Modified, 0 bytes"},
		"for ever":          {[]string{"--redirects", "5"}, "/to/302?u=count", false, "redirected more than 5 times, at last to " + at("web") + "/to/302?u=count111111"},
		"for ever, same":    {[]string{"--redirects", "same-host"}, "/to/302?u=count", false, "redirected more than 10 times, at last to " + at("web") + "/to/302?u=count11111111111"},
		"other host":        {[]string{"--redirects", "1", "-m", `\|other:\d+\|127.0.0.2\|`}, "/to/301?u=" + at("other") + "/x", true, "200 OK, N bytes that match at " + at("other") + "/x"},
		"other host, same":  {[]string{"--redirects", "same-host"}, "/to/301?u=" + at("other") + "/x", false, "redirected to another host, " + at("other") + "/x (--redirects same-host)"},
		"same host, same":   {[]string{"--redirects", "same-host"}, "/to/301?u=" + at("WEB") + "/x", true, "200 OK, N bytes at " + at("WEB") + "/x"},
		"unknown host":      {[]string{"--redirects", "1"}, "/to/301?u=http://nowhere/", false, "not judged: redirected to http://nowhere/: name nowhere has no address: no such host"},
		"keeps to the server looked at": {
			[]string{"--redirects", "same-host", "--host", "other", "-m", `GET\|/x\|other\|127.0.0.1\|`}, "/to/302?u=/x", true,
			"200 OK, N bytes that match at http://other/x",
		},
		"credentials stay": {
			[]string{"--redirects", "1", "--user", "a:b", "--header", "X-Key: k", "-m", `auth=Basic YTpi\|key=k\|`}, "/to/302?u=/x", true,
			"200 OK, N bytes that match at " + at("web") + "/x",
		},
		"credentials are not for others": {
			[]string{"--redirects", "1", "--user", "a:b", "--header", "X-Key: k", "-m", `auth=\|key=\|`}, "/to/302?u=" + at("other"), true,
			"200 OK, N bytes that match at " + at("other") + "/",
		},
		"POST becomes GET": {
			[]string{"--redirects", "1", "--method", "POST", "--body", "x", "-m", `^GET.*body=$`}, "/to/302?u=/x", true,
			"200 OK, N bytes that match at " + at("web") + "/x",
		},
		"POST to itself": {
			[]string{"--redirects", "1", "--method", "POST", "--body", "x", "-m", `^GET.*body=$`}, "/to/303?u=/x", true,
			"200 OK, N bytes that match at " + at("web") + "/x",
		},
		"POST remains": {
			[]string{"--redirects", "1", "--method", "POST", "--body", "x", "-m", `^POST.*body=x$`}, "/to/307?u=/x", true,
			"200 OK, N bytes that match at " + at("web") + "/x",
		},
		"no web":        {[]string{"--redirects", "1"}, "/to/302?u=mailto:a@b", false, `redirected with status 302 to what is no URL of a web server: "mailto:a@b"`},
		"no host":       {[]string{"--redirects", "1"}, "/to/302?u=http://", false, `redirected with status 302 to what is no URL of a web server: "http://"`},
		"bad URL":       {[]string{"--redirects", "1"}, "/to/302?u=http://[x", false, `redirected with status 302 to what is no URL of a web server: "http://[x"`},
		"no port":       {[]string{"--redirects", "1"}, "/to/302?u=http://web:0/", false, `redirected to port "0", which there is not`},
		"too high port": {[]string{"--redirects", "1"}, "/to/302?u=http://web:70000/", false, `redirected to port "70000", which there is not`},
		"blanks":        {[]string{"--redirects", "1", "-m", `\|/a%20b\?c%20d\|`}, "/to/302?u=/a%2520b%3Fc%20d", true, "200 OK, N bytes that match at " + at("web") + "/a%20b?c%20d"},
		"fragment":      {[]string{"--redirects", "1", "-m", `\|/a\|`}, "/to/302?u=/a%23b", true, "200 OK, N bytes that match at " + at("web") + "/a"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := configure(append([]string{"-p", port, "-u", tt.path}, tt.options...)...)
			if err != nil {
				t.Fatal(err)
			}
			r := m.Check(t.Context(), monitor.Request{Hosts: []string{"web"}})
			r.Detail = lengths.ReplaceAllString(r.Detail, "N bytes$1")
			if strings.HasPrefix(tt.want, "not judged") {
				if got := untimed(r.Detail); !r.Blind() || got != "web: "+tt.want {
					t.Errorf("%v\ngot  %s\nwant %s", r.Cause, got, tt.want)
				}
				return
			}
			judged(t, r, tt.ok, "web: "+tt.want)
		})
	}
}

func TestRedirectsThatGoRound(t *testing.T) {
	s, port := anywhere(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", map[string]string{"/": "/a", "/a": "/b", "/b": "/a"}[r.URL.Path])
		w.WriteHeader(http.StatusFound)
	})
	s.Start()
	m, err := configure("-p", port, "--redirects", "20")
	if err != nil {
		t.Fatal(err)
	}
	r := m.Check(t.Context(), monitor.Request{Hosts: []string{"127.0.0.1"}})
	at := "http://127.0.0.1:" + port
	judged(t, r, false, "127.0.0.1: redirected in a circle: "+at+"/b leads back to "+at+"/a")
}

func TestARedirectToTLSAndAway(t *testing.T) {
	plain, port := anywhere(t, crossroads)
	plain.Start()
	secure, securePort := anywhere(t, crossroads)
	secure.StartTLS()
	m, err := configure("-p", port, "--redirects", "same-host", "--insecure", "--cert-fail", "1", "--bearer", "k", "-m", "auth=Bearer k",
		"-u", "/to/308?u=https://web:"+securePort+"/x")
	if err != nil {
		t.Fatal(err)
	}
	r := m.Check(t.Context(), monitor.Request{Hosts: []string{"web"}})
	r.Detail = lengths.ReplaceAllString(r.Detail, "N bytes$1")
	judged(t, r, true, "web: 200 OK, N bytes that match at https://web:"+securePort+"/x")
	m, err = configure("-p", securePort, "--https", "--redirects", "same-host", "--insecure", "--bearer", "k", "-m", `auth=\|`,
		"-u", "/to/308?u=http://web:"+port+"/x")
	if err != nil {
		t.Fatal(err)
	}
	r = m.Check(t.Context(), monitor.Request{Hosts: []string{"web"}})
	r.Detail = lengths.ReplaceAllString(r.Detail, "N bytes$1")
	judged(t, r, true, "web: 200 OK, N bytes that match at http://web:"+port+"/x")
}

func TestRedirectsReadBack(t *testing.T) {
	for in, want := range map[string]string{"no": "no", "0": "no", "1": "1", "20": "20", "same-host": "same-host"} {
		var r redirects
		if err := r.Set(in); err != nil || r.String() != want {
			t.Errorf("%s: %v, %v", in, &r, err)
		}
	}
	for _, in := range []string{"", "yes", "21", "-1", "all"} {
		var r redirects
		if r.Set(in) == nil {
			t.Errorf("%q is taken", in)
		}
	}
}

// Wherever a host says that it has moved to, the next request is one.
func FuzzLocation(f *testing.F) {
	for _, seed := range []string{"/a", "//other/b", "https://web/", "?x y", "http://a:b@c:99/\r\n", "../..//x", "%zz", "http://[fe80::1%25eth0]:8/", "HTTP://WEB", "http://ä/ö"} {
		f.Add(seed, 302)
	}
	m, err := configure("--redirects", "5")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, where string, code int) {
		w := m.(*web)
		v := &visit{web: w, host: "web"}
		to, err := v.resolve(w.first("web"), &location{code, where})
		if err != nil {
			return
		}
		b, err := w.ask.Bytes(to, nil)
		if err != nil || strings.Count(string(b), "\n") != 7 || to.Port == 0 || to.Host == "" || !strings.HasPrefix(to.Path, "/") {
			t.Errorf("%q leads to %+v: %v\n%q", where, to, err, b)
		}
		if !to.Foreign && to.Host != "web" {
			t.Errorf("%q leads to %+v", where, to)
		}
	})
}
