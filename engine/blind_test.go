package engine_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/monitor"
)

// A lost plugin blinds many services at once: the log names a few and counts
// the rest.
func TestManyBlindAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var config, log bytes.Buffer
		for i := range 100 {
			fmt.Fprintf(&config, "hostgroup g%[1]d h%[1]d\n\nwatch g%[1]d\n    service up\n        interval 10s\n        schedule * * * * *\n        monitor http.monitor\n\n", i)
		}
		text := strings.ReplaceAll(config.String(), "        interval 10s\n", "")
		r := newRig(t, text)
		r.options.Log = slog.New(slog.NewTextHandler(&log, nil))
		for i := range 100 {
			r.runner.Set(opstatus.Key{Group: fmt.Sprint("g", i), Service: "up"}, monitor.Blinded(monitor.PluginLost, "killed"))
		}
		r.start()
		r.pass(61 * time.Second)
		r.must(r.end())
		if n := strings.Count(log.String(), "msg=\"check saw nothing\""); n != 5 {
			t.Errorf("%d services are named, want 5", n)
		}
		if want := "services=95"; strings.Count(log.String(), want) != 1 {
			t.Errorf("%q is not in the log once:\n%s", want, log.String())
		}
	})
}
