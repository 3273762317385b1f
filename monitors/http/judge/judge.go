// Package judge tells whether what a web server answered is as it should be.
// It is pure: an [Answer] in, what there is to tell of it or an error out. It
// opens no connection, reads no clock and knows neither hosts nor redirects.
//
// The rules are a list, tried in order: the first that is broken is the reason.
package judge

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach"
)

// Options say which answers are well.
type Options struct {
	accept statuses
	age    age
	match  reach.Pattern
	reject reach.Pattern
	json   queries
	digest reach.Digest
	same   bool
	part   reach.Pattern
	weight weight
	// Most is how many bytes of a body are looked at.
	Most reach.Size
}

// Declare declares the options, with what mon's http monitor takes for well.
func (o *Options) Declare(fs *flag.FlagSet) {
	o.accept, o.Most = mons(), 1<<20
	fs.Var(&o.accept, "status", "`list` of the statuses that are well, such as 200-299,401")
	fs.Var(&o.match, "m", "regular `expression` that the body must match (RE2)")
	fs.Var(&o.reject, "not-match", "regular `expression` that the body must not match (RE2)")
	fs.Var(&o.json, "json", "`path[=value]` (RFC 9535) that must select something from the body, and nothing but the value if there is one; may be repeated")
	fs.Var(&o.digest, "digest", "`sha256:HEX` is the digest that the body must have (or md5:HEX); without :HEX it is only shown")
	fs.Var(&o.age, "max-age", "`time` since Last-Modified that is well at most, such as 90s, 12h or 2d")
	fs.BoolVar(&o.same, "same-as-others", false, "fail hosts whose body differs from that of most hosts of the check; of what --json selects without a value, or --same-part, if given")
	fs.Var(&o.part, "same-part", "regular `expression` whose groups, or else the match, are what --same-as-others compares")
	o.weight.declare(fs)
	fs.Var(&o.Most, "max-size", "`bytes` of the body to look at most, after decompression; K and M may follow the figure")
}

// Validate judges the options together.
func (o *Options) Validate() error {
	if o.part.Regexp != nil && !o.same {
		return errors.New("option --same-part: it needs --same-as-others")
	}
	return o.weight.validate()
}

// Bodies is the first option that looks at the body, empty if none does.
func (o *Options) Bodies() string {
	switch {
	case o.match.Regexp != nil:
		return "-m"
	case o.reject.Regexp != nil:
		return "--not-match"
	case len(o.json) > 0:
		return "--json"
	case o.digest.Given():
		return "--digest"
	case o.same:
		return "--same-as-others"
	}
	return o.weight.bodies()
}

// Compares reports whether the hosts of a check are to be compared.
func (o *Options) Compares() bool { return o.same }

// Answer is what a host answered, as far as it was read.
type Answer struct {
	Code int
	// Status is the code with the host's words; any bytes.
	Status string
	Header http.Header
	// Body is the body, decompressed unless Encoded says otherwise. It is there
	// only if somebody looks at it, Size always.
	Body []byte
	Size int64
	// Cut says that the body has more than Size bytes.
	Cut bool
	// Encoded is the Content-Encoding that is still on Body.
	Encoded string
}

// maxStatus is how many bytes of the status the detail shows.
const maxStatus = 80

// Line is the status fit to be shown.
func (a *Answer) Line() string {
	if s := strings.TrimSpace(a.Status); len(s) <= maxStatus {
		return s
	}
	return a.Status[:maxStatus] + "..."
}

// size is how much of the body there is, in words.
func (a *Answer) size() string {
	if a.Cut {
		return fmt.Sprintf("the first %d bytes", a.Size)
	}
	return fmt.Sprintf("%d bytes", a.Size)
}

// Head judges what came before the body: with a wrong status nobody need wait
// for the rest.
func (o *Options) Head(a *Answer, now time.Time) error {
	if !o.accept.has(a.Code) {
		return fmt.Errorf("status %s, want %s", a.Line(), &o.accept)
	}
	if o.age > 0 {
		if err := o.fresh(a, now); err != nil {
			return fmt.Errorf("status %s, but %w", a.Line(), err)
		}
	}
	return nil
}

// fresh judges when the page was last changed (RFC 9110, section 8.8.2).
func (o *Options) fresh(a *Answer, now time.Time) error {
	text := a.Header.Get("Last-Modified")
	if text == "" {
		return errors.New("the host does not say when the page was last modified (--max-age)")
	}
	t, err := http.ParseTime(text)
	if err != nil {
		return fmt.Errorf("its Last-Modified is no date: %q", clip(text))
	}
	if old := now.Sub(t); old > time.Duration(o.age) {
		return fmt.Errorf("the page is %s old, --max-age is %s", age(old.Truncate(time.Second)).text(), o.age.text())
	}
	return nil
}

// Verdict is what the rules made of an answer.
type Verdict struct {
	// Detail tells of it; empty with an error.
	Detail string
	// Part is the digest of what is compared with other hosts, with
	// --same-as-others.
	Part Digest
}

// rule is one of the things that the body must be: what there is to tell of it
// if it is so, nothing if nobody asked, an error if it is not.
type rule func(*judging) (told string, err error)

// judging is an answer on its way through the rules.
type judging struct {
	o *Options
	a *Answer
	// nodes is what each query of --json selected.
	nodes [][]any
	part  Digest
}

// Body judges the body, and with it the answer.
func (o *Options) Body(a *Answer) (Verdict, error) {
	if o.Bodies() == "" {
		return Verdict{Detail: a.Line() + ", " + a.size()}, nil
	}
	j := &judging{o: o, a: a}
	detail := a.Line() + ", " + a.size()
	for _, rule := range [...]rule{(*judging).legible, (*judging).matches, (*judging).rejects, (*judging).queries, (*judging).digests, (*judging).compares} {
		told, err := rule(j)
		if err != nil {
			return Verdict{}, fmt.Errorf("status %s, but %w (%s)", a.Line(), err, a.size())
		}
		detail += told
	}
	return Verdict{detail, j.part}, nil
}

// legible judges whether there is anything to look at.
func (j *judging) legible() (string, error) {
	if j.a.Encoded == "" {
		return "", nil
	}
	return "", fmt.Errorf("the body is encoded as %q, which nobody asked for and which is not decoded here", clip(j.a.Encoded))
}

func (j *judging) matches() (string, error) {
	switch {
	case j.o.match.Regexp == nil:
		return "", nil
	case j.o.match.Match(j.a.Body):
		return " that match", nil
	}
	return "", fmt.Errorf("the body does not match %q", j.o.match.String())
}

func (j *judging) rejects() (string, error) {
	if j.o.reject.Regexp == nil {
		return "", nil
	}
	if at := j.o.reject.FindIndex(j.a.Body); at != nil {
		return "", fmt.Errorf("the body matches %q: %q", j.o.reject.String(), clip(string(j.a.Body[at[0]:at[1]])))
	}
	return "", nil
}

// whole is an error if the body was cut, for what makes sense only of a whole.
func (j *judging) whole(option string) error {
	if j.a.Cut {
		return fmt.Errorf("%s needs all of the body and it has more than --max-size %s", option, &j.o.Most)
	}
	return nil
}

// digests judges the digest.
func (j *judging) digests() (string, error) {
	if !j.o.digest.Given() {
		return "", nil
	}
	if err := j.whole("--digest"); err != nil {
		return "", err
	}
	h := j.o.digest.New()
	h.Write(j.a.Body)
	got, err := j.o.digest.Judge(h)
	if err != nil {
		return "", err
	}
	return ", " + got, nil
}

// maxShown is how many bytes of what a host sent an error shows.
const maxShown = 80

// clip is the beginning of text.
func clip(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return text[:maxShown] + "..."
}
