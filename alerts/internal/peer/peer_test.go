package peer

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSplit(t *testing.T) {
	rows := []struct{ text, host, port string }{
		{"a", "a", "514"},
		{"a.example.com:99", "a.example.com", "99"},
		{"192.0.2.1", "192.0.2.1", "514"},
		{"::1", "::1", "514"},
		{"[::1]", "::1", "514"},
		{"[::1]:99", "::1", "99"},
		{"fe80::1%eth0", "fe80::1%eth0", "514"},
		{"", "", ""},
		{":99", "", ""},
		{"a:", "", ""},
		{"a:0", "", ""},
		{"a:65536", "", ""},
		{"a:http", "", ""},
		{"a:+9", "", ""},
		{"a b", "", ""},
		{"a:b:c", "", ""},
		{"-a", "", ""},
		{"http://a", "", ""},
	}
	for _, r := range rows {
		host, port, err := Split(r.text, "514")
		if host != r.host || port != r.port || (err == nil) != (r.host != "") {
			t.Errorf("%q: %q, %q, %v", r.text, host, port, err)
		}
	}
}

func TestDatagram(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := c.LocalAddr().String()
	if err := Datagram(t.Context(), address, []byte("one")); err != nil {
		t.Error(err)
	}
	b := make([]byte, 10)
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, _, err := c.ReadFrom(b); err != nil || string(b[:n]) != "one" {
		t.Errorf("%q, %v", b, err)
	}
	_ = c.Close()
	if err := Datagram(t.Context(), address, []byte("two")); err == nil {
		t.Error("sent to nobody")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Datagram(ctx, address, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := Datagram(t.Context(), address, make([]byte, 70_000)); err == nil {
		t.Error("a packet of 70,000 bytes was sent")
	}
}
