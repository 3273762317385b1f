package webhook

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/alert"
)

// presets are the shipped templates, with what stands beside them on the line.
func presets(t *testing.T) map[string][]string {
	t.Helper()
	key := secretFile(t, "r0uting-key")
	return map[string][]string{
		"slack.tmpl": nil, "teams.tmpl": nil, "alertmanager.tmpl": nil,
		"pagerduty.tmpl": {"--var-file", "key=" + key}, "ntfy.tmpl": {"--var", "topic=alerts"},
	}
}

const folder = "../../etc/examples/webhook"

// hostile are notices that a careless template would break on.
func hostile() []alert.Request {
	var all []alert.Request
	for k := alert.Failure; k.Valid(); k++ {
		for _, text := range []string{"", "plain", "\"}],\\ \x00\x1b\xff <&> {{.}} \u2028\ntwo\n\tthree", strings.Repeat("long \"line\"\n", 4_000)} {
			r := request()
			r.Kind, r.Summary, r.Output, r.Group, r.Env["MON_ACK"] = k, "", text, "we\"b", text
			all = append(all, r)
		}
		r := request()
		r.Kind, r.Hosts, r.Output, r.Summary = k, nil, "", ""
		all = append(all, r)
	}
	return all
}

func TestPresetsMakeJSON(t *testing.T) {
	files, err := filepath.Glob(folder + "/*.tmpl")
	check(t, err)
	if len(files) != len(presets(t)) {
		t.Fatalf("%d files, %d are tried", len(files), len(presets(t)))
	}
	for name, words := range presets(t) {
		t.Run(name, func(t *testing.T) {
			a := mustLine(t, slices.Concat([]string{"--template", filepath.Join(folder, name)}, words, []string{"http://127.0.0.1/"})...)
			for _, r := range hostile() {
				body, err := a.body(t.Context(), r)
				check(t, err)
				if len(body) > 28<<10 {
					t.Errorf("%d bytes are more than Teams takes", len(body))
				}
			}
		})
	}
	for name := range presets(t) {
		if text, _ := os.ReadFile(folder + "/README.md"); !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("README.md does not name %s", name)
		}
	}
}

// rendered is the body of a preset.
func rendered(t *testing.T, name string, r alert.Request) any {
	t.Helper()
	words := slices.Concat([]string{"--template", filepath.Join(folder, name)}, presets(t)[name], []string{"http://127.0.0.1/"})
	body, err := mustLine(t, words...).body(t.Context(), r)
	check(t, err)
	var got any
	check(t, json.Unmarshal(body, &got))
	return got
}

// at is a value deep in JSON.
func at(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				t.Fatalf("%v: no element %d in %v", path, step, v)
			}
			v = list[step]
		}
	}
	return v
}

func TestWhatPresetsSay(t *testing.T) {
	failure, up, ack, start := request(), request(), request(), request()
	failure.Summary = "a <b> & c"
	up.Kind, ack.Kind, start.Kind = alert.Up, alert.Ack, alert.Startup
	rows := []struct {
		preset string
		r      alert.Request
		path   []any
		want   any
	}{
		{"slack.tmpl", failure, []any{"text"}, "*ALERT* web/http: a &lt;b&gt; &amp; c"},
		{"slack.tmpl", failure, []any{"attachments", 0, "color"}, "danger"},
		{"slack.tmpl", up, []any{"attachments", 0, "color"}, "good"},
		{"teams.tmpl", failure, []any{"attachments", 0, "content", "body", 0, "text"}, "ALERT web/http: a <b> & c"},
		{"teams.tmpl", failure, []any{"attachments", 0, "content", "body", 2, "text"}, "web2\nweb2: connection refused"},
		{"pagerduty.tmpl", failure, []any{"event_action"}, "trigger"},
		{"pagerduty.tmpl", failure, []any{"routing_key"}, "r0uting-key"},
		{"pagerduty.tmpl", up, []any{"event_action"}, "resolve"},
		{"pagerduty.tmpl", ack, []any{"event_action"}, "acknowledge"},
		{"pagerduty.tmpl", ack, []any{"dedup_key"}, "mond/web/http"},
		{"pagerduty.tmpl", start, []any{"dedup_key"}, "mond/web/http/startup"},
		{"alertmanager.tmpl", failure, []any{0, "startsAt"}, request().At.Local().Format("2006-01-02T15:04:05Z07:00")},
		{"alertmanager.tmpl", up, []any{0, "startsAt"}, nil},
		{"alertmanager.tmpl", up, []any{0, "endsAt"}, request().At.Local().Format("2006-01-02T15:04:05Z07:00")},
		{"alertmanager.tmpl", up, []any{0, "labels", "alertname"}, "http"},
		{"alertmanager.tmpl", ack, nil, []any{}},
		{"ntfy.tmpl", failure, []any{"priority"}, 5.0},
		{"ntfy.tmpl", failure, []any{"topic"}, "alerts"},
	}
	for _, r := range rows {
		t.Run(r.preset+" "+r.r.Kind.String(), func(t *testing.T) {
			if d := cmp.Diff(r.want, at(t, rendered(t, r.preset, r.r), r.path...)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPresetIsSent(t *testing.T) {
	s := newService(t, http.StatusAccepted)
	check(t, mustLine(t, "--template", folder+"/teams.tmpl", s.URL).Alert(t.Context(), request()))
	if got := s.last(t); !json.Valid([]byte(got.body)) || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%v %s", got.header, got.body)
	}
}
