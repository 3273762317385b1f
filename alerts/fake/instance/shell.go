package instance

import (
	"fmt"
	"strings"
	"unicode"
)

// Assignments reads text as lines NAME=VALUE of a shell and adds them to into:
// comments, "export", quotes and $NAME or ${NAME} of what was set before are
// understood. Anything that would have to be executed is an error, which names
// the line; an unknown variable is empty, as it is there.
func Assignments(into map[string]string, text string) error {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if err := assignment(into, strings.TrimSpace(line)); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return nil
}

func assignment(into map[string]string, line string) error {
	if rest, ok := strings.CutPrefix(line, "export "); ok {
		line = strings.TrimSpace(rest)
	}
	if line == "" || line[0] == '#' {
		return nil
	}
	name, value, ok := strings.Cut(line, "=")
	if !ok && isName(line) {
		return nil // export NAME
	}
	if !ok || !isName(name) {
		return fmt.Errorf("%.60q is no assignment: such files are not executed here, say NAME=VALUE", line)
	}
	w := word{rest: value, set: into}
	if err := w.read(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	into[name] = w.out.String()
	return nil
}

func isName(s string) bool {
	for i, r := range s {
		if r != '_' && (r > unicode.MaxASCII || !unicode.IsLetter(r)) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}

// word reads one word of a shell.
type word struct {
	rest string
	set  map[string]string
	out  strings.Builder
}

func (w *word) read() error {
	quoted := false // in double quotes
	for w.rest != "" {
		c := w.rest[0]
		w.rest = w.rest[1:]
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\'' && !quoted:
			text, after, ok := strings.Cut(w.rest, "'")
			if !ok {
				return fmt.Errorf("a ' is not closed")
			}
			w.out.WriteString(text)
			w.rest = after
		case c == '\\' && w.rest != "":
			w.out.WriteByte(w.rest[0])
			w.rest = w.rest[1:]
		case c == '`' || c == '$' && strings.HasPrefix(w.rest, "("):
			return fmt.Errorf("the output of a command is asked for: such files are not executed here, write it out")
		case c == '$':
			if err := w.variable(); err != nil {
				return err
			}
		case !quoted && (c == ' ' || c == '\t' || c == ';'):
			return w.end()
		case !quoted && strings.IndexByte("&|<>()", c) >= 0:
			return fmt.Errorf("%q would be executed: quote it, or write NAME=VALUE only", string(c))
		default:
			w.out.WriteByte(c)
		}
	}
	if quoted {
		return fmt.Errorf("a \" is not closed")
	}
	return nil
}

// end allows nothing behind the word but a comment.
func (w *word) end() error {
	rest := strings.TrimLeft(w.rest, " \t;")
	if rest == "" || rest[0] == '#' {
		w.rest = ""
		return nil
	}
	return fmt.Errorf("%.60q behind the value would be executed: write one NAME=VALUE a line", rest)
}

// variable reads what follows a $.
func (w *word) variable() error {
	name := w.rest
	if inner, ok := strings.CutPrefix(w.rest, "{"); ok {
		name, w.rest, ok = strings.Cut(inner, "}")
		if !ok || !isName(name) {
			return fmt.Errorf("${%.40s: only ${NAME} is understood", inner)
		}
	} else {
		end := strings.IndexFunc(w.rest, func(r rune) bool { return !isName("a" + string(r)) })
		if end < 0 {
			end = len(w.rest)
		}
		name, w.rest = w.rest[:end], w.rest[end:]
		if !isName(name) {
			return fmt.Errorf("a $ without a name: quote it with '")
		}
	}
	// A bound, so that lines that name each other twice stay short.
	if w.out.Len()+len(w.set[name]) > maxFile {
		return fmt.Errorf("it is longer than %d KB", maxFile>>10)
	}
	w.out.WriteString(w.set[name])
	return nil
}
