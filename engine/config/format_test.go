package config

import (
	"context"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/depend"
	"github.com/mondhq/mond/engine/period"
	"github.com/mondhq/mond/engine/schedule"
)

const untidy = `


# what this is
#  about
syntax=mond   # below it
maxprocs    =  20
# above the first
hostgroup   web   a b   c# no comment    # one
  # of more
  d     *e   # two
timeout = 3s
f

watch web # trailing
# of the service
   service http   # is it there?
      use   people  to="ann  bob"
  FOO=#bar \# #foo
  description  it's  "not # here"   so # what's that
     monitor   http.monitor  -p   "80  81"\ x   \
         -u  /
# of the period
       period   l:  wd  {Sun-Sat}
     alert a.alert \
             # inside
         b c   # at its end
     use loud
       # last
watch   other
   use web   port=80
     interval 10s
template web port
interval  1s

template  t
   service s
 interval  1s
      period
   alert x
template p
 # a period
 period x: hr {1}
  alert y
include   conf.d/*.cf    'a b'  # files
# the end
alias shop
  the   shop \
   of ours
hostgroup long aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \
  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb \
       ccccccccccccccccccccccccccccccccccccccc


# quite the end`

const tidy = `# what this is
#  about
syntax = mond  # below it
maxprocs = 20

# above the first
hostgroup web a b c# no comment  # one
    # of more
    d *e  # two
timeout = 3s
    f

watch web  # trailing
    # of the service
    service http  # is it there?
        use people to="ann  bob"
        FOO=#bar \#  #foo
        description it's  "not # here"   so  # what's that
        monitor http.monitor -p "80  81"\ x -u /
        # of the period
        period l:  wd  {Sun-Sat}
            alert a.alert \
                # inside
                b c   # at its end
            use loud

# last
watch other
    use web port=80
        interval 10s

template web port
    interval 1s

template t
    service s
        interval 1s
        period
            alert x

template p
    # a period
    period x: hr {1}
        alert y

include conf.d/*.cf 'a b'  # files

# the end
alias shop
    the   shop of ours

hostgroup long aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \
    bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb \
    ccccccccccccccccccccccccccccccccccccccc

# quite the end
`

func TestFormat(t *testing.T) {
	text := strings.Replace(untidy, "include ", "\ninclude ", 1)
	out, diag := FormatSource("f", []byte(text))
	if diag.HasErrors() {
		t.Fatal(printed(diag))
	}
	if diff := cmp.Diff(tidy, string(out)); diff != "" {
		t.Error(diff)
	}
}

// A file with errors is not touched, also not one that m4 has to read first.
func TestFormatErrors(t *testing.T) {
	for _, text := range []string{"frobnicate\n", "watch a\n servic b\n", "a \\"} {
		if out, diag := FormatSource("f", []byte(text)); out != nil || !diag.HasErrors() {
			t.Errorf("%q became %q", text, out)
		}
	}
}

// A file that another one includes has no line with the syntax.
func TestFormatIncluded(t *testing.T) {
	out, diag := FormatSource("f", []byte("watch a\n use  b # c\n"))
	if diag.HasErrors() || string(out) != "watch a\n    use b  # c\n" {
		t.Errorf("%q, %v", out, diag)
	}
}

// fatal is what testing.T and rapid.T share here.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkFormat formats a text and reports whether it could: what comes out must
// mean the same, and stay as it is when it is formatted again.
func checkFormat(t fatal, text string) bool {
	t.Helper()
	out, diag := FormatSource("f", []byte(text))
	if diag.HasErrors() {
		if strings.Contains(printed(diag), "mistake in mond") {
			t.Fatalf("%q: %s", text, printed(diag))
		}
		return false
	}
	again, diag := FormatSource("f", out)
	if string(again) != string(out) {
		t.Fatalf("%q\nbecame\n%s\nand then\n%s\n%s", text, out, again, printed(diag))
	}
	for _, read := range []Reader{Parse, ParseMond} {
		a, said := meant(read, []byte(text))
		b, then := meant(read, out)
		if said != "" {
			continue // a file is read in one way only
		}
		if diff := cmp.Diff(a, b, alike()...); diff != "" || then != said {
			t.Fatalf("%q\nbecame\n%s\nwhich differs: %s\n%s\n%s", text, out, diff, said, then)
		}
	}
	return true
}

// alike compares configurations but for places.
func alike() []cmp.Option {
	return []cmp.Option{cmpopts.IgnoreTypes(Pos{}, []Pos{}, Spelling("")), cmpopts.IgnoreUnexported(Config{}, schedule.Plan{}), cmpopts.EquateEmpty(),
		cmp.Comparer(func(a, b *depend.Expr) bool { return exprText(a) == exprText(b) }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
		cmp.Comparer(func(a, b period.Spec) bool { return a.String() == b.String() }),
		cmp.Comparer(func(a, b schedule.Calendar) bool { return (a == nil) == (b == nil) })}
}

func exprText(e *depend.Expr) string {
	if e == nil {
		return ""
	}
	return e.String()
}

// meant is what a text means, and the errors of it.
func meant(read Reader, text []byte) (*Config, string) {
	f, diag := read("f", text)
	f, more := Expand(context.Background(), f, bare())
	c, most := Resolve(f, bare())
	c.Files = nil
	var errors []string
	for _, d := range slices.Concat(diag, more, most) {
		if d.Severity == Error {
			errors = append(errors, d.Message)
		}
	}
	slices.Sort(errors)
	return c, strings.Join(errors, "; ")
}

// All samples can be formatted, and say the same then.
func TestFormatSamples(t *testing.T) {
	n := 0
	for _, pattern := range []string{"testdata/*.cf", "testdata/diag/*.cf", "testdata/grammar/*.cf", "testdata/virtual/*.cf", "../../etc/*.cf", "../../cmd/monctl/testdata/check/*.cf"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range paths {
			if checkFormat(t, readString(t, path)) {
				n++
			}
		}
	}
	if n < 45 {
		t.Errorf("only %d were formatted", n)
	}
}

// lines are pieces of files for a test to put together.
func lines() []string {
	return []string{
		"syntax = mond", "maxprocs = 3 # c", "# c", "#", "", "", "", "hostgroup g a", "hostgroup h a \\", "  b # it's", "watch g", "watch g h", "watch h",
		"template t", "template u a b=c", " template v x=\\#1", "use t", "  use u a=1", "use u a='x # y' b=\"z\" # 'c'", " service s", "service $a", "service q # c",
		"interval 10s", "  interval 5s # why", "monitor m.monitor -x '# y' # it's", "monitor m \\", " -p 'a \\", "b' # c", "c \\ # d", "description it's a # b's c", "description \"a # b\" # c",
		"description \\# x \\\\# y", "period", "period l: wd {Mon} # c", "period l:", "period hr {1-2}", "alert m.alert a", "alert m.alert  # c \\", "description a # c \\", "  alert exit=1-2 x.alert  '$a'   $b # c",
		"upalert x.alert \\", "FOO=bar # c", "FOO=#a", "alertevery 1h", "exclude_hosts a   b # c", "include a.cf # x", "view v g  h:s # m", "  alert m", "alias a", " text  'of # it ' x # c", "allow_empty_group # c",
		"virtual v", "virtual w # c", " address tcp  10.0.0.3:80", "address udp $vip:0", "real 192.168.0.1 # c", "  real 192.168.0.2  weight \\", "standby 1 192.168.0.3-5", "check", " check c # d", "check $name",
		"on primary  all", "through", "local_fault link  eth0", "weight_from perf x", "weight_from perf  'a  # b'   as \\", "load # c", "weight_from perf it's", "quorum 1 members", "maintenance_at *  hr {1-2}", "monitor m.monitor -p $port '$real # x' $$",
	}
}

// Whatever is put together, it means the same when it was formatted, and
// nothing panics.
func TestFormatProperty(t *testing.T) {
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(lines()), 0, 25).Draw(t, "lines"), "\n")
		if rapid.Bool().Draw(t, "mond") {
			text = "syntax = mond\n" + text
		}
		if checkFormat(t, text) {
			n++
		}
	})
	if n == 0 {
		t.Error("nothing was formatted")
	}
}

// A comment and a text that are written are read back as they were, whatever is
// in them.
func TestCommentProperty(t *testing.T) {
	letters := rapid.StringOf(rapid.SampledFrom([]rune("ab #\\\"'$\t")))
	rapid.Check(t, func(t *rapid.T) {
		f := &File{Name: "f", Mond: true, Statements: []Statement{{Kind: KindTop, Name: "watch", Text: "w"}, {Kind: KindService, Name: "service", Text: "s"}}}
		s := Statement{Kind: KindService, Name: "description", Text: oneLine(letters.Draw(t, "text")), Comment: "#" + strings.TrimSpace(letters.Draw(t, "comment"))}
		f.Statements = append(f.Statements, s, Statement{Kind: KindService, Name: "interval", Text: "1s"})
		for _, text := range []string{string(Format(f)), string(f.Bytes())} {
			again, diag := ParseMond("f", []byte(text))
			if len(diag) > 0 {
				t.Fatal(printed(diag))
			}
			all := saying(again)
			if len(all) != 4 || all[2].Text != s.Text || !slices.Equal(comments(again), []string{s.Comment}) {
				t.Fatalf("%q %q: %q", s.Text, s.Comment, text)
			}
		}
	})
}

func TestStandalone(t *testing.T) {
	f := &File{Name: "f", Mond: true, Statements: []Statement{
		{Kind: KindComment, Text: "# about"}, {Kind: KindBlank}, {Kind: KindTop, Name: "watch", Text: "w"}, {Kind: KindService, Name: "service", Text: "s"},
	}}
	if got := string(Format(f.Standalone())); got != "# about\n\nwatch w\n    service s\n" {
		t.Error(got)
	}
	f.Append(KindUse, "use", "t")
	f.Statements[3].Comment = "# c"
	if got := string(Format(f.Standalone())); got != "# about\n\nsyntax = mond\n\nwatch w\n    service s  # c\n        use t\n" {
		t.Error(got)
	}
	if got := f.Standalone().Standalone(); len(got.Statements) != len(f.Statements)+2 {
		t.Error("added twice")
	}
}
