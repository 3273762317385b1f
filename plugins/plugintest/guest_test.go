package plugintest

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func TestAddress(t *testing.T) {
	for line, want := range map[string]string{
		"1|1|unix|/run/p|grpc\n":       "/run/p",
		"1|1|unix|/run/p|grpc||true\n": "/run/p",
		"1|2|unix|/run/p|grpc|":        "",
		"1|1|tcp|127.0.0.1:3|grpc|":    "",
		"1|1|unix|/run/p|netrpc|":      "",
		"knock.monitor: starting\n":    "",
		"":                             "",
	} {
		got, err := address(line)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", line, got, err)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("1|1|unix|/run/p|grpc||true\n")
	f.Add("||||")
	f.Fuzz(func(t *testing.T, line string) {
		if got, err := address(line); err == nil && !strings.Contains(line, "|unix|"+got+"|grpc") {
			t.Errorf("%q: %q", line, got)
		}
	})
}

// stdio is a message of go-plugin with data for a channel.
func stdio(channel uint64, data string) []byte {
	b := protowire.AppendTag(nil, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, channel)
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	return protowire.AppendString(b, data)
}

func TestPrinted(t *testing.T) {
	for _, tt := range []struct {
		message []byte
		want    string
	}{
		{stdio(1, "hello"), "hello"},
		{stdio(2, "to standard error"), ""},
		{append(protowire.AppendVarint(protowire.AppendTag(nil, 9, protowire.VarintType), 3), stdio(1, "x")...), "x"},
		{stdio(1, "cut")[:5], ""},
		{nil, ""},
	} {
		if got := string(printed(tt.message)); got != tt.want {
			t.Errorf("%x: %q, want %q", tt.message, got, tt.want)
		}
	}
}

func FuzzPrinted(f *testing.F) {
	f.Add(stdio(1, "hello"))
	f.Add([]byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := printed(b); len(got) > len(b) {
			t.Errorf("%x: %x", b, got)
		}
	})
}
