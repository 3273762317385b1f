package echo

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
)

func TestMain(m *testing.M) { echotest.Main(m) }

func cpu(who int) time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestQuick(t *testing.T) {
	var e Engine
	for _, n := range []int{1, 1000, 5000} {
		to := make([]netip.Addr, n)
		var text strings.Builder
		for i := range to {
			to[i] = netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)})
			fmt.Fprintln(&text, to[i])
		}
		for range 3 {
			b, c := time.Now(), cpu(0)
			a := e.Ping(t.Context(), Settings{Tries: 1, Wait: time.Second, Backoff: 1, Size: 56, Pace: Pace}, to)
			bad := 0
			var maxr time.Duration
			for _, x := range a {
				if x.Err != nil {
					bad++
					if bad < 4 {
						t.Log(x)
					}
				}
				maxr = max(maxr, x.RTT)
			}
			d := cpu(0) - c
			t.Log(n, bad, time.Since(b), d/time.Duration(n), maxr)
			for _, i := range []string{"0", "0.1"} {
				b, c := time.Now(), cpu(-1)
				cmd := exec.Command("fping", "-q", "-i", i, "-r", "0", "-t", "1000", "-a")
				cmd.Stdin = strings.NewReader(text.String())
				out, err := cmd.CombinedOutput()
				d := cpu(-1) - c
				t.Log("fping", i, time.Since(b), d/time.Duration(n), strings.Count(string(out), "\n"), err)
			}
		}
	}
}
