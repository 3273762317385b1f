package httpmon

import (
	"strings"
	"testing"
)

func TestOptionErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-p 0":                `invalid value "0" for flag -p: want a port from 1 to 65535`,
		"-p 70000":            `invalid value "70000" for flag -p: want a port from 1 to 65535`,
		"-m [":                "invalid value \"[\" for flag -m: want a regular expression: error parsing regexp: missing closing ]: `[`",
		"-u http://web/":      `invalid value "http://web/" for flag -u: want the path only, such as /index.html?a=1: the hosts are those of the hostgroup`,
		"-u /ä":               `invalid value "/ä" for flag -u: want ASCII without blanks: write them percent-encoded, a blank is %20`,
		"-u /a#b":             `invalid value "/a#b" for flag -u: what follows a # is never sent: leave it out`,
		"-a a\x01b":           "invalid value \"a\\x01b\" for flag -a: want text without control characters",
		"--status 99":         `invalid value "99" for flag -status: "99": want statuses from 100 to 999 and ranges of them, such as 200,301-302,401`,
		"--status 200,":       `invalid value "200," for flag -status: "": want statuses from 100 to 999 and ranges of them, such as 200,301-302,401`,
		"--status 302-301":    `invalid value "302-301" for flag -status: "302-301": want statuses from 100 to 999 and ranges of them, such as 200,301-302,401`,
		"--max-size 0":        `invalid value "0" for flag -max-size: want a number of bytes from 1 to 256M, such as 4096, 64K or 1M`,
		"--max-size 1G":       `invalid value "1G" for flag -max-size: want a number of bytes from 1 to 256M, such as 4096, 64K or 1M`,
		"--max-size 257M":     `invalid value "257M" for flag -max-size: want a number of bytes from 1 to 256M, such as 4096, 64K or 1M`,
		"--insecure":          "option --insecure: it needs --tls",
		"-4 -6":               "options -4 and -6: only one of them can be given",
		"--https --ca /no/ca": "option --ca: open /no/ca: no such file or directory",
	} {
		t.Run(args, func(t *testing.T) {
			_, err := configure(strings.Fields(args)...)
			if err == nil || err.Error() != want {
				t.Errorf("got %v\nwant %s", err, want)
			}
		})
	}
}

func TestRequestCannotBeForged(t *testing.T) {
	for _, args := range [][]string{
		{"-u", "/ HTTP/1.1\r\nX: y"}, {"-a", "a\r\nX: y"}, {"--host", "a\nX: y"}, {"-u", "/a b"},
	} {
		if _, err := configure(args...); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}

func TestValuesReadBack(t *testing.T) {
	for in, want := range map[string]string{"1": "1", "4096": "4K", "64k": "64K", "1048576": "1M", "256M": "256M", "1000": "1000"} {
		var s size
		if err := s.Set(in); err != nil || s.String() != want {
			t.Errorf("size %s: %v, %v, want %s", in, &s, err, want)
		}
	}
	for in, want := range map[string]string{"": "/", "/": "/", "a": "/a", "?q=1": "/?q=1", "//a": "//a", "/a%20b?c=d&e": "/a%20b?c=d&e"} {
		var p path
		if err := p.Set(in); err != nil || p.String() != want {
			t.Errorf("path %s: %v, %v, want %s", in, p, err, want)
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

func FuzzValues(f *testing.F) {
	for _, seed := range []string{"200,301-302", "1M", "/a?b", "0", "-", ",", "999-100", "4294967295K"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var s, again statuses
		if s.Set(in) == nil {
			if err := again.Set(s.String()); err != nil || again.String() != s.String() {
				t.Errorf("statuses %q: %q, %v", in, &again, err)
			}
		}
		var n, m size
		if n.Set(in) == nil {
			if err := m.Set(n.String()); err != nil || m != n || n < 1 || n > maxSize {
				t.Errorf("size %q: %d, %v", in, m, err)
			}
		}
		var p, q path
		if p.Set(in) == nil {
			if err := q.Set(p.String()); err != nil || q != p || strings.ContainsAny(p.String(), " \r\n") {
				t.Errorf("path %q: %q, %v", in, q, err)
			}
		}
	})
}
