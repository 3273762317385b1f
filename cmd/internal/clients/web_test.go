package clients

import (
	"bytes"
	"log"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// web serves mon.cgi and monshow.cgi for a daemon, as a web server would, and
// is its address.
func web(t *testing.T, d *daemons.Daemon) string {
	t.Helper()
	dir := t.TempDir()
	host, port, _ := strings.Cut(d.Address, ":")
	put(t, filepath.Join(dir, "mon.cgi.cf"), monCGIConfig(t, host, port))
	put(t, filepath.Join(dir, "mon.cgi"), monCGI(t, filepath.Join(dir, "mon.cgi.cf")))
	put(t, filepath.Join(dir, ".monshowrc"), "set host "+host+"\nset port "+port+"\nset full\nset show-disabled\nset html-header\n<p>our head</p>\nEND\n")
	modules, err := filepath.Abs("testdata/perl")
	if err != nil {
		t.Fatal(err)
	}
	var errs lockedBuffer
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the scripts said:\n%s", errs.String())
		}
	})
	mux := http.NewServeMux()
	script := func(root string, args ...string) {
		handler := &cgi.Handler{
			Path: "/usr/bin/perl", Args: append([]string{"-T", "-I" + modules, "-MOldCGI"}, args...), Root: root, Dir: dir,
			Env: []string{"PATH=/usr/bin:/bin", "TZ=UTC", "LC_ALL=C"}, Stderr: &errs,
			Logger: log.New(&errs, "", 0), // mon.cgi prints its login form in front of the header when a login fails
		}
		mux.Handle(root, handler)
		mux.Handle(root+"/", handler)
	}
	script("/mon.cgi", filepath.Join(dir, "mon.cgi"))
	script("/monshow.cgi", "/usr/lib/cgi-bin/monshow.cgi")
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// monCGI is mon.cgi, told where its configuration is as its manual says: in
// its text.
func monCGI(t *testing.T, config string) string {
	t.Helper()
	text, err := os.ReadFile("/usr/lib/cgi-bin/mon.cgi")
	if err != nil {
		t.Fatal(err)
	}
	const from = `$moncgi_config_file = "";`
	if !bytes.Contains(text, []byte(from)) {
		t.Fatal("mon.cgi does not have the line that names its configuration")
	}
	return strings.Replace(string(text), from, `$moncgi_config_file = "`+config+`";`, 1)
}

// monCGIConfig is the example that comes with mon.cgi, for this daemon and
// without the logo, which takes the place of the choice of views.
func monCGIConfig(t *testing.T, host, port string) string {
	t.Helper()
	text, err := os.ReadFile("/usr/share/doc/mon/examples/mon.cgi.cf")
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`monhost`: "monhost = " + host, `monport`: "monport = " + port, `logo`: "", `logo_link`: "", `reload_time`: "reload_time = 3600",
	} {
		text = regexp.MustCompile(`(?m)^`+from+`\s*=.*$`).ReplaceAll(text, []byte(to))
	}
	return string(text)
}

// put writes a file.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// lockedBuffer is a buffer that several scripts write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
