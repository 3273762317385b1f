package auth

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// helper is a program in the place of pwauth. It writes down all that it can
// see, and does what the name tells it.
const helper = `#!/bin/sh
d=${0%/*}
read -r user
{ echo "words: $*"; env | sort; cat /proc/$$/cmdline | tr '\0' ' '; echo; } >"$d/seen"
case $user in
right) read -r password; [ "$password" = "pass word" ] ;;
status*) exit ${user#status} ;;
killed) kill -9 $$ ;;
hangs) echo $$ >"$d/pid"; sleep 60 ;;
child) sleep 3 & exit 0 ;;
loud) yes; exit 1 ;;
deaf) exec <&-; exit 1 ;;
esac
`

func TestProgram(t *testing.T) {
	r := set(t, "", "", "pam")
	r.write(t, "helper", helper)
	r.opt.AuthProgram = []string{r.path("helper"), "-x", "two words"}
	t.Setenv("SECRET_OF_MOND", "1")
	r.read(t)
	tests := map[string]struct {
		user, password, want string
	}{
		"right":           {"right", "pass word", ""},
		"wrong":           {"right", "pass words", "wrong password, says "},
		"no":              {"status3", "x", "by its exit status 3"},
		"not set up":      {"status50", "x", "exit status 50: it is not set up rightly, or may not be run by mond's user"},
		"killed":          {"killed", "x", "signal: killed"},
		"deaf":            {"deaf", strings.Repeat("x", 511), "exit status 1"},
		"line end":        {"right", "pass word\nx", "is not asked about"},
		"line end in CR":  {"right\r", "pass word", "is not asked about"},
		"line in a name":  {"x\nright", "pass word", "is not asked about"},
		"NUL":             {"right", "pass word\x00", "is not asked about"},
		"without":         {"right", "", "no password"},
		"leaves a child":  {"child", "x", ""},
		"a password with": {"right", `$(id)`, "wrong password"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r.pass(window) // the cases come in any order, and wrong passwords may not follow each other so fast
			want(t, test.user, r.login(t, there, test.user, test.password), test.want)
		})
	}
	seen, err := os.ReadFile(r.path("seen"))
	check(t, err)
	for _, text := range []string{"words: -x two words\n", "MON_PAMSERVICE=mon\n", "LC_ALL=C\n"} {
		if !strings.Contains(string(seen), text) {
			t.Errorf("no %q in what the program sees:\n%s", text, seen)
		}
	}
	for _, text := range []string{"pass word", "SECRET_OF_MOND"} {
		if strings.Contains(string(seen), text) {
			t.Errorf("%q in what the program sees:\n%s", text, seen)
		}
	}
	r.opt.AuthProgram = []string{r.path("missing")}
	check(t, r.Configure(t.Context(), r.opt))
	want(t, "missing", r.login(t, here, "right", "pass word"), "no such file or directory")
}

// unopposed is a question that nothing is against.
func unopposed() error { return nil }

// TestProgramHangs gives a program its time and no more, and ends it whole.
func TestProgramHangs(t *testing.T) {
	for _, user := range []string{"hangs", "loud"} {
		t.Run(user, func(t *testing.T) {
			r := set(t, "", "")
			r.write(t, "helper", helper)
			p := program{words: []string{r.path("helper")}, answers: true, turns: make(gate, 1), limit: 300 * time.Millisecond}
			begun := time.Now()
			out, err := p.ask(t.Context(), unopposed, user+"\nx\n")
			want(t, user, err, "no answer in time: context deadline exceeded")
			if d := time.Since(begun); d > 30*time.Second || len(out) > mostAnswer {
				t.Errorf("it took %s, and gave %d bytes", d, len(out))
			}
			check(t, p.turns.enter(t.Context())) // its turn is over
		})
	}
}

// TestProgramsAreFew lets nobody wait without end for a turn.
func TestProgramsAreFew(t *testing.T) {
	p := program{words: []string{"/bin/true"}, turns: make(gate, 1), limit: time.Millisecond}
	check(t, p.turns.enter(t.Context()))
	_, err := p.ask(t.Context(), unopposed, "")
	want(t, "full", err, "run /bin/true: 1 of it run already")
	p.turns.leave()
	p.limit = time.Minute
	_, err = p.ask(t.Context(), func() error { return Limited{time.Second} }, "")
	want(t, "opposed", err, "too many wrong passwords")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = p.ask(ctx, unopposed, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	_, err = p.ask(t.Context(), unopposed, "")
	want(t, "in the end", err, "")
}
