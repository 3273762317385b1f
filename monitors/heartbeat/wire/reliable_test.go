package wire

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever the way loses, doubles and reorders, messages come out whole, once
// and in order, as soon as it stops; and what is sent stays within its limits.
func TestReliableProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out Outbox
		in, now := NewInbox(), time.Hour
		var want, got []Message
		var air []Chunk
		loss := rapid.IntRange(0, 60).Draw(t, "loss")
		lost := func() bool { return rapid.IntRange(0, 99).Draw(t, "lost") < loss }
		for step := 0; step < 40 || out.Waiting() > 0; step++ {
			if step == 40 {
				loss = 0
			}
			if step > 2000 {
				t.Fatalf("%d chunks never arrive", out.Waiting())
			}
			if step < 40 && rapid.IntRange(0, 3).Draw(t, "push") == 0 {
				m := Message{uint8(step), bytes.Repeat([]byte{byte(step)}, rapid.IntRange(0, 5*MaxData).Draw(t, "size"))}
				if out.Push(m.Type, m.Data, now) == nil {
					want = append(want, m)
				}
			}
			for c := out.Next(now); c != nil; c = out.Next(now) {
				if !lost() {
					air = append(air, *c)
				}
			}
			for n := len(air); n > 0; n-- {
				i := 0
				if loss > 0 {
					i = rapid.IntRange(0, len(air)-1).Draw(t, "which")
				}
				var c Chunk
				if !c.Decode(air[i].Append(nil)) {
					t.Fatal("a chunk does not decode")
				}
				in.Take(&c, now, func(m Message) { got = append(got, m) })
				if loss == 0 || rapid.IntRange(0, 3).Draw(t, "twice") > 0 {
					air = append(air[:i], air[i+1:]...)
				}
			}
			var n Nack
			if in.Nack(&n, 5, now) && !lost() {
				out.Acked(&n, 5, now)
			}
			now += 20 * time.Millisecond
		}
		if len(got) != len(want) {
			t.Fatalf("%d of %d messages came", len(got), len(want))
		}
		for i := range want {
			if got[i].Type != want[i].Type || !bytes.Equal(got[i].Data, want[i].Data) {
				t.Fatalf("message %d came as another", i)
			}
		}
	})
}

// A peer that asks for all again and again gets no flood.
func TestResendsAreLimited(t *testing.T) {
	var out Outbox
	now := time.Hour
	if err := out.Push(1, make([]byte, 100*MaxData), now); err != nil {
		t.Fatal(err)
	}
	sent := 0
	all := Nack{Incarnation: 5, Missing: bytes.Repeat([]byte{255}, MaxMissing/8)}
	for range 1000 {
		for out.Next(now) != nil {
			sent++
		}
		out.Acked(&all, 5, now)
		now += 10 * time.Millisecond
	}
	if most := resendBurst + 10*resendRate; sent > most+1 {
		t.Errorf("%d chunks in 10 s, want at most %d", sent, most)
	}
}

// Nobody fills the memory of an Inbox, and a message that lies about its length
// is not yielded.
func TestInboxIsBounded(t *testing.T) {
	in := NewInbox()
	none := func(m Message) { t.Errorf("it yields %v", m) }
	for i := range uint32(10000) {
		in.Take(&Chunk{Number: i + 2, Of: 1}, 0, none)
	}
	if len(in.early) >= MaxMissing {
		t.Errorf("it holds %d chunks", len(in.early))
	}
	in = NewInbox()
	in.Take(&Chunk{Number: 1, Index: 0, Of: 3, Data: []byte("a")}, 0, none)
	in.Take(&Chunk{Number: 2, Index: 2, Of: 3, Data: []byte("c")}, 0, none)
	in.Take(&Chunk{Number: 3, Index: 1, Of: 2, Data: []byte("b")}, 0, none)
	in.Take(&Chunk{Number: 4, Index: 0, Of: MaxMissing + 1, Data: []byte("b")}, 0, none)
	whole := 0
	in.Take(&Chunk{Number: 5, Index: 0, Of: 1, Data: []byte("d")}, 0, func(Message) { whole++ })
	if whole != 1 {
		t.Error("it does not recover")
	}
}

func TestPushTooLong(t *testing.T) {
	var out Outbox
	if err := out.Push(1, make([]byte, MaxMessage+1), time.Hour); err == nil {
		t.Error("a message that is too long is taken")
	}
}
