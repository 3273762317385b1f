package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Stretches gathers what was found of addresses one by one, and says what is
// so of several once: "10.0.0.3 to 10.0.0.9 are on no interface".
type Stretches struct {
	order []*alike
	byKey map[string]*alike
}

// alike is one finding of several addresses.
type alike struct {
	Finding // of the first address
	addrs   []netip.Addr
}

// Add adds what was found of an address.
func (s *Stretches) Add(a netip.Addr, list []Finding) {
	if s.byKey == nil {
		s.byKey = map[string]*alike{}
	}
	for _, f := range list {
		key := fmt.Sprintf("%d\x01%s\x01%s\x01%s", f.Level, f.Code, f.Subject, strings.Join(blank(texts(f), a), "\x01"))
		same := s.byKey[key]
		if same == nil {
			same = &alike{Finding: f}
			s.byKey[key] = same
			s.order = append(s.order, same)
		}
		same.addrs = append(same.addrs, a)
	}
}

// Findings are what was found, in the order in which it came.
func (s *Stretches) Findings() []Finding {
	out := make([]Finding, 0, len(s.order))
	for _, a := range s.order {
		out = append(out, a.finding())
	}
	return out
}

// texts are those parts of a finding that may name the address.
func texts(f Finding) []string { return append([]string{f.What, f.Do, f.Why}, f.Run...) }

// blanked stands where the address did.
const blanked = "\x00"

// blank puts blanked in the place of an address.
func blank(list []string, a netip.Addr) []string {
	word := a.String()
	out := make([]string, len(list))
	for i, text := range list {
		var b strings.Builder
		for {
			before, rest, found := strings.Cut(text, word)
			b.WriteString(before)
			if !found {
				break
			}
			if rest != "" && strings.ContainsRune("0123456789abcdef", rune(rest[0])) { // the beginning of another
				b.WriteString(word)
			} else {
				b.WriteString(blanked)
			}
			text = rest
		}
		out[i] = b.String()
	}
	return out
}

// inCommand is for how many addresses there is a command.
const inCommand = 64

// finding is what is said of all of them.
func (a *alike) finding() Finding {
	f := a.Finding
	if len(a.addrs) == 1 {
		return f
	}
	parts := blank(texts(f), a.addrs[0])
	who := Stretch(a.addrs)
	f.What, f.Do, f.Why = plural(parts[0], who), plural(parts[1], who), plural(parts[2], who)
	f.Run = nil
	named := a.addrs[:min(len(a.addrs), inCommand)]
	for _, command := range parts[3:] {
		f.Run = append(f.Run, forEach(command, named))
	}
	if len(f.Run) > 0 && len(named) < len(a.addrs) && strings.Contains(strings.Join(parts[3:], ""), blanked) {
		f.Do += fmt.Sprintf(" (the command is for the first %d of %d)", len(named), len(a.addrs))
	}
	return f
}

// forEach is a command for each of several addresses.
func forEach(command string, addrs []netip.Addr) string {
	if !strings.Contains(command, blanked) {
		return command
	}
	words := make([]string, len(addrs))
	for i, a := range addrs {
		words[i] = a.String()
	}
	return "for a in " + strings.Join(words, " ") + "; do " + strings.ReplaceAll(command, blanked, "$a") + "; done"
}

// plural makes a sentence about an address one about several, in the words that
// findings use.
func plural(text, who string) string {
	if !strings.Contains(text, blanked) && !strings.Contains(text, " it") {
		return text
	}
	return strings.NewReplacer(
		blanked+" is ", who+" are ", blanked+" has ", who+" have ", blanked, who,
		"for it", "for them", "of it in", "of them in", "with it", "with them", "add it ", "add them ", "move it ", "move them ", "give it ", "give them ",
		"brings it ", "brings them ", "bring it", "bring them", "has it", "has them", "holds it", "holds them",
		"announces it", "announces them", "remove it ", "remove them ", "take it ", "take them ", "it belongs", "they belong",
	).Replace(text)
}

// named is how many stretches are named.
const named = 3

// Stretch names addresses by the stretches in which they follow each other:
// "10.0.0.3 to 10.0.0.9, 10.0.1.1 and 2 more".
func Stretch(addrs []netip.Addr) string {
	sorted := slices.Clone(addrs)
	slices.SortFunc(sorted, netip.Addr.Compare)
	sorted = slices.Compact(sorted)
	var words []string
	for len(sorted) > 0 && len(words) < named {
		n := 1
		for n < len(sorted) && sorted[n] == sorted[n-1].Next() {
			n++
		}
		if n > 2 {
			words = append(words, sorted[0].String()+" to "+sorted[n-1].String())
		} else {
			n = 1 // two are named each
			words = append(words, sorted[0].String())
		}
		sorted = sorted[n:]
	}
	if len(sorted) > 0 {
		words = append(words, fmt.Sprintf("%d more", len(sorted)))
	}
	return list(words)
}
