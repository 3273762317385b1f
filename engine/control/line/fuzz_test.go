package line

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// linesOf is what a reader should find: nothing else is a line.
func linesOf(data []byte) (lines []string) {
	end := bytes.LastIndexAny(data, ends)
	return slices.DeleteFunc(strings.FieldsFunc(string(data[:end+1]), func(r rune) bool { return r == '\n' || r == '\r' }),
		func(s string) bool { return s == "" })
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("list state\r\n\nversion\rquit"), uint8(1))
	f.Add([]byte("\n\n\r"), uint8(3))
	f.Add(bytes.Repeat([]byte("x"), 300), uint8(7))
	f.Add(append(bytes.Repeat([]byte("x\n"), 3000), 'y', '\n'), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, how uint8) {
		var from io.Reader = bytes.NewReader(data)
		switch how % 3 {
		case 1:
			from = iotest.OneByteReader(from)
		case 2:
			from = iotest.DataErrReader(iotest.HalfReader(from))
		}
		const most = 100
		r := reader{from: from, most: most}
		var got []string
		text, err := r.next()
		for ; err == nil; text, err = r.next() {
			got = append(got, text)
		}
		want := linesOf(data)
		if err == errLong {
			if len(want) > len(got) && len(want[len(got)]) <= most {
				t.Errorf("%q is too long", want[len(got)])
			}
			want = want[:len(got)]
		}
		if !slices.Equal(want, got) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func FuzzWords(f *testing.F) {
	f.Add("LIST  opstatus web,http")
	f.Add("ack g s 'it\\27s'")
	f.Fuzz(func(t *testing.T, text string) {
		word, rest := split(text)
		if strings.ContainsFunc(word, isBlank) || strings.TrimLeftFunc(rest, isBlank) != rest || !strings.HasSuffix(text, rest) {
			t.Errorf("%q: %q and %q", text, word, rest)
		}
		_ = quoted(rest)
	})
}

// FuzzSession sends anything, of a user who may do everything, and looks at the
// answers: each ends in a status line, and no line of data looks like one.
func FuzzSession(f *testing.F) {
	for _, s := range []string{
		"list opstatus\nlist watch\nlist deps\n", "set web http x '\\0a220 x'\nget web http x\n", "list aliases 220 b\nlist aliasgroups\r\n",
		"disable watch 220 \nenable host x1\nack web http x\n", "test monitor 220 \ntest monitor\ntest alert 220 http 1\n", "setview webview\nlist disabled\n",
		"login alice \xff\x00\nlist dtlog\nlist failurehist\nlist alerthist\n", "checkauth 999\nsavestate all\nterm\nversion\n", "\r\r\n\x00\nquit\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newSite(t)
		r.ended = make(chan struct{})
		ours, theirs := net.Pipe()
		s := r.session(t.Context(), theirs, netip.Addr{}, r.set)
		s.user = "alice"
		go func() {
			_, _ = ours.Write(data)
			_, _ = ours.Write([]byte("\nversion\nquit\n"))
		}()
		go s.run()
		defer ours.Close()
		commands := append(linesOf(append(bytes.Clone(data), '\n')), "version", "quit")
		checkAnswers(t, bufio.NewReader(ours), commands)
	})
}

// checkAnswers reads one answer for each command, up to the one that ends the
// connection.
func checkAnswers(t *testing.T, in *bufio.Reader, commands []string) {
	logins := 0
	for _, command := range commands {
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatalf("%q is not answered: %q, %v", command, line, err)
			}
			line = strings.TrimSuffix(line, "\n")
			if strings.Contains(line, "\r") {
				t.Errorf("%q is answered %q", command, line)
			}
			if !likeStatus([]byte(line)) {
				continue
			}
			if code := line[:3]; !slices.Contains([]string{"220", "500", "504", "520", "530"}, code) {
				t.Errorf("%q is answered %q", command, line)
			}
			if line == "530 login unsuccessful" {
				logins++
			}
			word, _ := split(command)
			if word == "quit" || logins == 10 || line == "220 terminating server" || line == "520 line too long" {
				if _, err := in.ReadByte(); err == nil {
					t.Errorf("something follows %q", line)
				}
				return
			}
			break
		}
	}
	t.Error("the connection was not ended")
}
