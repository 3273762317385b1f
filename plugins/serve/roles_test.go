package serve

import (
	"context"
	"errors"
	"flag"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// Roles go with the next message, whatever waits, and only the newest of each
// group and service.
func TestRolesGoFirst(t *testing.T) {
	o := newOutbox()
	for i := range 5 * rpc.MaxItems {
		o.result(&pb.Result{Id: uint64(i)})
	}
	o.token(3, role.Token{Group: "web", Hold: true, Epoch: 1})
	first := true
	var sent []*pb.PluginMessage
	err := o.deliver(o.take(nil), func(m *pb.PluginMessage) error {
		sent = append(sent, m)
		if first {
			first = false
			o.token(3, role.Token{Group: "web", Hold: true, Epoch: 1, Announce: true})
			o.token(3, role.Token{Group: "web", Hold: true, Epoch: 2})
			o.stand(role.Stand{Group: "web", Held: 1})
			o.stand(role.Stand{Group: "web", Held: 2})
			o.tell(3, "peer", monitor.OK("old"))
			o.tell(3, "peer", monitor.OK("new"))
			o.leave(3)
		}
		return nil
	})
	if err != nil || len(sent) < 5 {
		t.Fatalf("%d messages: %v", len(sent), err)
	}
	if m := sent[0]; len(m.Tokens) != 1 || m.Tokens[0].Subject != 3 || len(m.Results) == 0 {
		t.Errorf("the first message: %d tokens", len(m.Tokens))
	}
	m := sent[1]
	if len(m.Tokens) != 1 || m.Tokens[0].Epoch != 2 || !m.Tokens[0].Announce || len(m.Stands) != 1 || m.Stands[0].Held != 2 || len(m.Left) != 1 {
		t.Errorf("the second message: %v %v %v", m.Tokens, m.Stands, m.Left)
	}
	if len(m.Reports) != 1 || m.Reports[0].Service != "peer" || m.Reports[0].Result.Summary != "new" {
		t.Errorf("reports %v", m.Reports)
	}
	for _, m := range sent[2:] {
		if len(m.Tokens)+len(m.Stands)+len(m.Left)+len(m.Reports) > 0 {
			t.Errorf("again: %v", m)
		}
	}
}

// slow is an elector that looks at a site only when it is let.
type slow struct {
	monitor.Func

	look chan chan<- role.Site
}

func (s slow) Elect(ctx context.Context, _ monitor.Request, sites <-chan role.Site, _ monitor.Election) error {
	for {
		select {
		case to := <-s.look:
			to <- <-sites
		case <-ctx.Done():
			return nil
		}
	}
}

// unable is an elector that cannot begin.
type unable struct{ monitor.Func }

func (unable) Elect(context.Context, monitor.Request, <-chan role.Site, monitor.Election) error {
	return errors.New("there is no key file")
}

// An elector that is blind takes its leave at once when mond does, however long it
// would have waited before its next try.
func TestBlindElectorLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, Monitor("e.monitor", "", func(*flag.FlagSet) monitor.Monitor { return unable{} }))
		site := func(leaving bool) {
			f.in <- &pb.HostMessage{
				Subjects:  []*pb.Subject{subjectOf(1)},
				Elections: &pb.Elections{Elections: []*pb.Election{{Subject: 1, Site: &pb.Site{Leaving: leaving}}}},
			}
		}
		left := make(chan time.Time, 1)
		go func() { // ends with the session
			for {
				select {
				case m := <-f.out:
					if len(m.Left) > 0 {
						left <- time.Now()
					}
				case <-f.ctx.Done():
					return
				}
			}
		}()
		site(false)
		<-time.After(time.Minute + 10*time.Millisecond)
		began := time.Now()
		site(false)
		site(true)
		if at := <-left; at.Sub(began) > 50*time.Millisecond {
			t.Errorf("it left after %v", at.Sub(began))
		}
	})
}

// A slow elector is given the newest site only.
func TestNewestSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slow{look: make(chan chan<- role.Site)}
		f := open(t, Monitor("e.monitor", "", func(*flag.FlagSet) monitor.Monitor { return s }))
		for i := range 50 {
			f.in <- &pb.HostMessage{
				Subjects:  []*pb.Subject{subjectOf(1)},
				Elections: &pb.Elections{Elections: []*pb.Election{{Subject: 1, Site: &pb.Site{Reals: uint32(i)}}}},
			}
		}
		synctest.Wait()
		got := make(chan role.Site, 1)
		s.look <- got
		if site := <-got; site.Reals != 49 {
			t.Errorf("site %d", site.Reals)
		}
	})
}

// What is shared stays as it was told until it is told anew, and what is said of it
// goes last and within bounds.
func TestShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slow{look: make(chan chan<- role.Site)}
		f := open(t, Monitor("e.monitor", "", func(*flag.FlagSet) monitor.Monitor { return s }))
		sites := []*pb.Site{{Share: &pb.Share{Parcels: [][]byte{[]byte("a"), []byte("b")}}}, {Reals: 3}, {Reals: 4, Share: &pb.Share{}}}
		for i, want := range []int{2, 2, 0} {
			f.in <- &pb.HostMessage{
				Subjects:  []*pb.Subject{subjectOf(1)},
				Elections: &pb.Elections{Elections: []*pb.Election{{Subject: 1, Site: sites[i]}}},
			}
			synctest.Wait()
			got := make(chan role.Site, 1)
			s.look <- got
			if site := <-got; site.Share == nil || len(site.Share.Parcels) != want || uint32(site.Reals) != sites[i].Reals {
				t.Errorf("site %d: %+v", i, site)
			}
		}
	})
	o := newOutbox()
	for i := range sharedMost + 10 {
		o.share(3, role.Shared{Node: 1, Parcel: make([]byte, 20<<10+i)})
	}
	for seen := 0; seen < sharedMost; {
		var m *pb.PluginMessage // one that has nothing else goes, too
		if err := o.deliver(o.take(nil), func(sent *pb.PluginMessage) error { m = sent; return nil }); err != nil || m == nil {
			t.Fatalf("nothing was sent: %v", err)
		}
		if bytes := proto.Size(m); bytes > rpc.MaxBytes/2 || len(m.Shared) == 0 {
			t.Fatalf("a message with %d parcels, %d bytes", len(m.Shared), bytes)
		}
		for _, p := range m.Shared {
			if len(p.Parcel) != 20<<10+10+seen || p.Subject != 3 {
				t.Fatalf("parcel %d has %d bytes", seen, len(p.Parcel))
			}
			seen++
		}
	}
}

// lazy is a holder that takes work only when it is let.
type lazy struct {
	alert.Func

	take chan chan<- role.Work
}

func (l lazy) Hold(ctx context.Context, work <-chan role.Work, _ func(role.Stand)) error {
	for {
		select {
		case to := <-l.take:
			to <- <-work
		case <-ctx.Done():
			return nil
		}
	}
}

// A slow holder is given all that came as one.
func TestWorkIsPutTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lazy{take: make(chan chan<- role.Work)}
		f := open(t, Alert("h.alert", "", func(*flag.FlagSet) alert.Alert { return l }))
		f.in <- &pb.HostMessage{Work: rpc.EncodeWork(role.Work{Full: true, Lines: []role.Line{{Group: "web"}}})}
		for i := range 50 {
			tok := role.Token{Group: "web", Hold: true, Epoch: 1, Until: time.Duration(i)}
			f.in <- &pb.HostMessage{Work: rpc.EncodeWork(role.Work{Tokens: []role.Token{tok}})}
		}
		synctest.Wait()
		got := make(chan role.Work, 1)
		l.take <- got
		if w := <-got; !w.Full || len(w.Lines) != 1 || len(w.Tokens) != 1 || w.Tokens[0].Until != 49 {
			t.Errorf("work %+v", w)
		}
	})
}
