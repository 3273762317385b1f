package classic

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/alert"
)

// maxInput bounds what an alert reads of its input.
const maxInput = 1 << 20

// ParseAlert reads the request of an alert that was started as a program, by
// mon, by mond or by hand. args are the words after the program's name, env
// the whole environment, stdin is read to its end (1 MiB at most are kept);
// nil means that there is none, such as when it is a terminal. rest are the
// words after mon's own, beginning with the alert's own options. now is the
// time of a request that names none.
//
// Mon's own options are -s SERVICE -g GROUP -h "HOST ..." -t EPOCH, -l TEXT
// (documented by mon, never passed by it, and skipped) and one of -u -a -D -T
// -O. Alerts have options of their own by the same letters, and mon puts its
// own first. So each is taken once, and only before the first word that is
// none of them. When MON_ALERTTYPE says the kind, only the letter of that kind
// is taken, and after -s -g -h -t nothing else: then even "-u nick" and "-h"
// reach the alert. Without it, as by hand, the letters may be in any order and
// -u means up; the kind is failure when none is given.
func ParseAlert(args, env []string, stdin io.Reader, now time.Time) (r alert.Request, rest []string, err error) {
	r = alert.Request{At: now, Env: variables(env)}
	p := alertParser{r: &r, args: args, seen: map[string]bool{}}
	p.kind(r.Env["MON_ALERTTYPE"])
	if err := p.words(); err != nil {
		return alert.Request{}, nil, err
	}
	fill(&r)
	if r.Output, err = readInput(stdin); err != nil {
		return alert.Request{}, nil, err
	}
	if _, ok := r.Env["MON_LAST_SUMMARY"]; !ok {
		r.Summary, _ = firstLine(r.Output)
	}
	r.Args = p.args
	return r, p.args, nil
}

// alertParser takes mon's words from the front of args.
type alertParser struct {
	r     *alert.Request
	args  []string
	seen  map[string]bool
	known bool // the environment says the kind
}

// kind takes the kind from mon's word for it, if it is one.
func (p *alertParser) kind(word string) {
	for k := alert.Failure; k.Valid(); k++ {
		if k.String() == word {
			p.r.Kind, p.known = k, true
		}
	}
}

func (p *alertParser) words() error {
	for len(p.args) > 0 && !p.seen[p.args[0]] {
		taken := 0
		switch word := p.args[0]; {
		case p.flag(word):
			taken = 1
		case len(p.args) > 1 && p.wants(word):
			if err := p.value(word, p.args[1]); err != nil {
				return err
			}
			taken = 2
		default:
			return nil
		}
		p.seen[p.args[0]] = true
		p.args = p.args[taken:]
		if taken == 1 && p.known {
			return nil // the flag is the last that mon passes
		}
	}
	return nil
}

// flag takes word if it is the flag of a kind.
func (p *alertParser) flag(word string) bool {
	if p.known {
		return word == kindFlag(p.r.Kind)
	}
	if p.r.Kind != alert.Unset {
		return false // one is enough
	}
	for k := alert.Failure; k.Valid(); k++ {
		if f := kindFlag(k); f != "" && f == word {
			p.r.Kind = k
			return true
		}
	}
	return false
}

// wants reports whether word is one of mon's options with a value.
func (p *alertParser) wants(word string) bool {
	switch word {
	case "-s", "-g", "-h", "-t":
		return true
	case "-l":
		return !p.known // no daemon passes it
	}
	return false
}

func (p *alertParser) value(option, value string) error {
	switch option {
	case "-s":
		p.r.Service = value
	case "-g":
		p.r.Group = value
	case "-h":
		p.r.Hosts = strings.Fields(value)
	case "-t":
		epoch, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("option -t: %q is not a time in seconds since 1970", value)
		}
		p.r.At = time.Unix(epoch, 0)
	}
	return nil
}

// fill takes from the environment what the words did not say.
func fill(r *alert.Request) {
	if r.Group == "" {
		r.Group = r.Env["MON_GROUP"]
	}
	if r.Service == "" {
		r.Service = r.Env["MON_SERVICE"]
	}
	if r.Kind == alert.Unset {
		r.Kind = alert.Failure
	}
	r.Summary = r.Env["MON_LAST_SUMMARY"]
	exit, status := byHand(r.Kind)
	r.Exit = numberVar(r.Env, "MON_RETVAL", exit)
	r.Status = numberVar(r.Env, "MON_OPSTATUS", status)
	r.ID = fmt.Sprintf("%s:%s %s %d", r.Group, r.Service, r.Kind, r.At.Unix())
}

// byHand is the exit and operational status of a kind when nothing says them.
func byHand(k alert.Kind) (exit, status int) {
	switch k {
	case alert.Up, alert.Startup, alert.Disable, alert.Test:
		return 0, 1 // ok, in mon's numbers
	case alert.Unset, alert.Failure, alert.Trap, alert.TrapTimeout, alert.Ack:
	}
	return 1, 0 // failed
}

// numberVar is the number in a variable, absent when there is none. mon hands
// on what came in a trap, such as "'3": no reason not to tell of it.
func numberVar(env map[string]string, name string, absent int) int {
	if n, err := strconv.Atoi(env[name]); err == nil {
		return n
	}
	return absent
}

// readInput reads all of stdin, so that the daemon can write all, and keeps
// the beginning.
func readInput(stdin io.Reader) (string, error) {
	if stdin == nil {
		return "", nil
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxInput))
	if err == nil {
		_, err = io.Copy(io.Discard, stdin)
	}
	if err != nil {
		return "", fmt.Errorf("read the alert's text from standard input: %w", err)
	}
	return strings.ToValidUTF8(string(text), "\uFFFD"), nil
}
