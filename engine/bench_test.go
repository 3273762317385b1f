package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/store"
)

// BenchmarkReload is how long a reload of 10,000 services takes, most of it in
// one turn of the loop. Reading the file is not part of it.
func BenchmarkReload(b *testing.B) {
	var text strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&text, "\nhostgroup g%d h\n\nwatch g%d\n    service s\n        interval 1h\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n", i, i)
	}
	loaded := engine.Loaded{
		Config:   configtest.Parse(b, text.String()),
		Programs: map[string]engine.Program{"http.monitor": {}, "mail.alert": {}},
	}
	runner := enginetest.NewRunner(nil)
	e, err := engine.New(engine.Options{
		Load:   func(context.Context) (engine.Loaded, error) { return loaded, nil },
		Runner: runner, Sender: enginetest.NewSender(), Store: enginetest.NewStore(store.Saved{Clean: true}),
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	<-e.Ready()
	for b.Loop() {
		if err := e.Reload(ctx); err != nil {
			b.Fatal(err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	runner.Drain()
}
