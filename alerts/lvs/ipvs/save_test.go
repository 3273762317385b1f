package ipvs

import (
	"bytes"
	"testing"
)

// Whatever is read is written so that it is read the same.
func FuzzParseRows(f *testing.F) {
	for _, seed := range []string{
		"",
		"\n\n# nothing\n",
		"-A -t 10.0.0.3:80 -s wlc -p 300 -M 255.255.255.0\n-a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 5\n",
		"-A -f 8 -6 -s rr\n-a -f 8 -6 -r [fd00::12]:0 -g -w 2\n",
		"-A -u 10.0.0.3:53 -s sh -o -b sh-fallback,sh-port\n-a -u 10.0.0.3:53 -r 10.0.0.4:53 -i -w 0 --tun-type gue --tun-port 6080 --tun-nocsum\n",
		"-A -t 10.0.0.3:80 -p -s mh -M 255.0.255.0 --what now\n",
		"-A --sctp-service 10.0.0.3:80 -s rr --pe sip -x",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRows(data)
		if err != nil {
			return
		}
		text := r.bytes()
		again, err := parseRows(text)
		if err != nil {
			t.Fatalf("own text is refused: %v\n%q\nfrom %q", err, text, data)
		}
		if got := again.bytes(); !bytes.Equal(got, text) {
			t.Fatalf("not stable:\n%q\n%q\nfrom %q", text, got, data)
		}
	})
}

// Answers of a kernel are read without a panic, however cut.
func FuzzAnswers(f *testing.F) {
	s := serviceAll(Service{Virtual: Virtual{Mark: 7}, Scheduler: "rr"}).Serialize()
	f.Add(append(make([]byte, 4), s...))
	f.Add([]byte{4, 1, 0, 0, 8, 0, 1, 0, 9, 9, 9, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = parseService(data)
		_, _ = parseDestination(data, Virtual{V6: true})
	})
}

func TestMaskBits(t *testing.T) {
	for m, want := range map[[4]byte]uint8{
		{255, 255, 255, 255}: 0,
		{255, 255, 255, 0}:   24,
		{128}:                1,
		{}:                   0,
	} {
		if bits, ok := maskBits(m); bits != want || !ok {
			t.Errorf("%v: %d, %v; want %d", m, bits, ok, want)
		}
	}
	if _, ok := maskBits([4]byte{255, 0, 255, 0}); ok {
		t.Error("a mask with holes has a prefix length")
	}
}
