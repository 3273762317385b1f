package config

import "strings"

// Word is one word of a line.
type Word struct {
	Text string
	// Off is where it begins in the line, in bytes.
	Off int
}

// QuoteError is a quote that is not closed, or a backslash with nothing after
// it. (The original then runs the first host name as a program.)
type QuoteError struct {
	// Off is where the quote or backslash is.
	Off int
	// Char is that character.
	Char byte
}

// quoteHint says what to do about a [QuoteError].
const quoteHint = `write \' or \" for a quote, \\ for a backslash`

// Error says which character it is.
func (e *QuoteError) Error() string {
	if e.Char == '\\' {
		return "a backslash with nothing after it"
	}
	return "a " + string(e.Char) + " that is never closed"
}

// Words splits a command line as mon does. Blanks separate words; "..." and
// '...' keep blanks; a backslash takes the next character as it is, but inside
// '...' it stays. A blank at either end makes an empty word there. The error is
// a [*QuoteError].
func Words(line string) ([]Word, error) {
	if line == "" {
		return nil, nil
	}
	var words []Word
	var b strings.Builder
	start, i := 0, 0
	for i < len(line) {
		switch c := line[i]; {
		case isBlank(c):
			words = append(words, Word{b.String(), start})
			b.Reset()
			for i < len(line) && isBlank(line[i]) {
				i++
			}
			start = i
		case c == '"' || c == '\'':
			end := closing(line, i)
			if end < 0 {
				return nil, &QuoteError{i, c}
			}
			quoted(&b, line[i+1:end], c)
			i = end + 1
		case c == '\\':
			if i+1 == len(line) {
				return nil, &QuoteError{i, c}
			}
			b.WriteByte(line[i+1])
			i += 2
		default:
			b.WriteByte(c)
			i++
		}
	}
	return append(words, Word{b.String(), start}), nil
}

// closing is where the quote that opens at i is closed, or -1.
func closing(line string, i int) int {
	for j := i + 1; j < len(line); j++ {
		switch line[j] {
		case line[i]:
			return j
		case '\\':
			j++
		}
	}
	return -1
}

// quoted adds what stands between two quotes.
func quoted(b *strings.Builder, s string, quote byte) {
	if quote == '\'' {
		b.WriteString(s)
		return
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++ // there is a next one, or the quote would not have closed
		}
		b.WriteByte(s[i])
	}
}

// wordSpans are where the words of line begin and end, as they are written; nil
// if [Words] cannot read it.
func wordSpans(line string) [][2]int {
	words, err := Words(line)
	if err != nil {
		return nil
	}
	spans := make([][2]int, len(words))
	for n, w := range words {
		i := w.Off
		for i < len(line) && !isBlank(line[i]) {
			switch line[i] {
			case '"', '\'':
				i = closing(line, i)
			case '\\':
				i++
			}
			i++
		}
		spans[n] = [2]int{w.Off, i}
	}
	return spans
}

// Quote is word as [Words] reads it back: as it is, or between quotes.
func Quote(word string) string {
	if word != "" && !strings.ContainsAny(word, blanks+`"'\`) {
		return word
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(word); i++ {
		if word[i] == '"' || word[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(word[i])
	}
	b.WriteByte('"')
	return b.String()
}

// fields splits a list at blanks; there is no quoting in it.
func fields(line string) []Word {
	var words []Word
	for i := 0; i < len(line); {
		for i < len(line) && isBlank(line[i]) {
			i++
		}
		start := i
		for i < len(line) && !isBlank(line[i]) {
			i++
		}
		if i > start {
			words = append(words, Word{line[start:i], start})
		}
	}
	return words
}

// cutWord splits line into its first word and the rest, and says where in line
// the rest begins. The line has no blanks before it.
func cutWord(line string) (word, rest string, off int) {
	i := strings.IndexAny(line, blanks)
	if i < 0 {
		return line, "", len(line)
	}
	rest = strings.TrimLeft(line[i:], blanks)
	return line[:i], rest, len(line) - len(rest)
}

// cutName splits line after the characters that may stand in the name of a
// group, watch, view, alias or service.
func cutName(line string) (name, rest string) {
	i := 0
	for i < len(line) && (wordByte(line[i]) || line[i] == '.' || line[i] == '-') {
		i++
	}
	return line[:i], line[i:]
}

// wordByte reports whether c is a letter, digit or underscore of ASCII.
func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
