package config

import (
	"maps"
	"os"
	"slices"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/period"
)

// Options are what a configuration depends on besides its text. The zero
// value is that of a daemon started without options.
type Options struct {
	// M4 is the m4 to run on the file first; empty means only for a file
	// whose name ends in ".m4", and then the one in PATH. Files that it
	// includes go through m4 only if their name ends so.
	M4 string
	// Readers read files of other languages, by the end of their name, such
	// as ".toml".
	Readers map[string]Reader
	// Language, if set, is asked for the reader of the file itself, not of those
	// that it includes, by its content; nil leaves it to the end of its name.
	Language func(path string, src []byte) Reader
	// Overrides are variables given on the command line, by name; the file
	// does not change them, but for syslog_facility.
	Overrides map[string]string
	// Now is the time that calendars are checked at; zero means now.
	Now time.Time
	// PluginDir is the first default plugin directory; may be empty.
	PluginDir string
	// Dir is what a relative basedir is under; empty means the working
	// directory.
	Dir string
	// Memory, if set, is what other readings of the same configuration left, and
	// what this one leaves.
	Memory *Memory
	// Exists says whether a file or directory is there, for defaults that
	// depend on it; nil asks the system.
	Exists func(path string) bool
}

func (o Options) exists(path string) bool {
	if o.Exists != nil {
		return o.Exists(path)
	}
	_, err := os.Stat(path)
	return err == nil
}

// meaning is what a directive does.
type meaning func(*resolver, *Statement)

// resolver gives the statements of a file their meaning, in order.
type resolver struct {
	o     Options
	words index
	diag  collector
	c     *Config
	paths paths
	// inherit is what services below this line begin with.
	inherit Service

	groups  []*groupDraft
	byName  map[string]*groupDraft
	watches map[string]*watchDraft
	order   []*watchDraft
	drafts  []*draft
	byKey   map[opstatus.Key]*draft
	views   []*viewDraft
	viewAt  map[string]int // in views
	aliasAt map[string]int // in c.Aliases
	// specs are the periods seen so far: most services share a few.
	specs map[string]period.Spec

	// more takes further lines of the record that is open; nil if there is
	// none that has any.
	more  func(*Statement)
	watch *watchDraft
	svc   *draft
	// virt is the virtual service that lines belong to now, virtuals how many
	// there were.
	virt     *pool
	virtuals int
	pools    []*pool
	served   map[string]bool // their addresses, the hosts of [VirtualGroup]
}

// Resolve gives f its meaning. The Config is never nil, but is to be used only
// if neither these diagnostics nor those of reading f have errors; with errors
// it holds what could be understood, for further checks.
func Resolve(f *File, o Options) (*Config, Diagnostics) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	r := &resolver{
		o: o, words: newIndex(true), paths: defaultPaths(),
		c:       &Config{Path: f.Name, Files: f.Paths, Globals: defaultGlobals(), file: f},
		byName:  map[string]*groupDraft{},
		watches: map[string]*watchDraft{},
		byKey:   map[opstatus.Key]*draft{},
		viewAt:  map[string]int{},
		aliasAt: map[string]int{},
		specs:   map[string]period.Spec{},
		served:  map[string]bool{},
	}
	r.inherit.Settle = opstatus.Settings{Rise: 1, Fall: 1}
	r.overrides()
	for i := range f.Statements {
		r.statement(&f.Statements[i])
	}
	r.finish()
	return r.c, r.diag.done()
}

// overrides applies the command line.
func (r *resolver) overrides() {
	for _, name := range slices.Sorted(maps.Keys(r.o.Overrides)) {
		st := &Statement{Kind: KindGlobal, Pos: Pos{File: "command line"}, Name: name, Text: r.o.Overrides[name]}
		k := r.words.find(ScopeGlobal, name)
		if name == "syntax" {
			r.diag.errorf(st, -1, "write it into the file", "syntax can only be set in a file")
			continue
		}
		if k == nil {
			r.diag.errorf(st, -1, didYouMean(name, r.words.names(ScopeGlobal)), "unknown variable %s", quote(name))
			continue
		}
		k.apply(r, st)
		r.c.Globals.Set[name] = st.Pos
	}
}

func (r *resolver) statement(st *Statement) {
	switch st.Kind {
	case KindBlank, KindComment:
	case KindBad:
		if r.watch != nil {
			r.watch.broken = true
		}
	case KindGlobal:
		if k := r.words.find(ScopeGlobal, st.Name); k != nil {
			r.global(k, st)
		}
	case KindTop:
		if k := r.words.find(ScopeTop, st.Name); k != nil {
			r.more, r.watch, r.svc = nil, nil, nil
			k.apply(r, st)
		}
	case KindMember:
		if r.more != nil {
			r.more(st)
		}
	case KindEnv:
		r.env(st)
	case KindService:
		r.inService(st)
	case KindPeriod:
		r.inPeriod(st)
	case KindUse, KindInclude:
		unexpanded(r, st)
	}
}

// syntax checks the value that the reader obeys.
func syntax(r *resolver, st *Statement) { r.choice(st, mond) }

// unexpanded reports a line that [Expand] would have replaced.
func unexpanded(r *resolver, st *Statement) {
	r.diag.errorf(st, -1, "", "%s is not expanded: this is a mistake in mond", st.Name)
}

// global applies a variable of the file, unless the command line set it: then
// its value is only checked.
func (r *resolver) global(k *Keyword, st *Statement) {
	g := &r.c.Globals
	_, overridden := r.o.Overrides[st.Name]
	if overridden && st.Name != "syslog_facility" {
		globals, paths, inherit := *g, r.paths, r.inherit
		g.Grants = nil
		k.apply(r, st)
		*g, r.paths, r.inherit = globals, paths, inherit
		return
	}
	if first, twice := g.Set[st.Name]; twice && !k.Repeat && !overridden {
		r.diag.warnf(st, -1, "", "%s was set at %s already; this one counts", st.Name, first)
	}
	g.Set[st.Name] = st.Pos
	k.apply(r, st)
}

func (r *resolver) inService(st *Statement) {
	k := r.words.find(ScopeService, st.Name)
	if k == nil || r.watch == nil || r.svc == nil && st.Name != "service" {
		return // the reader reported it
	}
	if r.svc != nil && st.Name != "service" {
		r.once(k, st, &r.svc.seen, "service")
	}
	k.apply(r, st)
	r.bare(k, st)
}

func (r *resolver) inPeriod(st *Statement) {
	k := r.words.find(ScopePeriod, st.Name)
	if k == nil || r.svc == nil || len(r.svc.Periods) == 0 {
		return
	}
	r.once(k, st, &r.svc.seenPeriod, "period")
	k.apply(r, st)
	r.bare(k, st)
}

// once warns of a directive whose first value is lost because it is given
// again in the same place.
func (r *resolver) once(k *Keyword, st *Statement, seen *[]string, place string) {
	if k.Repeat {
		return
	}
	if slices.Contains(*seen, k.Name) {
		r.diag.warnf(st, -1, "", "%s is given twice in this %s; this one counts", k.Name, place)
		return
	}
	*seen = append(*seen, k.Name)
}

// bare warns of words after a directive that takes none.
func (r *resolver) bare(k *Keyword, st *Statement) {
	if k.Args == "" && st.Text != "" {
		r.diag.warnf(st, 0, commentHint(st.Text, ""), "%s takes no value: %s is ignored", k.Name, quote(st.Text))
	}
}

// maxHints is how many diagnostics get a hint that takes a search through the
// whole file.
const maxHints = 50

// hint is [didYouMean] for names that may be many.
func (r *resolver) hint(word string, names func() []string) string {
	if len(r.diag.kept) > maxHints {
		return ""
	}
	return didYouMean(word, names())
}

// finish does what needs the whole file.
func (r *resolver) finish() {
	r.finishPaths()
	r.finishGroups()
	for _, d := range r.drafts {
		r.finishService(d)
	}
	r.findLoops()
	r.finishViews()
	r.finishVirtuals()
}
