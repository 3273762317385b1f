// Package difference is the one list of places where mond does not do what mon
// 1.3.6 does. The manual page prints it, and the tests that run both daemons
// side by side forgive what it names, and nothing else.
package difference

import "slices"

// Difference is one such place.
type Difference struct {
	// Name is a directive, a command or a few words; unique.
	Name string
	// Mon and Ours say what happens there and here; Why says why.
	Mon, Ours, Why string
}

// All are in the order of the manual page. A new one is a row in the file of
// its part.
func All() []Difference {
	return slices.Concat(daemon(), monitors(), alerts(), access(), protocol(), traps(), state())
}

// Find is the difference of that name; ok is false if there is none.
func Find(name string) (d Difference, ok bool) {
	all := All()
	i := slices.IndexFunc(all, func(d Difference) bool { return d.Name == name })
	if i < 0 {
		return Difference{}, false
	}
	return all[i], true
}
