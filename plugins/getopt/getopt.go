// Package getopt reads options that are declared with the standard flag
// package in the spellings that scripts for mon have always used: "-p80" and
// "-ar3" beside "-p 80", "-p=80", "--port 80" and "--port=80".
//
// It is not another way to declare options, and prints nothing: help and error
// messages are the caller's.
//
// The rules: what flag accepts is accepted with the same values. Beyond that a
// word with one dash that is not the exact name of an option is a group of
// single-letter ones: switches, of which the last may be an option with its
// value attached or in the next word. The first word that is no option, or the
// word after "--", begins the operands; options after operands are operands.
// Names are not abbreviated.
package getopt

import (
	"flag"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mondhq/mond/plugins/spelling"
)

// Usage is what flag says of the options of fs, long ones with two dashes, as
// configurations and manuals have them.
func Usage(fs *flag.FlagSet) string {
	var b strings.Builder
	before := fs.Output()
	fs.SetOutput(&b)
	fs.PrintDefaults()
	fs.SetOutput(before)
	lines := strings.Split(b.String(), "\n")
	for i, line := range lines {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "  -"), " ")
		name, _, _ = strings.Cut(name, "\t")
		if strings.HasPrefix(line, "  -") && len(name) > 1 {
			lines[i] = "  -" + line[2:]
		}
	}
	return strings.Join(lines, "\n")
}

// Error says which option is wrong and why.
type Error struct {
	// Index is the place in args of the word at fault: that of a bad value
	// when it stands in a word of its own, otherwise that of the option.
	Index int
	// Option is the option with its dashes, "-p" or "--port".
	Option string
	// Reason says what was expected.
	Reason string
	// Err is what the option's Value said; nil when it was not asked.
	Err error
}

// Error is "option -p: REASON".
func (e *Error) Error() string { return "option " + e.Option + ": " + e.Reason }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Parse sets the options of fs from args and returns the operands, which are
// fs.Args() as well. It stops at the first error, which is an [*Error], or
// [flag.ErrHelp] for -h or -help when fs declares neither; options before it
// have been set. The ErrorHandling of fs is not regarded.
func Parse(fs *flag.FlagSet, args []string) (rest []string, err error) {
	p := parser{fs: fs, args: args}
	for p.isOption() {
		if err := p.option(); err != nil {
			return nil, err
		}
	}
	if p.next < len(args) && args[p.next] == "--" {
		p.next++
	}
	// So that fs.Parsed and fs.Args tell the same. This cannot fail.
	if err := fs.Parse(append([]string{"--"}, args[p.next:]...)); err != nil {
		return nil, err
	}
	return fs.Args(), nil
}

// parser walks over args; next is the first word that was not read.
type parser struct {
	fs   *flag.FlagSet
	args []string
	next int
}

func (p *parser) isOption() bool {
	return p.next < len(p.args) && len(p.args[p.next]) > 1 && p.args[p.next][0] == '-' && p.args[p.next] != "--"
}

// option reads one word with options, and the next one where it is a value.
func (p *parser) option() error {
	word := p.args[p.next]
	p.next++
	name, dashes := word[1:], "-"
	if long, ok := strings.CutPrefix(word, "--"); ok {
		name, dashes = long, "--"
	}
	bare, value, assigned := strings.Cut(name, "=")
	if f := p.fs.Lookup(bare); f != nil {
		return p.set(f, dashes+bare, value, assigned)
	}
	switch {
	case bare == "h" || bare == "help":
		return flag.ErrHelp
	case dashes == "--":
		return p.unknown(dashes + bare)
	}
	return p.group(name)
}

// group reads the letters of a word: switches up to the first option that
// takes a value, whose value is the rest.
func (p *parser) group(letters string) error {
	for letters != "" {
		_, size := utf8.DecodeRuneInString(letters)
		name, after := letters[:size], letters[size:]
		f := p.fs.Lookup(name)
		if f == nil && name == "h" {
			return flag.ErrHelp
		}
		if f == nil {
			return p.unknown("-" + name)
		}
		value, assigned := strings.CutPrefix(after, "=")
		if !isSwitch(f) || assigned {
			return p.set(f, "-"+name, value, after != "")
		}
		if err := p.set(f, "-"+name, "", false); err != nil {
			return err
		}
		letters = after
	}
	return nil
}

// set gives f its value: the attached one, true for a switch, or the next word.
func (p *parser) set(f *flag.Flag, option, value string, attached bool) error {
	switch {
	case attached:
	case isSwitch(f):
		value = "true"
	case p.next < len(p.args):
		value = p.args[p.next]
		p.next++
	default:
		what, _ := flag.UnquoteUsage(f)
		return &Error{Index: p.next - 1, Option: option, Reason: "its value (" + what + ") is missing"}
	}
	if err := p.fs.Set(f.Name, value); err != nil {
		return &Error{Index: p.next - 1, Option: option, Reason: refusal(f, value, err), Err: err}
	}
	return nil
}

// unknown is the error for an option that fs does not declare.
func (p *parser) unknown(option string) error {
	e := &Error{Index: p.next - 1, Option: option, Reason: "there is no such option"}
	if word := p.args[e.Index]; word != option && !strings.HasPrefix(word, option+"=") {
		e.Reason += " (in " + strconv.Quote(word) + ")"
	}
	word, _, _ := strings.Cut(p.args[e.Index], "=")
	if full := p.meant(strings.TrimLeft(word, "-")); full != "" {
		e.Reason += "; did you mean --" + full + "?"
	}
	return e
}

// meant is the one option whose name begins with word, or else the one that is
// spelt nearly like it; "" when there is none, or where several begin so.
func (p *parser) meant(word string) string {
	if len(word) < 2 {
		return ""
	}
	var long, begin []string
	p.fs.VisitAll(func(f *flag.Flag) {
		if len(f.Name) < 2 {
			return
		}
		long = append(long, f.Name)
		if strings.HasPrefix(f.Name, word) {
			begin = append(begin, f.Name)
		}
	})
	switch len(begin) {
	case 0:
		return spelling.Nearest(word, long)
	case 1:
		return begin[0]
	}
	return ""
}

// isSwitch reports whether f may stand without a value.
func isSwitch(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// refusal says what f wants instead of value.
func refusal(f *flag.Flag, value string, err error) string {
	text := strconv.Quote(value)
	if what := wanted(f); what != "" {
		text += " is not " + what
	}
	return text + ": " + err.Error()
}

// wanted describes the values of f, "" when only f itself knows.
func wanted(f *flag.Flag) string {
	g, ok := f.Value.(flag.Getter)
	if !ok {
		return ""
	}
	switch g.Get().(type) {
	case bool:
		return "true or false"
	case int, int64:
		return "a whole number"
	case uint, uint64:
		return "a whole number from 0 up"
	case float64:
		return "a number"
	case time.Duration:
		return "a time such as 10s or 500ms"
	}
	return ""
}
