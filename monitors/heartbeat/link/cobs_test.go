package link

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func unframe(d *deframer, line []byte) (packets [][]byte) {
	for _, b := range line {
		if p := d.take(b); p != nil {
			packets = append(packets, bytes.Clone(p))
		}
	}
	return packets
}

func TestFramesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfN(rapid.OneOf(rapid.Just(byte(0)), rapid.Byte(), rapid.Just(byte(1))), 1, MaxPacket)
		packets := rapid.SliceOfN(some, 1, 5).Draw(t, "packets")
		var line []byte
		scratch := make([]byte, 0, maxFrame)
		for _, p := range packets {
			before := len(line)
			line = appendFrame(line, p, scratch)
			if n := len(line) - before - 2; n > maxFrame || bytes.IndexByte(line[before+1:len(line)-1], 0) >= 0 {
				t.Fatalf("a frame of %d bytes, or with a zero in it", n)
			}
		}
		// What came before, in the middle of something, costs at most itself.
		noise := rapid.SliceOfN(rapid.Byte(), 0, 2*maxFrame).Draw(t, "noise")
		var d deframer
		got := unframe(&d, append(noise, line...))
		if len(got) != len(packets) {
			t.Fatalf("%d of %d packets came", len(got), len(packets))
		}
		for i := range got {
			if !bytes.Equal(got[i], packets[i]) {
				t.Fatalf("%x came as %x", packets[i], got[i])
			}
		}
	})
}

func TestStuffing(t *testing.T) {
	run := bytes.Repeat([]byte{7}, 254)
	for _, data := range [][]byte{{}, {0}, {0, 0}, {1}, run, append(bytes.Clone(run), 0), append(bytes.Clone(run), 1), append([]byte{0}, run...), bytes.Repeat(run, 2)} {
		back, ok := unstuff(appendStuffed(nil, data))
		if !ok || !bytes.Equal(back, data) {
			t.Errorf("%x came back as %x", data, back)
		}
	}
}

func TestADamagedFrameIsCountedAndTheNextOneComes(t *testing.T) {
	scratch := make([]byte, 0, maxFrame)
	line := appendFrame(nil, []byte("first beat"), scratch)
	line[4] ^= 0x10
	line = append(line, bytes.Repeat([]byte{9}, 3*maxFrame)...) // a line that is stuck
	line = appendFrame(line, []byte("second beat"), scratch)
	var d deframer
	got := unframe(&d, line)
	if len(got) != 1 || string(got[0]) != "second beat" || d.bad != 2 {
		t.Errorf("%q, %d bad", got, d.bad)
	}
}

func FuzzDeframe(f *testing.F) {
	f.Add([]byte{0, 3, 1, 2, 0})
	f.Add(appendFrame(nil, []byte("a beat"), make([]byte, 0, maxFrame)))
	f.Fuzz(func(t *testing.T, line []byte) {
		var d deframer
		for _, p := range unframe(&d, line) {
			if len(p) > maxFrame {
				t.Errorf("a packet of %d bytes", len(p))
			}
		}
	})
}
