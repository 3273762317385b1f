package judge

import (
	"flag"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// options reads a command line.
func options(t testing.TB, args ...string) *Options {
	t.Helper()
	o, err := parse(args...)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func parse(args ...string) (*Options, error) {
	o := new(Options)
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o.Declare(fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	return o, o.Validate()
}

// answer is a page that is well.
func answer(body string) *Answer {
	return &Answer{Code: 200, Status: "200 OK", Header: http.Header{}, Body: []byte(body), Size: int64(len(body))}
}

func TestBody(t *testing.T) {
	const status = `{"status":"UP","load":1.50,"up":true,"nodes":[{"n":"a","ok":true},{"n":"b=c","ok":false}],"none":null}`
	for name, tt := range map[string]struct {
		args []string
		body string
		want string // told, or the error after an exclamation mark
	}{
		"nothing asked": {nil, "abc", "200 OK, 3 bytes"},
		"match":         {[]string{"-m", "b"}, "abc", "200 OK, 3 bytes that match"},
		"no match":      {[]string{"-m", "^b"}, "abc", `!status 200 OK, but the body does not match "^b" (3 bytes)`},
		"not-match":     {[]string{"--not-match", "x"}, "abc", "200 OK, 3 bytes"},
		"does match":    {[]string{"--not-match", "(?i)error \\d+"}, "an Error 17 came", `!status 200 OK, but the body matches "(?i)error \\d+": "Error 17" (16 bytes)`},
		"both": {
			[]string{"-m", "c", "--not-match", "b"}, "abc", `!status 200 OK, but the body matches "b": "b" (3 bytes)`,
		},
		"json":              {[]string{"--json", "$.status"}, status, `200 OK, 102 bytes, $.status is "UP"`},
		"json value":        {[]string{"--json", "$.status=UP"}, status, `200 OK, 102 bytes, $.status is "UP"`},
		"json quoted value": {[]string{"--json", `$.status="UP"`}, status, `200 OK, 102 bytes, $.status is "UP"`},
		"json other":        {[]string{"--json", "$.status=DOWN"}, status, `!status 200 OK, but $.status is "UP", want DOWN (102 bytes)`},
		"json number":       {[]string{"--json", "$.load=1.5"}, status, `200 OK, 102 bytes, $.load is 1.50`},
		"json boolean":      {[]string{"--json", "$.up=true"}, status, `200 OK, 102 bytes, $.up is true`},
		"json null":         {[]string{"--json", "$.none=null"}, status, `200 OK, 102 bytes, $.none is null`},
		"json null, other":  {[]string{"--json", "$.status=null"}, status, `!status 200 OK, but $.status is "UP", want null (102 bytes)`},
		"json object":       {[]string{"--json", `$.nodes[0]={"ok":true, "n":"a"}`}, status, `200 OK, 102 bytes, $.nodes[0] is {"n":"a","ok":true}`},
		"json, all of them": {[]string{"--json", "$.nodes[*].ok=true"}, status, `!status 200 OK, but $.nodes[*].ok is false, want true (102 bytes)`},
		"json filter":       {[]string{"--json", `$.nodes[?@.n=="b=c"].ok=false`}, status, `200 OK, 102 bytes, $.nodes[?@.n=="b=c"].ok is false`},
		"json nothing":      {[]string{"--json", "$.missing"}, status, `!status 200 OK, but $.missing selects nothing (102 bytes)`},
		"json none":         {[]string{"--json", "$.status"}, "<html>", `!status 200 OK, but the body is no JSON: invalid character '<' looking for beginning of value (6 bytes)`},
		"json and more":     {[]string{"--json", "$"}, "1 2", `!status 200 OK, but the body is no JSON: more comes after its end (3 bytes)`},
		"json empty":        {[]string{"--json", "$"}, "", `!status 200 OK, but the body is no JSON: EOF (0 bytes)`},
		"json deep":         {[]string{"--json", "$..x"}, strings.Repeat("[", 300), `!status 200 OK, but the body is no JSON: it is nested deeper than 200 (300 bytes)`},
		"json twice":        {[]string{"--json", "$.a", "--json", "$.b=2"}, `{"a":1,"b":2}`, `200 OK, 13 bytes, $.a is 1, $.b is 2`},
		"digest shown":      {[]string{"--digest", "sha256"}, "abc", "200 OK, 3 bytes, sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		"digest right":      {[]string{"--digest", "SHA256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"}, "abc", "200 OK, 3 bytes, sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		"digest md5":        {[]string{"--digest", "md5:900150983cd24fb0d6963f7d28e17f72"}, "abc", "200 OK, 3 bytes, md5:900150983cd24fb0d6963f7d28e17f72"},
		"digest wrong": {
			[]string{"--digest", "md5:900150983cd24fb0d6963f7d28e17f72"}, "abd",
			"!status 200 OK, but the digest is md5:4911e516e5aa21d327512e0c8b197616, want md5:900150983cd24fb0d6963f7d28e17f72 (3 bytes)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := options(t, tt.args...).Body(answer(tt.body))
			got := v.Detail
			if err != nil {
				got = "!" + err.Error()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestBodiesThatCannotBeLookedAt(t *testing.T) {
	cut := answer("abc")
	cut.Cut = true
	for option, want := range map[string]string{
		"--digest sha256":  "status 200 OK, but --digest needs all of the body and it has more than --max-size 1M (the first 3 bytes)",
		"--json $":         "status 200 OK, but --json needs all of the body and it has more than --max-size 1M (the first 3 bytes)",
		"--same-as-others": "status 200 OK, but --same-as-others needs all of the body and it has more than --max-size 1M (the first 3 bytes)",
		"-m x":             `status 200 OK, but the body does not match "x" (the first 3 bytes)`,
	} {
		if _, err := options(t, strings.Fields(option)...).Body(cut); err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", option, err, want)
		}
	}
	strange := answer("\x0b\x02")
	strange.Encoded = "br"
	want := `status 200 OK, but the body is encoded as "br", which nobody asked for and which is not decoded here (2 bytes)`
	if _, err := options(t, "--not-match", "error").Body(strange); err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	if _, err := options(t).Body(strange); err != nil {
		t.Errorf("nobody looks at it: %v", err)
	}
}

func TestHead(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		args     string
		code     int
		modified string
		want     string
	}{
		"well":          {"", 200, "", ""},
		"mon's":         {"", 401, "", ""},
		"not well":      {"", 500, "", "status 500 X, want 200,301,302,401"},
		"list":          {"--status 200-204,500", 204, "", ""},
		"fresh":         {"--max-age 2d", 200, "Thu, 30 Apr 2026 12:00:00 GMT", ""},
		"stale":         {"--max-age 12h", 200, "Wed, 29 Apr 2026 12:00:00 GMT", "status 200 X, but the page is 2d old, --max-age is 12h0m0s"},
		"no date":       {"--max-age 12h", 200, "", "status 200 X, but the host does not say when the page was last modified (--max-age)"},
		"bad date":      {"--max-age 12h", 200, "yesterday", `status 200 X, but its Last-Modified is no date: "yesterday"`},
		"of the future": {"--max-age 12h", 200, "Thu, 30 Apr 2099 12:00:00 GMT", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := &Answer{Code: tt.code, Status: http.StatusText(0) + "X", Header: http.Header{}}
			a.Status = strings.TrimSpace(strings.Join([]string{itoa(tt.code), "X"}, " "))
			if tt.modified != "" {
				a.Header.Set("Last-Modified", tt.modified)
			}
			err := options(t, strings.Fields(tt.args)...).Head(a, now)
			if got := text(err); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestPart(t *testing.T) {
	part := func(body string, args ...string) Digest {
		t.Helper()
		v, err := options(t, append(args, "--same-as-others")...).Body(answer(body))
		if err != nil {
			t.Fatal(err)
		}
		return v.Part
	}
	for name, tt := range map[string]struct {
		args []string
		a, b string
		same bool
	}{
		"whole":                  {nil, "a", "a", true},
		"whole, other":           {nil, "a", "b", false},
		"captured":               {[]string{"--same-part", `version (\d+)`}, "version 7 at 12:00", "version 7 at 12:01", true},
		"captured, other":        {[]string{"--same-part", `version (\d+)`}, "version 7 at 12:00", "version 8 at 12:00", false},
		"without a group":        {[]string{"--same-part", `v\d+`}, "v1 x", "v1 y", true},
		"groups do not flow":     {[]string{"--same-part", `(\d*)-(\d*)`}, "12-3", "1-23", false},
		"json":                   {[]string{"--json", "$.v"}, `{"v":{"a":1,"b":2},"t":1}`, `{"t":2, "v":{"b":2, "a":1}}`, true},
		"json, other":            {[]string{"--json", "$.v"}, `{"v":1}`, `{"v":2}`, false},
		"a value is judged only": {[]string{"--json", "$.ok=true"}, `{"ok":true,"v":1}`, `{"ok":true,"v":2}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := part(tt.a, tt.args...) == part(tt.b, tt.args...); got != tt.same {
				t.Errorf("same %v, want %v", got, tt.same)
			}
		})
	}
	_, err := options(t, "--same-as-others", "--same-part", "v(.)").Body(answer("abc"))
	if want := `status 200 OK, but the body has nothing to compare: it does not match "v(.)" (3 bytes)`; text(err) != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func FuzzAnswer(f *testing.F) {
	f.Add("200 OK", "Thu, 30 Apr 2026 12:00:00 GMT", []byte(`{"a":[{"b":1},2,null,"x"]}`))
	f.Add("500", "x", []byte("\x1f\x8b"))
	f.Add(strings.Repeat("z", 300), "", []byte(`[[[[[[[1]]]]]]]`))
	f.Add("204", "", []byte(`{"b":{}, "a":[]}`))
	all := options(f, "-m", "(?s).", "--not-match", "nevermore{3}", "--max-age", "1d", "--status", "100-999", "--digest", "sha256",
		"--json", "$..b", "--json", `$[?@.b > 1 || !@.a || count(@.*) > length(@.a)]`, "--json", "$[?match(@.b, @.a)]", "--same-as-others")
	f.Fuzz(func(t *testing.T, status, modified string, body []byte) {
		a := &Answer{Code: 200, Status: status, Header: http.Header{"Last-Modified": {modified}}, Body: body, Size: int64(len(body))}
		_ = all.Head(a, time.Unix(1e9, 0))
		for _, j := range all.json { // each by itself, or the first that fails hides the others
			one := *all
			one.json = queries{j}
			v, err := one.Body(a)
			if (err == nil) == (v.Detail == "") || err != nil && len(err.Error()) > 1000 || len(v.Detail) > 1000 {
				t.Errorf("%q, %v", v.Detail, err)
			}
		}
	})
}
