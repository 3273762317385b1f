package ldirectord

import (
	"flag"
	"fmt"
	"net/netip"
	"testing"

	"github.com/mondhq/mond/engine/convert/converttest"
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

func TestGolden(t *testing.T) { converttest.Golden(t, With(hosts{}), *update) }
