package daemons

import (
	"os"
	"slices"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// The harness itself: Debian's mon starts, answers and ends.
func TestMon(t *testing.T) {
	d := Mon(t, Site{
		Config: "hostgroup web a b\n\nwatch web\n    service up\n        interval 1h\n        monitor say.monitor\n        period\n            alert say.alert\n",
		Files:  map[string]string{"mon.d/say.monitor": "#!/bin/sh\nexit 0\n", "alert.d/say.alert": "#!/bin/sh\n"},
	})
	data, status := d.Ask("list group web")
	if !slices.Equal(data, []string{"hostgroup web a b"}) || status != "220 list group completed" {
		t.Errorf("%q, %q", data, status)
	}
	if code := d.Stop(); code != 1 {
		t.Errorf("mon ended with %d", code)
	}
}
