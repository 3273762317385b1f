package config_test

import (
	"testing"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/configtest"
)

// mon keeps the time of both forms in one variable: that of the last line
// counts for alertafter N TV.
func TestAlertAfterInBothForms(t *testing.T) {
	const head = "hostgroup g h\n\nwatch g\n    service s\n        interval 1s\n        monitor m\n        period\n            alert a\n"
	for _, row := range []struct {
		name, lines string
		want        config.After
	}{
		{"TV last", "            alertafter 2 1m\n            alertafter 1h\n", config.After{For: time.Hour, Times: 2, Within: time.Hour}},
		{"N TV last", "            alertafter 1h\n            alertafter 2 1m\n", config.After{For: time.Hour, Times: 2, Within: time.Minute}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := configtest.Parse(t, head+row.lines)
			if got := c.Services[0].Periods[0].After; got != row.want {
				t.Errorf("%+v, want %+v", got, row.want)
			}
		})
	}
}
