package monstate

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/opstatus"
)

// recorded is a file that mon 1.3.6 wrote in a recorded session.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "mon-1.3.6."+name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func key(g, s string) opstatus.Key { return opstatus.Key{Group: g, Service: s} }

// mon's own file of what is disabled is read, and written as it is.
func TestDisabledIsMons(t *testing.T) {
	text := recorded(t, "disabled")
	d, bad := DecodeDisabled(text)
	want := Disabled{Hosts: []string{"only.example", "w1.example"}, Watches: []string{"single", "db"}, Services: []opstatus.Key{key("web", "http")}}
	if diff := cmp.Diff(want, d); diff != "" || bad != nil {
		t.Errorf("%v\n%s", bad, diff)
	}
	if diff := cmp.Diff(string(text), string(d.Encode())); diff != "" {
		t.Error(diff)
	}
}

// Lines that mean nothing are left out one by one.
func TestDisabledWithBadLines(t *testing.T) {
	d, bad := DecodeDisabled([]byte("\ndisable host a\r\ndisable host a\nenable host b\ndisable watch\n  disable \t watch  g\ndisable service g s x\ndisable service g s"))
	want := Disabled{Hosts: []string{"a"}, Watches: []string{"g"}, Services: []opstatus.Key{key("g", "s")}}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	var lines []int
	for _, p := range bad {
		lines = append(lines, p.Line)
	}
	if diff := cmp.Diff([]int{4, 5, 7}, lines); diff != "" {
		t.Errorf("%v\n%s", bad, diff)
	}
	if _, bad := DecodeDisabled(bytes.Repeat([]byte("x\n"), 5000)); len(bad) != problemsMost {
		t.Errorf("%d problems", len(bad))
	}
}

// mon's own file of statuses is read: also what its set command left in it, and
// the service that its ack command made up.
func TestOpstatusIsMons(t *testing.T) {
	all, bad := Decode(recorded(t, "opstatus"))
	if len(all) != 9 || bad != nil {
		t.Fatalf("%d services, %v", len(all), bad)
	}
	by := map[opstatus.Key]Service{}
	for _, s := range all {
		by[s.Key] = s
	}
	for _, want := range []Service{
		{
			Key: key("web", "http"), Status: 1, Last: 0, Exit: 0, Failures: 3, Alerts: 7, LastSuccess: 1795445234, LastCheck: 1795445233,
			Summary: "recovered", Detail: "detail of ok\n", Periods: []Period{{Name: "ALL"}, {Name: "wd {Sun-Sat} hr {12am-11pm}"}},
		},
		{
			Key: key("single", "ping"), Status: 0, Last: 7, Exit: 1, Failures: 1, Alerts: 1, Consecutive: 1, LastFailure: 1795445241, FirstFailure: 1795445241,
			LastCheck: 1795445240, Summary: "only.example", Detail: "no reply\n", Failed: "only.example\nno reply\n",
			Periods: []Period{{LastAlert: 1795445241, Sent: 1}},
		},
		{Key: key("nogrp", "nosvc"), Status: -1, Last: -1, Exit: 0, Ack: 1795445252, Comment: "alice: hi"},
		{Key: key("db", "trap"), Status: 7, Last: 7, Exit: -1, Periods: []Period{{}}},
	} {
		if diff := cmp.Diff(want, by[want.Key]); diff != "" {
			t.Errorf("%s:\n%s", want.Key, diff)
		}
	}
}

// What is written has mon's fields in mon's order.
func TestEncodeHasMonsFields(t *testing.T) {
	text := recorded(t, "opstatus")
	all, _ := Decode(text)
	names := func(text []byte) (all []string) {
		for line := range strings.Lines(string(text)) {
			for part := range strings.SplitSeq(strings.TrimSpace(line), "\t") {
				name, _, _ := strings.Cut(part, "=")
				all = append(all, name)
			}
		}
		return all
	}
	if diff := cmp.Diff(names(text), names(Encode(all))); diff != "" {
		t.Error(diff)
	}
}

func TestOpstatusWithBadLines(t *testing.T) {
	all, bad := Decode([]byte("group=g\tservice=s\top_status=6\tlast_summary=a=b\\20c\\2\\zz\tnoise\tfailure_count=x\tlast_check=-5\tnosuch=1\tP:nosuch=1\tP:alert_sent=y\r\n" +
		"op_status=1\n\ngroup=g\tservice=t\top_status=11"))
	want := []Service{
		{Key: key("g", "s"), Status: 6, Last: -1, Exit: -1, Summary: "a=b c\\2\\zz"},
		{Key: key("g", "t"), Status: 7, Last: -1, Exit: -1},
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Error(diff)
	}
	if len(bad) != 8 {
		t.Errorf("%d problems: %v", len(bad), bad)
	}
}

// service draws what a file can hold.
func service(t *rapid.T) Service {
	name := rapid.StringMatching(`[A-Za-z0-9_.-]{1,12}`)
	text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 40), func(b []byte) string { return string(b) }),
		rapid.StringMatching(`[\\=0-9a-f"' \t\n:]*`))
	when := rapid.Int64Range(0, 1<<40)
	count := rapid.IntRange(0, 1<<31)
	status := rapid.IntRange(-1, 9)
	s := Service{
		Key: key(name.Draw(t, "group"), name.Draw(t, "service")), Status: status.Draw(t, "status"), Last: status.Draw(t, "last"),
		Exit: rapid.IntRange(-1, 255).Draw(t, "exit"), Failures: count.Draw(t, "failures"), Alerts: count.Draw(t, "alerts"),
		Consecutive: count.Draw(t, "consecutive"), LastSuccess: when.Draw(t, "ok"), FirstSuccess: when.Draw(t, "first ok"),
		LastFailure: when.Draw(t, "fail"), FirstFailure: when.Draw(t, "first fail"), LastCheck: when.Draw(t, "check"), LastTrap: when.Draw(t, "trap"),
		Summary: text.Draw(t, "summary"), Detail: text.Draw(t, "detail"), Failed: text.Draw(t, "failed"), Ack: when.Draw(t, "ack"),
		Comment: text.Draw(t, "comment"), TrapTimer: when.Draw(t, "timer"),
	}
	periods := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z {}:,-]{0,20}`), 0, 4, func(s string) string { return s }).Draw(t, "periods")
	for _, p := range periods {
		s.Periods = append(s.Periods, Period{Name: p, LastAlert: when.Draw(t, "alert"), FirstFail: when.Draw(t, "1st"), Sent: count.Draw(t, "sent"), FailCount: count.Draw(t, "count")})
	}
	return s
}

// What is written is read back, whatever a monitor said, and by mon too: it
// takes what is before the last = for the name.
func TestOpstatusRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(service), 0, 5).Draw(t, "services")
		text := Encode(want)
		got, bad := Decode(text)
		if len(want) == 0 {
			want = nil
		}
		if diff := cmp.Diff(want, got); diff != "" || bad != nil {
			t.Fatalf("%v\n%s\n%s", bad, diff, text)
		}
		for line := range bytes.Lines(text) {
			for part := range bytes.SplitSeq(bytes.TrimSuffix(line, []byte("\n")), []byte("\t")) {
				if bytes.Count(part, []byte("=")) != 1 {
					t.Fatalf("mon cannot split %q", part)
				}
			}
		}
	})
}

func TestDisabledRoundTrip(t *testing.T) {
	name := rapid.StringMatching(`[A-Za-z0-9_.:-]{1,12}`)
	id := func(s string) string { return s }
	rapid.Check(t, func(t *rapid.T) {
		var want Disabled
		want.Hosts = append(want.Hosts, rapid.SliceOfDistinct(name, id).Draw(t, "hosts")...)
		want.Watches = append(want.Watches, rapid.SliceOfDistinct(name, id).Draw(t, "watches")...)
		for _, s := range rapid.SliceOfDistinct(name, id).Draw(t, "services") {
			want.Services = append(want.Services, key("g", s))
		}
		got, bad := DecodeDisabled(want.Encode())
		if diff := cmp.Diff(want, got); diff != "" || bad != nil {
			t.Fatalf("%v\n%s", bad, diff)
		}
	})
}

// Whatever a file holds, what was understood of it is written and read again.
func FuzzDecode(f *testing.F) {
	f.Add(recorded(f, "opstatus"))
	f.Add(recorded(f, "disabled"))
	f.Add([]byte("group=g\tservice=s\t:last_alert=1\ta:b:failcount=2\tlast_summary=\\5c\\3d="))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, _ := DecodeDisabled(text)
		if again, bad := DecodeDisabled(d.Encode()); bad != nil || !cmp.Equal(d, again) {
			t.Fatalf("%+v, then %+v: %v", d, again, bad)
		}
		all, bad := Decode(text)
		if len(bad) > problemsMost {
			t.Fatal(len(bad))
		}
		for i := range all { // names that mon could not have
			if strings.ContainsAny(all[i].Key.Group+all[i].Key.Service, "\r\n\t=") {
				return
			}
			for _, p := range all[i].Periods {
				if strings.ContainsAny(p.Name, "\t\r\n=") {
					return
				}
			}
		}
		if again, bad := Decode(Encode(all)); bad != nil || !cmp.Equal(all, again) {
			t.Fatalf("%+v, then %+v: %v", all, again, bad)
		}
	})
}
