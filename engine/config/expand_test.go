package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// expanded is text, read below `syntax = mond` and expanded, as a plain mon.cf.
func expanded(t *testing.T, text string) (string, Diagnostics) {
	t.Helper()
	f, diag := Parse("mon.cf", []byte("syntax = mond\n"+text))
	g, more := Expand(t.Context(), f, bare())
	if string(f.Bytes()) != "syntax = mond\n"+text {
		t.Error("the file was changed")
	}
	_, most := Resolve(g, bare())
	return string(Plain(g)), append(append(diag, more...), most...)
}

const templates = `
template web port path=/alive       # parameters
    service http
        interval 10s
        monitor http.monitor -p $port -u $path
        use people

template people to=root
    period wd {Sun-Sat}
        alertevery 1h
        alert   mail.alert $to
        upalert mail.alert $to

template brisk
    interval 2s
    FOO=$watch
    fall 3

template loud to
    alert mail.alert $to
    alertevery 5m

hostgroup www1 10.0.0.1

hostgroup www2 10.0.0.2 *10.0.0.3
`

func TestExpand(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"in a watch", `
watch www1
    use web port=80
    service ftp
        interval 30s
        monitor ftp.monitor
        use people to="ann bob"`, `
watch www1
    service http
        interval 10s
        monitor http.monitor -p 80 -u /alive
        period wd {Sun-Sat}
            alertevery 1h
            alert mail.alert root
            upalert mail.alert root
    service ftp
        interval 30s
        monitor ftp.monitor
        period wd {Sun-Sat}
            alertevery 1h
            alert mail.alert "ann bob"
            upalert mail.alert "ann bob"`},
		{"lines below belong to its last service", `
watch www1
    use web port=80
    interval 1m
    fall 2`, `
watch www1
    service http
        monitor http.monitor -p 80 -u /alive
        interval 1m
        fall 2
        period wd {Sun-Sat}
            alertevery 1h
            alert mail.alert root
            upalert mail.alert root`},
		{"own lines count wherever they stand", `
watch www1
    service s
        interval 1s
        use brisk
        FOO=mine
        monitor m.monitor`, `
watch www1
    service s
        interval 1s
        fall 3
        FOO=mine
        monitor m.monitor`},
		{"of two templates the later", `
template slow
    interval 1h
    fall 9

watch www1
    service s
        monitor m.monitor
        use brisk
        use slow
        fall 2`, `
watch www1
    service s
        monitor m.monitor
        FOO=www1
        interval 1h
        fall 2`},
		{"a template over the one it uses", `
template outer
    interval 7s
    use brisk

watch www1
    service s
        monitor m.monitor
        use outer`, `
watch www1
    service s
        monitor m.monitor
        interval 7s
        FOO=www1
        fall 3`},
		{"service directives after periods of a template", `
watch www1
    service s
        use people
        interval 7s
        monitor m.monitor`, `
watch www1
    service s
        interval 7s
        monitor m.monitor
        period wd {Sun-Sat}
            alertevery 1h
            alert mail.alert root
            upalert mail.alert root`},
		{"own period of the same name", `
watch www1
    service s
        interval 7s
        monitor m.monitor
        use people
        period wd {Sun-Sat}
            alertevery 9h
            alert more.alert`, `
watch www1
    service s
        interval 7s
        monitor m.monitor
        period wd {Sun-Sat}
            alert mail.alert root
            upalert mail.alert root
            alertevery 9h
            alert more.alert`},
		{"own service of the same name", `
watch www1
    service http
        interval 1m
        period wd {Sun-Sat}
            alertevery 9h
    use web port=81`, `
watch www1
    service http
        interval 1m
        monitor http.monitor -p 81 -u /alive
        period wd {Sun-Sat}
            alertevery 9h
            alert mail.alert root
            upalert mail.alert root`},
		{"a label alone", `
template night
    period NIGHT: hr {10pm-6am}
        alert night.alert

watch www1
    service a
        interval 1s
        monitor m
        use night
        period NIGHT:
            alertevery 2h
    service b
        interval 1s
        monitor m
        period NIGHT:
            alertevery 2h
        use night
    service c
        interval 1s
        monitor m
        use night
        period NIGHT: hr {11pm-5am}`, `
watch www1
    service a
        interval 1s
        monitor m
        period NIGHT: hr {10pm-6am}
            alert night.alert
            alertevery 2h
    service b
        interval 1s
        monitor m
        period NIGHT: hr {10pm-6am}
            alertevery 2h
            alert night.alert
    service c
        interval 1s
        monitor m
        period NIGHT: hr {11pm-5am}
            alert night.alert`},
		{"in a period, and back in it", `
watch www1
    service s
        interval 1s
        monitor m
        period hr {1-2}
            use loud to=ann
            use people
            upalert bye.alert`, `
watch www1
    service s
        interval 1s
        monitor m
        period hr {1-2}
            alert mail.alert ann
            alertevery 5m
            upalert bye.alert
        period wd {Sun-Sat}
            alertevery 1h
            alert mail.alert root
            upalert mail.alert root`},
		{"several hostgroups", `
watch www1 www2
    service s
        description of $watch: ${hosts}, costs 5$$ or $5
        interval 1s
        monitor m.monitor "all: $hosts" $hosts`, `
watch www1
    service s
        description of www1: 10.0.0.1, costs 5$ or $5
        interval 1s
        monitor m.monitor "all: 10.0.0.1" 10.0.0.1

watch www2
    service s
        description of www2: 10.0.0.2 10.0.0.3, costs 5$ or $5
        interval 1s
        monitor m.monitor "all: 10.0.0.2 10.0.0.3" 10.0.0.2 10.0.0.3`},
		{"words", `
template w a="x y" b=$watch-$a c=
    service s
        interval 1s
        monitor m.monitor $a "-$b-" '$c' \$b$$ a$ "q  q"   plain # end

watch www1
    use w
watch www2
    use w a=\#1 c="\$"`, `
watch www1
    service s
        interval 1s
        monitor m.monitor "x y" "-www1-x y-" "" "www1-x y$" a$ "q  q" plain

watch www2
    service s
        interval 1s
        monitor m.monitor #1 -www2-#1- $ www2-#1$ a$ "q  q" plain`},
		{"no template, no change", `
watch www1
    service $s # no comment in the plain file
        interval 1s`, `
watch www1
    service $s
        interval 1s`},
		{"a name of a service", `
template named name
    service $name
        interval 1s
        monitor m

watch www1
    use named name=one
    use named name=two`, `
watch www1
    service one
        interval 1s
        monitor m
    service two
        interval 1s
        monitor m`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, diag := expanded(t, templates+tt.text+"\n")
			if tt.name != "no template, no change" && diag.HasErrors() {
				t.Error(printed(diag))
			}
			_, got, _ = strings.Cut(got, "*10.0.0.3\n")
			if diff := cmp.Diff(tt.want+"\n", got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is wrong is said at the place that has to be mended, once, with the use.
func TestExpandErrors(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"unknown template", "watch www1\n use wbe port=1\n interval 3s", []string{`2:6: error: there is no template "wbe" (did you mean web?)`}},
		{"unknown parameter", "watch www1\n use web prt=1", []string{
			`2:2: error: template web wants port (write port=VALUE behind it)`,
			`2:10: error: template web has no parameter "prt" (did you mean port?)`,
		}},
		{"no value", "watch www1\n use web port", []string{
			`2:2: error: template web wants port (write port=VALUE behind it)`,
			`2:10: error: "port" is no value of a parameter (write PARAM=VALUE, without blanks)`,
		}},
		{"twice", "watch www1\n use web port=1 port=2", []string{`2:17: error: parameter port is given twice`}},
		{"an open quote", "watch www1\n use web port='1", []string{`2:15: error: use: a ' that is never closed (write \' or \" for a quote, \\ for a backslash)`}},
		{"no name", "watch www1\n use", []string{`2:2: error: use without the name of a template (write use NAME)`}},
		{"wrong place", "watch www1\n use people", []string{
			`T9:5: error: "period" before the first service of watch www1, used at 2:2 (use the template in a service, or let it begin with a service)`,
		}},
		{"no period", "watch www1\n service s\n  use loud to=me", []string{`T20:5: error: alert outside a period, used at 3:3 (write a line "period" above it)`,
			`T21:5: error: alertevery outside a period, used at 3:3 (write a line "period" above it)`}},
		{"after a period", "watch www1\n service s\n  interval 1s\n  monitor m\n  period\n   use brisk", []string{
			`T15:5: error: interval after the first period of a service, used at 6:4 (directives of the service stand above its first period)`,
			`T17:5: error: fall after the first period of a service, used at 6:4 (directives of the service stand above its first period)`,
		}},
		{"a bad value, of many uses", "watch www1\n use web port=1\n interval x\nwatch www2\n service a\n  use bad\n service b\n  use bad\n\ntemplate bad\n interval 5", []string{
			`3:11: error: invalid time "x" for interval: not a number with a unit (a time is a number and a unit, without a blank: 100ms, 30s, 5m, 1.5h, 1d)`,
			`11:11: error: invalid time "5" for interval: no unit, used at 6:3 (a time is a number and a unit, without a blank: 100ms, 30s, 5m, 1.5h, 1d)`,
		}},
		{"no such name", "watch www1\n use hole\n\ntemplate hole port=3\n service s\n  monitor http  $prt\n  description ${po", []string{
			`6:17: error: template hole has no parameter "prt", used at 2:2 (did you mean $port? write $$ for a dollar)`,
			`7:15: error: "${" is no name of a parameter in brackets, used at 2:2 (write $$ for a dollar)`,
		}},
		{"no single host", "watch www2\n use one\nwatch www1\n use one\n\ntemplate one\n service x\n description $host", []string{
			`8:14: error: hostgroup www2 has 2 hosts: there is no $host in it, used at 2:2 (write $hosts for all of them)`,
		}},
		{"itself", "watch www1\n use self\n\ntemplate self\n use other\n\ntemplate other\n use self", []string{
			`8:6: error: template self uses itself: self -> other -> self, used at 5:2, used at 2:2`,
		}},
		{"a service twice", "watch www1\n use web port=1\n use web port=2", []string{
			`T3:13: error: service http of watch www1 is defined at T3:5 already, used at 3:2`,
		}},
		{"outside", "watch www1\n service s\n\nuse web port=1", []string{
			`4:1: error: use outside a watch: the blank line above ended watch www1 (remove the blank line: a watch ends at the first one)`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, expandErrors(t, tt.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// expandErrors are the errors of a text that stands above the templates. Lines
// are counted from its first one; those of the templates are written as T and
// their number there.
func expandErrors(t *testing.T, text string) []string {
	t.Helper()
	lines := strings.Count(text, "\n") + 2 // and the one with the syntax
	_, diag := expanded(t, text+"\n"+templates)
	diag.Sort()
	var got []string
	for _, d := range diag {
		if d.Severity != Error {
			continue
		}
		s := regexp.MustCompile(`mon.cf:(\d+)`).ReplaceAllStringFunc(d.String(), func(at string) string {
			n, _ := atoi(strings.TrimPrefix(at, "mon.cf:"))
			if n > lines {
				return fmt.Sprint("T", n-lines)
			}
			return fmt.Sprint(n - 1)
		})
		got = append(got, s)
	}
	return got
}

// What adds up and what is split into words is as the table of directives says.
func TestDirectiveKinds(t *testing.T) {
	kinds := map[Scope]Kind{ScopeService: KindService, ScopePeriod: KindPeriod}
	special := []string{"service", "period", "use", "alertafter"} // they have rules of their own
	for _, k := range Keywords() {
		kind, inner := kinds[k.Scope]
		if inner && !slices.Contains(special, k.Name) && adds(kind, k.Name) != k.Repeat {
			t.Errorf("%s: Repeat is %v", k.Name, k.Repeat)
		}
		if strings.Contains(k.Args, "[ARG...]") && !inWords(k.Name) {
			t.Errorf("%s is not split into words", k.Name)
		}
	}
}
