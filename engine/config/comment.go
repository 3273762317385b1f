package config

import "strings"

// tail finds the comment at the end of a line, where `syntax = mond` holds: a
// "#" at the start of a word begins one, unless it stands between quotes. It
// keeps its state from one part of a continued line to the next.
type tail struct {
	// words is set for a directive whose text is split by [Words]: quotes
	// count wherever they stand, may close in a later part, and a backslash
	// takes the next character. In other text these are characters like any;
	// only one or more whole words between quotes are taken for quoted, and
	// a backslash counts only before a "#".
	words bool
	// quote is the one that is open; 0 for none.
	quote byte
	// unclosed are the quotes that are not closed in what is left of a part
	// of other text.
	unclosed string
}

// cut says where in text, from the byte at on, the comment begins, or -1.
// begin says whether a word may begin at that byte. escapes are where
// backslashes stand that are not part of the text but keep a "#" from
// beginning a comment.
func (t *tail) cut(text string, at int, begin bool) (comment int, escapes []int) {
	t.unclosed = ""
	for i := at; i < len(text); i++ {
		c := text[i]
		switch {
		case t.quote != 0:
			i = t.quoted(text, i)
			begin = false
			continue
		case c == '#' && begin:
			return i, escapes
		case c == '\\' && t.words:
			if !continues(text[i+1:]) {
				i++
			}
		case c == '\\' && begin:
			n := backslashes(text[i:])
			if i+n < len(text) && text[i+n] == '#' {
				escapes = append(escapes, i)
			}
			i += n - 1
		case t.words && (c == '"' || c == '\''):
			t.quote = c
		case begin && (c == '"' || c == '\''):
			i = t.skip(text, i)
		}
		begin = isBlank(c)
	}
	return -1, escapes
}

// quoted takes the byte at i, which stands between quotes, and says where the
// last byte is that it took.
func (t *tail) quoted(text string, i int) int {
	switch text[i] {
	case t.quote:
		t.quote = 0
	case '\\':
		return i + 1
	}
	return i
}

// skip is the end of the words between quotes that begin at i, or i if there
// is no such end.
func (t *tail) skip(text string, i int) int {
	if strings.IndexByte(t.unclosed, text[i]) >= 0 {
		return i
	}
	for j := i + 1; j < len(text); j++ {
		if text[j] == text[i] && (j+1 == len(text) || isBlank(text[j+1])) {
			return j
		}
	}
	t.unclosed += string(text[i])
	return i
}

// continues reports whether a backslash continues the line, by what follows it.
func continues(after string) bool {
	rest := strings.TrimLeft(after, blanks)
	return rest == "" || rest[0] == '#' && len(rest) < len(after)
}

// backslashes is how many s begins with.
func backslashes(s string) int { return len(s) - len(strings.TrimLeft(s, `\`)) }

// escape is text, which follows a directive or stands alone, with a backslash
// before each "#" that would begin a comment.
func escape(text string, words bool) string {
	if !strings.Contains(text, "#") {
		return text
	}
	var b strings.Builder
	t := tail{words: words}
	from, begin := 0, true
	for {
		at, escapes := t.cut(text, from, begin)
		for _, i := range escapes {
			b.WriteString(text[from:i] + `\`)
			from = i
		}
		if at < 0 {
			b.WriteString(text[from:])
			return b.String()
		}
		b.WriteString(text[from:at] + `\#`)
		from, begin = at+1, false
	}
}

// inWords reports whether the text of a directive is split by [Words].
func inWords(name string) bool {
	switch name {
	case "monitor", "redistribute", "alert", "upalert", "startupalert", "ackalert", "disablealert", "schedule", "weight_from", "template", "use", "include":
		return true
	}
	return false
}
