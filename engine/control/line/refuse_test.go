package line

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/auth"
)

// What the daemon refuses is told in one status line, in its own words where
// mon has none.
func TestRefusals(t *testing.T) {
	refused := errors.New("it is Sunday\nnot today")
	for _, row := range []struct {
		command string
		err     error
		want    []string
	}{
		{"ack web http x", refused, []string{`520 it is Sunday\0anot today`}},
		{"ack web http x", errGone, []string{"520 unknown service"}},
		{"disable service web http", errGone, []string{"520 disable error, unknown service"}},
		{"disable watch web", errGone, []string{`520 disable error, unknown watch "web"`}},
		{"disable host w2.example db1", errGone, []string{"520 disable host failed, host(s) w2.example db1 do not exist"}},
		{"disable host only.example", refused, []string{`520 it is Sunday\0anot today`}},
		{"enable service web http", errGone, []string{"520 enable error, unknown group"}},
		{"enable watch web", errGone, []string{"520 enable error, unknown watch"}},
		{"enable host w1.example", errGone, []string{"220 enable completed"}},
		{"enable host w1.example", refused, []string{`520 it is Sunday\0anot today`}},
		{"clear timers web http", errGone, []string{"520 unknown group"}},
		{"get web http x", errGone, []string{"520 web,http not defined"}},
		{"get web http x", refused, []string{`520 it is Sunday\0anot today`}},
		{"set web http x y", errGone, []string{"520 web,http not defined"}},
		{"set web http interval junk", refused, []string{`520 it is Sunday\0anot today`}},
		{"set web http opstatus ok", refused, []string{`520 it is Sunday\0anot today`}},
		{"set maxkeep 7", refused, []string{`520 it is Sunday\0anot today`}},
		{"test monitor web http", errGone, []string{"220 test monitor completed"}},
		{"test monitor db trap", refused, []string{`520 it is Sunday\0anot today`}},
		{"test alert web http 1 ALL", errGone, []string{"520 web http not defined"}},
		{"test config", errors.New("mon.cf:1:2: error: bad\n220 ok\n\nhint"), []string{"mon.cf:1:2: error: bad", `\3220 ok`, "hint", "520 test config completed, errors found in config file"}},
		{"reset", refused, []string{"520 reset PID 27162@vm failed, error in config file"}},
		{"stop", refused, []string{`520 it is Sunday\0anot today`}},
		{"start", errGone, []string{"520 it: file does not exist"}},
		{"savestate all", refused, []string{`520 savestate error, it is Sunday\0anot today`}},
		{"loadstate all", refused, []string{`520 loadstate error, it is Sunday\0anot today`}},
		{"reload auth", refused, []string{`520 reload failed, it is Sunday\0anot today`}},
	} {
		t.Run(row.command, func(t *testing.T) {
			r := newSite(t)
			r.mon.err, r.auth = row.err, row.err
			c := newTalk(dial(t, r.serve(t)))
			c.ask("login alice secret")
			if got := c.ask(row.command); !cmp.Equal(row.want, got) {
				t.Error(cmp.Diff(row.want, got))
			}
		})
	}
}

// newSite is a rig of testdata/site.cf.
func newSite(t testing.TB) *rig {
	t.Helper()
	site, err := os.ReadFile("testdata/site.cf")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, string(site))
	r.fill(t)
	return r
}

func TestDowntimeLogThatIsNotThere(t *testing.T) {
	r := newSite(t)
	c := newTalk(dial(t, r.serve(t)))
	for path, want := range map[string]string{
		"":          "520 list dtlog error, dtlogging is not turned on",
		"/no/such":  "520 list dtlog error, cannot open dtlog",
		t.TempDir(): "520 list dtlog error, cannot read dtlog",
		os.DevNull:  "220 list dtlog completed",
	} {
		r.dtlog = path
		if got := c.ask("list dtlog"); !cmp.Equal([]string{want}, got) {
			t.Errorf("%q: %v", path, got)
		}
	}
}

// What is a command here is one in auth.cf.
func TestAuthKnowsTheCommands(t *testing.T) {
	for word := range commands() {
		if _, problems := auth.ParseRules("auth.cf", word+": all\n"); len(problems) > 0 {
			t.Error(problems)
		}
	}
}
