package echo

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/monitors/tcp/origin"
	"github.com/mondhq/mond/plugins/monitor"
)

// ip runs ip(8) and, at the end of the test, undo.
func ip(t testing.TB, do, undo string) {
	t.Helper()
	if err := echotest.IP(do); err != nil {
		t.Fatal(err)
	}
	if undo != "" {
		t.Cleanup(func() {
			if err := echotest.IP(undo); err != nil {
				t.Error(err)
			}
		})
	}
}

// What this machine refuses is not the host's fault, but that nobody is there.
func TestRoutes(t *testing.T) {
	echotest.Need(t)
	tests := map[string]struct{ add, to, want string }{
		"none":        {"", "10.77.0.1", "local: send an echo request to 10.77.0.1: network is unreachable"},
		"prohibited":  {"route add prohibit 10.77.0.0/16", "10.77.0.1", "local: send an echo request to 10.77.0.1: permission denied"},
		"black hole":  {"route add blackhole 10.77.0.0/16", "10.77.0.1", "local: send an echo request to 10.77.0.1: invalid argument"},
		"unreachable": {"route add unreachable 10.77.0.0/16", "10.77.0.1", "send an echo request to 10.77.0.1: no route to host"},
		"none, v6":    {"", "fd77::1", "local: send an echo request to fd77::1: network is unreachable"},
	}
	for engine, e := range engines(t) {
		for name, tt := range tests {
			t.Run(engine+"/"+name, func(t *testing.T) {
				if tt.add != "" {
					ip(t, tt.add, "route del 10.77.0.0/16")
				}
				to := append(hosts("127.0.0.1", 40), hosts(tt.to, 1)...)
				to = append(to, hosts("127.0.1.1", 40)...)
				got := outcomes(e.Ping(t.Context(), plain(10*time.Second), to))
				if diff := cmp.Diff(map[string]int{"well": 80, tt.want: 1}, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// A neighbour that does not answer to ARP or a neighbour solicitation is down,
// which the kernel knows before the time limit.
func TestDeadNeighbours(t *testing.T) {
	echotest.Need(t)
	ip(t, "link add near type veth peer name far", "link del near")
	ip(t, "addr add 10.8.0.1/16 dev near", "")
	ip(t, "-6 addr add fd08::1/64 dev near nodad", "")
	ip(t, "link set near up", "")
	ip(t, "link set far up", "")
	for _, family := range []string{"4", "6"} {
		for name, value := range map[string]string{"mcast_solicit": "1", "retrans_time_ms": "50"} {
			if err := echotest.Sysctl("net/ipv"+family+"/neigh/near/"+name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	for engine, e := range engines(t) {
		for first, what := range map[string]string{"10.8.0.2": "host", "fd08::2": "address"} {
			t.Run(engine+first, func(t *testing.T) {
				to := append(hosts(first, 20), hosts("127.0.0.1", 20)...)
				got := outcomes(e.Ping(t.Context(), plain(time.Minute), to))
				want := map[string]int{"well": 20, "no neighbour answers for it: " + what + " unreachable": 20}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// Packets that the interface has no room for are sent again, not lost.
func TestSlowInterface(t *testing.T) {
	echotest.Open(t, reply)
	tc(t, "qdisc add dev played root tbf rate 8mbit burst 3k limit 4k")
	for engine, e := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			got := outcomes(e.Ping(t.Context(), plain(10*time.Second), hosts("10.9.4.1", 1000)))
			if diff := cmp.Diff(map[string]int{"well": 1000}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// An interface that lets nothing out at all leaves the check blind.
func TestStuckInterface(t *testing.T) {
	echotest.Open(t, reply)
	tc(t, "qdisc add dev played root tbf rate 8bit burst 2k limit 2k")
	for engine, e := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
			defer cancel()
			for host, a := range e.Ping(ctx, plain(time.Minute), hosts("10.9.4.1", 100)) {
				if a.Err != nil && !monitor.Local(a.Err) && !errors.Is(a.Err, monitor.ErrNotStarted) {
					t.Errorf("host %d: %+v", host, a)
				}
			}
		})
	}
}

// Answers that this machine throws away must not take hosts down.
func TestFullReceiveBuffer(t *testing.T) {
	echotest.Open(t, func(p echotest.Packet) [][]byte {
		if p.Dst.AsSlice()[3] == 0 {
			return nil
		}
		list := make([][]byte, 300)
		for i := range list {
			list[i] = p.Reply()
		}
		return list
	})
	e := new(Engine)
	s, err := e.socket(socketKey{})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.conn.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 0) // the least there is
	})
	if err != nil {
		t.Fatal(err)
	}
	answers := e.Ping(t.Context(), plain(2*time.Second), append(hosts("10.9.5.1", 200), netip.MustParseAddr("10.9.5.0")))
	dropped := s.drops()
	for i, a := range answers {
		if a.Err != nil && (dropped == 0 || !monitor.Local(a.Err)) && i != 200 {
			t.Errorf("host %d with %d drops: %v", i, dropped, a.Err)
		}
	}
	if dropped > 0 && !monitor.Local(answers[200].Err) {
		t.Errorf("with %d drops a host was judged: %v", dropped, answers[200].Err)
	}
}

func tc(t testing.TB, words string) {
	t.Helper()
	if err := echotest.Run("tc", words); err != nil {
		t.Fatal(err)
	}
}

func from(o origin.Origin) Dress { return Dress{Origin: o} }

func address(text string) origin.Address { return origin.Address{Addr: netip.MustParseAddr(text)} }

func TestBadDress(t *testing.T) {
	echotest.Need(t)
	for name, tt := range map[string]struct {
		dress    Dress
		to, want string
	}{
		"source not ours": {from(origin.Origin{Source: address("192.0.2.1")}), "127.0.0.1",
			"local: send from the address 192.0.2.1: cannot assign requested address"},
		"source of another family": {from(origin.Origin{Source: address("::1")}), "127.0.0.1",
			"local: 127.0.0.1 cannot be reached from the source address ::1, which is of another family"},
		"no such interface": {from(origin.Origin{Device: "eth99"}), "127.0.0.1", "local: send by the interface eth99 (--interface): there is none of that name"},
		"no address":        {Dress{}, "0.0.0.0", "local: 0.0.0.0 is no address of a host"},
		"multicast":         {Dress{}, "ff02::1", "local: ff02::1 is no address of a host"},
		"no such zone":      {Dress{}, "fe80::1%eth99", "local: send an echo request to fe80::1%eth99: there is no interface eth99"},
		"all together": {Dress{origin.Origin{Source: address("127.0.0.5"), Device: "lo", Mark: 7}, 3, 0x10}, "127.0.0.1",
			"well"},
		"all together, v6": {Dress{origin.Origin{Source: address("::1"), Device: "lo", Mark: 7}, 3, 0x10}, "::1", "well"},
	} {
		t.Run(name, func(t *testing.T) {
			s := plain(5 * time.Second)
			s.Dress = tt.dress
			got := outcomes(new(Engine).Ping(t.Context(), s, hosts(tt.to, 1)))
			if diff := cmp.Diff(map[string]int{tt.want: 1}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Options of the socket are seen by the network.
func TestDress(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	echotest.Open(t, func(p echotest.Packet) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		if p.Dst.Is4() {
			seen = append(seen, fmt.Sprint(p.Src, " ttl ", p.Data[8], " tos ", p.Data[1], " size ", len(p.ICMP)-8))
		} else {
			seen = append(seen, fmt.Sprint(p.Src, " ttl ", p.Data[7], " tos ", p.Data[0]&15<<4|p.Data[1]>>4, " size ", len(p.ICMP)-8))
		}
		return reply(p)
	})
	for engine, e := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			mu.Lock()
			seen = nil
			mu.Unlock()
			s := plain(5 * time.Second)
			s.Dress = Dress{origin.Origin{Mark: 3}, 7, 0x28}
			s.Size = 1001
			got := outcomes(e.Ping(t.Context(), s, append(hosts("10.9.6.1", 1), hosts("fd09::66", 1)...)))
			if diff := cmp.Diff(map[string]int{"well": 2}, got); diff != "" {
				t.Error(diff)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(seen) == 2 && seen[0] > seen[1] {
				seen[0], seen[1] = seen[1], seen[0]
			}
			want := []string{echotest.Here4 + " ttl 7 tos 40 size 1001", echotest.Here6 + " ttl 7 tos 40 size 1001"}
			if diff := cmp.Diff(want, seen); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheTimeLimit(t *testing.T) {
	echotest.Open(t, func(echotest.Packet) [][]byte { return nil })
	e := new(Engine)
	t.Run("passes", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		s := plain(time.Minute)
		s.Pace = 500 // the first 64 go at once
		got := outcomes(e.Ping(ctx, s, hosts("10.9.7.1", 1000)))
		const notYet = "the time limit passed before its turn came"
		if got["late"] < 64 || got["late"] > 500 || got["late"]+got[notYet] != 1000 {
			t.Error(got)
		}
	})
	t.Run("is cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		got := outcomes(e.Ping(ctx, plain(time.Minute), hosts("10.9.7.1", 10)))
		if diff := cmp.Diff(map[string]int{"context canceled": 10}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("had passed", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), -1)
		defer cancel()
		got := outcomes(e.Ping(ctx, plain(time.Minute), hosts("10.9.7.1", 10)))
		if diff := cmp.Diff(map[string]int{"the time limit passed before its turn came": 10}, got); diff != "" {
			t.Error(diff)
		}
	})
}
