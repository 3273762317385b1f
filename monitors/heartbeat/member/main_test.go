package member

import (
	"flag"
	"os"
	"testing"
)

// TestMain gives random schedules a fixed seed and a small number, unless the
// command line has others (scripts/soak does).
func TestMain(m *testing.M) {
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{"rapid.seed": "20261126", "rapid.checks": "20"} {
		if !given[name] && !given["rapid.checks"] {
			if err := flag.Set(name, value); err != nil {
				panic(err)
			}
		}
	}
	os.Exit(m.Run())
}
