package twin

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// scenario is one watch and what happens to its services. The files below
// testdata/scenarios hold them as text:
//
//	= numalerts                      its name, also that of the watch
//	  period; numalerts 2            lines of service s, as in mon.cf, or several joined by "; "
//	  service p; period              another service
//	  hosts a b                      instead of h1 h2 h3
//	> F F [ack on it] F O            what happens to s
//	> p: F O                         what happens to p
//	~ upalertafter: s2 -up           what is different, by the row of engine/difference
//
// A service gets an interval, a monitor, and alert and upalert lines in each
// period where it names none itself; "trapsonly" leaves out the first two. See
// script for what happens and change for what is different. After the name
// stand words: alone (in a daemon of its own) and live (played whenever tests are
// run, not only in a soak; so it must not depend on a second or two).
type scenario struct {
	name     string
	words    []string
	hosts    string
	services []*played
	changes  []change
}

// played is a service of a scenario.
type played struct {
	name  string
	lines []string
	steps []step
}

// step is one result of a monitor, and what comes before it.
type step struct {
	// commands are carried out while the monitor runs.
	commands []string
	// starts is set if it does not run before the scheduler is started.
	starts bool
	// holds are "SERVICE>=N": the monitor ends when run N of the other service
	// has begun, and so its result N-1 is known.
	holds  []string
	exit   int
	killed bool
	output string
}

// change is what a difference does to what is expected:
//
//	s2 -up              calls of a kind that mond does not make for an event
//	s2 +up u.alert x    one that it makes, of which only these words are compared
//	s2 words h1         the words of the monitor that answered
//	env MON_X           a variable that is not compared
//	text                a last newline that is not compared
type change struct{ row, event, what, rest string }

func (s *scenario) is(word string) bool { return slices.Contains(s.words, word) }

func (s *scenario) service(name string) *played {
	for _, p := range s.services {
		if p.name == name {
			return p
		}
	}
	p := &played{name: name}
	s.services = append(s.services, p)
	return p
}

// readScenarios reads all files.
func readScenarios(t *testing.T) []*scenario {
	t.Helper()
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	var all []*scenario
	seen := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range parseScenarios(t, file, string(text)) {
			if seen[s.name] {
				t.Fatalf("%s: scenario %s is there twice", file, s.name)
			}
			seen[s.name] = true
			all = append(all, s)
		}
	}
	return all
}

func parseScenarios(t *testing.T, file, text string) (all []*scenario) {
	t.Helper()
	var s *scenario
	var into *played
	for i, line := range strings.Split(text, "\n") {
		bad := func(what string) { t.Helper(); t.Fatalf("%s:%d: %s: %s", file, i+1, what, line) }
		switch {
		case strings.TrimSpace(line) == "" || line[0] == '#':
		case line[0] == '=':
			f := strings.Fields(line[1:])
			s = &scenario{name: f[0], words: f[1:], hosts: "h1 h2 h3"}
			into = s.service("s")
			all = append(all, s)
		case s == nil:
			bad("no scenario has begun")
		case line[0] == '>':
			if err := s.script(line[1:]); err != nil {
				bad(err.Error())
			}
		case line[0] == '~':
			if err := s.change(line[1:]); err != nil {
				bad(err.Error())
			}
		case line[0] == ' ':
			into = s.statements(line, into)
		default:
			bad("what is this")
		}
	}
	return all
}

func (s *scenario) statements(line string, into *played) *played {
	for stmt := range strings.SplitSeq(line, "; ") {
		stmt = strings.TrimSpace(stmt)
		word, rest, _ := strings.Cut(stmt, " ")
		switch word {
		case "hosts":
			s.hosts = rest
		case "service":
			into = s.service(rest)
		default:
			into.lines = append(into.lines, stmt)
		}
	}
	return into
}

// serviceName matches the head of a script, unlike a result without output.
var serviceName = regexp.MustCompile(`^ [a-z]+$`)

var token = regexp.MustCompile(`\[[^\]]*\]|\S+`)

// script reads the steps of a service, each one word:
//
//	O F F3 K            success, failure, failure with exit status 3, death by a signal
//	F3:one_line/detail  the same with an output: _ is a blank, / a newline, ^ at
//	                    the end leaves out the last newline, nothing is no output
//	[command]           before the next result
//	[start]             after [stop] and a result: the next run begins with it
//	(p>=2)              the next result comes when run 2 of p has begun
//
// A step can be repeated: F*3.
func (s *scenario) script(line string) error {
	p := s.service("s")
	if name, rest, ok := strings.Cut(line, ": "); ok && serviceName.MatchString(name) {
		p, line = s.service(strings.TrimSpace(name)), rest
	}
	var next step
	for _, word := range token.FindAllString(line, -1) {
		switch word[0] {
		case '[':
			if word == "[start]" {
				next.starts = true
				continue
			}
			next.commands = append(next.commands, word[1:len(word)-1])
		case '(':
			next.holds = append(next.holds, strings.Trim(word, "()"))
		default:
			word, times, err := repeated(word)
			if err == nil {
				err = next.result(word)
			}
			if err != nil {
				return err
			}
			for range times {
				p.steps = append(p.steps, next)
				next.commands, next.holds = nil, nil
			}
			next = step{}
		}
	}
	if len(next.commands) > 0 || len(next.holds) > 0 {
		return fmt.Errorf("nothing comes after the last command")
	}
	return nil
}

func repeated(word string) (string, int, error) {
	before, count, ok := strings.Cut(word, "*")
	if !ok {
		return word, 1, nil
	}
	n, err := strconv.Atoi(count)
	return before, n, err
}

// result reads the word of a result.
func (st *step) result(word string) (err error) {
	head, text, told := strings.Cut(word, ":")
	st.output = map[byte]string{'O': "fine\n", 'F': "h1\n", 'K': ""}[head[0]]
	switch head[0] {
	case 'O':
	case 'F':
		st.exit = 1
	case 'K':
		st.killed = true
	default:
		return fmt.Errorf("no step: %s", word)
	}
	if len(head) > 1 {
		st.exit, err = strconv.Atoi(head[1:])
	}
	if told {
		st.output = output(text)
	}
	return err
}

func output(text string) string {
	text = strings.NewReplacer("_", " ", "/", "\n").Replace(text)
	if cut, ok := strings.CutSuffix(text, "^"); ok || text == "" {
		return cut
	}
	return text + "\n"
}

func (s *scenario) change(line string) error {
	row, rest, ok := strings.Cut(strings.TrimSpace(line), ": ")
	f := strings.Fields(rest)
	if !ok || len(f) == 0 {
		return fmt.Errorf("no change")
	}
	f = append(f, "")
	c := change{row, f[0], f[1], strings.TrimSpace(strings.Join(f[2:], " "))}
	s.changes = append(s.changes, c)
	return nil
}

// config is the scenario's hostgroup and watch. Under mond's engine the tests
// decide when a check is run: interval is empty there.
func (s *scenario) config(interval string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "hostgroup %s %s\n\nwatch %s\n", s.name, s.hosts, s.name)
	for _, p := range s.services {
		fmt.Fprintf(&b, "    service %s\n", p.name)
		for _, line := range p.config(interval) {
			fmt.Fprintf(&b, "        %s\n", line)
		}
	}
	return b.String() + "\n"
}

func (p *played) config(interval string) (all []string) {
	if !p.has("trapsonly") {
		if interval != "" {
			all = append(all, "interval "+interval)
		}
		if !p.has("monitor") {
			all = append(all, "monitor play.monitor")
		}
	}
	tells := true
	lines := func() {
		if !tells {
			all = append(all, "alert a.alert", "upalert u.alert")
		}
	}
	for _, line := range p.lines {
		word, _, _ := strings.Cut(line, " ")
		switch word {
		case "trapsonly":
			continue
		case "period":
			lines()
			tells = false
		case "alert", "upalert", "startupalert", "ackalert", "disablealert":
			if word == "alert" || word == "upalert" {
				tells = true
			}
		case "quiet":
			tells = true
			continue
		}
		all = append(all, line)
	}
	lines()
	return all
}

// has reports whether a line begins with words.
func (p *played) has(words string) bool {
	return slices.ContainsFunc(p.lines, func(line string) bool { return strings.HasPrefix(line+" ", words+" ") })
}

// seconds matches lines by which a scenario depends on how long things take.
var seconds = regexp.MustCompile(`sec \{|^alertevery [0-9.]+s|^alertafter .*[sm]$`)

// isTimed reports whether what is told depends on how long things take.
func (s *scenario) isTimed() bool {
	for _, p := range s.services {
		if slices.ContainsFunc(p.lines, seconds.MatchString) {
			return true
		}
	}
	return false
}

// isPlain reports whether there is nothing but results.
func (s *scenario) isPlain() bool {
	for _, p := range s.services {
		for _, st := range p.steps {
			if st.starts || len(st.commands)+len(st.holds) > 0 {
				return false
			}
		}
	}
	return true
}

// periods is how many a service has at most.
func (s *scenario) periods() (most int) {
	for _, p := range s.services {
		n := 0
		for _, line := range p.lines {
			if word, _, _ := strings.Cut(line, " "); word == "period" {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}
