package config

import (
	"strings"

	"github.com/mondhq/mond/plugins/spelling"
)

// watchLine reads a line of a watch.
func (r *reader) watchLine(st *Statement, word, rest string, off int) {
	if name, value, ok := environment(st.Text); ok {
		st.set(KindEnv, name, value, len(st.Text)-len(value))
		if !r.in.service && !r.in.open {
			r.bad(st, -1, "write it below a service line", "a variable before the first service of %s %s", r.in.record, r.in.name)
		}
		return
	}
	if fixed := r.structural(word); fixed != word {
		r.diag.errorf(st, -1, didYouMean(word, []string{fixed}), "unknown directive %s", quote(word))
		word = fixed
	}
	st.set(KindService, word, rest, off)
	switch {
	case word == "service":
		r.service(st)
	case word == "use" && r.mond:
		st.Kind, r.in.open = KindUse, true
	case r.templateLine(st, word):
	case word == "include" && r.mond:
		r.bad(st, -1, "put a blank line before it", "include inside %s %s", r.in.record, r.in.name)
	case r.newWord(word):
		r.bad(st, -1, mondHint, "unknown directive %s", quote(word))
	case !r.in.service && !r.in.open:
		r.bad(st, -1, "write \"service NAME\" first", "%s before the first service of %s %s", quote(word), r.in.record, r.in.name)
	case word == "period":
		r.in.service, r.in.period, r.in.open = true, true, false
	case (r.in.period || r.in.open) && r.words.find(ScopePeriod, word) != nil:
		st.Kind = KindPeriod
	case (!r.in.period || r.in.open) && r.words.find(ScopeService, word) != nil:
	default:
		r.bad(st, -1, r.watchHint(word, rest), "%s", r.watchError(word))
	}
}

// structural is "service" or "period" if word is one of them misspelt; what
// follows can then be read as it was meant.
func (r *reader) structural(word string) string {
	if r.words.inner(word) || r.words.ofVirtual(word) && r.in.record == inTemplate {
		return word
	}
	all := append(r.words.names(ScopeService), r.words.names(ScopePeriod)...)
	if fixed := spelling.Nearest(word, all); fixed == "service" || fixed == "period" {
		return fixed
	}
	return word
}

func (r *reader) service(st *Statement) {
	r.in.service, r.in.period, r.in.open = true, false, false
	switch name, more := cutName(st.Text); {
	case st.Text == "":
		r.diag.errorf(st, -1, "", "service without a name")
	case r.replaced() && strings.Contains(more, "$"): // it is checked when it has its name
	case more != "":
		r.diag.errorf(st, len(name), commentHint(more, "names are of letters, digits and . _ -"), "invalid service name %s", quote(st.Text))
	}
}

// replaced reports whether parameters are replaced in this record.
func (r *reader) replaced() bool {
	return r.in.record == inTemplate || r.in.several
}

// newWord reports whether word is one that needs a line `syntax = mond` above
// it, and there is none.
func (r *reader) newWord(word string) bool {
	return !r.mond && (word == "use" || word == "template" || word == "include" || word == "virtual")
}

// watchError says what is wrong with a word that no directive of this place.
func (r *reader) watchError(word string) string {
	switch {
	case r.in.period && r.words.find(ScopeService, word) != nil:
		return word + " after the first period of a service"
	case r.words.find(ScopePeriod, word) != nil:
		return word + " outside a period"
	}
	return "unknown directive " + quote(word)
}

func (r *reader) watchHint(word, rest string) string {
	switch {
	case r.in.period && r.words.find(ScopeService, word) != nil:
		return "directives of the service stand above its first period"
	case r.words.ofVirtual(word) && r.words.find(ScopeService, word) == nil:
		return "it is for a virtual service"
	case r.words.find(ScopePeriod, word) != nil:
		return "write a line \"period\" above it"
	case r.words.find(ScopeGlobal, word) != nil:
		return "variables stand above the hostgroups; inside a watch they are not read"
	case strings.HasPrefix(rest, "="):
		return "a variable of a service is written NAME=value, in capitals and without blanks"
	}
	here, other := ScopeService, ScopePeriod
	if r.in.period {
		here, other = other, here
	}
	if hint := didYouMean(word, r.words.names(here)); hint != "" {
		return hint
	}
	return didYouMean(word, r.words.names(other))
}

// environment splits NAME=value, without a blank before the sign.
func environment(line string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(line, "=")
	if !ok || name == "" || name[0] >= '0' && name[0] <= '9' {
		return "", "", false
	}
	for i := range len(name) {
		if !wordByte(name[i]) || name[i] >= 'a' {
			return "", "", false
		}
	}
	return name, value, true
}
