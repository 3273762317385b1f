package getopt

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// options declares one option of each sort; some are named so that groups and
// names could be taken for each other.
func options() *flag.FlagSet {
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Bool("a", false, "all must fail")
	fs.Bool("v", false, "talk")
	fs.Bool("é", false, "a letter of two bytes")
	fs.Int("r", 1, "`times` to try")
	fs.Uint("n", 0, "number")
	fs.Float64("f", 0, "factor")
	fs.String("p", "23", "`port`")
	fs.String("port", "", "`port` again")
	fs.Bool("reset", false, "start anew")
	fs.Duration("timeout", time.Second, "`time` to wait")
	fs.Func("even", "an even `length`", func(s string) error {
		if len(s)%2 != 0 {
			return errors.New("odd length")
		}
		return nil
	})
	return fs
}

// given are the options that were set, "name=value", in the order of names.
func given(fs *flag.FlagSet) (set []string) {
	fs.Visit(func(f *flag.Flag) { set = append(set, f.Name+"="+f.Value.String()) })
	return set
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		args string // words divided by blanks
		set  string
		rest string
	}{
		{"", "", ""},
		{"host -a", "", "host -a"},
		{"-p80 host", "p=80", "host"},
		{"-p 80 host", "p=80", "host"},
		{"-p=80 host", "p=80", "host"},
		{"--p 80", "p=80", ""},
		{"--port=80 host", "port=80", "host"},
		{"--port 80 host", "port=80", "host"},
		{"-port 80 host", "port=80", "host"},
		{"-port=80 host", "port=80", "host"},
		{"-port= host", "port=", "host"},
		{"-ar3 host", "a=true r=3", "host"},
		{"-ar 3 host", "a=true r=3", "host"},
		{"-ar=3 host", "a=true r=3", "host"},
		{"-av", "a=true v=true", ""},
		{"-éa", "a=true é=true", ""},
		{"-av=false", "a=true v=false", ""},
		{"-a=false host", "a=false", "host"},
		{"-a false", "a=true", "false"},
		{"-reset", "reset=true", ""},
		{"--reset", "reset=true", ""},
		{"-r-3", "r=-3", ""},
		{"-r -3", "r=-3", ""},
		{"-p -a", "p=-a", ""},
		{"-p --", "p=--", ""},
		{"-p80=x", "p=80=x", ""},
		{"-a -- -v", "a=true", "-v"},
		{"-- -- x", "", "-- x"},
		{"- -a", "", "- -a"},
		{"-p1 -p2", "p=2", ""},
		{"--timeout=1m30s", "timeout=1m30s", ""},
		{"-even ab", "even=", ""},
	} {
		t.Run(tt.args, func(t *testing.T) {
			fs := options()
			rest, err := Parse(fs, strings.Fields(tt.args))
			if err != nil {
				t.Fatal(err)
			}
			got := []string{strings.Join(given(fs), " "), strings.Join(rest, " "), strings.Join(fs.Args(), " ")}
			if diff := cmp.Diff([]string{tt.set, tt.rest, tt.rest}, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if !fs.Parsed() {
				t.Error("not marked as parsed")
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct {
		args  string
		index int
		text  string
	}{
		{"-x", 0, `option -x: there is no such option`},
		{"-a -vx3", 1, `option -x: there is no such option (in "-vx3")`},
		{"--x=1", 0, `option --x: there is no such option`},
		{"-x=1", 0, `option -x: there is no such option`},
		{"--timeo 3s", 0, `option --timeo: there is no such option; did you mean --timeout?`},
		{"--tiemout 3s", 0, `option --tiemout: there is no such option; did you mean --timeout?`},
		{"--timeotu=3s", 0, `option --timeotu: there is no such option; did you mean --timeout?`},
		{"-timeuot 3s", 0, `option -t: there is no such option (in "-timeuot"); did you mean --timeout?`},
		{"--p80", 0, `option --p80: there is no such option`},
		{"---a", 0, `option ---a: there is no such option`},
		{"--=x", 0, `option --: there is no such option`},
		{"-=x", 0, `option -=: there is no such option (in "-=x")`},
		{"-5", 0, `option -5: there is no such option`},
		{"-a -p", 1, `option -p: its value (port) is missing`},
		{"-ap", 0, `option -p: its value (port) is missing`},
		{"--timeout", 0, `option --timeout: its value (time) is missing`},
		{"-r three", 1, `option -r: "three" is not a whole number: parse error`},
		{"-rthree", 0, `option -r: "three" is not a whole number: parse error`},
		{"-r 99999999999999999999", 1, `option -r: "99999999999999999999" is not a whole number: value out of range`},
		{"-n -1", 1, `option -n: "-1" is not a whole number from 0 up: parse error`},
		{"-f x", 1, `option -f: "x" is not a number: parse error`},
		{"-a=maybe", 0, `option -a: "maybe" is not true or false: parse error`},
		{"--timeout 10", 1, `option --timeout: "10" is not a time such as 10s or 500ms: parse error`},
		{"--timeout=10", 0, `option --timeout: "10" is not a time such as 10s or 500ms: parse error`},
		{"-even odd", 1, `option -even: "odd": odd length`},
	} {
		t.Run(tt.args, func(t *testing.T) {
			rest, err := Parse(options(), strings.Fields(tt.args))
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("got %v, rest %q", err, rest)
			}
			if e.Index != tt.index || e.Error() != tt.text {
				t.Errorf("got word %d, %s\nwant word %d, %s", e.Index, e, tt.index, tt.text)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"-h", "--h", "-help", "--help", "-a -h x", "-ah"} {
		if _, err := Parse(options(), strings.Fields(args)); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%s: got %v", args, err)
		}
	}
	fs := options()
	host := fs.String("h", "", "`host`")
	if _, err := Parse(fs, []string{"-hmail"}); err != nil || *host != "mail" {
		t.Errorf("-h is declared: got %q, %v", *host, err)
	}
}

// sameAsFlag checks that what the flag package accepts is accepted alike.
func sameAsFlag(t interface{ Errorf(string, ...any) }, args []string) {
	std, ours := options(), options()
	stdErr := std.Parse(args)
	rest, err := Parse(ours, args)
	if stdErr != nil {
		if errors.Is(stdErr, flag.ErrHelp) && !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%q: flag asks for help, getopt says %v", args, err)
		}
		return
	}
	if err != nil {
		t.Errorf("%q: accepted by flag, getopt says %v", args, err)
		return
	}
	if diff := cmp.Diff(given(std), given(ours)); diff != "" {
		t.Errorf("%q: -flag +getopt\n%s", args, diff)
	}
	if strings.Join(std.Args(), "\x00") != strings.Join(rest, "\x00") {
		t.Errorf("%q: operands %q, flag %q", args, rest, std.Args())
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"-p80\nhost", "-ar3", "--port=80", "-reset", "--", "-a=false\n-v", "-p", "-", "-éa", "-\xc3", "--timeout\n3s", "-h",
		"-r\n-1\n-n=2", "---", "-=", "--=", "-p=\n-port=x=y",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		args := strings.Split(lines, "\n")
		sameAsFlag(t, args)
		if _, err := Parse(options(), args); err != nil && !errors.Is(err, flag.ErrHelp) {
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Index < 0 || e.Index >= len(args) {
				t.Errorf("%q: %v", args, err)
			}
		}
	})
}

// Every spelling of the same options means the same.
func TestSpellings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var args, want []string
		all := rapid.Bool().Draw(t, "all")
		times := rapid.IntRange(-9, 999).Draw(t, "times")
		port := rapid.StringMatching(`[a-z0-9=-]{0,5}`).Draw(t, "port")
		hosts := rapid.SliceOfN(rapid.StringMatching(`[a-z][a-z-]{0,4}`), 0, 3).Draw(t, "hosts")
		group := "-"
		if all {
			group, want = "-a", append(want, "a=true")
		}
		want = append(want, "port="+port, fmt.Sprintf("r=%d", times))
		args = append(args, rapid.SampledFrom([][]string{
			{fmt.Sprintf("%sr%d", group, times)},
			{fmt.Sprintf("%sr=%d", group, times)},
			{group + "r", fmt.Sprint(times)},
		}).Draw(t, "spelling of r")...)
		args = append(args, rapid.SampledFrom([][]string{
			{"--port=" + port}, {"--port", port}, {"-port=" + port}, {"-port", port},
		}).Draw(t, "spelling of port")...)
		if rapid.Bool().Draw(t, "end of options") {
			args = append(args, "--")
		}
		fs := options()
		rest, err := Parse(fs, append(args, hosts...))
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		if diff := cmp.Diff(want, given(fs)); diff != "" {
			t.Errorf("%q: -want +got\n%s", args, diff)
		}
		if strings.Join(rest, " ") != strings.Join(hosts, " ") {
			t.Errorf("%q: operands %q", args, rest)
		}
	})
}

func TestUsage(t *testing.T) {
	fs := flag.NewFlagSet("x.monitor", flag.ContinueOnError)
	fs.Int("p", 80, "TCP `port`")
	fs.Bool("o", false, "only once")
	fs.String("link", "", "one `way`; -v is none")
	fs.Bool("tls", false, "speak TLS")
	want := "  --link way\n    \tone way; -v is none\n  -o\tonly once\n  -p port\n    \tTCP port (default 80)\n  --tls\n    \tspeak TLS\n"
	if got := Usage(fs); got != want {
		t.Errorf("%q", got)
	}
}
