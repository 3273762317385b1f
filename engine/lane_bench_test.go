package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/role/boottime"
)

// BenchmarkToken is how long a token takes from the elector to the holder: while
// the loop has nothing to do, while 10,000 results are queued, and while 1,000
// services are reloaded, over and over. Beside the mean stand the median and the
// longest, in microseconds.
func BenchmarkToken(b *testing.B) {
	for name, load := range map[string]func(ctx context.Context, e *engine.Engine, r *enginetest.Runner){
		"idle": nil,
		"results": func(ctx context.Context, _ *engine.Engine, r *enginetest.Runner) {
			batch := make([]job.Done, 10000)
			for i := range batch {
				batch[i] = job.Done{Group: fmt.Sprint("g", i%1000), Service: "s", Result: monitor.OK("")}
			}
			for ctx.Err() == nil {
				r.Send(batch...)
			}
		},
		"reload": func(ctx context.Context, e *engine.Engine, _ *enginetest.Runner) {
			for ctx.Err() == nil {
				_ = e.Reload(ctx) // until the end
			}
		},
	} {
		b.Run(name, func(b *testing.B) { benchToken(b, load) })
	}
}

func benchToken(b *testing.B, load func(ctx context.Context, e *engine.Engine, r *enginetest.Runner)) {
	var text strings.Builder
	text.WriteString(pair)
	for i := range 1000 {
		fmt.Fprintf(&text, "\nhostgroup g%d h\n\nwatch g%d\n    service s\n        interval 1h\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n", i, i)
	}
	loaded := engine.Loaded{
		Config: configtest.Parse(b, text.String()),
		Programs: map[string]engine.Program{
			"http.monitor": {}, "mail.alert": {}, "heartbeat.monitor": {Elector: true}, "fake.alert": {Holder: true},
		},
	}
	loaded.Config.TakeRoles(func(p string) bool { return p == "heartbeat.monitor" }, func(p string) bool { return p == "fake.alert" })
	runner, lane := enginetest.NewRunner(nil), enginetest.NewLane()
	e, err := engine.New(engine.Options{
		Load:   func(context.Context) (engine.Loaded, error) { return loaded, nil },
		Runner: runner, Sender: enginetest.NewSender(), Store: enginetest.NewStore(store.Saved{Clean: true}), Lane: lane,
		StopTime: time.Second,
	})
	if err != nil {
		b.Fatal(err)
	}
	passed := make(chan struct{}, 1)
	lane.OnHold(func(_ string, w role.Work) {
		if len(w.Tokens) > 0 {
			passed <- struct{}{}
		}
	})
	ctx, stop := context.WithCancel(b.Context())
	ended, idle := make(chan error, 1), make(chan struct{})
	go func() { ended <- e.Run(ctx) }()
	<-e.Ready()
	busy, rest := context.WithCancel(ctx)
	go func() {
		defer close(idle)
		if load != nil {
			load(busy, e, runner)
		}
	}()
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		lane.Say("directors", "role", role.Token{Group: "web", Hold: true, Epoch: 1, Until: boottime.Now() + time.Minute})
		<-passed
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-us")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
	b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-us")
	rest()
	<-idle
	lane.OnElect(func([]job.Election) { go lane.Leave("directors", "role") })
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	runner.Drain()
}
