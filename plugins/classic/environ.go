package classic

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"syscall"
)

// What the kernel takes at exec. mon hands over whole outputs in the
// environment, and an output beyond these limits kept a program from starting.
const (
	maxString = 128 << 10 // one word or variable, with its final NUL
	maxText   = 64 << 10  // of a MON_ variable, which may be a whole output
	minRoom   = 128 << 10 // always granted for words and environment together
	maxRoom   = 6 << 20   // never more than that
	margin    = 8 << 10   // for the path, the interpreter and its words
	pointer   = 8         // every string costs one
)

// environ merges layers over the daemon's environment, later ones winning, and
// returns it sorted. What cannot be passed on is left out: bad names, bytes of
// value 0, and whole variables too long to pass. MON_ variables are cut
// instead, being texts for people.
func environ(daemon []string, layers ...map[string]string) []string {
	all := map[string]string{}
	for _, line := range daemon {
		if name, value, ok := strings.Cut(line, "="); ok {
			all[name] = value
		}
	}
	for _, layer := range layers {
		maps.Copy(all, layer)
	}
	env := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if line, ok := variable(name, all[name]); ok {
			env = append(env, line)
		}
	}
	return env
}

// variable is "name=value" as it can be passed on; ok is false when it cannot.
func variable(name, value string) (line string, ok bool) {
	if name == "" || strings.ContainsAny(name, "=\x00") {
		return "", false
	}
	value = strings.ReplaceAll(value, "\x00", "")
	if strings.HasPrefix(name, "MON_") {
		value = cutText(value, maxText)
	}
	line = name + "=" + value
	return line, len(line) < maxString
}

// cutText is at most the first n bytes of text, without a broken last
// character.
func cutText(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}

// fit leaves out the longest variables until words and env fit into room.
func fit(env, words []string, room int) []string {
	used := size(env) + size(words)
	for used > room && len(env) > 0 {
		longest := slices.MaxFunc(env, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
		used -= size([]string{longest})
		env = slices.DeleteFunc(env, func(s string) bool { return s == longest })
	}
	return env
}

// size is what the kernel counts for a list of strings.
func size(list []string) (n int) {
	for _, s := range list {
		n += len(s) + 1 + pointer
	}
	return n
}

// room is how much the kernel takes for words and environment together: a
// quarter of the limit on the stack, within bounds.
func room() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_STACK, &limit); err != nil {
		return minRoom - margin
	}
	return int(min(max(limit.Cur/4, minRoom), maxRoom)) - margin
}

// variables is an environment list as a map.
func variables(env []string) map[string]string {
	m := make(map[string]string, len(env))
	for _, line := range env {
		if name, value, ok := strings.Cut(line, "="); ok && name != "" {
			m[name] = value
		}
	}
	return m
}
