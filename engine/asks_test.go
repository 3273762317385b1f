package engine_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/monitor"
)

// asking makes real 1 of shop ask for its weight.
func asking(t *testing.T, from config.WeightFrom, set func(p *virtual.Pool)) *pools {
	p := newPools(t, 2, set)
	p.virtuals[0].Members[1].Asks, p.virtuals[0].Members[1].Ask = 0, from
	p.edit = func(c *config.Config) {
		c.Virtuals = p.virtuals
		c.Service(real(1)).Asks = from
	}
	return p
}

var nan = math.NaN()

func wide(p *virtual.Pool) { p.Asks.Max = 1000 }

func TestWeightFromExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := asking(t, config.WeightFrom{Exit: true, Kind: virtual.AskWeight}, wide)
		says := func(exit int) {
			p.runner.Set(real(1), monitor.Result{Cause: monitor.Exited, Exit: exit, Summary: "x"})
			p.pass(time.Second)
		}
		p.start()
		p.pass(2 * time.Second)
		says(9)
		p.want("0=5 1=7")
		if s := p.status(real(1)); s.Failing() {
			t.Errorf("exit 9 is %v", s)
		}
		says(0)
		p.want("0=5 1=7") // 0 says nothing of the weight
		says(1)
		p.want("0=5 1=-")
		says(3)
		p.want("0=5 1=1")
		says(2)
		p.want("0=5 1=0")
		p.must(p.end())
	})
}

func TestWeightFromFigures(t *testing.T) {
	for _, tt := range []struct {
		name   string
		kind   virtual.AskKind
		result monitor.Result
		want   string
	}{
		{"performance data", virtual.AskWeight, monitor.Result{Cause: monitor.Exited, Hosts: []monitor.Host{{Name: "a", OK: true, Perf: map[string]float64{"load": 8}}}}, "8"},
		{"with a unit, as nagios.monitor has it", virtual.AskPercent, monitor.Result{Cause: monitor.Exited, Hosts: []monitor.Host{{Name: "a", OK: true, Perf: map[string]float64{"load_percent": 60, "load_high": 9}}}}, "3"},
		{"not another label", virtual.AskWeight, monitor.Result{Cause: monitor.Exited, Hosts: []monitor.Host{{Name: "a", OK: true, Perf: map[string]float64{"load_high": 9}}}}, "5"},
		{"word of the summary", virtual.AskWeight, monitor.OK("load=9"), "9"},
		{"Nagios", virtual.AskWeight, monitor.OK("OK - fine|upload=3;; 'load'=9.4s;1;2"), "9"},
		{"detail", virtual.AskPercent, monitor.Result{Cause: monitor.Exited, Summary: "fine", Detail: "a\nload=40%\n"}, "2"},
		{"delta", virtual.AskDelta, monitor.OK("load=-2"), "3"},
		{"not there", virtual.AskWeight, monitor.OK("payload=9"), "5"},
		{"no number", virtual.AskWeight, monitor.OK("load=high"), "5"},
		{"nonsense", virtual.AskWeight, monitor.OK("load=99999999999999999999999999999999999999999999"), "50"},
		{"not a number", virtual.AskWeight, monitor.Result{Cause: monitor.Exited, Hosts: []monitor.Host{{Perf: map[string]float64{"load": nan}}}}, "5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := asking(t, config.WeightFrom{Label: "load", Kind: tt.kind}, wide)
				p.start()
				p.pass(2 * time.Second)
				p.runner.Set(real(1), tt.result)
				p.pass(time.Second)
				p.want("0=5 1=" + tt.want)
				p.runner.Set(real(1), monitor.OK("nothing"))
				p.pass(time.Second)
				p.want("0=5 1=" + tt.want) // it is held
				p.must(p.end())
			})
		})
	}
}

// nanny's rule moves a weight once per sample, at most every 20 s.
func TestWeightFromLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := asking(t, config.WeightFrom{Label: "load1", Kind: virtual.AskLoad}, nil)
		p.runner.Set(real(1), monitor.OK("load1=0.0"))
		p.start()
		p.pass(25 * time.Second)
		p.want("0=5 1=8")
		p.pass(20 * time.Second)
		p.want("0=5 1=11")
		p.must(p.end())
	})
}
