package toml

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/virtual"
)

// Difference says in what two configurations differ, but for the places that
// they were read from, or "" if in nothing. Reordered is set if only the order
// of records does, or that of the periods and alerts of a service.
func Difference(a, b *config.Config) (what string, reordered bool) {
	x, y := parts(a), parts(b)
	for _, name := range slices.Sorted(keys(x, y)) {
		p, q := x[name], y[name]
		switch {
		case p == nil || q == nil:
			return name + " is in one of them only", false
		case alike(reflect.ValueOf(p), reflect.ValueOf(q)):
		case alike(reflect.ValueOf(sorted(p)), reflect.ValueOf(sorted(q))):
			of := "periods or alerts"
			if _, ok := p.(config.Virtual); ok {
				of = "reals"
			}
			what = "the order of " + of + " of " + name + " is not the same in both"
		default:
			return name + " is not the same in both", false
		}
	}
	if what == "" && !slices.Equal(order(a), order(b)) {
		what = "the order of hostgroups or services is not the same in both"
	}
	return what, what != ""
}

// sorted is a part with its periods and alerts in an order that does not depend
// on the file.
func sorted(part any) any {
	if v, ok := part.(config.Virtual); ok {
		return reals(v)
	}
	s, ok := part.(config.Service)
	if !ok {
		return part
	}
	s.Periods = slices.Clone(s.Periods)
	for i := range s.Periods {
		lines := slices.Clone(s.Periods[i].Lines)
		slices.SortFunc(lines, func(a, b config.Line) int {
			return cmp.Or(cmp.Compare(a.On, b.On), cmp.Compare(a.Program, b.Program), slices.Compare(a.Args, b.Args))
		})
		s.Periods[i].Lines = lines
	}
	slices.SortFunc(s.Periods, func(a, b config.Period) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

// reals is v with its reals in an order that does not depend on the file.
func reals(v config.Virtual) config.Virtual {
	pool := *v.Pool
	pool.Members = slices.Clone(pool.Members)
	slices.SortFunc(pool.Members, func(a, b virtual.Member) int { return cmp.Compare(a.Name, b.Name) })
	v.Pool, v.Members = &pool, slices.Clone(v.Members)
	slices.SortFunc(v.Members, func(a, b config.VirtualMember) int { return a.Addr.Compare(b.Addr) })
	v.Rows = slices.Clone(v.Rows)
	slices.SortFunc(v.Rows, func(a, b config.VirtualRow) int { return slices.Compare(a.Target, b.Target) })
	return v
}

// parts are what a configuration is made of, by the name that people know it
// by.
func parts(c *config.Config) map[string]any {
	out := map[string]any{}
	globals := c.Globals
	globals.Set = nil
	words := newWords()
	for name := range c.Globals.Set {
		if k := words.find(config.ScopeGlobal, name); k != nil && k.Name != "syntax" && !words.forBelow(k) {
			out["whether there is a "+name] = true
		}
	}
	v := reflect.ValueOf(globals)
	for i := range v.NumField() {
		out["variable "+strings.ToLower(v.Type().Field(i).Name)] = v.Field(i).Interface()
	}
	for i := range c.Groups {
		out["hostgroup "+c.Groups[i].Name] = c.Groups[i]
	}
	for _, s := range c.Services {
		out["service "+s.Key.String()] = *s
	}
	for _, v := range c.Virtuals {
		out["virtual "+v.Name] = *v
	}
	for _, v := range c.Views {
		out["view "+v.Name] = v
	}
	for _, a := range c.Aliases {
		out["alias "+a.Name] = a
	}
	return out
}

// order are the names of what c holds, as they come.
func order(c *config.Config) []string {
	var out []string
	for i := range c.Groups {
		out = append(out, "hostgroup "+c.Groups[i].Name)
	}
	for _, s := range c.Services {
		out = append(out, "service "+s.Key.String())
	}
	for _, v := range c.Virtuals {
		out = append(out, "virtual "+v.Name)
	}
	return out
}

func keys(maps ...map[string]any) func(func(string) bool) {
	all := map[string]bool{}
	for _, m := range maps {
		for k := range m {
			all[k] = true
		}
	}
	return func(yield func(string) bool) {
		for k := range all {
			if !yield(k) {
				return
			}
		}
	}
}

// alike compares two values, but for places.
func alike(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() || a.IsValid() && a.Type() != b.Type() {
		return false
	}
	if !a.IsValid() || isPlace(a.Type()) {
		return true
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		return a.IsNil() == b.IsNil() && (a.IsNil() || alike(a.Elem(), b.Elem()))
	case reflect.Struct:
		for i := range a.NumField() {
			if !alike(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !alike(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for it := a.MapRange(); it.Next(); {
			if v := b.MapIndex(it.Key()); !v.IsValid() || !alike(it.Value(), v) {
				return false
			}
		}
		return true
	case reflect.Func, reflect.Chan:
		return a.IsNil() == b.IsNil()
	}
	return a.Equal(b)
}

// isPlace reports whether a type only says where something was written.
func isPlace(t reflect.Type) bool {
	pos := reflect.TypeFor[config.Pos]()
	return t == pos || t == reflect.TypeFor[config.Spelling]() || t.Kind() == reflect.Slice && t.Elem() == pos
}
