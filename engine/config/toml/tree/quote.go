package tree

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Key is name as a key: bare where it may be.
func Key(name string) string {
	bare := func(r rune) bool {
		return r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	if name != "" && strings.IndexFunc(name, func(r rune) bool { return !bare(r) }) < 0 {
		return name
	}
	if literal(name) && needsEscape(name) {
		return "'" + name + "'"
	}
	return basic(name)
}

// Quote is text as a string on one line: the form that needs least reading.
func Quote(text string) string {
	switch {
	case !needsEscape(text):
		return `"` + text + `"`
	case literal(text):
		return "'" + text + "'"
	case plain(text) && !strings.Contains(text, "'''") && !strings.HasPrefix(text, "'") && !strings.HasSuffix(text, "'"):
		return "'''" + text + "'''"
	}
	return basic(text)
}

// QuoteLines is text of several lines as a string on as many.
func QuoteLines(text string) string {
	if plain(strings.ReplaceAll(text, "\n", "")) && !strings.Contains(text, `"""`) && !strings.HasSuffix(text, `"`) && !strings.Contains(text, `\`) {
		return "\"\"\"\n" + text + "\"\"\""
	}
	return basic(text)
}

// Valid reports whether text can stand in a document at all: TOML is UTF-8.
func Valid(text string) bool { return utf8.ValidString(text) }

// CommentOK reports whether text can be a comment.
func CommentOK(text string) bool { return plain(text) }

// plain reports whether text has no characters that must be escaped in every
// form.
func plain(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) < 0
}

func needsEscape(text string) bool { return !plain(text) || strings.ContainsAny(text, "\"\\") }

func literal(text string) bool { return plain(text) && !strings.Contains(text, "'") }

func basic(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < ' ' && r != '\t' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
