package toml

import (
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml/tree"
)

// values is the text of st in TOML: one value, or the elements of a list.
func (w *writer) values(k *config.Keyword, st *config.Statement) []string {
	w.valid(st, st.Text)
	switch k.Form {
	case config.FormFlag:
		if st.Text != "" {
			w.warnf(st, "", "the words after "+k.Name+" are left out: they mean nothing")
		}
		return []string{"true"}
	case config.FormYes:
		return w.yes(k, st)
	case config.FormNumber, config.FormCounts:
		if n, err := strconv.Atoi(st.Text); err == nil && n >= 0 {
			return []string{strconv.Itoa(n)}
		}
	case config.FormWords:
		if all := w.quotes(st, st.Text); len(all) > 0 {
			return all
		}
	case config.FormPaths:
		if all := paths(st.Text); len(all) > 0 {
			return all
		}
	case config.FormPhrase:
		return []string{tree.Quote(phrase(st.Text))}
	case config.FormQuoted:
		words, _ := config.Words(st.Text)
		var all []string
		for _, word := range words {
			all = append(all, tree.Quote(word.Text))
		}
		return all
	case config.FormText, config.FormTime, config.FormTimeWord, config.FormCommand, config.FormGrant, config.FormRecord:
	}
	return []string{tree.Quote(st.Text)}
}

func (w *writer) yes(k *config.Keyword, st *config.Statement) []string {
	yes, known := k.Yes(st.Text)
	switch {
	case strings.Contains(st.Text, "$"):
		return []string{tree.Quote(st.Text)}
	case !known:
		w.warnf(st, "", quote(st.Text)+" means "+strconv.FormatBool(yes)+" here")
	}
	return []string{strconv.FormatBool(yes)}
}

// paths are those of a list with colons.
func paths(text string) []string {
	var all []string
	for p := range strings.SplitSeq(text, ":") {
		if p = strings.Trim(p, blanks); p != "" {
			all = append(all, tree.Quote(p))
		}
	}
	return all
}

// phrase is text without its quotes, if it means the same without.
func phrase(text string) string {
	plain, ok := unquoted(text)
	if again, same := unquoted(plain); ok && same && again == plain {
		return plain
	}
	return text
}

func unquoted(text string) (string, bool) {
	words, err := config.Words(text)
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = word.Text
	}
	return strings.Trim(strings.Join(all, " "), blanks), err == nil
}
