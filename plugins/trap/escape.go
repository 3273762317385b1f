package trap

// hex are the digits of escapes, which are small letters only.
const hex = "0123456789abcdef"

// line appends TAG='VALUE' and a line end.
func line(b []byte, tag, value string) []byte {
	b = append(append(b, tag...), "='"...)
	return append(escape(b, value), "'\n"...)
}

// plain reports whether c stands for itself.
func plain(c byte) bool { return c > 0x20 && c < 0x7f && c != '"' && c != '\'' }

// width is how many bytes c is in a packet.
func width(c byte) int {
	switch {
	case c == '\\':
		return 2
	case plain(c):
		return 1
	}
	return 3
}

// escape appends text as mon's clients escape it between quotes: a backslash is
// doubled, and bytes up to blank, from DEL up and quotes become \hh.
func escape(b []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\\':
			b = append(b, '\\', '\\')
		case plain(c):
			b = append(b, c)
		default:
			b = append(b, '\\', hex[c>>4], hex[c&15])
		}
	}
	return b
}

// unescape is the inverse of escape, from left to right. mon replaces every \hh
// and leaves doubled backslashes as they are, so that "\" comes out as "\\" and
// the text \20 as "\" and a blank; here they come out as they went in. A
// backslash that begins no escape stands for itself.
func unescape(text []byte) string {
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c != '\\':
		case i+1 < len(text) && text[i+1] == '\\':
			i++
		case i+2 < len(text) && digit(text[i+1]) >= 0 && digit(text[i+2]) >= 0:
			c = byte(digit(text[i+1])<<4 | digit(text[i+2]))
			i += 2
		}
		b = append(b, c)
	}
	return string(b)
}

// digit is the value of a digit of an escape, -1 for any other byte.
func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
