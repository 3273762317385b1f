package heartbeat

import (
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/link"
	"github.com/mondhq/mond/monitors/heartbeat/member"
	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// sender is a pair without anything around it.
type sender struct {
	*pair
	next wire.Beat
}

func sending(t testing.TB) *sender {
	t.Helper()
	keys, err := wire.NewKeys(1, map[uint8][]byte{1: []byte("a-secret-of-this-test")})
	if err != nil {
		t.Fatal(err)
	}
	id := wire.Identity{Cluster: cluster, Self: 1, Incarnation: 1}
	p := &pair{
		h: &heart{peer: 2}, sealer: wire.NewSealer(id, keys), session: wire.NewSession(id, 2, keys, wire.SessionOptions{}),
		given: make([]uint16, 2), every: []uint8{0, 1},
	}
	for _, words := range []string{"a=udp:10.0.0.1,10.0.0.2", "b=udp:10.0.1.1,10.0.1.2"} {
		s, err := link.Parse(words)
		if err != nil {
			t.Fatal(err)
		}
		p.ways = append(p.ways, newWay(link.New(s)))
	}
	p.put = func(i uint8, packet []byte) { p.size = len(packet); p.ways[i].Send(packet) }
	s := &sender{pair: p, next: wire.Beat{
		Interval: 100 * time.Millisecond, Dead: 500 * time.Millisecond,
		Links: []wire.Link{{Link: 0}, {Link: 1}}, Groups: []wire.Group{{Group: 7, Total: 1}},
	}}
	s.send(s.beat()) // the first one makes what the others use
	return s
}

func (s *sender) beat() member.Send {
	s.next.Number++
	return member.Send{Beat: &s.next}
}
