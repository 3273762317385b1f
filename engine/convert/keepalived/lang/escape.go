package lang

import "strings"

// Escaped are the words of the line as keepalived reads them for scripts and
// regular expressions: quotes of either kind, even within a word, and escapes
// with backslashes. It is false if a quote is not closed or a backslash stands
// at the end; keepalived then drops the line.
func (n *Node) Escaped() ([]Word, bool) {
	words, ok := escaped(n.text.s)
	out := make([]Word, len(words))
	for i, w := range words {
		out[i] = Word{w.text, n.text.at(w.off)}
	}
	return out, ok
}

// Command splits what a script's word holds into the words of its command,
// by the same rules.
func Command(line string) ([]string, bool) {
	words, ok := escaped(line)
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w.text
	}
	return out, ok
}

type piece struct {
	text string
	off  int
}

const space = " \t\f\v\n\r"

func escaped(s string) ([]piece, bool) {
	var all []piece
	for i := 0; i < len(s); {
		if strings.IndexByte(space, s[i]) >= 0 {
			i++
			continue
		}
		var b strings.Builder
		start, quote := i, byte(0)
		for i < len(s) && (quote != 0 || strings.IndexByte(space, s[i]) < 0) {
			switch c := s[i]; {
			case c == '\\':
				if i+1 == len(s) {
					return all, false
				}
				char, n := escape(s[i+1:])
				b.WriteByte(char)
				i += 1 + n
				continue
			case quote != 0 && c == quote:
				quote = 0
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
			default:
				b.WriteByte(c)
			}
			i++
		}
		if quote != 0 {
			return all, false
		}
		all = append(all, piece{b.String(), start})
	}
	return all, true
}

// escape reads what follows a backslash: the byte it stands for, and how many
// bytes say so.
func escape(s string) (byte, int) {
	const single = "a\ab\bE\x1bf\fn\nr\rt\tv\v"
	switch c := s[0]; {
	case c == 'x' && len(s) > 1 && hex(s[1]) >= 0:
		n, char := 1, 0
		for n < len(s) && hex(s[n]) >= 0 {
			char = char<<4&0xff | hex(s[n])
			n++
		}
		return byte(char), n
	case c == 'c' && len(s) > 1:
		return s[1] & 0x1f, 2
	case '0' <= c && c <= '7':
		n, char := 0, 0
		for n < 3 && n < len(s) && '0' <= s[n] && s[n] <= '7' {
			char = char<<3&0xff | int(s[n]-'0')
			n++
		}
		return byte(char), n
	default:
		for i := 0; i < len(single); i += 2 {
			if single[i] == c {
				return single[i+1], 1
			}
		}
		return c, 1
	}
}

// hex is the value of a hexadecimal digit, or -1.
func hex(c byte) int {
	switch {
	case digit(c):
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
