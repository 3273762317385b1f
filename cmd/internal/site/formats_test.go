package site

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/config"
)

// samples are files of a folder of the module.
func samples(t *testing.T, root string, want func(path string) bool) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !want(path) {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("no samples in %s: %v", root, err)
	}
	return all
}

// A mon.cf is never taken for the file of another program, whole or cut off.
func TestDetectNoMonCf(t *testing.T) {
	const root = "../../.."
	ours := samples(t, root, func(path string) bool {
		slashed := filepath.ToSlash(path)
		if strings.Contains(slashed, "engine/convert/") || strings.Contains(slashed, "/.git") {
			return false
		}
		data := strings.Contains(slashed, "/testdata/") || strings.Contains(slashed, "/etc/")
		return data && slices.Contains([]string{".cf", ".m4", ".toml", ".txt", ".txtar", ""}, filepath.Ext(path))
	})
	for path, src := range ours {
		if f, is := Detect(src); is {
			t.Errorf("%s is taken for %s", path, f.Name)
		}
		for i := range src {
			if src[i] != '\n' || i > 2_000 {
				continue
			}
			if f, is := Detect(src[:i]); is {
				t.Errorf("the first %d bytes of %s are taken for %s", i, path, f.Name)
			}
		}
	}
}

func TestDetect(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"empty", "", ""},
		{"comments", "# virtual = 1\n", ""},
		{"variables of mon", "timeout = 10s\nmaxprocs = 3\n", ""},
		{"virtual of ours", "syntax = mond\nvirtual web\n    address tcp 10.0.0.3:80\n", ""},
		{"a bracket in ours", "alias x\n    virtual a {\n", ""},
		{"free text of ours", "alias x\nvirtual = 3\n", ""},
		{"ldirectord", "virtual = 10.0.0.3:80\n\treal = a gate\n", "ldirectord"},
		{"ldirectord of IPv6", "virtual6=[::1]:80\n", "ldirectord"},
		{"ldirectord that starts others", "execute = a.cf\n", "ldirectord"},
		{"ldirectord with a mistake", "checkintervall = 3\nvirtual = 10.0.0.3:80\n", "ldirectord"},
		{"ldirectord of DOS", "supervised\r\nvirtual = 10.0.0.3:80\r\n", "ldirectord"},
		{"lvs.cf", "serial_no = 1\nvirtual a {\n  active = 1\n}\n", "lvs.cf"},
		{"lvs.cf without services", "primary = 10.0.0.1\nservice = lvs\n", "lvs.cf"},
		{"other blocks", "virtual a {\n  real b;\n}\n", ""},
	} {
		f, is := Detect([]byte(tt.src))
		if is != (tt.want != "") || is && f.Name != tt.want {
			t.Errorf("%s: %q, %v", tt.name, f.Name, is)
		}
	}
}

func TestSpeak(t *testing.T) {
	const (
		ldirectord = "virtual = 10.0.0.3:80\n\treal = 192.168.0.1 gate\n\tcallback = x\n"
		piranha    = "primary = 10.0.0.1\n"
		ours       = "hostgroup a b\n"
	)
	for _, tt := range []struct{ name, path, m4, format, src, want string }{
		{"by content", "www.cf", "", "", ldirectord, "callback is no directive of a virtual service"},
		{"by name", "www.toml", "", "", "a = 1", "unknown key"},
		{"ours", "mon.cf", "", "", ours, ""},
		{"named", "x", "", "ldirectord", "x = 1\n", `unknown directive "x"`},
		{"named wrongly", "x", "", "lvs.cf", ldirectord, "not in the format lvs.cf but in that of ldirectord"},
		{"foreign, said to be ours", "x", "", "mon.cf", piranha, "not in the format mon.cf but in that of lvs.cf"},
		{"toml by another name", "x", "", "toml", "a = 1", "unknown key"},
		{"mon.cf by another name", "x.toml", "", "mon.cf", ours, ""},
		{"m4", "x", "m4", "", ldirectord, "m4 is for a mon.cf only"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), tt.path)
			if err := os.WriteFile(path, []byte(tt.src), 0o600); err != nil {
				t.Fatal(err)
			}
			o := config.Options{M4: tt.m4}
			if err := Speak(&o, tt.format); err != nil {
				t.Fatal(err)
			}
			_, diags := config.Load(t.Context(), path, o)
			got := ""
			if err := diags.Err(); err != nil {
				got = err.Error()
			}
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	if err := Speak(&config.Options{}, "haproxy"); err == nil || !strings.Contains(err.Error(), "want one of mon.cf, toml, ldirectord, lvs.cf") {
		t.Error(err)
	}
}

// Variables of other programs that tell their files apart are none of ours.
func TestFormatsShareNoVariable(t *testing.T) {
	for _, name := range []string{"checktimeout", "logfile", "fork", "callback", "execute", "smtp", "quiescent", "fallback", "service", "network", "primary", "sync", "ipvsadm"} {
		_, diags := config.ParseMond("f", []byte(name+" = 1\n"))
		if !diags.HasErrors() {
			t.Errorf("%s is a variable of mond", name)
		}
	}
}
