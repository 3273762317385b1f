package convert

import "strconv"

// Names are the names of checks, each with what tells its check from others.
type Names map[string]string

// Shared is a name for the check that key tells from others: the one it has, or
// else name with a number behind it that no other has.
func (n Names) Shared(name, key string) string {
	out := name
	for i := 2; ; i++ {
		if have, ok := n[out]; !ok || have == key {
			n[out] = key
			return out
		}
		out = name + "-" + strconv.Itoa(i)
	}
}
