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
