package engine_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
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
		// A tick may fall among them: then it is five before and five after.
		named, more := strings.Count(log.String(), "msg=\"check saw nothing\""), 0
		for _, m := range regexp.MustCompile(`services=(\d+)`).FindAllStringSubmatch(log.String(), -1) {
			n, _ := strconv.Atoi(m[1])
			more += n
		}
		if named > 10 || named+more != 100 {
			t.Errorf("%d services are named and %d more counted:\n%s", named, more, log.String())
		}
	})
}
