package depend

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mondhq/mond/engine/opstatus"
)

// kind is a kind of token.
type kind uint8

const (
	end kind = iota
	service
	one
	zero
	opening
	closing
	bang
	ampersands
	bars
	andWord
	orWord
	notWord
	comma
)

// beginsOperand reports whether an operand can begin with such a token.
func (k kind) beginsOperand() bool {
	switch k {
	case service, one, zero, opening, bang, notWord:
		return true
	case end, closing, ampersands, bars, andWord, orWord, comma:
	}
	return false
}

type token struct {
	kind kind
	pos  int
	key  opstatus.Key // of a service
}

// lexer cuts text into tokens.
type lexer struct {
	text, group string
	// tok is the token looked at, which ends before pos.
	tok token
	pos int
	// keys are the services met so far, each once (seen).
	keys []opstatus.Key
	seen map[opstatus.Key]bool
	// out is the text up to copied, with SELF replaced.
	out    strings.Builder
	copied int
}

// marks are the tokens that are not words.
var marks = []struct {
	text string
	kind kind
}{{"&&", ampersands}, {"||", bars}, {"!", bang}, {"(", opening}, {")", closing}, {",", comma}}

// next moves on to the next token.
func (l *lexer) next() error {
	for l.pos < len(l.text) && strings.IndexByte(" \t\n\v\f\r", l.text[l.pos]) >= 0 {
		l.pos++
	}
	rest := l.text[l.pos:]
	l.tok = token{kind: end, pos: l.pos}
	if rest == "" {
		return nil
	}
	for _, m := range marks {
		if strings.HasPrefix(rest, m.text) {
			l.tok.kind, l.pos = m.kind, l.pos+len(m.text)
			return nil
		}
	}
	if !nameByte(rest[0]) {
		return l.strange(rest)
	}
	return l.word()
}

// strange complains of a character that begins no token.
func (l *lexer) strange(rest string) error {
	r, _ := utf8.DecodeRuneInString(rest)
	hint := "operators are && || ! and or not ( )"
	switch r {
	case '&':
		hint = "write &&"
	case '|':
		hint = "write ||"
	case ':':
		hint = "write GROUP:SERVICE without blanks"
	}
	return l.fail(l.pos, fmt.Sprintf("unexpected %q", string(r)), hint)
}

// words are the tokens that look like half a name.
var words = map[string]kind{"and": andWord, "or": orWord, "not": notWord, "1": one, "0": zero}

// word reads a name or a word.
func (l *lexer) word() error {
	first := l.run()
	if strings.HasPrefix(l.text[l.pos:], ":") {
		l.pos++
		return l.service(first)
	}
	k, ok := words[first]
	if !ok {
		return l.fail(l.tok.pos, fmt.Sprintf("%q is not a service", first), wordHint(first))
	}
	l.tok.kind = k
	return nil
}

func wordHint(word string) string {
	if lower := strings.ToLower(word); words[lower] != end {
		return fmt.Sprintf("write %q in small letters", lower)
	}
	if strings.Trim(word, "0123456789") == "" {
		return "the only numbers are 1 and 0"
	}
	return fmt.Sprintf("write GROUP:%[1]s or SELF:%[1]s", word)
}

// service reads the rest of a name whose group is read.
func (l *lexer) service(group string) error {
	start := l.tok.pos
	svc := l.run()
	switch {
	case svc == "":
		return l.fail(l.pos, fmt.Sprintf("no service after %q", l.text[start:l.pos]), "write GROUP:SERVICE without blanks")
	case strings.HasPrefix(l.text[l.pos:], ":"):
		return l.fail(l.pos, fmt.Sprintf("a second colon after %q", l.text[start:l.pos]), "write GROUP:SERVICE")
	}
	if group == self {
		group = l.group
		l.out.WriteString(l.text[l.copied:start] + group)
		l.copied = start + len(self)
	}
	l.tok.kind, l.tok.key = service, opstatus.Key{Group: group, Service: svc}
	l.note(l.tok.key)
	return nil
}

// self stands for the group of the service that depends.
const self = "SELF"

func (l *lexer) note(k opstatus.Key) {
	if l.seen == nil {
		l.seen = map[opstatus.Key]bool{}
	}
	if !l.seen[k] {
		l.seen[k] = true
		l.keys = append(l.keys, k)
	}
}

// run reads letters of a name.
func (l *lexer) run() string {
	start := l.pos
	for l.pos < len(l.text) && nameByte(l.text[l.pos]) {
		l.pos++
	}
	return l.text[start:l.pos]
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || slices.Contains([]byte("_.-"), c)
}

// replaced is the text with SELF replaced.
func (l *lexer) replaced() string { return l.out.String() + l.text[l.copied:] }

func (l *lexer) fail(pos int, msg, hint string) error {
	return &SyntaxError{Text: l.text, Col: pos + 1, Msg: msg, Hint: hint}
}
