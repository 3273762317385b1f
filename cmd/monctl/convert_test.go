package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	inMonCf = `# what we watch

hostgroup web a b

watch web
    # the shop
    service http
        interval 10s
        monitor http.monitor -u "/a b"
        period wd {Sun-Sat}
            alert mail.alert root
            upalert mail.alert root
            alert file.alert -d /tmp x
`
	inTOML = `# what we watch

[hostgroup]
web = ["a", "b"]

# the shop
[watch.web.service.http]
interval = "10s"
monitor = 'http.monitor -u "/a b"'

[[watch.web.service.http.period]]
when = "wd {Sun-Sat}"
alert = ["mail.alert root", "file.alert -d /tmp x"]
upalert = "mail.alert root"
`
	// Alerts of different kinds have no common order.
	inMonCfAgain = `# what we watch

hostgroup web a b

watch web
    # the shop
    service http
        interval 10s
        monitor http.monitor -u "/a b"
        period wd {Sun-Sat}
            alert mail.alert root
            alert file.alert -d /tmp x
            upalert mail.alert root
`
	withMacros = `hostgroup web HOST

watch web
    service s
        interval 1s
        monitor x.monitor
`
)

// converted are the files of a test.
func converted(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"a.cf": inMonCf, "a.toml": inTOML, "toml-inside": inTOML, "there": "mine",
		"bad.cf": "hostgroup web a\n\nwatch web\n    service s\n        interval 10\n", "bad.toml": "[hostgroup]\nweb = 1\n",
		"part.cf": "watch web\n    use shop x=1 # see above\n", "part.toml": "watch.web.use = 'shop x=1'\n",
		"behind.cf": "syntax = mond\n\ntemplate t\n    alert x.alert\n\nwatch w\n    service s\n        period\n            alert y.alert\n            use t\n",
		"order.cf":  "watch a\n    service s\n\ndep_behavior = m\n\nwatch b\n    service t\n",
		"twice.cf":  "maxprocs = 1\nmaxprocs = 2\n", "latin.cf": "alias a\n    gr\xfc\xdfe\n",
		"lines.toml": "[watch.a.service.s]\nmonitor = [\"x.monitor\", \"two\\nlines\"]\n",
		"new.toml":   "include = [\"conf.d/*.toml\"]\nmaxprocs = 1 # few\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConvert(t *testing.T) {
	const usage = "usage: monctl convert {--to toml|mon.cf FILE | [FORMAT] FILE} [flags]\n"
	for _, tt := range []struct {
		name, args  string
		code        int
		out, errors string
	}{
		{"to TOML", "--to toml a.cf", 0, inTOML, ""},
		{"to mon.cf", "--to mon.cf a.toml", 0, inMonCfAgain, ""},
		{"language given", "--from toml --to mon.cf toml-inside", 0, inMonCfAgain, ""},
		{"language given wrongly", "--from toml --to mon.cf a.cf", 1, "", "a.cf:3:11: error: this is no TOML: expected '=' after key\n    hostgroup web a b\n              ^\na.cf: 1 error: correct it first\n"},
		{"new syntax", "--to mon.cf new.toml", 0, "syntax = mond\n\ninclude conf.d/*.toml\nmaxprocs = 1  # few\n",
			"new.toml: warning: the result says syntax = mond: mon itself does not read it\n"},
		{"variable for what is below", "--to toml order.cf", 0, "[watch.a.service.s]\n\n[watch.b.service.t]\ndep_behavior = \"m\"\n",
			"order.cf:4:1: warning: dep_behavior is written into each service below it, up to the next such line: TOML has no order of tables\n    dep_behavior = m\n    ^\n"},
		{"template behind own lines", "--to toml behind.cf", 0, "[template.t]\nalert = \"x.alert\"\n\n[watch.w.service.s]\n\n[[watch.w.service.s.period]]\nuse = [\"t\"]\nalert = \"y.alert\"\n",
			"behind.cf: warning: the order of periods or alerts of service w:s is not the same in both\n    hint: in TOML what is included, and what a template brings, comes first\n"},
		{"given twice", "--to toml twice.cf", 0, "maxprocs = 2\n", "twice.cf:1:1: warning: maxprocs is given again below, which is what counts: this line is left out\n    maxprocs = 1\n    ^\n"},
		{"not UTF-8", "--to toml latin.cf", 1, "", "latin.cf:2:5: error: TOML is UTF-8, and this is not\n        gr\\xfc\\xdfe\n        ^\n    hint: make it UTF-8 first, such as by: iconv -f latin1 -t utf-8\nlatin.cf: 1 error: nothing is written\n"},
		{"line end", "--to mon.cf lines.toml", 1, "", "lines.toml:2:1: error: a mon.cf has no line ends in a value\n    monitor = [\"x.monitor\", \"two\\nlines\"]\n    ^\n    hint: put the text into a file, or into a program of its own\nlines.toml: 1 error: nothing is written\n"},
		{"part", "--part --to toml part.cf", 0, "[watch.web]\nuse = [\"shop x=1\"]  # see above\n", ""},
		{"part back", "--part --to mon.cf part.toml", 0, "syntax = mond\n\nwatch web\n    use shop x=1\n", "part.toml: warning: the result says syntax = mond: mon itself does not read it\n"},
		{"part alone", "--to toml part.cf", 1, "", "part.cf:1:7: warning: watch web has no hostgroup: it gets one with the single host web\n    watch web\n          ^\n" +
			"part.cf:2:5: error: unknown directive \"use\"\n        use shop x=1 # see above\n        ^\n    hint: write syntax = mond above it: only then this is read\npart.cf: 1 error: correct it first\n"},
		{"bad mon.cf", "--to toml bad.cf", 1, "", "bad.cf:5:18: error: invalid time \"10\" for interval: no unit\n            interval 10\n                     ^\n    hint: a time is a number and a unit, without a blank: 100ms, 30s, 5m, 1.5h, 1d\nbad.cf: 1 error: correct it first\n"},
		{"bad TOML", "--to mon.cf bad.toml", 1, "", "bad.toml:2:7: error: hostgroup web takes a list of strings, one word each, or a string, not an integer\n    web = 1\n          ^\n    hint: write hostgroup web = [\"a\", \"b\"]\nbad.toml: 1 error: correct it first\n"},
		{"same language", "--to toml a.toml", 2, "", "monctl: a.toml is toml already; monctl fmt writes it in its normal form\n" + usage},
		{"no language", "a.toml", 2, "", "monctl: want --to toml or --to mon.cf\n" + usage},
		{"no such language", "--to yaml a.toml", 2, "", "monctl: --to yaml: want toml or mon.cf\n" + usage},
		{"force without a file", "--to toml --force a.cf", 2, "", "monctl: --force is for -o\n" + usage},
		{"file that is there", "--to toml -o there a.cf", 1, "", "monctl: there is there already: give another name, or --force\n"},
		{"no JSON", "--json --to toml a.cf", 2, "", "monctl: --json: convert has nothing to print as JSON\n" + usage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			converted(t)
			code, out, complaint := monctl(append([]string{"convert"}, strings.Fields(tt.args)...)...)
			if code != tt.code {
				t.Errorf("exit status %d", code)
			}
			if diff := cmp.Diff([]string{tt.out, tt.errors}, []string{out, complaint}); diff != "" {
				t.Error(diff)
			}
			if text, err := os.ReadFile("there"); err != nil || string(text) != "mine" {
				t.Errorf("the file that was there is %q, %v", text, err)
			}
		})
	}
}

// A file is written whole, with the mode of the first, and nothing is left
// beside it.
func TestConvertToFile(t *testing.T) {
	converted(t)
	for _, args := range [][]string{{"-o", "out.toml"}, {"-o", "there", "--force"}} {
		code, out, complaint := monctl(append([]string{"convert", "--to", "toml", "a.cf"}, args...)...)
		text, err := os.ReadFile(args[1])
		if code != 0 || out+complaint != "" || err != nil || string(text) != inTOML {
			t.Errorf("%s: %d %q %q %q %v", args[1], code, out, complaint, text, err)
		}
		if info, err := os.Stat(args[1]); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("mode of %s: %v %v", args[1], info.Mode(), err)
		}
	}
	if left, _ := filepath.Glob(".*"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if code, _, complaint := monctl("convert", "--to", "toml", "-o", "nowhere/x", "a.cf"); code != 1 || !strings.Contains(complaint, "nowhere") {
		t.Errorf("%d %q", code, complaint)
	}
	if code, _, complaint := monctl("convert", "--to", "mon.cf", "-o", filepath.Join(t.TempDir(), "x.cf"), "new.toml"); code != 0 || !strings.Contains(complaint, "another one now") {
		t.Errorf("%d %q", code, complaint)
	}
}

// The text that m4 made is what is converted, and that is said.
func TestConvertMacros(t *testing.T) {
	converted(t)
	if err := os.WriteFile("m4", []byte("#!/bin/sh\nsed s/HOST/a/ \"$3\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", here+":"+os.Getenv("PATH"))
	if err := os.WriteFile("x.cf.m4", []byte(withMacros), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, complaint := monctl("convert", "--to", "toml", "x.cf.m4")
	if code != 0 || !strings.Contains(out, `web = ["a"]`) || !strings.Contains(complaint, "its macros are not in the result") {
		t.Errorf("%d %q %q", code, out, complaint)
	}
}
