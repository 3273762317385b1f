package ldirectord

import (
	"regexp"
	"strings"
)

// pattern is a regular expression of Perl as one of RE2 that matches the same;
// a $ of Perl also matches before a line end that ends the text. The error says
// what RE2 does not have.
func pattern(perl string) (string, error) {
	var b strings.Builder
	class := false
	for i := 0; i < len(perl); i++ {
		c := perl[i]
		switch {
		case c == '\\' && i+1 < len(perl):
			i++
			if perl[i] == 'Z' && !class {
				b.WriteString(`\n?\z`)
				continue
			}
			b.WriteByte(c)
			c = perl[i]
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '$' && !class:
			b.WriteString(`\n?\z`)
			continue
		}
		b.WriteByte(c)
	}
	_, err := regexp.Compile(b.String())
	return b.String(), err
}

// linePattern is a regular expression of Perl that is matched against each line
// of the text.
func linePattern(perl string) (string, error) {
	s := perl
	if strings.ContainsAny(perl, "^$") {
		s = "(?m)" + perl
	}
	_, err := regexp.Compile(s)
	return s, err
}
