package line

import "strings"

const hexDigits = "0123456789abcdef"

func appendHex(b []byte, c byte) []byte { return append(b, '\\', hexDigits[c>>4], hexDigits[c&15]) }

// plain are the bytes that mon does not escape, quotes or not.
var plain = func() (plain [256]bool) {
	for c := '!'; c <= '~'; c++ {
		plain[c] = c != '"' && c != '\'' && c != '\\'
	}
	return plain
}()

// appendEsc appends s as mon escapes it: what is no visible character of ASCII,
// and quotes, as a backslash and two digits. Within quotes a backslash is
// doubled; outside it stays, and nobody can tell it from mon's own.
func appendEsc(b []byte, s string, inQuotes bool) []byte {
	from := 0
	for i := range len(s) {
		c := s[i]
		if plain[c] || c == '\\' && !inQuotes {
			continue
		}
		b = append(b, s[from:i]...)
		if from = i + 1; c == '\\' {
			b = append(b, '\\', '\\')
		} else {
			b = appendHex(b, c)
		}
	}
	return append(b, s[from:]...)
}

// unescape undoes what clients escape. As under mon a doubled backslash stays
// one.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+2 < len(s) {
			hi, lo := strings.IndexByte(hexDigits, s[i+1]), strings.IndexByte(hexDigits, s[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
