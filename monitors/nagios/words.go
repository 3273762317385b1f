package nagios

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// name is an option's value: the name of a plugin.
type name string

// String is the name.
func (n *name) String() string { return string(*n) }

// Set reads a name, which is no path.
func (n *name) Set(text string) error {
	if text == "" || text == "." || text == ".." || strings.ContainsAny(text, "/\x00") {
		return errors.New("want a name without slashes, such as check_tcp (--dir says in which folder)")
	}
	*n = name(text)
	return nil
}

// dir is an option's value: an absolute path of a folder.
type dir string

// String is the path.
func (d *dir) String() string { return string(*d) }

// Set reads a path.
func (d *dir) Set(text string) error {
	if !filepath.IsAbs(text) {
		return errors.New("want a path that begins with a slash")
	}
	*d = dir(filepath.Clean(text))
	return nil
}

// count is an option's value: how many plugins run side by side.
type count int

// String is the number.
func (n *count) String() string { return strconv.Itoa(int(*n)) }

// Set reads a number.
func (n *count) Set(text string) error {
	v, err := strconv.Atoi(text)
	if err != nil || v < 1 || v > atOnce {
		return fmt.Errorf("want a number from 1 to %d", atOnce)
	}
	*n = count(v)
	return nil
}

// telling is an option's value: how a plugin is told the host.
type telling uint8

const (
	auto     telling = iota
	appended         // -H HOST after its words
	replace          // in the place of a mark within them
	none             // not at all
)

func tellings() []string { return []string{"", "append", "replace", "none"} }

// String is the value's name.
func (t *telling) String() string { return tellings()[*t] }

// Set reads a name.
func (t *telling) Set(text string) error {
	i := slices.Index(tellings(), text)
	if i < 1 {
		return errors.New("want append, replace or none")
	}
	*t = telling(i)
	return nil
}

// args is an option's value: words, quoted as for a shell.
type args []string

// String is the words, quoted where they need it.
func (a *args) String() string {
	words := make([]string, len(*a))
	for i, w := range *a {
		words[i] = w
		if w == "" || strings.ContainsAny(w, " \t\n'\"\\") {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// Set adds words. Within single quotes every character stands for itself,
// within double quotes all but a backslash, which takes away the meaning of the
// next character. Nothing is expanded.
func (a *args) Set(text string) error {
	if strings.ContainsRune(text, 0) {
		return errors.New("no program can be given a NUL byte")
	}
	var word strings.Builder
	begun, quote := false, rune(0)
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, begun = true, true
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, begun = r, true
		case quote == 0 && strings.ContainsRune(" \t\n", r):
			if begun {
				*a = append(*a, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 || escaped {
		return errors.New("a quote is not closed, or a backslash ends it")
	}
	if begun {
		*a = append(*a, word.String())
	}
	return nil
}

// divide divides the words after the options into those for the plugin, which
// another -- ends, and the hosts.
func divide(all []string) (words, hosts []string, err error) {
	if i := slices.Index(all, "--"); i >= 0 {
		return all[:i], all[i+1:], nil
	}
	if len(all) > 0 && strings.HasPrefix(all[0], "-") {
		return nil, nil, fmt.Errorf("%s is no host: end the plugin's words with another --, as in: -- %s ... --", all[0], all[0])
	}
	return nil, all, nil
}

// marks stand for the host within a plugin's words: ours, a shell's, Nagios'.
func marks() []string { return []string{"{host}", "$HOSTADDRESS$", "$HOSTNAME$", "$HOST"} }

// hasMark reports whether a mark is in the words.
func hasMark(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.ContainsFunc(marks(), func(m string) bool { return strings.Contains(w, m) })
	})
}

// tell is the words for one host.
func tell(words []string, how telling, host string) []string {
	switch how {
	case appended:
		return append(slices.Clone(words), "-H", host)
	case replace:
		var pairs []string
		for _, m := range marks() {
			pairs = append(pairs, m, host)
		}
		r := strings.NewReplacer(pairs...)
		out := make([]string, len(words))
		for i, w := range words {
			out[i] = r.Replace(w)
		}
		return out
	case auto, none:
	}
	return words
}
