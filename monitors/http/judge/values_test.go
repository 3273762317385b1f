package judge

import (
	"strconv"
	"testing"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestValuesReadBack(t *testing.T) {
	for in, want := range map[string]string{"90": "1m30s", "1s": "1s", "12h": "12h0m0s", "1d": "24h0m0s", "2d": "2d", "50h": "50h0m0s", "3650d": "3650d"} {
		var a age
		if err := a.Set(in); err != nil || a.String() != want {
			t.Errorf("age %s: %v, %v, want %s", in, &a, err, want)
		}
	}
	var s statuses
	if err := s.Set("200,301-302,401"); err != nil || s.String() != "200,301-302,401" {
		t.Errorf("statuses: %v, %v", &s, err)
	}
	for code, want := range map[int]bool{200: true, 201: false, 300: false, 301: true, 302: true, 303: false, 401: true} {
		if s.has(code) != want {
			t.Errorf("%d: %v, want %v", code, !want, want)
		}
	}
}

func TestOptionErrors(t *testing.T) {
	for _, tt := range []struct{ option, value, want string }{
		{"--json", "status", `invalid value "status" for flag -json: want a path such as $.status or $.status=UP: *`},
		{"--json", "$.a[", `invalid value "$.a[" for flag -json: want a path such as $.status or $.status=UP: *`},
		{"--json", "$..a..b", `invalid value "$..a..b" for flag -json: want ".." once at most in a path: more could take for ever`},
		{"--json", "$..a[?@..b]=1", `invalid value "$..a[?@..b]=1" for flag -json: want ".." once at most in a path: more could take for ever`},
		{"--digest", "sha1:00", `invalid value "sha1:00" for flag -digest: want sha256:HEX or md5:HEX, or sha256 to have the digest shown`},
		{"--digest", "sha256:00", `invalid value "sha256:00" for flag -digest: want 64 hexadecimal figures after sha256:`},
		{"--digest", "md5:", `invalid value "md5:" for flag -digest: want 32 hexadecimal figures after md5:`},
		{"--max-age", "0", `invalid value "0" for flag -max-age: want a time from 1s to 3650d, such as 90s, 12h or 2d`},
		{"--max-age", "4000d", `invalid value "4000d" for flag -max-age: want a time from 1s to 3650d, such as 90s, 12h or 2d`},
		{"--max-age", "-1h", `invalid value "-1h" for flag -max-age: want a time from 1s to 3650d, such as 90s, 12h or 2d`},
		{"--same-part", "x", "option --same-part: it needs --same-as-others"},
		{"--not-match", "(", "invalid value \"(\" for flag -not-match: want a regular expression: error parsing regexp: missing closing ): `(`"},
	} {
		_, err := parse(tt.option, tt.value)
		got := text(err)
		if n := len(tt.want) - 1; tt.want[n] == '*' && len(got) > n {
			got = got[:n] + "*"
		}
		if got != tt.want {
			t.Errorf("%s %s: %v\nwant %s", tt.option, tt.value, err, tt.want)
		}
	}
	if _, err := parse("--json", `$["a..b"]["c..d"]`); err != nil {
		t.Errorf("points within names: %v", err)
	}
}

func FuzzValues(f *testing.F) {
	for _, seed := range []string{"200,301-302", "1M", "0", "-", ",", "999-100", "4294967295K", "2d", "90", "1h", "sha256", "md5:900150983cd24fb0d6963f7d28e17f72"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var s, again statuses
		if s.Set(in) == nil {
			if err := again.Set(s.String()); err != nil || again.String() != s.String() {
				t.Errorf("statuses %q: %q, %v", in, &again, err)
			}
		}
		var a, b age
		if a.Set(in) == nil {
			if err := b.Set(a.String()); err != nil || a != b || a < age(time.Second) || a > maxAge {
				t.Errorf("age %q: %v, %v", in, &b, err)
			}
		}
	})
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"$.a=1", "$", "$=", `$[?@.a=='x=y'].b=ok`, `$..*`, `$[?count(@..*) > 1]`, `$["a..b"]`, "=", "$.a==b", `$[1:2:-1]`} {
		f.Add(seed)
	}
	data, err := decode([]byte(`{"a":[{"b":"x","c":[1,2.5,null,true]},"y",{}],"b":{"b":{"b":[]}}}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if len(in) > 200 {
			return // a path of many selectors may select a great deal
		}
		q, err := parseQuery(in)
		if err != nil {
			return
		}
		if whole := q.name + "=" + q.value; q.exact && whole != in || !q.exact && q.name != in {
			t.Errorf("%q: path %q, value %q", in, q.name, q.value)
		}
		_ = q.judge(q.path.Select(data))
	})
}
