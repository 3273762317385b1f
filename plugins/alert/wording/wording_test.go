package wording

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/alert"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func request() alert.Request {
	return alert.Request{
		ID: "web:http:17", Group: "web", Service: "http", Kind: alert.Failure, Hosts: []string{"web1", "web2"},
		Summary: "web2", Output: "web2\nweb2: connection refused\n", Exit: 3,
		At:  time.Date(2026, 11, 3, 9, 5, 7, 123456789, time.UTC),
		Env: map[string]string{"MON_DESCRIPTION": "the shop", "MON_FIRST_FAILURE": "1700000000", "KEY": "<&\"'>"},
	}
}

func TestSummaryAndDetail(t *testing.T) {
	rows := []struct {
		name            string
		r               alert.Request
		summary, detail string
	}{
		{"as usual", alert.Request{Summary: "a", Output: "a\nb\nc\n"}, "a", "b\nc"},
		{"no summary", alert.Request{Output: "a\nb\n"}, "a", "b"},
		{"another summary", alert.Request{Summary: "x", Output: "a\nb\n"}, "x", "a\nb"},
		{"nothing", alert.Request{}, "", ""},
		{"line ends", alert.Request{Output: "a\r\nb\r\n"}, "a", "b"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if d := cmp.Diff([]string{r.summary, r.detail}, []string{Summary(r.r), Detail(r.r)}); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	for n := range 10 {
		if got, ok := ParseStatus(Status(n)); !ok || got != n {
			t.Errorf("%d is %q is %d", n, Status(n), got)
		}
	}
	if Status(-1) != "-1" || Status(10) != "10" {
		t.Error("a number without a word is not itself")
	}
	for _, bad := range []string{"", "10", "-1", "failed", "OK"} {
		if _, ok := ParseStatus(bad); ok {
			t.Errorf("%q is a status", bad)
		}
	}
}

// TestJSON holds the form that receivers rely on: change it with Version only.
func TestJSON(t *testing.T) {
	n := Of(request())
	n.At, n.Since = n.At.UTC(), n.Since.UTC()
	want := `{"version":1,"id":"web:http:17","kind":"failure","heading":"ALERT","group":"web","service":"http","description":"the shop",` +
		`"status":"fail","opstatus":0,"exit":3,"hosts":["web1","web2"],"summary":"web2","detail":"web2: connection refused","ack":"",` +
		`"at":"2026-11-03T09:05:07.123Z","since":"2023-11-14T22:13:20Z","repeated":false,"late":false}`
	if d := cmp.Diff(want, string(n.JSON())); d != "" {
		t.Error(d)
	}
	var back Notice
	check(t, json.Unmarshal(Of(alert.Request{}).JSON(), &back))
	n.At = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
	check(t, json.Unmarshal(n.JSON(), &back))
	r := request()
	r.Output = strings.Repeat("\x00", 1<<20)
	if b := Of(r).JSON(); len(b) > MaxOutput || !json.Valid(b) {
		t.Errorf("%d bytes, valid %v", len(b), json.Valid(b))
	}
}

func TestRender(t *testing.T) {
	rows := []struct{ name, template, want string }{
		{"fields", "{{.Heading}} {{.Group}}/{{.Service}}: {{.Summary}} {{.OpStatus}} {{.Status}} {{.Exit}} {{.Kind}}", "ALERT web/http: web2 0 fail 3 failure"},
		{"pipe", "{{.Summary | upper | json}}", `"WEB2"`},
		{"json of a list", "{{json .Hosts}}", `["web1","web2"]`},
		{"json keeps signs", `{{json .Env.KEY}}`, `"<&\"'>"`},
		{"default of nothing", `{{.Ack | default "nobody"}} {{.Env.NONE | default "none"}} {{.Description | default "x"}}`, "nobody none the shop"},
		{"join", `{{join ", " .Hosts}}`, "web1, web2"},
		{"time", `{{.At | utc | date "2006-01-02 15:04"}} {{unix .At}} {{.At | utc | rfc3339}}`, "2026-11-03 09:05 1793696707 2026-11-03T09:05:07Z"},
		{"line", "{{line .Output}}|{{cut 5 .Detail}}", "web2|we..."},
		{"replace", `{{replace "web" "w" .Summary}} {{contains "b2" .Summary}} {{trim " a "}} {{lower "A"}}{{oneline "a\nb"}}`, "w2 true a aa b"},
		{"range", `{{range $i, $h := .Hosts}}{{if $i}}, {{end}}{{$h}}{{else}}none{{end}}`, "web1, web2"},
		{"break", `{{range .Hosts}}{{.}}{{break}}{{end}}`, "web1"},
		{"define", `{{define "x"}}<{{.}}>{{end}}{{template "x" .Group}}`, "<web>"},
		{"methods", `{{.Failing}} {{.Up}} {{.Var "a"}}`, "true false 1"},
		{"print", `{{print 1 "a"}} {{printf "%-5s|%05.1f" "a" 1.25}} {{html "<"}} {{urlquery "a b"}} {{js "'"}}`, "1a a    |001.2 &lt; a+b \\'"},
		{"since", `{{if not .Since.IsZero}}{{unix .Since}}{{end}}`, "1700000000"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			var text Text
			check(t, text.Set(r.template))
			got, err := text.Render(t.Context(), Of(request()).With(map[string]string{"a": "1"}))
			check(t, err)
			if d := cmp.Diff(r.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestFaultsHaveTheirPosition(t *testing.T) {
	rows := []struct {
		name, template, want string
		parsed               bool // the fault shows in a trial
	}{
		{"empty", "", "not empty", false},
		{"open", "a\n{{.Group", "text:2: unclosed action", false},
		{"no function", "\n\n{{shell .Group}}", `text:3: function "shell" not defined`, false},
		{"no end", "{{if .Late}}", "text:1: unexpected EOF", false},
		{"no field", "{{.Grupe}}", "text:1:2: executing \"text\" at <.Grupe>: can't evaluate field Grupe", true},
		{"no variable", `{{.Var "x"}}`, `the variable "x" is not set`, true},
		{"bad cut", `{{cut 1 .Group}}`, "3 characters", true},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			var text Text
			err := text.Set(r.template)
			if r.parsed {
				check(t, err)
				err = text.Trial()
			}
			if err == nil || !strings.Contains(err.Error(), r.want) || strings.Contains(err.Error(), "template: text") {
				t.Errorf("error is %v, want %q", err, r.want)
			}
		})
	}
}

// TestNoTemplateHoldsUp tries what takes for ever, or all memory.
func TestNoTemplateHoldsUp(t *testing.T) {
	rows := []struct{ name, template string }{
		{"a loop", "{{range 1000000000000}}{{end}}"},
		{"a loop in a condition", "{{if true}}{{range 1000000000000}}{{end}}{{end}}"},
		{"a loop in an else", "{{with false}}{{else}}{{range 1000000000000}}{{end}}{{end}}"},
		{"a loop of continue", "{{range 1000000000000}}{{continue}}{{end}}"},
		{"a loop that prints", "{{range 1000000000000}}aaaaaaaaaaaaaaaaaaaaaaaaaaaaa{{end}}"},
		{"loops in loops", strings.Repeat("{{range 100}}", 8) + strings.Repeat("{{end}}", 8)},
		{"deep loops", strings.Repeat("{{range 2}}", 30) + strings.Repeat("{{end}}", 30)},
		{"itself", `{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`},
		{"itself twice", `{{define "a"}}{{if lt (len .) 30}}{{template "a" (print . "x")}}{{template "a" (print . "x")}}{{end}}{{end}}{{template "a" ""}}`},
		{"doubling", `{{$x := "aa"}}{{range 60}}{{$x = printf "%s%s" $x $x}}{{end}}`},
		{"doubling by print", `{{$x := "aa"}}{{range 60}}{{$x = print $x $x}}{{end}}`},
		{"doubling by js", `{{$x := "''"}}{{range 60}}{{$x = js $x}}{{end}}`},
		{"replace", `{{$x := "a"}}{{range 60}}{{$x = replace "a" "aaaaaaaaaaaaaaaa" $x}}{{end}}`},
		{"wide", `{{printf "%1000000d" 1}}`},
		{"wide by argument", `{{printf "%*d" 1000000 1}}`},
		{"many verbs", `{{printf "` + strings.Repeat("%1000d", 4000) + `" 1}}`},
		{"one argument often", `{{$x := printf "%1000d" 1}}{{printf "` + strings.Repeat("%[1]s", 4000) + `" $x}}`},
	}
	for _, r := range rows {
		for _, html := range []bool{false, true} {
			name := r.name
			if html {
				name += " in HTML"
			}
			t.Run(name, func(t *testing.T) {
				s := source{name: "text", text: r.template, html: html}
				b := newBudget(t.Context())
				b.steps = 2000 // the first row spends all
				if r.name == "a loop" {
					b.steps = maxSteps
				}
				out, err := s.spend(b, Of(request()))
				if err == nil {
					t.Errorf("it made %d bytes", len(out))
				}
			})
		}
	}
	t.Run("without time", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := source{name: "x", text: "{{range 3}}{{end}}"}.render(ctx, Notice{})
		if err == nil || !strings.Contains(err.Error(), "x: the template was interrupted: context canceled") {
			t.Error(err)
		}
	})
}

func write(t testing.TB, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "template")
	check(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestFile(t *testing.T) {
	path := write(t, "one {{.Group}}\n")
	var f File
	check(t, f.Set(path))
	check(t, f.Trial())
	if got, err := f.Render(t.Context(), Of(request())); err != nil || got != "one web\n" {
		t.Errorf("%q, %v", got, err)
	}
	check(t, os.WriteFile(path, []byte("two"), 0o600))
	if got, err := f.Render(t.Context(), Of(request())); err != nil || got != "two" {
		t.Errorf("after an edit: %q, %v", got, err)
	}
	check(t, os.WriteFile(path, []byte("\n{{"), 0o600))
	if _, err := f.Render(t.Context(), Of(request())); err == nil || !strings.Contains(err.Error(), path+":2: ") {
		t.Errorf("broken: %v", err)
	}
	for _, bad := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir(), "/dev/zero", write(t, strings.Repeat("a", maxSource+1))} {
		if err := new(File).Set(bad); err == nil {
			t.Errorf("%s is a template", bad)
		}
		if err := new(HTML).Set(bad); err == nil {
			t.Errorf("%s is a template of HTML", bad)
		}
	}
}

func TestHTMLEscapes(t *testing.T) {
	var h HTML
	check(t, h.Set(write(t, `<p title="{{.Group}}">{{.Env.KEY}}</p><script>var x = {{.Env.KEY}};{{range .Hosts}}f({{.}});{{end}}</script><a href="?q={{.Env.KEY}}">{{range .Hosts}}<b>{{.}}</b>{{end}}</a>`)))
	check(t, h.Trial())
	got, err := h.Render(t.Context(), Of(request()))
	check(t, err)
	want := `<p title="web">&lt;&amp;&#34;&#39;&gt;</p><script>var x = "\u003c\u0026\"'\u003e";f("web1");f("web2");</script><a href="?q=%3c%26%22%27%3e"><b>web1</b><b>web2</b></a>`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func FuzzRender(f *testing.F) {
	for _, s := range []string{"{{.Group}}", "{{range 9}}{{.}}{{end}}", `{{printf "%[1]*d" 3}}`, "{{json .}}", "{{.JSON}}", `{{define "a"}}{{end}}`, "{{.With nil}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, html := range []bool{false, true} {
			s := source{name: "x", text: text, html: html}
			if s.check() != nil {
				continue
			}
			if out, _ := s.render(t.Context(), Of(request())); len(out) > MaxOutput {
				t.Errorf("%d bytes", len(out))
			}
		}
	})
}

func FuzzOneLine(f *testing.F) {
	f.Add("web1\r\nBcc: x", 10)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 10 + max(0, limit%500)
		if got := OneLine(s, limit); strings.ContainsAny(got, "\r\n\x00") || len([]rune(got)) > limit {
			t.Errorf("%q gives %q", s, got)
		}
	})
}

func BenchmarkRender(b *testing.B) {
	var text Text
	check(b, text.Set("{{.Heading}} {{.Group}}/{{.Service}}: {{.Summary}} {{range .Hosts}}{{.}} {{end}}"))
	n := Of(request())
	for b.Loop() {
		if _, err := text.Render(b.Context(), n); err != nil {
			b.Fatal(err)
		}
	}
}
