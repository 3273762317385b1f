package config

import (
	"slices"
	"strings"

	"github.com/mondhq/mond/plugins/spelling"
)

// virtualLine reads a line of a virtual service: what concerns the pool, with
// its periods, then its checks with theirs.
func (r *reader) virtualLine(st *Statement, word, rest string, off int) {
	if name, value, ok := environment(st.Text); ok {
		st.set(KindEnv, name, value, len(st.Text)-len(value))
		return
	}
	if !r.words.inner(word) && !r.words.ofVirtual(word) {
		word = r.meant(st, word)
	}
	st.set(KindService, word, rest, off)
	above := !r.in.period
	switch {
	case word == "check":
		r.check(st)
	case word == "use":
		st.Kind = KindUse
	case word == "include":
		r.bad(st, -1, "put a blank line before it", "include inside virtual %s", r.in.name)
	case word == "service":
		r.bad(st, -1, "write check NAME", "service inside virtual %s", r.in.name)
		r.in.service, r.in.period = true, false
	case word == "period":
		r.in.period = true
	case r.in.period && r.words.find(ScopePeriod, word) != nil:
		st.Kind = KindPeriod
	case above && r.in.service && (r.words.find(ScopeService, word) != nil || r.words.find(ScopeCheck, word) != nil):
	case above && !r.in.service && r.words.find(ScopeVirtual, word) != nil:
		st.Kind = KindVirtual
	case above && !r.in.service && r.words.find(ScopeService, word) != nil: // which of them may stand there is said when templates are in
	default:
		r.bad(st, -1, r.virtualHint(word, rest), "%s", r.virtualError(word))
	}
}

// meant is "check" or "period" if word is one of them misspelt; what follows
// can then be read as it was meant.
func (r *reader) meant(st *Statement, word string) string {
	all := slices.Concat(r.words.names(ScopeVirtual), r.words.names(ScopeService), r.words.names(ScopePeriod), r.words.names(ScopeCheck))
	fixed := spelling.Nearest(word, all)
	if fixed != "check" && fixed != "period" {
		return word
	}
	r.diag.errorf(st, -1, didYouMean(word, []string{fixed}), "unknown directive %s", quote(word))
	return fixed
}

// check begins a check. That it has a name is checked when templates are in.
func (r *reader) check(st *Statement) {
	r.in.service, r.in.period, r.in.open = true, false, false
	if name, more := cutName(st.Text); more != "" && !strings.Contains(more, "$") {
		r.diag.errorf(st, len(name), commentHint(more, "names are of letters, digits and . _ -"), "invalid name %s of a check", quote(st.Text))
	}
}

func (r *reader) virtualError(word string) string {
	switch {
	case r.words.find(ScopeVirtual, word) != nil && r.in.service:
		return word + " below a check"
	case r.words.ofVirtual(word) && !r.in.service && r.words.find(ScopeVirtual, word) == nil:
		return word + " outside a check"
	case r.words.find(ScopePeriod, word) != nil:
		return word + " outside a period"
	case r.words.inner(word) || r.words.ofVirtual(word):
		return word + " after a period"
	}
	return "unknown directive " + quote(word)
}

func (r *reader) virtualHint(word, rest string) string {
	switch {
	case r.words.find(ScopeVirtual, word) != nil && r.in.service:
		return "what concerns the whole virtual service stands above its first check"
	case r.words.find(ScopeCheck, word) != nil && !r.in.service:
		return "write a line \"check\" above it"
	case r.words.find(ScopePeriod, word) != nil:
		return "write a line \"period\" above it"
	case r.words.inner(word) || r.words.ofVirtual(word):
		return "it stands above the first period"
	case strings.HasPrefix(rest, "="):
		return "a variable of a service is written NAME=value, in capitals and without blanks"
	}
	scopes := []Scope{ScopeVirtual, ScopeService, ScopePeriod}
	if r.in.service {
		scopes = []Scope{ScopeService, ScopeCheck, ScopePeriod, ScopeVirtual}
	}
	for _, s := range scopes {
		if hint := didYouMean(word, r.words.names(s)); hint != "" {
			return hint
		}
	}
	if r.words.find(ScopeGlobal, word) != nil {
		return "variables stand above the hostgroups; inside a virtual service they are not read"
	}
	return ""
}

// templateLine reads what only a template for virtual services holds, and
// reports whether st is that.
func (r *reader) templateLine(st *Statement, word string) bool {
	if r.in.record != inTemplate {
		return false
	}
	switch {
	case word == "check":
		r.check(st)
	case (!r.in.period || r.in.open) && r.words.find(ScopeCheck, word) != nil:
	case (!r.in.period || r.in.open) && r.words.find(ScopeVirtual, word) != nil && r.words.find(ScopeService, word) == nil:
		st.Kind = KindVirtual
	default:
		return false
	}
	return true
}
