package keepalived

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/convert/keepalived/lang"
)

const ignored = "keepalived ignores the line"

// maxWeight is the largest weight of mond's, and maxCount what keepalived's
// numbers reach.
const (
	maxWeight = 65535
	maxCount  = math.MaxUint32
)

// digits reports whether s is one digit or more, and nothing else.
func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// number is the i-th argument of n as a number.
func (r *reader) number(n *lang.Node, i, least, most int) (int, bool) {
	if n.Args() <= i {
		r.missing(n, "a number")
		return 0, false
	}
	text := strings.TrimLeft(n.Arg(i), " \t")
	v, err := strconv.Atoi(strings.TrimPrefix(text, "+"))
	switch {
	case err != nil || !digits(strings.TrimPrefix(text, "+")) && least >= 0:
		r.w.Warnf(n.At(i), ignored, "%s: %q is no number", n.Name(), n.Arg(i))
	case v < least || v > most:
		r.w.Warnf(n.At(i), ignored, "%s: %d is not from %d to %d", n.Name(), v, least, most)
	default:
		return v, true
	}
	return 0, false
}

// extra says that keepalived does not look at the words from the i-th argument
// on.
func (r *reader) extra(n *lang.Node, i int) {
	if n.Args() > i {
		r.w.Warnf(n.At(i), "take it away", "%s: keepalived does not look at %q", n.Name(), n.Arg(i))
	}
}

// seconds is the first argument of n as a time.
func (r *reader) seconds(n *lang.Node, least time.Duration) (time.Duration, bool) {
	if n.Args() == 0 {
		r.missing(n, "a time")
		return 0, false
	}
	const most = 1e9 // 31 years
	whole, fraction, point := strings.Cut(n.Arg(0), ".")
	v, err := strconv.ParseFloat(n.Arg(0), 64)
	d := time.Duration(math.Round(v*1e6)) * time.Microsecond
	switch {
	case err != nil || !digits(whole+fraction) || point && len(fraction) > 6 && !digits(fraction):
		r.w.Warnf(n.At(0), ignored, "%s: %q is no number of seconds", n.Name(), n.Arg(0))
	case v > most:
		r.w.Warnf(n.At(0), "write something less", "%s: %s seconds are more than anybody waits", n.Name(), n.Arg(0))
	case d < least:
		r.w.Warnf(n.At(0), ignored, "%s: %s is less than a microsecond", n.Name(), n.Arg(0))
	default:
		return d, true
	}
	return 0, false
}

// yes is the first argument of n as on or off; none is on.
func (r *reader) yes(n *lang.Node) (yes, ok bool) {
	switch n.Arg(0) {
	case "true", "on", "yes":
		return true, true
	case "false", "off", "no":
		return false, true
	}
	if n.Args() == 0 {
		return true, true
	}
	r.w.Warnf(n.At(0), ignored, "%s: %q is neither on nor off", n.Name(), n.Arg(0))
	return false, false
}

type take = func(*reader, *lang.Node)

// numberTo puts a number where at says.
func numberTo(least, most int, at func(*reader) *opt[int]) keyword {
	return keyword{take: func(r *reader, n *lang.Node) {
		if v, ok := r.number(n, 0, least, most); ok {
			*at(r) = opt[int]{v, true, n.Pos}
		}
		r.extra(n, 1)
	}}
}

// weightTo puts a weight where at says. Those of keepalived reach further.
func weightTo(least int, at func(*reader) *opt[int]) keyword {
	return keyword{take: func(r *reader, n *lang.Node) {
		v, ok := r.number(n, 0, least, math.MaxInt32)
		if v > maxWeight {
			r.w.Lose(n.At(0), shown(n), "the largest weight is %d: divide all weights of the virtual server by the same number", maxWeight)
			v = maxWeight
		}
		if ok {
			*at(r) = opt[int]{v, true, n.Pos}
		}
		r.extra(n, 1)
	}}
}

func secondsTo(least time.Duration, at func(*reader) *opt[time.Duration]) keyword {
	return keyword{take: func(r *reader, n *lang.Node) {
		if v, ok := r.seconds(n, least); ok {
			*at(r) = opt[time.Duration]{v, true, n.Pos}
		}
		r.extra(n, 1)
	}}
}

func yesTo(at func(*reader) *opt[bool]) keyword {
	return keyword{take: func(r *reader, n *lang.Node) {
		if v, ok := r.yes(n); ok {
			*at(r) = opt[bool]{v, true, n.Pos}
		}
		r.extra(n, 1)
	}}
}

// flagTo is for words that are on whatever follows them.
func flagTo(at func(*reader) *opt[bool]) keyword {
	return keyword{take: func(r *reader, n *lang.Node) {
		*at(r) = opt[bool]{true, true, n.Pos}
		r.extra(n, 0)
	}}
}

func wordTo(at func(*reader) *opt[string]) keyword {
	return keyword{take: func(r *reader, n *lang.Node) {
		if n.Args() == 0 {
			r.missing(n, "a value")
			return
		}
		*at(r) = opt[string]{n.Arg(0), true, n.Pos}
		r.extra(n, 1)
	}}
}

// planWords are those that virtual servers, real servers and checkers share.
func planWords(retry int, at func(*reader) *plan) scope {
	return scope{
		"delay_loop":         secondsTo(time.Microsecond, func(r *reader) *opt[time.Duration] { return &at(r).loop }),
		"delay_before_retry": secondsTo(0, func(r *reader) *opt[time.Duration] { return &at(r).before }),
		"connect_timeout":    secondsTo(time.Microsecond, func(r *reader) *opt[time.Duration] { return &at(r).connect }),
		"warmup":             secondsTo(0, func(r *reader) *opt[time.Duration] { return &at(r).warmup }),
		"retry":              numberTo(retry, maxCount, func(r *reader) *opt[int] { return &at(r).retry }),
	}
}

// command reads what a script's line says: keepalived takes the first word for
// the whole command, and what follows for the user that it runs as.
func (r *reader) command(n *lang.Node) ([]string, bool) {
	words, ok := n.Escaped()
	if !ok || len(words) < 2 {
		r.w.Warnf(n.Pos, "write "+n.Name()+` "PROGRAM ARGUMENTS"`, "%s: keepalived cannot read the command", n.Name())
		return nil, false
	}
	command, ok := lang.Command(words[1].Text)
	if !ok || len(command) == 0 {
		r.w.Warnf(words[1].Pos, "escape what is to be plain by a backslash", "%s: keepalived cannot read the command %q", n.Name(), words[1].Text)
		return nil, false
	}
	return command, true
}

// scriptTo reads a script.
func scriptTo(at func(*reader) **script) keyword {
	return keyword{take: func(r *reader, n *lang.Node) {
		if !r.once(n, *at(r) == nil) {
			return
		}
		command, ok := r.command(n)
		if !ok {
			return
		}
		*at(r) = &script{n.Pos, command}
		if words, _ := n.Escaped(); len(words) > 2 {
			r.lose(words[2].Pos, "user "+words[2].Text, "mond runs programs as its own user: begin the command with setpriv or sudo -u %s", words[2].Text)
		}
	}}
}
