package trap

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// One sender is asked about once a second, whatever it sends.
func TestVerdictsAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &doorman{}
		v, from := newVerdicts(d), netip.MustParseAddr("127.0.0.1")
		ask := func(password string, want error) {
			t.Helper()
			if err := v.Trap(from, "trapper", password); !errors.Is(err, want) {
				t.Errorf("%s: %v", password, err)
			}
		}
		for range 10 {
			ask("trappw", nil)
			ask("wrong", errDoor)
		}
		if d.asked != 2 {
			t.Errorf("asked %d times", d.asked)
		}
		time.Sleep(verdictLife)
		ask("trappw", nil)
		if d.asked != 3 {
			t.Errorf("asked %d times in the next second", d.asked)
		}
		long := strings.Repeat("x", nameMost)
		ask(long, errDoor)
		ask(long, errDoor)
		if len(v.known) != 1 {
			t.Errorf("%d senders are remembered", len(v.known))
		}
	})
}

// Guesses do not use up the time of those who know.
func TestGuessesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &doorman{slow: 5 * time.Millisecond}
		v, from := newVerdicts(d), netip.MustParseAddr("127.0.0.1")
		check(t, v.Trap(from, "trapper", "trappw"))
		time.Sleep(verdictLife)
		d.asked = 0
		for i := range 10_000 {
			if err := v.Trap(from, "trapper", fmt.Sprint(i)); err == nil {
				t.Fatal("a guess was let in")
			}
		}
		if d.asked != int(wrongMost/d.slow) {
			t.Errorf("%d guesses were judged", d.asked)
		}
		check(t, v.Trap(from, "trapper", "trappw"))
	})
}
