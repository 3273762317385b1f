package echo

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/plugins/monitor"
)

func TestMain(m *testing.M) { echotest.Main(m) }

// plain are settings with one try.
func plain(wait time.Duration) Settings {
	return Settings{Tries: 1, Wait: wait, Backoff: 1, Size: 56, Pace: Pace}
}

// hosts are n addresses from first on.
func hosts(first string, n int) []netip.Addr {
	list := make([]netip.Addr, n)
	a := netip.MustParseAddr(first)
	for i := range list {
		list[i], a = a, a.Next()
	}
	return list
}

// outcomes is how often each error came; well is that of none.
func outcomes(answers []Answer) map[string]int {
	got := map[string]int{}
	for _, a := range answers {
		text := "well"
		if a.Err != nil {
			text = a.Err.Error()
		}
		if monitor.IsLate(a.Err) {
			text = "late"
		}
		if monitor.Local(a.Err) {
			text = "local: " + text
		}
		got[text]++
	}
	return got
}

// engines are a raw and an unprivileged one.
func engines(t *testing.T) map[string]*Engine {
	if err := echotest.Sysctl("net/ipv4/ping_group_range", "0 2147483647"); err != nil {
		t.Fatal(err)
	}
	return map[string]*Engine{"raw": {}, "datagram": {unprivileged: true}}
}

func reply(p echotest.Packet) [][]byte { return [][]byte{p.Reply()} }

func TestLiveHosts(t *testing.T) {
	echotest.Need(t)
	for name, e := range engines(t) {
		for _, n := range []int{1, 31, 32, 33, 5000} {
			t.Run(fmt.Sprint(name, n), func(t *testing.T) {
				answers := e.Ping(t.Context(), plain(10*time.Second), hosts("127.1.0.1", n))
				if diff := cmp.Diff(map[string]int{"well": n}, outcomes(answers)); diff != "" {
					t.Error(diff)
				}
				for _, a := range answers {
					if a.Sent != 1 || a.Lost != 0 || a.RTT <= 0 || a.RTT > 10*time.Second || a.Took < a.RTT {
						t.Fatalf("%+v", a)
					}
				}
			})
		}
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	echotest.Open(t, func(echotest.Packet) [][]byte { return nil })
	for name, e := range engines(t) {
		t.Run(name, func(t *testing.T) {
			var wg sync.WaitGroup
			for i := range 200 {
				to := append(hosts("127.1.0.1", 1+i%50), netip.MustParseAddr("::1"))
				want := map[string]int{"well": len(to)}
				s := plain(10 * time.Second)
				if i%10 == 0 {
					to, s.Wait = append(to, hosts("10.9.0.9", 1)...), 100*time.Millisecond
					want["late"] = 1
				}
				wg.Go(func() {
					if diff := cmp.Diff(want, outcomes(e.Ping(t.Context(), s, to))); diff != "" {
						t.Error(diff)
					}
				})
			}
			wg.Wait()
			for _, s := range e.sockets {
				if s.reader != nil || len(s.calls) > 0 {
					t.Error("something is left of the calls")
				}
			}
		})
	}
}

// A host that takes more of them to answer than there are tries is late.
func TestRetries(t *testing.T) {
	var asked sync.Map
	echotest.Open(t, func(p echotest.Packet) [][]byte {
		n, _ := asked.LoadOrStore(p.Dst, new(int))
		count := n.(*int)
		if *count++; *count <= int(p.Dst.AsSlice()[len(p.Dst.AsSlice())-1])%5 {
			return nil
		}
		return reply(p)
	})
	for name, e := range engines(t) {
		for _, first := range []string{"10.9.1.0", "fd09::100"} {
			t.Run(name+first, func(t *testing.T) {
				asked.Clear()
				s := Settings{Tries: 4, Wait: 250 * time.Millisecond, Backoff: 1.2, Size: MinSize, Pace: Pace}
				answers := e.Ping(t.Context(), s, hosts(first, 50))
				if diff := cmp.Diff(map[string]int{"well": 40, "late": 10}, outcomes(answers)); diff != "" {
					t.Error(diff)
				}
				for i, a := range answers {
					want := Answer{Sent: i%5 + 1, Lost: i % 5}
					if i%5 == 4 {
						want.Sent = 4
					}
					if a.Sent != want.Sent || a.Lost != want.Lost {
						t.Errorf("host %d: %+v", i, a)
					}
				}
			})
		}
	}
}

// What is no answer of the host that was asked must not be taken for one.
func TestHostilePackets(t *testing.T) {
	change := func(at int) func([]byte) []byte {
		return func(icmp []byte) []byte { icmp[at] ^= 1; return icmp }
	}
	cut := func(n int) func([]byte) []byte { return func(icmp []byte) []byte { return icmp[:n] } }
	other := func(p echotest.Packet) netip.Addr { return p.Dst.Next() }
	router := func(p echotest.Packet) netip.Addr { return hosts("10.9.255.1", 1)[0] }
	tests := map[string]func(p echotest.Packet) []byte{
		"nothing":            func(echotest.Packet) []byte { return nil },
		"another nonce":      func(p echotest.Packet) []byte { return p.ReplyBy(p.Dst, change(8)) },
		"another number":     func(p echotest.Packet) []byte { return p.ReplyBy(p.Dst, change(19)) },
		"a number too large": func(p echotest.Packet) []byte { return p.ReplyBy(p.Dst, change(16)) },
		"another source":     func(p echotest.Packet) []byte { return p.ReplyBy(other(p), nil) },
		"another code":       func(p echotest.Packet) []byte { return p.ReplyBy(p.Dst, change(1)) },
		"cut to nothing":     func(p echotest.Packet) []byte { return p.ReplyBy(p.Dst, cut(0)) },
		"cut in the header":  func(p echotest.Packet) []byte { return p.ReplyBy(p.Dst, cut(5)) },
		"cut in the nonce":   func(p echotest.Packet) []byte { return p.ReplyBy(p.Dst, cut(15)) },
		"cut in the number":  func(p echotest.Packet) []byte { return p.ReplyBy(p.Dst, cut(19)) },
		"too large, quoted":  func(p echotest.Packet) []byte { return p.Error(router(p), 3, 4, 64) },
		"a bad header":       func(p echotest.Packet) []byte { return p.Error(router(p), 12, 0, 64) },
		"a redirect":         func(p echotest.Packet) []byte { return p.Error(router(p), 5, 1, 64) },
		"a short quotation":  func(p echotest.Packet) []byte { return p.Error(router(p), 3, 1, 7) },
		"no quotation":       func(p echotest.Packet) []byte { return p.Quoting(router(p), 3, 1, nil) },
		"garbage":            func(p echotest.Packet) []byte { return p.Quoting(router(p), 3, 1, make([]byte, 64)) },
		"another's quotation": func(p echotest.Packet) []byte {
			q := append([]byte{}, p.Data...)
			q[16+3] ^= 1 // it went elsewhere
			return p.Quoting(router(p), 3, 1, q)
		},
		"a quotation with another nonce": func(p echotest.Packet) []byte {
			q := append([]byte{}, p.Data...)
			q[28] ^= 1
			return p.Quoting(router(p), 3, 1, q)
		},
		"a quotation with another number": func(p echotest.Packet) []byte {
			q := append([]byte{}, p.Data...)
			q[39] ^= 1
			return p.Quoting(router(p), 3, 1, q)
		},
		"a short quotation with another sequence": func(p echotest.Packet) []byte {
			q := append([]byte{}, p.Data[:28]...)
			q[27] ^= 1
			return p.Quoting(router(p), 3, 1, q)
		},
	}
	var mu sync.Mutex
	var answer func(p echotest.Packet) []byte
	echotest.Open(t, func(p echotest.Packet) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		if b := answer(p); b != nil {
			return [][]byte{b}
		}
		return nil
	})
	for engine, e := range engines(t) {
		for name, f := range tests {
			t.Run(engine+"/"+name, func(t *testing.T) {
				mu.Lock()
				answer = f
				mu.Unlock()
				got := outcomes(e.Ping(t.Context(), plain(50*time.Millisecond), hosts("10.9.2.2", 1)))
				if diff := cmp.Diff(map[string]int{"late": 1}, got); diff != "" {
					t.Error(diff)
				}
			})
		}
		t.Run(engine+"/another id", func(t *testing.T) {
			mu.Lock()
			answer = func(p echotest.Packet) []byte { return p.ReplyBy(p.Dst, change(5)) }
			mu.Unlock()
			got := outcomes(e.Ping(t.Context(), plain(50*time.Millisecond), hosts("10.9.2.2", 1)))
			if diff := cmp.Diff(map[string]int{"late": 1}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// ICMP errors end the wait at once.
func TestUnreachable(t *testing.T) {
	four, six := hosts("10.9.255.1", 1)[0], hosts("fd09::ffff", 1)[0]
	tests := map[string]struct {
		to         string
		from       netip.Addr // invalid is the host itself
		kind, code uint8
		quote      int
		want       string
	}{
		"host":          {"10.9.3.3", four, 3, 1, 64, "10.9.255.1 says host unreachable"},
		"net":           {"10.9.3.3", four, 3, 0, 64, "10.9.255.1 says network unreachable"},
		"filter":        {"10.9.3.3", four, 3, 13, 64, "10.9.255.1 says prohibited by a filter"},
		"by itself":     {"10.9.3.3", netip.Addr{}, 3, 2, 64, "10.9.3.3 says protocol unreachable"},
		"8 bytes":       {"10.9.3.3", four, 3, 1, 8, "10.9.255.1 says host unreachable"},
		"19 bytes":      {"10.9.3.3", four, 3, 1, 19, "10.9.255.1 says host unreachable"},
		"loop":          {"10.9.3.3", four, 11, 0, 64, "10.9.255.1 says time to live exceeded"},
		"host, v6":      {"fd09::33", six, 1, 3, 64, "fd09::ffff says address unreachable"},
		"no route, v6":  {"fd09::33", six, 1, 0, 64, "fd09::ffff says no route"},
		"8 bytes, v6":   {"fd09::33", six, 1, 3, 8, "fd09::ffff says address unreachable"},
		"loop, v6":      {"fd09::33", six, 3, 0, 64, "fd09::ffff says time to live exceeded"},
		"by itself, v6": {"fd09::33", netip.Addr{}, 1, 4, 64, "fd09::33 says port unreachable"},
	}
	var mu sync.Mutex
	var answer func(p echotest.Packet) [][]byte
	echotest.Open(t, func(p echotest.Packet) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		return answer(p)
	})
	for engine, e := range engines(t) {
		for name, tt := range tests {
			t.Run(engine+"/"+name, func(t *testing.T) {
				if engine == "datagram" && tt.quote < 64 && tt.from.Is6() {
					t.Skip("Linux looks for more than 8 bytes here")
				}
				mu.Lock()
				answer = func(p echotest.Packet) [][]byte {
					from := tt.from
					if !from.IsValid() {
						from = p.Dst
					}
					return [][]byte{p.Error(from, tt.kind, tt.code, tt.quote)}
				}
				mu.Unlock()
				to := append(hosts(tt.to, 1), hosts("127.0.0.1", 1)[0])
				answers := e.Ping(t.Context(), plain(time.Minute), to)
				if diff := cmp.Diff(map[string]int{tt.want: 1, "well": 1}, outcomes(answers)); diff != "" {
					t.Error(diff)
				}
				if _, ok := errors.AsType[*Unreachable](answers[0].Err); !ok || answers[0].Took > 10*time.Second {
					t.Errorf("%+v", answers[0])
				}
			})
		}
	}
}
