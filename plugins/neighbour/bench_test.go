package neighbour_test

import (
	"testing"

	"github.com/mondhq/mond/plugins/neighbour"
	"github.com/mondhq/mond/plugins/neighbour/neighbourtest"
)

// What comes before a first frame: to open an interface, to look at it, to say
// whom to hear, to send.
func BenchmarkStation(b *testing.B) {
	w := neighbourtest.New(b, 1)
	w.IP(1, "address add 10.0.0.1/24 dev eth0\n")
	_ = w.Inside(1, func() error {
		b.Run("open", func(b *testing.B) {
			for b.Loop() {
				s, err := neighbour.OpenStation("eth0")
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				_ = s.Close()
				b.StartTimer()
			}
		})
		s, err := neighbour.OpenStation("eth0")
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		b.Run("close", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s, err := neighbour.OpenStation("eth0")
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				_ = s.Close()
			}
		})
		b.Run("link", func(b *testing.B) {
			for b.Loop() {
				_, _ = s.Link()
			}
		})
		b.Run("addresses", func(b *testing.B) {
			for b.Loop() {
				_, _ = s.Addresses()
			}
		})
		l, err := s.Listen(nil)
		if err != nil {
			b.Fatal(err)
		}
		sets := [][]string{{"10.0.0.1"}, {"10.0.0.2"}}
		b.Run("only", func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				_ = l.Only(addrs(sets[i%2]...))
			}
		})
		b.Run("send", func(b *testing.B) {
			frame := neighbour.AppendReply(nil, mac(1), addrs("10.0.0.1")[0])
			for b.Loop() {
				_ = s.Send(neighbour.IPv4, frame)
			}
		})
		return nil
	})
}
