package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
)

// copier is a keeper that copies connections as the test says.
type copier struct {
	mu  sync.Mutex
	row alert.Copying
	err error
}

func (c *copier) is(row alert.Copying, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.row, c.err = row, err
}

func (c *copier) copying(context.Context, string) ([]alert.Copying, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return []alert.Copying{c.row}, c.err
}

// copyDirector is a director of a pair whose keeper copies connections.
func copyDirector(t *testing.T, c *copier) *director {
	p := newPools(t, 2, nil)
	d := &director{rig: p.rig, lane: enginetest.NewLane(), begun: time.Now()}
	d.equip(p.rig)
	d.config += pair
	d.edit = func(cfg *config.Config) {
		cfg.Virtuals = p.virtuals
		cfg.Globals.IPVSSync = config.IPVSSync{Interface: "eth1", ID: 7}
	}
	d.sender.OnCopying = c.copying
	return d
}

func (d *director) wantCopy(want opstatus.Status, synced bool) {
	d.t.Helper()
	synctest.Wait()
	if got := d.status("sync"); got != want {
		d.t.Errorf("mond:sync is %v, want %v", got, want)
	}
	if got := d.site().Synced; got != synced {
		d.t.Errorf("synced is %v, want %v", got, synced)
	}
}

func TestCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &copier{}
		row := alert.Copying{Table: "kernel", Since: time.Now(), Detail: "connections are copied over eth1"}
		c.is(row, nil)
		d := copyDirector(t, c)
		d.start()
		d.pass(3 * time.Second)
		d.wantCopy(opstatus.OK, false)
		d.pass(10 * time.Second)
		d.wantCopy(opstatus.OK, true)

		row.Trouble = "eth1 is down"
		c.is(row, nil)
		d.pass(3 * time.Second)
		d.wantCopy(opstatus.Fail, false)
		shown := d.engine.Board().Service(opstatus.Key{Group: "mond", Service: "sync"})
		if text := shown.State.FailSummary; !strings.Contains(text, "eth1 is down") {
			t.Errorf("summary %q", text)
		}

		well := alert.Copying{Table: "kernel", Refresh: 30, Since: time.Now()} // a round of 30 s
		c.is(well, nil)
		d.pass(28 * time.Second)
		d.wantCopy(opstatus.OK, false)
		d.pass(7 * time.Second)
		d.wantCopy(opstatus.OK, true)

		c.is(well, errors.New("no answer"))
		d.pass(3 * time.Second)
		d.wantCopy(opstatus.OK, false) // it may just be starting again
		d.pass(10 * time.Second)
		d.wantCopy(opstatus.Fail, false)
	})
}

// What the other director did while it was away is not known here, and where
// only one sends nothing is to come.
func TestCopiesOfPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &copier{}
		row := alert.Copying{Table: "kernel", Since: time.Now()}
		c.is(row, nil)
		d := copyDirector(t, c)
		d.start()
		d.report("peer", monitor.Failed("lvs2 is dead", ""))
		d.pass(time.Minute)
		d.wantCopy(opstatus.OK, false)
		d.report("peer", monitor.OK("lvs2 is alive"))
		d.pass(8 * time.Second)
		d.wantCopy(opstatus.OK, false)
		d.pass(4 * time.Second)
		d.wantCopy(opstatus.OK, true)
		row.Since = time.Time{}
		c.is(row, nil)
		d.report("peer", monitor.Failed("lvs2 is dead", ""))
		d.pass(3 * time.Second)
		d.wantCopy(opstatus.OK, true)
	})
}
