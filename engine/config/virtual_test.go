package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// whole reads, expands and resolves text.
func whole(t testing.TB, name, text string) (*File, *Config, Diagnostics) {
	t.Helper()
	f, diag := Parse(name, []byte(text))
	g, more := Expand(t.Context(), f, bare())
	c, most := Resolve(g, bare())
	diag = append(append(diag, more...), most...)
	diag.Sort()
	return g, c, diag
}

// dump is what c says of its virtual services.
func dump(c *Config) string {
	var b strings.Builder
	for _, v := range c.Virtuals {
		fmt.Fprintf(&b, "%s: virtual %s by %s\n", v.Pos, v.Name, v.Program)
		pool := *v.Pool
		pool.Members = nil
		fmt.Fprintf(&b, "  pool %+v\n", pool)
		if v.MaintenanceDir != "" {
			fmt.Fprintf(&b, "  maintenance in %s\n", v.MaintenanceDir)
		}
		for _, f := range v.Faults {
			fmt.Fprintf(&b, "  fault %+v\n", f)
		}
		for _, r := range v.Rows {
			fmt.Fprintf(&b, "  row %s, %s\n", strings.Join(r.Target, " "), strings.Join(r.More, " "))
		}
		for i, m := range v.Members {
			fmt.Fprintf(&b, "  %s: %s %s %+v\n", m.Pos, m.Name, m.Addr, v.Pool.Members[i])
			for _, r := range m.Rows {
				fmt.Fprintf(&b, "    row %s, %s\n", strings.Join(r.Target, " "), strings.Join(r.More, " "))
			}
			for _, s := range m.Maintenance {
				fmt.Fprintf(&b, "    maintenance %s\n", s)
			}
			if m.Asks >= 0 {
				fmt.Fprintf(&b, "    asks %s %+v\n", m.Checks[m.Asks], m.Ask)
			}
		}
	}
	for _, s := range c.Services {
		fmt.Fprintf(&b, "%s: service %s of %s: %s\n", s.Pos, s.Key, s.Origin, strings.Join(s.Hosts, " "))
		for _, f := range s.Faults {
			fmt.Fprintf(&b, "  fault %+v\n", f)
		}
		if s.Key.Group != VirtualGroup {
			continue
		}
		fmt.Fprintf(&b, "  %q %v\n", s.Description, s.Env)
		for _, p := range s.Periods {
			for _, l := range p.Lines {
				fmt.Fprintf(&b, "  period %s: %s %q\n", p.Name, l.On, l.Text)
			}
		}
	}
	return b.String()
}

// Each testdata/virtual/NAME.cf is reported, and means, what NAME.txt says; and
// what it is expanded to means the same.
func TestVirtual(t *testing.T) {
	paths, err := filepath.Glob("testdata/virtual/*.cf")
	if err != nil || len(paths) < 8 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text := readString(t, path)
			f, c, diag := whole(t, filepath.Base(path), text)
			got := printed(diag)
			if !diag.HasErrors() {
				got += "\n" + string(Plain(f)) + "\n" + dump(c)
				expandsAlike(t, f, c)
				checkFormat(t, text)
			}
			golden := strings.TrimSuffix(path, ".cf") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(readString(t, golden), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// expandsAlike fails if the expanded f does not mean what c does.
func expandsAlike(t testing.TB, f *File, c *Config) {
	t.Helper()
	text := string(Plain(f))
	_, again, diag := whole(t, "plain.cf", text)
	if diag.HasErrors() {
		t.Fatalf("%s\n%s", printed(diag), text)
	}
	options := append(alike(), cmpopts.IgnoreFields(Config{}, "Path", "Files"), cmpopts.IgnoreFields(Globals{}, "Set"),
		cmpopts.IgnoreFields(Hostgroup{}, "Implied"), cmpopts.SortSlices(func(a, b *Service) bool { return a.Key.String() < b.Key.String() }),
		cmpopts.SortSlices(func(a, b Hostgroup) bool { return a.Name < b.Name }))
	if diff := cmp.Diff(c, again, options...); diff != "" {
		t.Errorf("expanded it means something else: %s\n%s", diff, text)
	}
}

// A virtual service that was not read from any text, such as a converter
// writes, means what it would mean as text.
func TestVirtualOfAConverter(t *testing.T) {
	f := &File{Name: "www.cf", Paths: []string{"www.cf"}, Mond: true}
	for i, line := range []struct {
		kind       Kind
		name, text string
	}{
		{KindTop, "virtual", "web"}, {KindVirtual, "description", "the $virtual"}, {KindVirtual, "address", "tcp 10.0.0.3:80"},
		{KindVirtual, "real", "192.168.0.1 weight 5"}, {KindService, "period", ""}, {KindPeriod, "alert", "mail.alert root"},
		{KindService, "check", ""}, {KindService, "monitor", "http.monitor -p $port"}, {KindService, "through", ""}, {KindBlank, "", ""},
	} {
		f.Statements = append(f.Statements, Statement{Kind: line.kind, Name: line.name, Text: line.text, Pos: Pos{File: "www.cf", Line: i + 1, Col: 1}})
	}
	g, diag := Expand(t.Context(), f, bare())
	c, more := Resolve(g, bare())
	if len(diag)+len(more) > 0 {
		t.Fatal(printed(append(diag, more...)))
	}
	_, again, diag := whole(t, "again.cf", "syntax = mond\n"+string(Format(f)))
	if diff := cmp.Diff(dumpAlike(c), dumpAlike(again)); diff != "" || len(diag) > 0 {
		t.Error(diff, printed(diag))
	}
	f.Statements[3].Text = "192.168.0.1 weight many"
	_, diag = Expand(t.Context(), f, bare())
	if got := diag.Err(); got == nil || got.Error() != `www.cf:4:1: "many" is no number for weight` {
		t.Error(got)
	}
}

// dumpAlike is dump without the places.
func dumpAlike(c *Config) string {
	return regexp.MustCompile(`\w+\.cf:\d+:\d+`).ReplaceAllString(dump(c), "")
}
