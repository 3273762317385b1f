package judge

import (
	"errors"
	"flag"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/mondhq/mond/monitors/tcp/reach"
)

// maxWeight is the greatest weight of a real server that makes sense: schedulers
// multiply it.
const maxWeight = 65535

// weight says where in an answer the host's weight stands.
type weight struct {
	header string
	first  bool
	match  reach.Pattern
}

// declare declares the options.
func (w *weight) declare(fs *flag.FlagSet) {
	fs.StringVar(&w.header, "weight-header", "", "`name` of the header whose number, 0 to 65535, is the weight (performance data); a wrong one is a warning")
	fs.BoolVar(&w.first, "weight-body", false, "the first number in the body is the weight")
	fs.Var(&w.match, "weight-match", "regular `expression` whose first group, or else the match, is the weight in the body (RE2)")
}

// validate judges the options together.
func (w *weight) validate() error {
	n := 0
	for _, given := range []bool{w.header != "", w.first, w.match.Regexp != nil} {
		if given {
			n++
		}
	}
	if n > 1 {
		return errors.New("options --weight-header, --weight-body and --weight-match: only one of them can be given")
	}
	if strings.ContainsFunc(w.header, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }) {
		return errors.New("option --weight-header: want the name of a header, such as X-Weight")
	}
	return nil
}

// bodies is the option that looks at the body, empty if none does.
func (w *weight) bodies() string {
	switch {
	case w.first:
		return "--weight-body"
	case w.match.Regexp != nil:
		return "--weight-match"
	}
	return ""
}

// number is what --weight-body looks for.
var number = regexp.MustCompile(`[-+]?[0-9]+(?:\.[0-9]+)?`)

// Weight is the weight that an answer gives its host. asked is false if nobody
// asked for it; an error says why there is none, which does not make the answer
// a bad one.
func (o *Options) Weight(a *Answer) (v float64, asked bool, err error) {
	w := &o.weight
	switch {
	case w.header != "":
		v, err = figure("the header "+w.header, strings.Join(a.Header.Values(w.header), ", "))
	case w.first:
		v, err = figure("the first number in the body", string(number.Find(a.Body)))
	case w.match.Regexp != nil:
		v, err = figure(fmt.Sprintf("what %q finds in the body", w.match.String()), w.captured(a.Body))
	default:
		return 0, false, nil
	}
	return v, true, err
}

// captured is what the first group matches, or the expression if it has none.
func (w *weight) captured(body []byte) string {
	m := w.match.FindSubmatch(body)
	switch {
	case m == nil:
		return ""
	case len(m) > 1:
		return string(m[1])
	}
	return string(m[0])
}

// figure reads a weight.
func figure(what, text string) (float64, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, fmt.Errorf("no weight: %s is not there", what)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0 && v <= maxWeight) || strings.ContainsAny(text, "xXpP_") {
		return 0, fmt.Errorf("no weight: %s is %q, want a number from 0 to %d", what, clip(text), maxWeight)
	}
	return v, nil
}
