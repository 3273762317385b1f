package config

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// generator writes files that are good, in whatever form is allowed.
type generator struct {
	*rapid.T
	mond bool
	b    strings.Builder
}

func (g *generator) one(of ...string) string { return rapid.SampledFrom(of).Draw(g.T, "one") }

// line writes the words of a line, with blanks and line ends between them as it
// comes, and comments where they may stand.
func (g *generator) line(words ...string) {
	if g.one("no", "no", "no", "yes") == "yes" {
		g.b.WriteString(g.one("", " ", "\t") + g.one("# c", "#", "#it's \"\\") + "\n")
	}
	g.b.WriteString(g.one("", "  ", "\t"))
	for i, w := range words {
		g.b.WriteString(w)
		if i == len(words)-1 {
			break
		}
		between := g.one(" ", "   ", "\t", " \\\n", " \\ \n     ", " \\\n # c\n")
		if g.mond && between == " \\\n" && g.one("yes", "no") == "yes" {
			between = " \\ # 'c\n"
		}
		g.b.WriteString(between)
	}
	if g.mond {
		g.b.WriteString(g.one("", "", " # c", "  #it's", " # \"c \\"))
	}
	g.b.WriteString(g.one("", "", " ", "\r") + "\n")
}

func (g *generator) times(least, most int) int {
	return rapid.IntRange(least, most).Draw(g.T, "times")
}

// period writes one, of a service or template.
func (g *generator) period(n int) {
	g.line("period", fmt.Sprintf("p%d: %s", n, g.one("", "wd {Mon-Fri}", "hr {1-2}")))
	for range g.times(0, 3) {
		switch g.one("alert", "every", "use") {
		case "alert":
			g.line(g.one("alert", "upalert"), "m.alert", g.one("-x", `"a # b"`, `'it is'`, `\#1`, "a#b"), g.one("$", "x"))
		case "every":
			g.line("alertafter", "2")
		case "use":
			if g.mond {
				g.line("use", "lines", "a="+g.one("1", `"b c"`))
			}
		}
	}
}

func (g *generator) service(n int) {
	g.line("service", fmt.Sprint("s", n))
	g.line("interval", "10s")
	g.line("monitor", "m.monitor", "-p", g.one("80", `"a  b"`, `a\ b`, `'#'`))
	if g.one("yes", "no") == "yes" {
		g.line("description", g.one("plain", "it's", `"a # b"`, `\# x`), g.one("end", "of", `"it`))
	}
	if g.one("yes", "no") == "yes" {
		g.line("FOO=" + g.one("", "a b", "#a"))
	}
	for i := range g.times(0, 2) {
		g.period(i)
	}
}

// virtual writes one, with checks that are services of its own reals.
func (g *generator) virtual(n int) {
	g.line("virtual", fmt.Sprint("v", n))
	g.line("address", "tcp", fmt.Sprintf("10.0.%d.3:80", n))
	g.line("real", fmt.Sprintf("192.168.%d.1", n), "weight", g.one("0", "5"))
	g.line("standby", "2", fmt.Sprintf("192.168.%d.2-4", n), "forward", "nat")
	if g.one("yes", "no") == "yes" {
		g.line("quorum", "1", g.one("weight", "members"))
		g.line("local_fault", "link", g.one("eth0", "a#b"))
		g.line("maintenance_at", "*", "wd {Sun} hr {2am-4am}")
	}
	g.line("description", g.one("$virtual", "it's"), g.one("$vip", `"a # b"`))
	for i := range g.times(0, 2) {
		g.period(i)
	}
	for i := range g.times(0, 2) {
		g.line("check", g.one(fmt.Sprint("c", i), fmt.Sprint("$virtual-", i)))
		g.line("monitor", "m.monitor", "-p", g.one("$port", `"$real  b"`, "${name}"))
		g.line("on", g.one("primary", "all"), "standby")
		if g.one("yes", "no") == "yes" {
			g.period(i)
		}
	}
	g.blank()
}

func (g *generator) blank() {
	for range g.times(1, 3) {
		g.b.WriteString(g.one("\n", " \n", "\r\n"))
	}
}

func (g *generator) file() string {
	if g.mond {
		g.line("syntax = mond")
	}
	for range g.times(0, 2) {
		g.line("histlength", "=", "3")
	}
	g.blank()
	for i := range g.times(0, 3) {
		g.line("hostgroup", fmt.Sprint("g", i), "a", g.one("*b", "c"))
		g.line(g.one("d", "e"), "f")
		g.blank()
	}
	if g.mond {
		g.line("template", "lines", "a", `b="x y"`)
		g.line("alertevery", "1h")
		g.line("alert", "x.alert", g.one("$a", `"$a$b"`, "$$", "$watch"))
		g.blank()
	}
	if g.mond {
		for i := range g.times(0, 2) {
			g.virtual(i)
		}
	}
	for i := range g.times(0, 3) {
		g.line("watch", fmt.Sprint("g", i))
		for j := range g.times(1, 3) {
			g.service(j)
		}
		g.blank()
	}
	return g.b.String()
}

// A good file means the same in its normal form.
func TestFormatGenerated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generator{T: t, mond: rapid.Bool().Draw(t, "mond")}
		text := g.file()
		if c, errors := meant(Parse, []byte(text)); errors != "" || c == nil {
			t.Fatalf("%q: %s", text, errors)
		}
		if !checkFormat(t, text) {
			t.Fatalf("%q was not formatted", text)
		}
	})
}
