package config

import "testing"

// Parts of a statement of another language are where they were said to be, in
// whatever order the file has them.
func TestLocate(t *testing.T) {
	const source = "name = \"é\"\nwhen = [\n  \"wd {Mon}\",\n]\n"
	st := Statement{Kind: KindService, Name: "period", Text: "p: wd {Mon} é", Pos: Pos{File: "f", Line: 3, Col: 1}}
	st.Locate(source, Part{At: 0, Source: 0, Fixed: true}, Part{At: 3, Source: 24}, Part{At: 12, Source: 8})
	for off, want := range map[int]string{-1: "f:3:1", 0: "f:3:1", 1: "f:3:1", 3: "f:5:4", 6: "f:5:7", 12: "f:3:9"} {
		if got := st.At(off).String(); got != want {
			t.Errorf("byte %d is at %s, want %s", off, got, want)
		}
	}
	if d := st.Diagnose(Error, 6, "m", ""); d.Line != `  "wd {Mon}",` || d.Mark != 6 {
		t.Errorf("%+v", d)
	}
}

func TestYes(t *testing.T) {
	words := newIndex(true)
	for _, tt := range []struct {
		name, text string
		yes, known bool
	}{
		{"dtlogging", "yes", true, true},
		{"dtlogging", "on", false, false},
		{"dtlogging", "", false, true},
		{"startupalerts_on_reset", "on", true, true},
		{"startupalerts_on_reset", "never", false, false},
		{"unack_summary", "", true, true},
		{"unack_summary", "no", false, true},
		{"unack_summary", "maybe", true, true}, // there is a y in it, as mon has it
		{"unack_summary", "x", false, false},
		{"maxprocs", "1", false, false},
	} {
		if yes, known := words.find(ScopeGlobal, tt.name).Yes(tt.text); yes != tt.yes || known != tt.known {
			t.Errorf("%s = %q: %v %v", tt.name, tt.text, yes, known)
		}
	}
	for name, want := range map[string][2]bool{"a-b.c_1": {true, false}, "": {}, "a b": {}, "A_1": {true, true}, "1A": {true, false}, "A=": {}} {
		if got := [2]bool{IsName(name), IsVariable(name)}; got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
