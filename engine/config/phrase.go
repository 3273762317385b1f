package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// phrase reads the words of a line one after the other. After the first
// mistake, which it reports, it finds no more words.
type phrase struct {
	diag  *collector
	st    *Statement
	words []Word
	at    int
	bad   bool
}

// newPhrase reads the text of st.
func newPhrase(diag *collector, st *Statement) *phrase {
	return &phrase{diag: diag, st: st, words: fields(st.Text)}
}

// newQuotedPhrase reads the text of st, in which words may stand between quotes,
// as [Words] has them.
func newQuotedPhrase(diag *collector, st *Statement) *phrase {
	words, err := Words(st.Text)
	p := &phrase{diag: diag, st: st, words: words}
	if q, ok := errors.AsType[*QuoteError](err); ok {
		p.fail(q.Off, quoteHint, "%s: %v", st.Name, err)
	}
	return p
}

// fail reports a mistake at off in the text.
func (p *phrase) fail(off int, hint, format string, args ...any) {
	if !p.bad {
		p.bad = true
		p.diag.errorf(p.st, off, valueHint(p.st.Text, hint), format, args...)
	}
}

// more reports whether there is another word.
func (p *phrase) more() bool { return !p.bad && p.at < len(p.words) }

// peek is the next word, or an empty one.
func (p *phrase) peek() Word {
	if !p.more() {
		return Word{Off: len(p.st.Text)}
	}
	return p.words[p.at]
}

// is takes the next word if it is one of these.
func (p *phrase) is(words ...string) bool {
	for _, w := range words {
		if p.more() && p.words[p.at].Text == w {
			p.at++
			return true
		}
	}
	return false
}

// next takes the next word; what says what it is to be.
func (p *phrase) next(what string) (Word, bool) {
	if p.bad {
		return Word{}, false
	}
	if !p.more() {
		p.fail(-1, "", "%s without %s", p.place(), what)
		return Word{}, false
	}
	p.at++
	return p.words[p.at-1], true
}

// place is the directive, with the words that were read if there are any.
func (p *phrase) place() string {
	text := p.st.Name
	if p.at > 0 {
		last := p.words[p.at-1]
		text += " " + shorten(p.st.Text[:last.Off+len(last.Text)])
	}
	return text
}

// number takes a number from lo to hi, without the sign if it ends in one.
func (p *phrase) number(what, sign string, lo, hi int) int {
	w, ok := p.next(what)
	if !ok {
		return 0
	}
	text := w.Text
	if sign != "" {
		text = strings.TrimSuffix(text, sign)
	}
	n, ok := atoi(text)
	of := p.of()
	switch {
	case !ok:
		p.fail(w.Off, fmt.Sprintf("say %s, from %d%s to %d%s", what, lo, sign, hi, sign), "%s is no number for %s", quote(w.Text), of)
	case n < lo || n > hi:
		p.fail(w.Off, "", "%s is out of range for %s: say %d%s to %d%s", w.Text, of, lo, sign, hi, sign)
	}
	return n
}

// of is what the word that was taken belongs to: the one before it, or the
// directive.
func (p *phrase) of() string {
	if p.at > 1 {
		return p.words[p.at-2].Text
	}
	return p.st.Name
}

// time takes a time that is least or more.
func (p *phrase) time(least time.Duration) time.Duration {
	w, ok := p.next("a time")
	if !ok {
		return 0
	}
	d, err := Timeval(w.Text)
	switch {
	case err != nil:
		p.fail(w.Off, timeHint, "invalid time %s for %s: %v", quote(w.Text), p.of(), err)
	case d < least:
		p.fail(w.Off, "", "%s is too short for %s, which is %s at least", quote(w.Text), p.of(), least)
	}
	return d
}

// choice takes one of a few words, and says which.
func (p *phrase) choice(what string, words ...string) int {
	w, ok := p.next(what)
	if !ok {
		return -1
	}
	for i, word := range words {
		if word == w.Text {
			return i
		}
	}
	hint := didYouMean(w.Text, words)
	if hint == "" {
		hint = "it is one of " + strings.Join(words, ", ")
	}
	p.fail(w.Off, hint, "unknown word %s for %s", quote(w.Text), p.st.Name)
	return -1
}

// end reports words that are left, and whether all was good.
func (p *phrase) end(known ...string) bool {
	if p.more() {
		w := p.peek()
		hint := ""
		if !slices.Contains(known, w.Text) {
			hint = didYouMean(w.Text, known)
		}
		p.fail(w.Off, hint, "unexpected %s in %s", quote(w.Text), p.st.Name)
	}
	return !p.bad
}
