package httpmon

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// weighing is a server that says what weight it wants.
func weighing(t *testing.T) netip.AddrPort {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Weight", r.URL.Query().Get("w"))
		if r.URL.Path == "/dead" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintf(w, "host %s weight %s", r.Host, r.URL.Query().Get("w"))
	}))
	t.Cleanup(s.Close)
	return netip.MustParseAddrPort(s.Listener.Addr().String())
}

func TestWeights(t *testing.T) {
	addr := weighing(t)
	for name, tt := range map[string]struct {
		options string
		ok      bool
		warn    string
		weight  any
	}{
		"header":        {"-u /?w=12 --weight-header X-Weight", true, "", 12.0},
		"body":          {`-u /?w=30 --weight-match weight\s(\d+)`, true, "", 30.0},
		"wrong":         {"-u /?w=many --weight-header X-Weight", true, `no weight: the header X-Weight is "many"`, nil},
		"dead":          {"-u /dead?w=12 --weight-header X-Weight", false, "", nil},
		"HEAD, header":  {"-u /?w=12 --weight-header X-Weight --method HEAD", true, "", 12.0},
		"not asked for": {"-u /?w=12", true, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, addr, "127.0.0.1", strings.Fields(tt.options)...)
			if r.Blind() || r.Failing() == tt.ok || r.Warn != (tt.warn != "") || !strings.Contains(r.Detail, tt.warn) {
				t.Errorf("%v, exit %d, warn %v: %s", r.Cause, r.Exit, r.Warn, r.Detail)
			}
			var got any
			if w, ok := r.Hosts[0].Perf["weight"]; ok {
				got = w
			}
			if d := cmp.Diff(tt.weight, got); d != "" {
				t.Error(d)
			}
		})
	}
	if _, err := configure("--method", "HEAD", "--weight-body"); err == nil {
		t.Error("a weight is looked for where no body comes")
	}
}

// TestTo goes elsewhere, and asks for the host all the same.
func TestTo(t *testing.T) {
	addr := weighing(t)
	to := "--to=" + addr.String()
	for name, tt := range map[string]struct {
		host    string
		options string
		want    string // a part of the detail
	}{
		"host header":  {"nobody.example", to + " -m ^host.nobody.example:8080.", "that match"},
		"address":      {"192.0.2.1", to + " -m ^host.192.0.2.1:8080.", "that match"},
		"chosen":       {"192.0.2.1", to + " --host www.example.com -m ^host.www.example.com.", "that match"},
		"usual port":   {"nobody.example", to + " -p 80 -m ^host.nobody.example.weight", "that match"},
		"address only": {"nobody.example", "--to=127.0.0.1 -p " + fmt.Sprint(addr.Port()) + " -m weight", "that match"},
		"no one there": {"127.0.0.1", "--to=127.0.0.1:1", "connect to 127.0.0.1:1: connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, netip.AddrPortFrom(addr.Addr(), 8080), tt.host, strings.Fields(tt.options)...)
			if !strings.Contains(r.Detail, tt.want) || r.Blind() || !strings.HasPrefix(r.Detail, tt.host+":") {
				t.Errorf("%v: %s", r.Cause, r.Detail)
			}
		})
	}
	if _, err := configure("--to", "127.0.0.1", "--proxy", "http://127.0.0.1:1"); err == nil {
		t.Error("--to and --proxy are taken together")
	}
}

// TestRedirectElsewhere follows a redirect from a host that is looked at at
// another place: the one that it leads to is looked at at its own.
func TestRedirectElsewhere(t *testing.T) {
	there := weighing(t)
	first := httptest.NewServer(http.RedirectHandler("http://other:"+fmt.Sprint(there.Port())+"/", http.StatusFound))
	t.Cleanup(first.Close)
	r := check(t, netip.MustParseAddrPort("127.0.0.1:80"), "nobody.example", "--to", first.Listener.Addr().String(), "--redirects", "1", "-t", "5")
	// other is 127.0.0.2, where nobody listens
	if want := fmt.Sprintf("connect to 127.0.0.2:%d: connection refused", there.Port()); !strings.Contains(r.Detail, want) {
		t.Errorf("%v: %s, want %s", r.Cause, r.Detail, want)
	}
}
