package engine

import (
	"context"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

// BenchmarkCheck is what a check costs the loop that changes nothing: sent
// out, answered, published.
func BenchmarkCheck(b *testing.B) {
	text := "hostgroup g h\n\nwatch g\n    service s\n        interval 10ms\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n"
	for name, result := range map[string]monitor.Result{"good": monitor.OK(""), "failing": monitor.Failed("h", "")} {
		b.Run(name, func(b *testing.B) {
			loaded := Loaded{Config: configtest.Parse(b, text), Programs: map[string]Program{"http.monitor": {}, "mail.alert": {}}}
			e, err := New(Options{
				Load:   func(context.Context) (Loaded, error) { return loaded, nil },
				Runner: nobody{enginetest.NewRunner(nil)}, Sender: enginetest.NewSender(), Store: enginetest.NewStore(store.Saved{Clean: true}),
			})
			if err != nil {
				b.Fatal(err)
			}
			l := e.newLoop(loaded, store.Saved{Clean: true})
			s := l.byKey[opstatus.Key{Group: "g", Service: "s"}]
			s.disabled = &opstatus.Note{} // no alerts
			now := time.Now()
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(10 * time.Millisecond)
				l.arm(s, now)
				l.handleDue(now)
				l.handleResults([]job.Done{{ID: s.running, Result: result}}, now)
				l.flush()
			}
		})
	}
}

// nobody runs nothing.
type nobody struct{ *enginetest.Runner }

func (nobody) Run([]job.Check) {}
