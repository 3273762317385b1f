package httpmon

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach/reachtest"
	"github.com/mondhq/mond/plugins/monitor"
)

// nginx is Debian's nginx with a configuration of ours.
type nginx struct {
	Dir, User          string
	Plain, TLS, Mutual string // ports; those of TLS with HTTP/2, of Mutual with client certificates
	Cert, Key, CA      string
	cmd                *exec.Cmd
	ca                 *reachtest.CA
}

// four servers of one page, of which the last was forgotten.
var nginxConf = template.Must(template.New("").Parse(`{{.User}}
daemon off;
pid {{.Dir}}/pid;
error_log stderr notice;
worker_processes 1;
events { worker_connections 4096; }
http {
	access_log off;
	client_body_temp_path {{.Dir}}/body; proxy_temp_path {{.Dir}}/proxy; fastcgi_temp_path {{.Dir}}/fastcgi;
	uwsgi_temp_path {{.Dir}}/uwsgi; scgi_temp_path {{.Dir}}/scgi;
	types { text/html html; application/json json; }
	default_type text/plain;
	ssl_certificate {{.Cert}};
	ssl_certificate_key {{.Key}};
	server {
		listen 127.0.0.1:{{.Plain}} backlog=4096;
		listen 127.0.0.2:{{.Plain}};
		listen 127.0.0.3:{{.Plain}};
		listen 127.0.0.1:{{.TLS}} ssl http2;
		root {{.Dir}}/new;
		location /gz/ { alias {{.Dir}}/new/; gzip on; gzip_min_length 1; gzip_types *; }
		location /secret/ { alias {{.Dir}}/new/; auth_basic "secret"; auth_basic_user_file {{.Dir}}/passwords; }
		location /moved { return 301 /index.html; }
		location /away { return 302 http://other:{{.Plain}}/index.html; }
		location /round { return 302 /round; }
		location /secure { return 301 https://$host:{{.TLS}}/index.html; }
		location /post { if ($request_method != POST) { return 405; } return 200 "posted $content_type $content_length"; }
		location /broken { return 503; }
		location /header { return 200 "$http_x_probe"; }
	}
	server { listen 127.0.0.4:{{.Plain}}; root {{.Dir}}/old; }
	server {
		listen 127.0.0.1:{{.Mutual}} ssl;
		ssl_client_certificate {{.CA}};
		ssl_verify_client on;
		root {{.Dir}}/new;
	}
}
`))

// startNginx starts it, with a certificate that ends after some days.
func startNginx(t testing.TB) *nginx {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx"
		_, err = os.Stat(program)
	}
	if err != nil {
		missing(t, "nginx-light")
	}
	n := &nginx{Dir: t.TempDir()}
	if os.Geteuid() == 0 {
		n.User = "user root;" // or the workers cannot enter the test's folder
	}
	n.ca = reachtest.NewCA(t, time.Now().Add(1000*24*time.Hour))
	n.CA = n.ca.File
	n.Cert, n.Key = n.ca.Issue(t, "web", time.Now().Add(20*24*time.Hour+time.Hour))
	n.put(t, "new/index.html", "<h1>it works</h1>\n<!-- version 2 -->\n"+strings.Repeat("lorem ipsum ", 100))
	n.put(t, "old/index.html", "<h1>it works</h1>\n<!-- version 1 -->\n"+strings.Repeat("lorem ipsum ", 100))
	n.put(t, "new/health.json", `{"status":"UP","checks":[{"name":"db","ok":true}]}`)
	n.put(t, "passwords", "probe:{PLAIN}s3cret\n")
	for range 5 {
		if err = n.start(t, program); err == nil {
			return n
		}
	}
	t.Fatal(err)
	return nil
}

// missing skips a test for want of a Debian package, or fails it where nothing
// may be skipped.
func missing(t testing.TB, pkg string) {
	t.Helper()
	if os.Getenv("MOND_NOSKIP") == "1" {
		t.Fatalf("the package %s is not installed", pkg)
	}
	t.Skipf("the package %s is not installed", pkg)
}

func (n *nginx) put(t testing.TB, name, text string) {
	t.Helper()
	path := filepath.Join(n.Dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// start tries it once, at ports that were free just now.
func (n *nginx) start(t testing.TB, program string) error {
	n.Plain, n.TLS, n.Mutual = freePort(t), freePort(t), freePort(t)
	var conf strings.Builder
	if err := nginxConf.Execute(&conf, n); err != nil {
		return err
	}
	n.put(t, "nginx.conf", conf.String())
	n.cmd = exec.Command(program, "-p", n.Dir, "-e", "stderr", "-c", filepath.Join(n.Dir, "nginx.conf"))
	stderr, err := n.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := n.cmd.Start(); err != nil {
		return err
	}
	var said strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if strings.Contains(lines.Text(), "start worker process ") {
			drained := make(chan struct{})
			go func() { _, _ = io.Copy(io.Discard, stderr); close(drained) }()
			t.Cleanup(func() { _ = n.cmd.Process.Signal(syscall.SIGTERM); <-drained; _ = n.cmd.Wait() })
			return nil
		}
		said.WriteString(lines.Text() + "\n")
	}
	return fmt.Errorf("nginx: %v\n%s", n.cmd.Wait(), &said)
}

// freePort is a port that is free on 127.0.0.1 now, and on the others most
// likely.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// expand puts the ports and files into a command line.
func (n *nginx) expand(args string) []string {
	return strings.Fields(strings.NewReplacer("PLAINPORT", n.Plain, "TLSPORT", n.TLS, "MUTUALPORT", n.Mutual, "CAFILE", n.CA).Replace(args))
}

func TestNginx(t *testing.T) {
	n := startNginx(t)
	cert, key := n.ca.Issue(t, "probe", time.Now().Add(24*time.Hour))
	password := filepath.Join(n.Dir, "password")
	n.put(t, "password", "s3cret\n")
	if err := os.Chmod(password, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args string
		host string
		ok   bool
		want string
	}{
		"page":            {"-p PLAINPORT -m works", "web", true, "200 OK, 1237 bytes that match"},
		"not the page":    {"-p PLAINPORT --not-match works", "web", false, `status 200 OK, but the body matches "works": "works" (1237 bytes)`},
		"HEAD":            {"-p PLAINPORT --method HEAD", "web", true, "200 OK, 0 bytes"},
		"POST":            {"-p PLAINPORT -u /post --method POST --body a=b -m ^posted.application/x-www-form-urlencoded.3$", "web", true, "200 OK, 42 bytes that match"},
		"not POST":        {"-p PLAINPORT -u /post", "web", false, "status 405 Not Allowed, want 200,301,302,401"},
		"header":          {"-p PLAINPORT -u /header --header X-Probe:yes -m ^yes$", "web", true, "200 OK, 3 bytes that match"},
		"json":            {"-p PLAINPORT -u /health.json --json $.status=UP --json $.checks[*].ok=true", "web", true, `200 OK, 50 bytes, $.status is "UP", $.checks[*].ok is true`},
		"json wrong":      {"-p PLAINPORT -u /health.json --json $.status=DOWN", "web", false, `status 200 OK, but $.status is "UP", want DOWN (50 bytes)`},
		"broken":          {"-p PLAINPORT -u /broken", "web", false, "status 503 Service Temporarily Unavailable, want 200,301,302,401"},
		"missing":         {"-p PLAINPORT -u /missing", "web", false, "status 404 Not Found, want 200,301,302,401"},
		"young enough":    {"-p PLAINPORT --max-age 1h", "web", true, "200 OK, 1237 bytes"},
		"compressed":      {"-p PLAINPORT -u /gz/index.html --compressed -m works", "web", true, "200 OK, 1237 bytes that match"},
		"not compressed":  {"-p PLAINPORT -u /gz/index.html -m works", "web", true, "200 OK, 1237 bytes that match"},
		"whole, packed":   {"-p PLAINPORT -u /gz/index.html --compressed", "web", true, "200 OK, 1237 bytes"},
		"no password":     {"-p PLAINPORT -u /secret/index.html", "web", true, "401 Unauthorized, *"},
		"basic":           {"-p PLAINPORT -u /secret/index.html --status 200 --user probe:s3cret", "web", true, "200 OK, 1237 bytes"},
		"basic, file":     {"-p PLAINPORT -u /secret/index.html --status 200 --user probe --password-file " + password, "web", true, "200 OK, 1237 bytes"},
		"basic, wrong":    {"-p PLAINPORT -u /secret/index.html --status 200 --user probe:wrong", "web", false, "status 401 Unauthorized, want 200"},
		"redirect":        {"-p PLAINPORT -u /moved", "web", true, "301 Moved Permanently, *"},
		"follow":          {"-p PLAINPORT -u /moved --redirects 1 -m works", "web", true, "200 OK, 1237 bytes that match at http://web:PLAINPORT/index.html"},
		"round":           {"-p PLAINPORT -u /round --redirects 9", "web", false, "redirected in a circle: http://web:PLAINPORT/round leads back to http://web:PLAINPORT/round"},
		"away":            {"-p PLAINPORT -u /away --redirects same-host", "web", false, "redirected to another host, http://other:PLAINPORT/index.html (--redirects same-host)"},
		"away with it":    {"-p PLAINPORT -u /away --redirects 2", "web", true, "200 OK, 1237 bytes at http://other:PLAINPORT/index.html"},
		"to TLS":          {"-p PLAINPORT -u /secure --redirects same-host --ca CAFILE", "web", true, "200 OK, 1237 bytes at https://web:TLSPORT/index.html"},
		"TLS":             {"-p TLSPORT --https --ca CAFILE -m works", "web", true, "200 OK, 1237 bytes that match"},
		"HTTP/2":          {"-p TLSPORT --https --http2 --ca CAFILE -m works", "web", true, "200 OK, 1237 bytes that match"},
		"HTTP/2 POST":     {"-p TLSPORT --https --http2 --ca CAFILE -u /post --method POST --body a=b -m ^posted.application/x-www-form-urlencoded.3$", "web", true, "200 OK, 42 bytes that match"},
		"HTTP/2 packed":   {"-p TLSPORT --https --http2 --ca CAFILE -u /gz/index.html --compressed -m works", "web", true, "200 OK, 1237 bytes that match"},
		"HTTP/2 status":   {"-p TLSPORT --https --http2 --ca CAFILE -u /broken", "web", false, "status 503 Service Unavailable, want 200,301,302,401"},
		"HTTP/2 HEAD":     {"-p TLSPORT --https --http2 --ca CAFILE --method HEAD", "web", true, "200 OK, 0 bytes"},
		"HTTP/2 redirect": {"-p TLSPORT --https --http2 --ca CAFILE -u /moved --redirects 1", "web", true, "200 OK, 1237 bytes at https://web:TLSPORT/index.html"},
		"no HTTP/2":       {"-p MUTUALPORT --https --http2 --ca CAFILE", "web", false, "the host does not offer HTTP/2 (ALPN h2)"},
		"no certificate":  {"-p MUTUALPORT --https --ca CAFILE", "web", false, "status 400 Bad Request, want 200,301,302,401"},
		"a certificate":   {"-p MUTUALPORT --https --ca CAFILE --cert " + cert + " --key " + key, "web", true, "200 OK, 1237 bytes"},
		"long enough":     {"-p TLSPORT --https --ca CAFILE --cert-warn 20 --cert-fail 7", "web", true, "200 OK, 1237 bytes"},
		"ends too soon":   {"-p TLSPORT --https --ca CAFILE --cert-fail 21", "web", false, `the certificate of "web" ends in 20 days, on DATE (--cert-fail 21)`},
		"of someone else": {"-p TLSPORT --https --ca CAFILE", "other", false, "connect to 127.0.0.2:TLSPORT: connection refused"},
		"TLS to plain":    {"-p TLSPORT", "web", false, "status 400 Bad Request, want 200,301,302,401"},
		"plain to TLS":    {"-p PLAINPORT --https", "web", false, "TLS handshake as web: the port does not speak TLS: tls: first record does not look like a TLS handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := configure(n.expand(tt.args)...)
			if err != nil {
				t.Fatal(err)
			}
			r := m.Check(t.Context(), monitor.Request{Hosts: []string{tt.host}})
			want := strings.Join(n.expand(tt.want), " ")
			want = strings.ReplaceAll(want, "DATE", time.Now().Add(20*24*time.Hour+time.Hour).UTC().Format(time.DateOnly))
			judged(t, r, tt.ok, tt.host+": "+want)
			if strings.Contains(r.Output(), "s3cret") {
				t.Errorf("the password is told: %s", r.Output())
			}
		})
	}
}

func TestNginxWarns(t *testing.T) {
	n := startNginx(t)
	n.put(t, "password", "s3cret\n")
	for args, want := range map[string]string{
		"-p TLSPORT --https --ca CAFILE --cert-warn 21":         `web: warning: the certificate of "web" ends in 20 days, on `,
		"-p TLSPORT --https --http2 --ca CAFILE --cert-warn 30": `web: warning: the certificate of "web" ends in 20 days, on `,
		"-p PLAINPORT --slow 1us":                               "web: warning: it took ",
		"-p PLAINPORT -u /secret/index.html --status 200 --user probe --password-file " + n.Dir + "/password": "web: warning: everybody can read the secret in ",
	} {
		m, err := configure(n.expand(args)...)
		if err != nil {
			t.Fatal(err)
		}
		r := m.Check(t.Context(), monitor.Request{Hosts: []string{"web"}})
		if r.Failing() || !r.Warn || !strings.HasPrefix(r.Detail, want) || !strings.Contains(r.Detail, "; 200 OK, 1237 bytes") {
			t.Errorf("%s: %v %s", args, r.Cause, r.Output())
		}
		if perf := r.Hosts[0].Perf; perf["size_bytes"] != 1237 || perf["first_byte_ms"] <= 0 || strings.Contains(args, "cert") && (perf["cert_days"] < 20 || perf["cert_days"] > 21) {
			t.Errorf("%s: %v", args, perf)
		}
	}
}

func TestNginxOneIsStale(t *testing.T) {
	n := startNginx(t)
	hosts := []string{"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"}
	for args, want := range map[string]string{
		"-p PLAINPORT":                  "",
		"-p PLAINPORT --same-as-others": "127.0.0.4",
		"-p PLAINPORT --same-as-others --same-part <!--.version.(\\d+)": "127.0.0.4",
		"-p PLAINPORT --same-as-others --same-part <h1>.*</h1>":         "",
	} {
		m, err := configure(n.expand(args)...)
		if err != nil {
			t.Fatal(err)
		}
		r := m.Check(t.Context(), monitor.Request{Hosts: hosts})
		if r.Blind() || r.Summary != want || r.Warn {
			t.Errorf("%s: %s", args, r.Output())
		}
	}
}

// The monitoring plugins' check_http is asked the same. Where it differs on
// purpose the table says why.
func TestAsCheckHTTP(t *testing.T) {
	const program = "/usr/lib/nagios/plugins/check_http"
	if _, err := os.Stat(program); err != nil {
		missing(t, "monitoring-plugins-basic")
	}
	n := startNginx(t)
	const well, warns, fails = 0, 1, 2
	for name, tt := range map[string]struct {
		theirs, ours string
		// verdict is that of both, unless differs says why not; then it is ours.
		verdict int
		differs string
	}{
		"page":          {"-p PLAINPORT", "-p PLAINPORT", well, ""},
		"string":        {"-p PLAINPORT -s works", "-p PLAINPORT -m works", well, ""},
		"no string":     {"-p PLAINPORT -s broken", "-p PLAINPORT -m broken", fails, ""},
		"regexp":        {"-p PLAINPORT -r w.rks", "-p PLAINPORT -m w.rks", well, ""},
		"not regexp":    {"-p PLAINPORT -r works --invert-regex", "-p PLAINPORT --not-match works", fails, ""},
		"broken":        {"-p PLAINPORT -u /broken", "-p PLAINPORT -u /broken", fails, ""},
		"status":        {"-p PLAINPORT -u /broken -e 503", "-p PLAINPORT -u /broken --status 503", well, ""},
		"other status":  {"-p PLAINPORT -e 204", "-p PLAINPORT --status 204", fails, ""},
		"missing":       {"-p PLAINPORT -u /missing", "-p PLAINPORT -u /missing", fails, "a missing page is a failure, as it is for mon"},
		"redirect":      {"-p PLAINPORT -u /moved", "-p PLAINPORT -u /moved", well, ""},
		"followed":      {"-p PLAINPORT -u /moved -f follow -s works", "-p PLAINPORT -u /moved --redirects 5 -m works", well, ""},
		"password":      {"-p PLAINPORT -u /secret/index.html -a probe:s3cret -e 200", "-p PLAINPORT -u /secret/index.html --user probe:s3cret --status 200", well, ""},
		"bad password":  {"-p PLAINPORT -u /secret/index.html -a probe:x -e 200", "-p PLAINPORT -u /secret/index.html --user probe:x --status 200", fails, ""},
		"POST":          {"-p PLAINPORT -u /post -P a=b", "-p PLAINPORT -u /post --method POST --body a=b", well, ""},
		"header":        {"-p PLAINPORT -u /header -k X-Probe:yes -s yes", "-p PLAINPORT -u /header --header X-Probe:yes -m yes", well, ""},
		"TLS":           {"-p TLSPORT -S", "-p TLSPORT --https --ca CAFILE", well, ""},
		"not TLS":       {"-p PLAINPORT -S", "-p PLAINPORT --https --insecure", fails, ""},
		"certificate":   {"-p TLSPORT -S -C 15,7", "-p TLSPORT --https --ca CAFILE --cert-warn 15 --cert-fail 7", well, ""},
		"ends soon":     {"-p TLSPORT -S -C 30,7", "-p TLSPORT --https --ca CAFILE --cert-warn 30 --cert-fail 7", warns, ""},
		"ends too soon": {"-p TLSPORT -S -C 40,30", "-p TLSPORT --https --ca CAFILE --cert-warn 40 --cert-fail 30", fails, ""},
		"slow":          {"-p PLAINPORT -w 0.0000001", "-p PLAINPORT --slow 0.0000001", warns, ""},
		"closed":        {"-p 1", "-p 1", fails, ""},
		"age":           {"-p PLAINPORT -M 1h", "-p PLAINPORT --max-age 1h", well, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := configure(n.expand(tt.ours)...)
			if err != nil {
				t.Fatal(err)
			}
			r := m.Check(t.Context(), monitor.Request{Hosts: []string{"127.0.0.1"}})
			got := map[bool]int{true: fails, false: well}[r.Failing()]
			if r.Warn {
				got = warns
			}
			if r.Blind() || got != tt.verdict {
				t.Errorf("ours is %d, want %d: %s", got, tt.verdict, r.Output())
			}
			cmd := exec.CommandContext(t.Context(), program, append([]string{"-I", "127.0.0.1", "-t", "5"}, n.expand(tt.theirs)...)...)
			out, err := cmd.CombinedOutput()
			if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
				t.Fatal(err)
			}
			if same := cmd.ProcessState.ExitCode() == got; same == (tt.differs != "") {
				t.Errorf("ours is %d, theirs %d (%q): %s", got, cmd.ProcessState.ExitCode(), tt.differs, out)
			}
		})
	}
}
