package main

import (
	"os"
	"strings"
	"testing"
)

// foreignFiles are those of other directors.
func foreignFiles(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"www.cf":   "checkinterval = 3\ncallback = \"/x\"\nvirtual = 10.0.0.3:80\n\treal = 192.168.0.1:80 gate\n",
		"lvs.cf":   "serial_no = 1\nvirtual a {\n active = 1\n address = 10.0.0.3 eth0:1\n server b {\n  address = 192.168.0.1\n  active = 1\n }\n}\n",
		"bad.cf":   "virtual = 10.0.0.3:80\n\treal = 192.168.0.1:80 gat\n",
		"refused":  "virtual = 10.0.0.3:0\n\treal = 192.168.0.1 gate\n",
		"plain.cf": inMonCf,
	} {
		if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConvertForeign(t *testing.T) {
	for _, tt := range []struct {
		name, args  string
		code        int
		out, errors []string // parts
	}{
		{"named", "ldirectord www.cf", 0, []string{"virtual tcp-10.0.0.3-80", "interval 3s  # checkinterval, line 1", "# Not carried over:\n", "#   www.cf:2:1: callback"}, []string{"www.cf:2:1: not carried over: callback = \"/x\"\n    mond does not watch", "lines not carried over\n"}},
		{"by its content", "www.cf", 0, []string{"virtual tcp-10.0.0.3-80"}, []string{"callback"}},
		{"by --from", "--from ldirectord www.cf", 0, []string{"virtual tcp-10.0.0.3-80"}, nil},
		{"to mon.cf", "--to mon.cf www.cf", 0, []string{"syntax = mond\n"}, nil},
		{"Piranha", "lvs.cf lvs.cf", 0, []string{"virtual a", "real 192.168.0.1:80 name b weight 1"}, []string{"serial_no"}},
		{"wrong name", "lvs.cf www.cf", 1, nil, []string{"www.cf is not in the format lvs.cf but in that of ldirectord"}},
		{"no such format", "haproxy www.cf", 2, nil, []string{"no format haproxy: want one of ldirectord, lvs.cf"}},
		{"two formats", "--from lvs.cf ldirectord www.cf", 2, nil, []string{"--from lvs.cf beside ldirectord"}},
		{"a mistake", "ldirectord bad.cf", 1, nil, []string{"bad.cf:2:9: error: real server with forward method \"gat\"", "bad.cf: 1 error: correct it first"}},
		{"what mond refuses", "refused", 1, nil, []string{"refused:1:1: error: ", "persistent"}},
		{"no file", "ldirectord nothing", 1, nil, []string{"nothing"}},
		{"a mon.cf, named", "ldirectord plain.cf", 1, nil, []string{"plain.cf:3:1: error: unknown directive"}},
		{"a mon.cf needs a language", "plain.cf", 2, nil, []string{"want --to toml or --to mon.cf"}},
		{"two languages", "--toml --to mon.cf www.cf", 2, nil, []string{"--toml beside --to mon.cf"}},
		{"part", "--part www.cf", 2, nil, []string{"--part is for a mon.cf or TOML"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			foreignFiles(t)
			code, out, complaint := monctl(append([]string{"convert"}, strings.Fields(tt.args)...)...)
			if code != tt.code || tt.code != 0 && out != "" {
				t.Errorf("status %d, want %d; %q", code, tt.code, out)
			}
			for _, want := range tt.out {
				if !strings.Contains(out, want) {
					t.Errorf("%q is not in\n%s", want, out)
				}
			}
			for _, want := range tt.errors {
				if !strings.Contains(complaint, want) {
					t.Errorf("%q is not in what it says:\n%s", want, complaint)
				}
			}
		})
	}
}

// The result has the mode of the file: there may be passwords in it.
func TestConvertForeignToFile(t *testing.T) {
	foreignFiles(t)
	code, out, complaint := monctl("convert", "ldirectord", "www.cf", "-o", "mon.cf")
	info, err := os.Stat("mon.cf")
	if code != 0 || out != "" || err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%d %q %q %v %v", code, out, complaint, info, err)
	}
	if code, _, complaint = monctl("convert", "ldirectord", "www.cf", "-o", "mon.cf"); code != 1 || !strings.Contains(complaint, "mon.cf is there already") {
		t.Errorf("%d %q", code, complaint)
	}
}
