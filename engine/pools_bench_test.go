package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
)

// A real of a thousand virtual services dies: all of them are decided in one
// turn, and their claims go out together.
func TestPoolStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 10, nil)
		p.virtuals = nil
		for i := range 1000 {
			v := newVirtual(fmt.Sprintf("v%d", i), fmt.Sprintf("10.1.%d.%d:80", i/250, i%250+1), 10)
			v.Pool.Start = virtual.Optimistic
			p.virtuals = append(p.virtuals, v)
		}
		p.start()
		p.pass(2 * time.Second)
		out := func() (n int) {
			for _, c := range p.sender.Held("lvs.alert") {
				if c.Down {
					n++
				}
			}
			return n
		}
		if n := len(p.sender.Held("lvs.alert")); n != 11000 || out() != 0 {
			t.Fatalf("%d claims, %d out", n, out())
		}
		before := len(p.sender.Kept())
		p.fails(3)
		p.pass(time.Second)
		kept := p.sender.Kept()[before:]
		if out() != 1000 || len(kept) > 3 {
			t.Errorf("%d are out, told in %d calls", out(), len(kept))
		}
		told := 0
		for _, k := range kept {
			told += len(k.Claims)
			if k.Full {
				t.Error("a full set was sent")
			}
		}
		if told != 1000 {
			t.Errorf("%d claims were told", told)
		}
		before = len(p.sender.Kept())
		p.pass(10 * time.Second)
		if n := len(p.sender.Kept()) - before; n > 0 {
			t.Errorf("%d calls although nothing changed", n)
		}
		p.must(p.end())
	})
}

// crowd is the configuration of n virtual services of ten reals of their own.
func crowd(b *testing.B, n int) engine.Loaded {
	var text strings.Builder
	for i := range 10 * n {
		fmt.Fprintf(&text, "\nhostgroup r%d h\n\nwatch r%d\n    service alive\n        interval 1h\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n", i, i)
	}
	cfg := configtest.Parse(b, text.String())
	for i := range n {
		v := newVirtual(fmt.Sprintf("v%d", i), fmt.Sprintf("10.1.%d.%d:80", i/250, i%250+1), 10)
		v.Pool.Start = virtual.Optimistic
		for j := range v.Members {
			v.Members[j].Checks = []opstatus.Key{{Group: fmt.Sprintf("r%d", 10*i+j), Service: "alive"}}
		}
		cfg.Virtuals = append(cfg.Virtuals, v)
	}
	return engine.Loaded{Config: cfg, Programs: map[string]engine.Program{
		"http.monitor": {}, "mail.alert": {}, "lvs.alert": {Keeper: true},
	}}
}

// BenchmarkPoolTransition is the way from the verdict on one real to the call
// that hands its claim to the keeper, with 1,000 virtual services of ten reals
// there; all goroutines and the rest of the turn are in it.
func BenchmarkPoolTransition(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("virtuals=%d", n), func(b *testing.B) {
			loaded := crowd(b, n)
			runner, sender := enginetest.NewRunner(nil), enginetest.NewSender()
			kept := make(chan bool, 1)
			sender.OnKeep = onlyChanges(kept)
			e, err := engine.New(engine.Options{
				Load:   func(context.Context) (engine.Loaded, error) { return loaded, nil },
				Runner: runner, Sender: sender, Store: enginetest.NewStore(store.Saved{Clean: true}),
			})
			if err != nil {
				b.Fatal(err)
			}
			ctx, stop := context.WithCancel(b.Context())
			ended := make(chan error, 1)
			go func() { ended <- e.Run(ctx) }()
			<-e.Ready()
			runner.Push("r5", "alive", monitor.Failed("refused", ""))
			for down := false; !down; { // the first verdicts change reasons too
				down = <-kept
			}
			results := [2]monitor.Result{monitor.OK(""), monitor.Failed("refused", "")}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				runner.Push("r5", "alive", results[i%2])
				if down := <-kept; down != (i%2 == 1) {
					b.Fatal("the wrong claim")
				}
			}
			stop()
			if err := <-ended; err != nil {
				b.Fatal(err)
			}
			runner.Drain()
		})
	}
}

// onlyChanges passes on whether what changed is out.
func onlyChanges(kept chan<- bool) func(context.Context, string, bool, []alert.Claim) error {
	return func(_ context.Context, _ string, full bool, claims []alert.Claim) error {
		if !full {
			kept <- claims[0].Down
		}
		return nil
	}
}
