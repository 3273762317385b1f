package difference

import "testing"

func TestRowsAreWhole(t *testing.T) {
	names := map[string]bool{}
	for _, d := range All() {
		if d.Name == "" || d.Mon == "" || d.Ours == "" || d.Why == "" || names[d.Name] {
			t.Errorf("difference %+v", d)
		}
		names[d.Name] = true
	}
}
