package wording

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	texttemplate "text/template"
	"time"
)

// functions are those that templates may call. Beside Go's own:
//
//	json VALUE               the value in JSON, in quotes where it is a text
//	upper TEXT, lower TEXT   in capitals, in small letters
//	trim TEXT                without blanks and line ends around it
//	line TEXT                its first line
//	oneline TEXT             as one line, without control characters
//	cut N TEXT               its first N characters, with "..." where it is longer
//	default OTHER VALUE      VALUE, or OTHER where it is empty or zero
//	join SEPARATOR LIST      the words of a list with SEPARATOR between
//	replace OLD NEW TEXT     with NEW in place of every OLD
//	contains PART TEXT       whether PART is in TEXT
//	date LAYOUT TIME         the time in a layout of Go's, as "15:04"
//	rfc3339 TIME             as 2006-01-02T15:04:05Z07:00
//	utc TIME                 the same moment in UTC
//	unix TIME                seconds since 1970
//
// Those of Go's that make texts are replaced by ones that make no more than
// MaxOutput. The last argument is what a pipe hands over.
func (b *budget) functions() texttemplate.FuncMap {
	return texttemplate.FuncMap{
		stepName: b.step,

		"json":     func(v any) (string, error) { return b.bounded(marshal(v)) },
		"upper":    func(s string) (string, error) { return b.bounded(strings.ToUpper(s), nil) },
		"lower":    func(s string) (string, error) { return b.bounded(strings.ToLower(s), nil) },
		"trim":     func(s string) (string, error) { return b.bounded(strings.TrimSpace(s), nil) },
		"line":     func(s string) (string, error) { return b.bounded(firstLine(s), nil) },
		"oneline":  func(s string) (string, error) { return b.bounded(OneLine(s, MaxOutput), nil) },
		"cut":      func(n int, s string) (string, error) { return b.bounded(shorten(n, s)) },
		"default":  func(other, v any) (any, error) { return orElse(other, v), b.spend() },
		"join":     func(sep string, list []string) (string, error) { return b.bounded(join(sep, list)) },
		"replace":  func(old, with, s string) (string, error) { return b.bounded(replace(old, with, s)) },
		"contains": func(part, s string) (bool, error) { return strings.Contains(s, part), b.spend() },
		"date":     func(layout string, t time.Time) (string, error) { return b.bounded(t.Format(layout), nil) },
		"rfc3339":  func(t time.Time) (string, error) { return b.bounded(t.Format(time.RFC3339), nil) },
		"utc":      func(t time.Time) (time.Time, error) { return t.UTC(), b.spend() },
		"unix":     func(t time.Time) (int64, error) { return t.Unix(), b.spend() },

		"print":    func(args ...any) (string, error) { return b.bounded(fmt.Sprint(args...), nil) },
		"println":  func(args ...any) (string, error) { return b.bounded(fmt.Sprintln(args...), nil) },
		"printf":   func(format string, args ...any) (string, error) { return b.bounded(printf(format, args...)) },
		"html":     func(args ...any) (string, error) { return b.bounded(texttemplate.HTMLEscaper(args...), nil) },
		"js":       func(args ...any) (string, error) { return b.bounded(texttemplate.JSEscaper(args...), nil) },
		"urlquery": func(args ...any) (string, error) { return b.bounded(texttemplate.URLQueryEscaper(args...), nil) },
	}
}

// bounded is s, unless it is too long or the budget is spent.
func (b *budget) bounded(s string, err error) (string, error) {
	if err == nil {
		err = b.spend()
	}
	if err == nil && len(s) > MaxOutput {
		err = errTooLong
	}
	if err != nil {
		return "", err
	}
	return s, nil
}

func marshal(v any) (string, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

func firstLine(s string) string {
	first, _, _ := strings.Cut(strings.TrimLeft(s, "\r\n"), "\n")
	return strings.TrimSuffix(first, "\r")
}

func shorten(n int, s string) (string, error) {
	if n < 3 {
		return "", fmt.Errorf("cut %d: want 3 characters or more", n)
	}
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-3]) + "...", nil
	}
	return s, nil
}

func orElse(other, v any) any {
	if v == nil {
		return other
	}
	r := reflect.ValueOf(v)
	if r.IsZero() || (r.Kind() == reflect.Slice || r.Kind() == reflect.Map) && r.Len() == 0 {
		return other
	}
	return v
}

func join(sep string, list []string) (string, error) {
	if len(list)*len(sep) > MaxOutput {
		return "", errTooLong
	}
	return strings.Join(list, sep), nil
}

func replace(old, with, s string) (string, error) {
	if strings.Count(s, old)*len(with) > MaxOutput {
		return "", errTooLong
	}
	return strings.ReplaceAll(s, old, with), nil
}

// maxWidth bounds the width and the precision of a verb of printf.
const maxWidth = 1000

var verb = regexp.MustCompile(`%[-+# 0-9.\[\]*]*`)

// printf is fmt.Sprintf with bounds: fmt itself takes a width of a million.
func printf(format string, args ...any) (string, error) {
	longest := 0
	for _, a := range args {
		longest = max(longest, len(fmt.Sprint(a)))
	}
	total := len(format)
	for _, v := range verb.FindAllString(format, -1) {
		width, err := widest(v)
		if err != nil {
			return "", err
		}
		total += width + longest
	}
	if total > 4*MaxOutput { // a verb may write less than its argument
		return "", errTooLong
	}
	return fmt.Sprintf(format, args...), nil
}

// widest is the largest number in a verb.
func widest(v string) (int, error) {
	if strings.Contains(v, "*") {
		return 0, errors.New("printf: a width of * is not taken")
	}
	most := 0
	for _, digits := range strings.FieldsFunc(v, func(r rune) bool { return r < '0' || r > '9' }) {
		n, err := strconv.Atoi(digits)
		if err != nil || n > maxWidth {
			return 0, fmt.Errorf("printf: the width %s is above %d", digits, maxWidth)
		}
		most = max(most, n)
	}
	return most, nil
}
