// Package monstate reads and writes the text of mon's two state files:
// statedir/disabled, what is disabled, and statedir/opstatus, the statuses and
// counters of all services. mon loads what is written here, and what mon wrote
// is read here.
//
// It is pure: where the files are and what their content means for a service is
// the engine's.
package monstate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/opstatus"
)

// Problem is a line that was not understood, and left out.
type Problem struct {
	Line   int // from 1
	Reason string
}

// problemsMost is how many are told of one file: nobody reads more, and a file
// that is none of mon's gives one for every line.
const problemsMost = 100

func (p Problem) String() string { return fmt.Sprintf("line %d: %s", p.Line, p.Reason) }

// problems gathers them.
type problems []Problem

func (p *problems) add(line int, format string, args ...any) {
	if len(*p) < problemsMost {
		*p = append(*p, Problem{line, fmt.Sprintf(format, args...)})
	}
}

// Disabled is what is disabled.
type Disabled struct {
	Hosts, Watches []string
	Services       []opstatus.Key
}

// Encode is the text of statedir/disabled.
func (d Disabled) Encode() []byte {
	var b strings.Builder
	for _, h := range d.Hosts {
		b.WriteString("disable host " + h + "\n")
	}
	for _, w := range d.Watches {
		b.WriteString("disable watch " + w + "\n")
	}
	for _, k := range d.Services {
		b.WriteString("disable service " + k.Group + " " + k.Service + "\n")
	}
	return []byte(b.String())
}

// DecodeDisabled reads the text of statedir/disabled. Names are given once, in
// the order of the file.
func DecodeDisabled(text []byte) (Disabled, []Problem) {
	var d Disabled
	var bad problems
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case len(words) == 3 && words[0] == "disable" && words[1] == "host":
			d.Hosts = once(d.Hosts, words[2])
		case len(words) == 3 && words[0] == "disable" && words[1] == "watch":
			d.Watches = once(d.Watches, words[2])
		case len(words) == 4 && words[0] == "disable" && words[1] == "service":
			d.Services = append(d.Services, opstatus.Key{Group: words[2], Service: words[3]})
		default:
			bad.add(n, "%q: want disable host HOST, disable watch GROUP or disable service GROUP SERVICE", cut(line))
		}
	}
	return d, bad
}

// once is list with word, if it is not the last of it: mon writes a host for
// each of its groups. (A set is the reader's to make.)
func once(list []string, word string) []string {
	if slices.Contains(list[max(len(list)-1, 0):], word) {
		return list
	}
	return append(list, word)
}

// cut is the beginning of a line, for a message.
func cut(line string) string {
	const most = 60
	line = strings.TrimRight(line, "\r\n")
	if len(line) > most {
		return line[:most] + "..."
	}
	return line
}
