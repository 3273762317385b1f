package httpmon

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"io"
	"log"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach/reachtest"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

// zeros is n bytes, compressed to a thousandth.
func zeros(n int) string {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	chunk := make([]byte, 1<<16)
	for ; n > 0; n -= len(chunk) {
		_, _ = z.Write(chunk)
	}
	_ = z.Close()
	return b.String()
}

func TestBombs(t *testing.T) {
	const coded = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
	bomb := zeros(24 << 20)
	twice := func() string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, bomb)
		_ = z.Close()
		return b.String()
	}()
	for name, tt := range map[string]struct {
		host    func(net.Conn)
		options string
		ok      bool
		want    string
	}{
		"nobody looks":      {hangsUp(coded + bomb), "--max-size 16K", true, "200 OK, the first 16384 bytes"},
		"somebody looks":    {hangsUp(coded + bomb), "-m works", false, `status 200 OK, but the body does not match "works" (the first 1048576 bytes)`},
		"asked for":         {hangsUp(coded + bomb), "--compressed", true, "200 OK, the first 1048576 bytes"},
		"twice":             {hangsUp("HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n\r\n" + twice), "-m works", false, `status 200 OK, but the body is encoded as "gzip, gzip", which nobody asked for and which is not decoded here*`},
		"endless and empty": {repeats(coded+"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", strings.Repeat("\x00\x00\x00\xff\xff", 1000), 0), "-m works --max-size 4K", false, "status 200 OK, but after 69632 bytes of gzip the body has not ended and makes 0 bytes of text"},
		"drips":             {repeats(coded+"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "\x00\x00\x00\xff\xff", time.Millisecond), "-m works -t 300ms", false, "no answer in T: status 200 OK, read the body: *"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := check(t, serve(t, tt.host), "127.0.0.1", strings.Fields(tt.options)...)
			runtime.ReadMemStats(&after)
			judged(t, r, tt.ok, "127.0.0.1: "+tt.want)
			if used := after.TotalAlloc - before.TotalAlloc; used > 12<<20 {
				t.Errorf("%d MB were taken for it", used>>20)
			}
		})
	}
}

func TestOthersThatMisbehave(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, tt := range map[string]struct {
		host    func(net.Conn)
		options string
		want    string
	}{
		"two lengths":       {hangsUp(ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345"), "", "read the headers: http: message cannot contain multiple Content-Length headers*"},
		"chunk and length":  {hangsUp(ok + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\n12345\r\n0\r\n\r\n"), "-m 6", `status 200 OK, but the body does not match "6" (5 bytes)`},
		"huge chunk":        {hangsUp(ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"), "", "status 200 OK, read the body: 0 bytes came: http chunk length too large"},
		"endless extension": {repeats(ok+"Transfer-Encoding: chunked\r\n\r\n1;", "zzzzzzzz", 0), "", "status 200 OK, read the body: 0 bytes came: *"},
		"unknown transfer":  {hangsUp(ok + "Transfer-Encoding: gzip\r\n\r\n"), "", "read the headers: *"},
		"wrong length":      {hangsUp(ok + "Content-Length: 3\r\n\r\n12345"), "-m 5", `status 200 OK, but the body does not match "5" (3 bytes)`},
		"drips redirects":   {repeats("HTTP/1.1 302 Found\r\nLocation: /", "a", time.Millisecond), "--redirects 5 -t 300ms", "no answer in T: read the headers"},
		"no redirect":       {hangsUp("HTTP/1.1 302 Found\r\nLocation: http://a b/\r\n\r\n"), "--redirects 5", `redirected with status 302 to what is no URL of a web server: "http://a b/"`},
		"a long way":        {hangsUp("HTTP/1.1 302 Found\r\nLocation: http://nowhere" + strings.Repeat("/way", 5000) + "\r\n\r\n"), "--redirects same-host", "redirected to another host, http://nowhere" + strings.Repeat("/way", 26) + "/w... (--redirects same-host)"},
		"loses patience":    {func(c net.Conn) { io.WriteString(c, "HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n") }, "", "status 408 Timeout, want 200,301,302,401"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := check(t, serve(t, tt.host), "127.0.0.1", strings.Fields(tt.options)...)
			r.Detail = strings.ReplaceAll(r.Detail, "read the body: 1 bytes", "read the body: 0 bytes")
			judged(t, r, false, "127.0.0.1: "+tt.want)
		})
	}
}

// The time limit is one for all connections together.
func TestRedirectsShareTheTimeLimit(t *testing.T) {
	var n int
	addr := serve(t, func(c net.Conn) {
		heard(c)
		n++ // one after the other
		time.Sleep(60 * time.Millisecond)
		io.WriteString(c, "HTTP/1.1 302 Found\r\nLocation: /"+strings.Repeat("a", n)+"\r\n\r\n")
	})
	r := check(t, addr, "127.0.0.1", "--redirects", "20", "-t", "400ms")
	if !r.Failing() || !strings.Contains(r.Detail, "no answer in ") || r.Took > 5*time.Second {
		t.Errorf("%v after %v: %s", r.Cause, r.Took, r.Detail)
	}
}

// resolved is a monitor with a resolver of its own.
func resolved(t *testing.T, ask func(context.Context, string) ([]netip.Addr, error), args ...string) monitor.Monitor {
	t.Helper()
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	m := With(&resolve.Resolver{Func: ask, Limit: time.Second})(fs)
	if err := errors.Join(fs.Parse(args), m.(monitor.Validator).Validate()); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestANameWithAThousandAddresses(t *testing.T) {
	m := resolved(t, func(context.Context, string) (many []netip.Addr, err error) {
		for i := range 1000 {
			many = append(many, netip.AddrFrom4([4]byte{127, 7, byte(i / 250), byte(i%250 + 1)}))
		}
		return many, nil
	}, "-p", freePort(t))
	r := m.Check(t.Context(), monitor.Request{Hosts: []string{"many"}})
	// One address is one connection: that of the others is for other hosts.
	if !r.Failing() || !strings.HasPrefix(r.Detail, "many: connect to 127.7.0.1:") || r.Took > 10*time.Second {
		t.Errorf("%v after %v: %s", r.Cause, r.Took, r.Detail)
	}
}

func TestAResolverThatHangs(t *testing.T) {
	m := resolved(t, func(ctx context.Context, _ string) ([]netip.Addr, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}, "-t", "200ms")
	r := m.Check(t.Context(), monitor.Request{Hosts: []string{"web"}})
	if r.Cause != monitor.LocalFault || !strings.Contains(r.Detail, "web: not judged: name web has no address: the resolver has not answered yet") || r.Took > 10*time.Second {
		t.Errorf("%v after %v: %s", r.Cause, r.Took, r.Detail)
	}
}

func TestClientCertificates(t *testing.T) {
	ca := reachtest.NewCA(t, time.Now().Add(100*24*time.Hour))
	serverPair, err := tls.LoadX509KeyPair(ca.Issue(t, "web", time.Now().Add(24*time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	s, addr := site(t)
	var shown string
	s.TLS = &tls.Config{Certificates: []tls.Certificate{serverPair}, ClientAuth: tls.RequireAnyClientCert, VerifyConnection: func(c tls.ConnectionState) error {
		shown = c.PeerCertificates[0].Subject.CommonName
		return nil
	}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	cert, key := ca.Issue(t, "probe", time.Now().Add(24*time.Hour))
	r := check(t, addr, "web", "--https", "--ca", ca.File, "--cert", cert, "--key", key, "-m", "works")
	judged(t, r, true, "web: 200 OK, 8 bytes that match")
	if shown != "probe" {
		t.Errorf("the host saw %q", shown)
	}
	both := filepath.Join(t.TempDir(), "both.pem")
	a, _ := os.ReadFile(cert)
	b, _ := os.ReadFile(key)
	if err := os.WriteFile(both, append(a, b...), 0o600); err != nil {
		t.Fatal(err)
	}
	judged(t, check(t, addr, "web", "--https", "--ca", ca.File, "--cert", both), true, "web: 200 OK, 8 bytes")
	r = check(t, addr, "web", "--https", "--ca", ca.File)
	judged(t, r, false, "web: wait for the answer: tls: certificate required")
}

func TestOptionsTogether(t *testing.T) {
	for args, want := range map[string]string{
		"--http2":                              "option --http2: it needs --https",
		"--method HEAD -m x":                   "option -m: the answer to HEAD has no body",
		"--method HEAD --digest sha256":        "option --digest: the answer to HEAD has no body",
		"--host a --proxy http://p":            "options --host and --proxy: without --https a proxy sends the name that it is asked for (RFC 9112, section 3.2.2)",
		"--insecure --redirects no":            "option --insecure: it needs --tls",
		"--redirects 21":                       `invalid value "21" for flag -redirects: want no, same-host, or a number up to 20`,
		"--slow 0":                             `invalid value "0" for flag -slow: want a time above 0 and up to 86400 seconds, such as 10, 0.5 or 500ms`,
		"--insecure --redirects 1":             "",
		"--host a --https --proxy http://p":    "",
		"--method HEAD --same-as-others":       "option --same-as-others: the answer to HEAD has no body",
		"--method HEAD --max-age 1h --https":   "",
		"--cert-warn 9 --redirects same-host ": "",
	} {
		_, err := configure(strings.Fields(args)...)
		if got := errText(err); got != want {
			t.Errorf("%s: %s\nwant %s", args, got, want)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
