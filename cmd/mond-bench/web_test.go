package main

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// TestWeb: an answer and a visit for each request, and no visit without one.
func TestWeb(t *testing.T) {
	seen := &visits{last: map[uint32]time.Time{}}
	port, err := listenWeb(seen)
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"} {
		c, err := net.Dial("tcp", fmt.Sprintf("127.1.2.3:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, request)
		want := reply
		if request == "" {
			want = ""
			_ = c.(*net.TCPConn).CloseWrite()
		}
		if got, err := io.ReadAll(c); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", request, got, err)
		}
		c.Close()
	}
	if w := seen.window(); w.Checks != 2 || w.P50 == 0 {
		t.Errorf("%+v, want two checks and a gap", w)
	}
}
