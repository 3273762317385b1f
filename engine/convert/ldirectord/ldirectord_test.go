package ldirectord

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

var update = flag.Bool("update", false, "write the golden files")

// hosts are names that tests know.
type hosts map[string]string

func (h hosts) Host(name string, six bool) (netip.Addr, error) {
	if a, err := netip.ParseAddr(h[name]); err == nil {
		return a, nil
	}
	return netip.Addr{}, fmt.Errorf("no such host")
}

func (h hosts) Port(network, service string) (int, error) {
	if service == "http" || service == "domain" {
		return map[string]int{"http": 80, "domain": 53}[service], nil
	}
	return 0, fmt.Errorf("no such service")
}

// report is a result as people see it.
func report(r convert.Result) string {
	var b strings.Builder
	b.Write(config.Format(r.WithReport().Standalone()))
	if len(r.Diagnostics) > 0 {
		b.WriteString("\n---\n")
		if err := r.Diagnostics.Write(&b); err != nil {
			panic(err)
		}
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.cf")
	if err != nil || len(files) == 0 {
		t.Fatal("no samples", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !Is(src) {
				t.Error("not told by its content")
			}
			got := report(With(hosts{}).Read(filepath.Base(path), src))
			golden := strings.TrimSuffix(path, ".cf") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
