package config

import (
	"testing"
	"time"
)

func TestTimeval(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10s": 10 * time.Second, "1.5M": 90 * time.Second, " 2h ": 2 * time.Hour, "1d": 24 * time.Hour, "0s": 0,
		"100ms": 100 * time.Millisecond, "0.1s": 100 * time.Millisecond, "1.5MS": 1500 * time.Microsecond,
		"0.333333333333s": 333333333, "007s": 7 * time.Second, "36500d": maxTime,
	} {
		if d, err := Timeval(text); err != nil || d != want {
			t.Errorf("%q is %v, %v; want %v", text, d, err, want)
		}
	}
	for _, text := range []string{"", "s", "10", "10 s", "10x", "10sec", "-1s", "+1s", "1.s", ".5s", "1e3s", "1_0s", "0x1s", "1,5s",
		"36501d", "9999999999999999999999999h", "soon", "1s 2s", "\x00", "Infs", "NaNs", "1\u212as"} {
		if d, err := Timeval(text); err == nil {
			t.Errorf("%q is %v, want an error", text, d)
		}
	}
}

func TestWholeTime(t *testing.T) {
	for d, want := range map[time.Duration]string{
		24 * time.Hour: "24h", 90 * time.Minute: "90m", 61 * time.Second: "61s", 1500 * time.Millisecond: "1500ms",
	} {
		if got := wholeTime(d); got != want {
			t.Errorf("%v is written %s, want %s", d, got, want)
		}
	}
}
