package spelling

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"interval", "monitor", "service", "period", "a", "m", "ftp", "http", "neighbour", "node"}
	for word, want := range map[string]string{
		"intervall": "interval", "montior": "monitor", "Monitor": "monitor", "sevrice": "service", "zzz": "", "x": "", "": "",
		"htp": "http", "fttp": "ftp", "neighbor": "neighbour", strings.Repeat("interval", 20): "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("%q is near %q, want %q", word, got, want)
		}
	}
}
