package mailalert

import (
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func template(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "template")
	check(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// sent is the one mail that a line sends, its subject and its parts by type.
func sent(t *testing.T, words ...string) (subject string, parts map[string]string) {
	t.Helper()
	s := (&server{}).start(t)
	a := mustLine(t, append([]string{"--server", s.addr, "--helo", "lb1.example"}, words...)...)
	r := request()
	r.Summary, r.Output = "web2 <b>", "web2 <b>\nrefused\n"
	check(t, a.Alert(t.Context(), r))
	m := s.got()[0].parse(t)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	check(t, err)
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	check(t, err)
	if kind == "text/plain" {
		return subject, map[string]string{kind: bodyOf(t, m)}
	}
	if kind != "multipart/alternative" {
		t.Fatalf("type %s", kind)
	}
	parts = map[string]string{}
	for all := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := all.NextRawPart()
		if err == io.EOF {
			return subject, parts
		}
		check(t, err)
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		check(t, err)
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		check(t, err)
		parts[kind] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
}

func TestTemplates(t *testing.T) {
	text, html := template(t, "{{.Kind}} of {{.Group}}\n{{.Detail}}\n"), template(t, "<p>{{.Summary}}</p>")
	subject, parts := sent(t, "--subject", "{{.Status | upper}}: {{.Summary}}\nBcc: x@y.example", "--template", text, "--html", html, "mis@example.com")
	if d := cmp.Diff("FAIL: web2 <b> Bcc: x@y.example", subject); d != "" {
		t.Error(d)
	}
	want := map[string]string{"text/plain": "failure of web\nrefused\n", "text/html": "<p>web2 &lt;b&gt;</p>"}
	if d := cmp.Diff(want, parts); d != "" {
		t.Error(d)
	}
}

func TestHTMLBesideTheUsualText(t *testing.T) {
	subject, parts := sent(t, "--html", template(t, "<p>{{.Group}}</p>"), "mis@example.com")
	if subject != "ALERT web/http: web2 <b> (Tue Nov 3 09:05:07)" || !strings.HasPrefix(parts["text/plain"], "Failing: web2 <b>\n\nGroup: ") || parts["text/html"] != "<p>web</p>" {
		t.Errorf("%s %v", subject, parts)
	}
}

// TestABrokenTemplateIsToldOf: it was well at the start and is not any more.
func TestABrokenTemplateIsToldOf(t *testing.T) {
	s := (&server{}).start(t)
	path := template(t, "{{.Group}}")
	a := mustLine(t, "--server", s.addr, "--template", path, "--html", path, "mis@example.com")
	check(t, os.WriteFile(path, []byte("\n{{"), 0o600))
	check(t, a.Alert(t.Context(), request()))
	text := bodyOf(t, s.got()[0].parse(t))
	for _, want := range []string{"Failing: web2\n", "\nThe template --template failed: " + path + ":2: ", "\nThe template --html failed: "} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
}

func TestTemplatesAreValidated(t *testing.T) {
	rows := []struct {
		words []string
		bad   string
	}{
		{[]string{"--subject", "{{.Group", "root"}, "text:1: unclosed action"},
		{[]string{"--subject", "{{.Grupe}}", "root"}, "text:1:2: executing"},
		{[]string{"--subject", "a", "-S", "b", "root"}, "only one"},
		{[]string{"--template", template(t, "\n\n{{end}}"), "root"}, ":3: unexpected {{end}}"},
		{[]string{"--html", template(t, "<a href='{{if .Late}}'{{end}}>"), "root"}, "different contexts"},
		{[]string{"--html", "/none", "root"}, "no such file"},
	}
	for _, r := range rows {
		if _, err := alertLine(r.words...); err == nil || !strings.Contains(err.Error(), r.bad) {
			t.Errorf("%q: error is %v, want %q", r.words, err, r.bad)
		}
	}
}
