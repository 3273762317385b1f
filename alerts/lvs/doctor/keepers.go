package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// keepers judges what other programs do to the table.
func (r *report) keepers() {
	for _, k := range r.facts.Keepers {
		for word := range strings.FieldsSeq(k.Text) {
			name, _, _ := strings.Cut(word[strings.LastIndexByte(word, '/')+1:], "::")
			switch {
			case !strings.HasSuffix(k.File, "haresources"):
			case name == "lvs" && !r.byRole():
				r.add(Finding{
					Level: Warning, Code: "ha-lvs", Subject: Others,
					What: fmt.Sprintf("%s:%d runs the script lvs, whose stop clears the whole table", k.File, k.Line),
					Do:   "say `table = by-role` in the configuration, or take the script out of the line and declare the virtual services whole",
					Why:  "when the role leaves this director the script empties the table that lvs.alert keeps; each would undo what the other does",
				})
			case name == "ldirectord":
				r.secondWriter(k, "ldirectord")
			}
		}
		if strings.HasSuffix(k.File, "keepalived.conf") && strings.HasPrefix(strings.TrimSpace(k.Text), "virtual_server") {
			r.secondWriter(k, "keepalived")
		}
	}
}

func (r *report) secondWriter(k Keeper, who string) {
	r.add(Finding{
		Level: Warning, Code: "second-writer", Subject: Others,
		What: fmt.Sprintf("%s:%d: %s keeps rows of the table, too", k.File, k.Line, who),
		Do:   "let one program keep each virtual service; monctl convert " + who + " carries its file over",
		Why:  "two programs that keep the same rows undo each other's work, and most clear rows when they stop",
	})
}

// byRole reports whether the configuration keeps the table by role.
func (r *report) byRole() bool {
	return !slices.ContainsFunc(r.site.Virtuals, func(v Virtual) bool { return !v.ByRole }) && len(r.site.Virtuals) > 0
}
