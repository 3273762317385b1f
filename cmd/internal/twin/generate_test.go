package twin

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// generated is where the scenarios lie that nobody thought of.
const generated = "testdata/scenarios/generated.txt"

// The file is what generate makes, so that either can be read.
func TestGenerated(t *testing.T) {
	want := generate(20261125, 100)
	if *recordHow == "all" {
		if err := os.WriteFile(generated, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(generated); err != nil || string(got) != want {
		t.Errorf("%s is not what generate makes (%v): run go test -run TestGenerated -record all", generated, err)
	}
}

// generator makes scenarios of directives and results drawn at random.
type generator struct {
	rand *rand.Rand
	strings.Builder
}

func generate(seed uint64, n int) string {
	g := generator{rand: rand.New(rand.NewPCG(seed, 1))}
	g.WriteString("# Made by generate_test.go.\n")
	for i := range n {
		fmt.Fprintf(&g, "\n= random-%d\n", i)
		g.service()
		labels := []string{"A", "B", "C"}[:1+g.rand.IntN(3)*g.rand.IntN(2)]
		for _, label := range labels {
			g.period(label)
		}
		g.script()
	}
	return g.String()
}

// one draws one of the words; what is empty says nothing.
func (g *generator) one(words ...string) string { return words[g.rand.IntN(len(words))] }

func (g *generator) line(words ...string) {
	var some []string
	for _, w := range words {
		if w != "" {
			some = append(some, w)
		}
	}
	if len(some) > 0 {
		g.WriteString("  " + strings.Join(some, "; ") + "\n")
	}
}

func (g *generator) service() {
	g.line(
		g.one("", "", "", "unack_summary 1"),
		g.one("", "", "", "", "", "redistribute r.alert"),
		g.one("", "", "failure_interval 2s"),
		g.one("", "", "description Something", "REC_X=a b"),
		g.one("", "", "", "exclude_hosts h2", "monitor play.monitor -x ;;"),
	)
}

func (g *generator) period(label string) {
	when := g.one("", "", "", "", " wd {Sun-Sat}", " sec {0-29}", " sec {0-9 20-29 40-49}", " none")
	g.line(
		"period "+label+":"+when,
		g.one("", "", "alertafter 2", "alertafter 3", "alertafter 5s", "alertafter 2 10s", "alertafter 3 1m", "alertafter 2; alertafter 6s", "alertafter 2; alertafter 2 20s"),
		g.one("", "", "alertevery 6s", "alertevery 1h", "alertevery 6s strict", "alertevery 1h strict", "alertevery 1h observe_detail", "alertevery 6s ignore_summary", "alertevery 6s observe_detail"),
		g.one("", "", "", "numalerts 1", "numalerts 2", "numalerts 3"),
		g.one("", "", "", "", "", "alertexitrange 1-2", "alertexitrange 2"),
		g.one("", "", "", "no_comp_alerts"),
		g.one("", "", "", "", "alerts_dont_count"),
	)
	startup := g.one("", "", "", "startupalert s.alert "+label)
	if strings.Contains(when, "sec") {
		startup = "" // a trace does not tell in which second of a start nobody was called
	}
	g.line(
		g.one("alert a.alert "+label, "alert a.alert "+label, "alert exit=1 a.alert "+label, "alert exit=2-3 a.alert "+label, ""),
		g.one("", "", "", "alert b.alert "+label+" again", "alert exit=2 b.alert "+label),
		g.one("upalert u.alert "+label, "upalert u.alert "+label, "", "upalert exit=0 u.alert "+label+" x; upalert b.alert "+label),
		startup,
		g.one("", "", "ackalert k.alert "+label),
		"quiet",
	)
}

// script draws results that are alike often enough to be held back, and
// commands between them.
func (g *generator) script() {
	var words []string
	for range 7 + g.rand.IntN(4) {
		command := g.one("", "", "", "", "", "", "", "", "", "", "", "", "[ack one of us]", "[ack another]", "[disable]", "[enable]", "[clear]", "[disable watch] [enable]", "[enable watch] [enable]")
		if command != "" {
			words = append(words, command)
		}
		words = append(words, g.one("O", "O", "O:well", "F", "F", "F", "F:a", "F:a/1", "F:a/2", "F:b/1", "F:_a_/1", "F2:a/1", "F2", "F3:b", "F:", "F2:_/x"))
	}
	g.WriteString("> " + strings.Join(words, " ") + "\n")
}
