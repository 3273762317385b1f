package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree makes files in folders and returns where they are.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const site = "syntax = mond\nhistlength = 7\n\ninclude conf.d/*.cf groups.cf # and more\ninclude none/*.cf\nmaxprocs = 3\n"

// good files of a site.
func siteFiles() map[string]string {
	return map[string]string{
		"mon.cf":               site,
		"groups.cf":            "hostgroup www1 10.0.0.1\n\nhostgroup www2 10.0.0.2",
		"conf.d/10-web.cf":     "watch www1 www2\n    use web # below\n",
		"conf.d/20-t.cf":       "maxprocs = 2\ninclude deep/t.cf\n",
		"conf.d/deep/t.cf":     "template web\n service http\n  interval 10s\n  monitor m.monitor $host",
		"conf.d/.hidden.cf":    "bad",
		"conf.d/a.cf~":         "bad",
		"conf.d/a.bak":         "bad",
		"conf.d/x.dpkg-old.cf": "bad",
		"conf.d/x.rpmsave.cf":  "bad",
	}
}

func TestInclude(t *testing.T) {
	dir := filepath.Join(tree(t, nil), "a[b]*.bak")
	for name, text := range siteFiles() {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(dir+"/conf.d/folder.cf", 0o755); err != nil {
		t.Fatal(err)
	}
	c, diag := Load(t.Context(), dir+"/mon.cf", bare())
	if c == nil {
		t.Fatal(printed(diag))
	}
	var files []string
	for _, name := range c.Files {
		files = append(files, strings.TrimPrefix(name, dir+"/"))
	}
	if diff := cmp.Diff([]string{"mon.cf", "conf.d/10-web.cf", "conf.d/20-t.cf", "conf.d/deep/t.cf", "groups.cf"}, files); diff != "" {
		t.Error(diff)
	}
	if c.Globals.MaxProcs != 3 || c.Globals.HistLength != 7 || len(c.Services) != 2 || c.Services[1].Monitor.Args[0] != "10.0.0.2" {
		t.Errorf("%+v, %v", c.Globals, c.Services)
	}
	pos := c.Services[1].Monitor.Pos
	if want := dir + "/conf.d/deep/t.cf:4:11"; pos.String() != want || len(pos.Uses()) != 1 || pos.Uses()[0].Pos.String() != dir+"/conf.d/10-web.cf:2:5" {
		t.Errorf("%v, used at %v", pos, pos.Uses())
	}
	// The value that is set again is warned of, with both places.
	if len(diag) != 1 || diag[0].Pos.String() != dir+"/mon.cf:6:1" || !strings.Contains(diag[0].Message, "conf.d/20-t.cf:1:1") {
		t.Error(printed(diag))
	}
}

// Every fault is reported in the file that it stands in.
func TestIncludeErrors(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"missing", map[string]string{"mon.cf": "syntax = mond\ninclude a.cf\n"}, []string{`mon.cf:2:9: error: include "a.cf": there is no such file`}},
		{"itself", map[string]string{"mon.cf": "syntax = mond\ninclude a.cf\n", "a.cf": "include x/../mon.cf\n", "x/y": ""}, []string{
			`a.cf:1:9: error: include "mon.cf": it includes itself: mon.cf -> a.cf -> mon.cf`,
		}},
		{"an error inside", map[string]string{"mon.cf": "syntax = mond\ninclude a.cf\nmaxprocs = x", "a.cf": "watch w\n servcie s\n  intervall 3s\n"}, []string{
			`a.cf:1:7: warning: watch w has no hostgroup: it gets one with the single host w`,
			`a.cf:2:2: error: unknown directive "servcie" (did you mean service?)`,
			`a.cf:3:3: error: unknown directive "intervall" (did you mean interval?)`,
			`mon.cf:3:12: error: "x" is no number for maxprocs`,
		}},
		{"a bad pattern", map[string]string{"mon.cf": "syntax = mond\ninclude [a\n"}, []string{`mon.cf:2:9: error: include: invalid pattern "[a" (a [ wants a ])`}},
		{"a folder", map[string]string{"mon.cf": "syntax = mond\ninclude 'd'\n", "d/a": ""}, []string{`mon.cf:2:9: error: include "d": it is no plain file`}},
		{"an open quote", map[string]string{"mon.cf": "syntax = mond\ninclude 'd\n"}, []string{`mon.cf:2:9: error: include: a ' that is never closed`}},
		{"nothing", map[string]string{"mon.cf": "syntax = mond\ninclude # d\n"}, []string{`mon.cf:2:1: error: include without a file`}},
		{"in a record", map[string]string{"mon.cf": "syntax = mond\nhostgroup a b\ninclude x.cf\nwatch a\n service s\ninclude y.cf\n"}, []string{
			`mon.cf:3:1: error: this line would be part of hostgroup a (put a blank line before it: up to the next one every line belongs to the hostgroup)`,
			`mon.cf:3:9: error: include "x.cf": there is no such file`,
			`mon.cf:6:1: error: include inside watch a (put a blank line before it)`,
		}},
		{"without the syntax", map[string]string{"mon.cf": "include a.cf\n\ntemplate x\n\nwatch w\n service s\n  use y\n"}, []string{
			`mon.cf:1:1: error: unknown directive "include" (write syntax = mond above it: only then this is read)`,
			`mon.cf:3:1: error: unknown directive "template" (write syntax = mond above it: only then this is read)`,
			`mon.cf:5:7: warning: watch w has no hostgroup: it gets one with the single host w`,
			`mon.cf:7:3: error: unknown directive "use" (write syntax = mond above it: only then this is read)`,
		}},
		{"another syntax", map[string]string{"mon.cf": "syntax = mnd\nsyntax = mond 2\nsyntax = mond\\\n # x\n"}, []string{
			`mon.cf:1:10: error: unknown syntax "mnd" (did you mean mond?)`,
			`mon.cf:2:10: error: unknown syntax "mond 2" (did you mean mond?)`,
			`mon.cf:3:14: error: the file ends in a continued line (remove the backslash)`,
		}},
		{"m4", map[string]string{"mon.cf": "syntax = mond\ninclude a.m4\n", "a.m4": "define(`N', `x')dnl\n# c\nmaxprocs = N # d\n"}, []string{
			`a.m4:3:12: error: "x" is no number for maxprocs`,
		}},
		{"m4 that fails", map[string]string{"mon.cf": "syntax = mond\ninclude a.m4\n", "a.m4": "include(`nowhere')\n"}, []string{
			`a.m4: error: run m4 on it: exit status 1`, "a.m4:1: error: m4: cannot open `nowhere': No such file or directory",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(tree(t, tt.files))
			c, diag := Load(t.Context(), "mon.cf", bare())
			var got []string
			for _, d := range diag {
				got = append(got, d.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || c != nil {
				t.Error(diff)
			}
		})
	}
}

// What would never end, or fill the memory, is an error in good time.
func TestIncludeLimits(t *testing.T) {
	deep := map[string]string{"mon.cf": "syntax = mond\ninclude 1\n"}
	for i := range 20 {
		deep[fmt.Sprint(i)] = fmt.Sprintf("include %d\n", i+1)
	}
	wide := map[string]string{"mon.cf": "syntax = mond\n" + strings.Repeat("include a.cf\n", 1200), "a.cf": ""}
	large := map[string]string{"mon.cf": "syntax = mond\n" + strings.Repeat("include a.cf\n", 5), "a.cf": "#" + strings.Repeat(" comment", 2<<20)}
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"deep", deep, "more than 16 files inside each other: mon.cf -> 1 -> 2"},
		{"wide", wide, "more than 1000 files"},
		{"large", large, "the included files are larger than 64 MB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(tree(t, tt.files))
			if c, diag := Load(t.Context(), "mon.cf", bare()); c != nil || !strings.Contains(printed(diag), tt.want) {
				t.Errorf("%.3000s", printed(diag))
			}
		})
	}
}

// A pipe is not waited for.
func TestIncludePipe(t *testing.T) {
	t.Chdir(tree(t, map[string]string{"mon.cf": "syntax = mond\ninclude *.cf\n"}))
	if err := os.Rename("mon.cf", "main"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo("p.cf", 0o600); err != nil {
		t.Fatal(err)
	}
	if _, diag := Load(t.Context(), "main", bare()); !strings.Contains(printed(diag), `include "p.cf": it is no plain file`) {
		t.Error(printed(diag))
	}
	if f, err := openPlain("p.cf"); err == nil {
		f.Close()
		t.Error("a pipe was opened")
	}
}

// A file of another language has its own reader, as the main file and as an
// included one.
func TestReaders(t *testing.T) {
	t.Chdir(tree(t, map[string]string{"mon.cf": "syntax = mond\ninclude a.x\n", "a.x": "w s", "b.x": "v t"}))
	o := bare()
	o.Readers = map[string]Reader{".x": func(name string, src []byte) (*File, Diagnostics) {
		group, service, _ := strings.Cut(string(src), " ")
		f := &File{Name: name, Mond: true, Paths: []string{name}}
		for _, s := range []Statement{
			{Kind: KindTop, Name: "watch", Text: group}, {Kind: KindService, Name: "service", Text: service}, {Kind: KindService, Name: "interval", Text: "x"},
		} {
			s.Pos = Pos{File: name, Line: 1, Col: 1}
			s.Locate(string(src), Part{At: 0, Source: 2})
			f.Statements = append(f.Statements, s)
		}
		return f, nil
	}}
	for path, want := range map[string]string{"mon.cf": "a.x:1:3", "b.x": "b.x:1:3"} {
		_, diag := Load(t.Context(), path, o)
		if got := printed(diag); !strings.Contains(got, want+`: error: invalid time "x" for interval`) || !strings.Contains(got, " "+map[string]string{"mon.cf": "w s", "b.x": "v t"}[path]+"\n      ^") {
			t.Error(got)
		}
	}
}

// Templates that grow without end are stopped.
func TestExpandLimits(t *testing.T) {
	var wide strings.Builder
	wide.WriteString("watch w\n service s\n  interval 1s\n  use t1\n")
	for i := range 12 {
		fmt.Fprintf(&wide, "\ntemplate t%d\n%s", i, strings.Repeat(fmt.Sprintf(" use t%d\n", i+1), 10))
	}
	wide.WriteString("\ntemplate t12\n FOO=1\n")
	long := "hostgroup g " + strings.Repeat("host.example ", 5_000) + "\n\ntemplate l\n period\n" + strings.Repeat("  alert a $hosts\n", 1100) + "\nwatch g\n service s\n use l\n"
	deep := "watch w\n service s\n  use t0\n"
	for i := range 20 {
		deep += fmt.Sprintf("\ntemplate t%d\n use t%d\n", i, i+1)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"wide", wide.String(), "make more than 500000 lines"},
		{"long", long, "or 64 MB of the configuration"},
		{"deep", deep + "\ntemplate t20\n interval 1s\n", "more than 16 templates inside each other: t0 -> t1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, _ := ParseMond("f", []byte(tt.text))
			g, diag := Expand(t.Context(), f, bare())
			if diag.Errors() != 1 || !strings.Contains(printed(diag), tt.want) || tt.name != "deep" && len(g.Statements) > 0 {
				t.Errorf("%.3000s", printed(diag))
			}
		})
	}
}

// The syntax is a matter of the file.
func TestSyntaxNotByCommand(t *testing.T) {
	o := bare()
	o.Overrides = map[string]string{"syntax": "mond"}
	if _, diag := resolve("# a\n", o); printed(diag) != "command line: error: syntax can only be set in a file\n    hint: write it into the file\n" {
		t.Error(printed(diag))
	}
}
