package control

import (
	"context"
	"encoding/json"
	"net/netip"
	"os/user"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/alert"
)

// withShop puts a virtual service on the board of s.
func withShop(s *Server) {
	pool := &virtual.Pool{Name: "shop", Members: []virtual.Member{{Name: "192.168.0.1:80", Weight: 5, Checks: []string{"www1:http"}}}}
	v := &config.Virtual{
		Name: "shop", Program: "lvs.alert", Pool: pool,
		Rows:    []config.VirtualRow{{Target: []string{"-P", "tcp", "-V", "10.0.0.3:80", "--service"}}},
		Members: []config.VirtualMember{{Name: "www1", Addr: netip.MustParseAddrPort("192.168.0.1:80"), Asks: -1}},
	}
	in := virtual.Input{Members: []virtual.Seen{{Checks: []virtual.Verdict{{Status: opstatus.OK}}}}}
	cell := new(view.PoolCell)
	cell.Store(&view.Pool{
		Config: v, Outcome: virtual.Decide(pool, virtual.State{}, in, noon), In: in,
		Members: []view.PoolMember{{
			Name: "192.168.0.1:80", Host: "www1", Reason: "checks good", Claims: []string{"virtual:shop lvs.alert -V 10.0.0.3:80 -R 192.168.0.1:80"},
			Orders: []view.Order{{What: steer.Weight, Target: "www1", Weight: 5, Source: "command", By: "ann", At: noon}},
		}},
	})
	s.opt.Board.ReplacePools([]string{"shop"}, []*view.PoolCell{cell})
	s.opt.Board.SetOrders([]view.Order{
		{What: steer.Weight, Target: "www1", Weight: 5, Source: "command", By: "ann", At: noon},
		{What: steer.Maint, Target: "www9", Source: "command"},
	})
	s.opt.Show = func(_ context.Context, program, topic string) (string, error) {
		if program != "lvs.alert" || topic != "standing shop" {
			return "", context.Canceled
		}
		row := alert.Standing{ID: "virtual:shop lvs.alert -V 10.0.0.3:80 -R 192.168.0.1:80", Known: true, There: true, Weight: 5, Active: 7, Inactive: -1}
		text, err := json.Marshal([]alert.Standing{row})
		return string(text), err
	}
}

func TestVirtuals(t *testing.T) {
	r := newRig(t, withShop)
	all, err := r.client.Virtuals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Virtuals) != 1 || len(all.Orders) != 2 || all.Orders[0].Nobody || !all.Orders[1].Nobody {
		t.Errorf("%+v", all)
	}
	v, err := r.client.Virtual(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	real := v.Reals[0]
	if v.Addresses[0] != "10.0.0.3:80" || v.Status != "ok" || real.Name != "www1" || !real.In || *real.Active != 7 || real.Inactive != nil || len(real.Why) < 2 || *real.Orders[0].Weight != 5 {
		t.Errorf("%+v", v)
	}
	if _, err := r.client.Virtual(t.Context(), "gone"); err == nil || !strings.Contains(err.Error(), "no such name") {
		t.Error(err)
	}
}

// An order carries the user of the socket's other end.
func TestOrder(t *testing.T) {
	r := newRig(t, nil)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.client.Order(t.Context(), OrderRequest{What: "drain", Target: "www1", Deadline: -1, For: 90, Text: "x"}); err != nil {
		t.Fatal(err)
	}
	want := "order {What:drain Target:www1 End:false For:1m30s Deadline:-1ns Weight:0 User:" + me.Username + " Text:x}"
	if got := r.fake.asked(); len(got) != 1 || got[0] != want {
		t.Errorf("asked %q, want %q", got, want)
	}
	if err := r.client.Order(t.Context(), OrderRequest{What: "maint", Target: "gone"}); err == nil {
		t.Error("an order for nobody was taken")
	}
	if d := seconds(1e300); d < 1000*time.Hour || seconds(-1e300) > 0 {
		t.Errorf("%v", d)
	}
}
