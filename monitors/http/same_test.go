package httpmon

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/monitors/http/judge"
	"github.com/mondhq/mond/plugins/monitor"
)

func TestSameAsOthers(t *testing.T) {
	var pages map[string]string // by the last figure of the address
	s, port := anywhere(t, func(w http.ResponseWriter, r *http.Request) {
		page := pages[strings.TrimPrefix(met(r), "127.0.0.")]
		if page == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, page)
	})
	s.Start()
	for name, tt := range map[string]struct {
		pages   string
		options string
		failed  string // last figures
		warned  string
	}{
		"all the same":             {"a a a a", "", "", ""},
		"one is stale":             {"a a b a", "", "3", ""},
		"two of five":              {"a b a b a", "", "2 4", ""},
		"one host":                 {"a", "", "", ""},
		"two differ":               {"a b", "", "", "1 2"},
		"a tie":                    {"a a b b", "", "", "1 2 3 4"},
		"all differ":               {"a b c", "", "", "1 2 3"},
		"no majority":              {"a a b c", "", "", "1 2 3 4"},
		"the dead have no vote":    {"a b - a", "", "2 3", ""},
		"the dead do not make two": {"a b -", "", "3", "1 2"},
		"all dead":                 {"- - -", "", "1 2 3", ""},
		"a part":                   {"v1,x v1,y v2,z", "--same-part v\\d", "3", ""},
		"not the other part":       {"v1,x v1,y v1,z", "--same-part v\\d", "", ""},
		"no such part":             {"v1 v1 x v1", "--same-part v\\d", "3", ""},
		"json":                     {`{"v":1,"t":7} {"v":1,"t":8} {"t":9,"v":2} {"t":9,"v":1}`, "--json $.v", "3", ""},
		"who does not match":       {"a1 a2 b3", "-m a --same-part ^.", "3", ""},
	} {
		t.Run(name, func(t *testing.T) {
			pages = map[string]string{}
			var hosts []string
			for i, page := range strings.Fields(tt.pages) {
				hosts = append(hosts, fmt.Sprintf("127.0.0.%d", i+1))
				pages[fmt.Sprint(i+1)] = strings.TrimPrefix(page, "-")
			}
			m, err := configure(append([]string{"-p", port, "--same-as-others"}, strings.Fields(tt.options)...)...)
			if err != nil {
				t.Fatal(err)
			}
			r := m.Check(t.Context(), monitor.Request{Hosts: hosts})
			var failed, warned []string
			for _, h := range r.Hosts {
				last := strings.TrimPrefix(h.Name, "127.0.0.")
				switch {
				case !h.OK:
					failed = append(failed, last)
				case strings.HasPrefix(h.Detail, "warning: "):
					warned = append(warned, last)
				}
			}
			if got := strings.Join(failed, " "); got != tt.failed || r.Failing() != (tt.failed != "") {
				t.Errorf("failed: %q, want %q\n%s", got, tt.failed, r.Detail)
			}
			if got := strings.Join(warned, " "); got != tt.warned || r.Warn != (tt.warned != "" && tt.failed == "") {
				t.Errorf("warned: %q, want %q\n%s", got, tt.warned, r.Detail)
			}
		})
	}
}

func TestWhatSameAsOthersSays(t *testing.T) {
	s, port := anywhere(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, map[bool]string{true: "old", false: "new"}[met(r) == "127.0.0.2"])
	})
	s.Start()
	m, err := configure("-p", port, "--same-as-others")
	if err != nil {
		t.Fatal(err)
	}
	r := m.Check(t.Context(), monitor.Request{Hosts: []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}})
	want := "127.0.0.2: the page is not that of 2 of the 3 hosts (--same-as-others): digest cba06b5736fa, theirs 11507a0e2f5e"
	if got, _, _ := strings.Cut(untimed(r.Detail), " (T)"); got != want || r.Summary != "127.0.0.2" {
		t.Errorf("%s\n%s\nwant %s", r.Summary, got, want)
	}
	m, err = configure("-p", port, "--same-as-others", "--slow", "0.000001")
	if err != nil {
		t.Fatal(err)
	}
	r = m.Check(t.Context(), monitor.Request{Hosts: []string{"127.0.0.1", "127.0.0.2"}})
	for _, want := range []string{"2 hosts have 2 different pages and no majority tells which is right (--same-as-others): digest cba06b5736fa; it took ", "200 OK, 3 bytes"} {
		if !r.Warn || !strings.Contains(r.Detail, want) {
			t.Errorf("%s\nlacks %s", r.Detail, want)
		}
	}
}

// A vote never takes out as many hosts as it leaves, whatever they say.
func TestAVoteLeavesMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		said := rapid.SliceOfN(rapid.ByteRange(0, 3), 0, 12).Draw(t, "said")
		p := &poll{}
		hosts := make([]string, len(said))
		for i, b := range said {
			hosts[i] = fmt.Sprint(i)
			if b > 0 { // 0 did not answer
				p.vote(hosts[i], judge.Digest{b})
			}
		}
		errs := make([]error, len(hosts))
		p.settle(hosts, errs)
		failed, warned := 0, 0
		for _, err := range errs {
			switch {
			case monitor.Warns(err):
				warned++
			case err != nil:
				failed++
			}
		}
		voters := len(p.votes)
		same := len(slices.Compact(slices.Sorted(func(yield func(byte) bool) {
			for d := range maps.Values(p.votes) {
				if !yield(d[0]) {
					return
				}
			}
		}))) <= 1
		switch {
		case failed > 0 && (2*failed >= voters || warned > 0 || voters < enough):
			t.Errorf("%d of %d failed, %d warned", failed, voters, warned)
		case same && failed+warned > 0, !same && failed+warned == 0:
			t.Errorf("same %v: %d failed, %d warned", same, failed, warned)
		case warned > 0 && warned != voters:
			t.Errorf("%d of %d warned", warned, voters)
		}
	})
}
