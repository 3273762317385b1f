package python

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"flag"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"

	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

var update = flag.Bool("update", false, "write the schema of the wire into mond.py")

var schema = regexp.MustCompile(`(?s)(_SCHEMA = """\n)(.*?)(""")`)

// TestSchema: mond.py speaks the wire that plugins/rpc speaks.
func TestSchema(t *testing.T) {
	want, err := proto.MarshalOptions{Deterministic: true}.Marshal(protodesc.ToFileDescriptorProto(pb.File_plugin_proto))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		write(t, want)
		return
	}
	m := schema.FindStringSubmatch(source)
	if m == nil {
		t.Fatal("mond.py has no _SCHEMA")
	}
	if got := unpack(t, m[2]); !bytes.Equal(got, want) {
		t.Error("the schema in mond.py is not that of plugin.proto: go test ./plugins/python -update")
	}
}

func unpack(t *testing.T, text string) []byte {
	t.Helper()
	packed, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(text, "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, b []byte) {
	t.Helper()
	var packed bytes.Buffer
	z, _ := zlib.NewWriterLevel(&packed, zlib.BestCompression) // the level is one
	_, _ = z.Write(b)                                          // to memory
	_ = z.Close()
	text, lines := base64.StdEncoding.EncodeToString(packed.Bytes()), strings.Builder{}
	for ; len(text) > 110; text = text[110:] {
		lines.WriteString(text[:110] + "\n")
	}
	lines.WriteString(text + "\n")
	next := schema.ReplaceAllString(source, "${1}"+lines.String()+"${3}")
	if err := os.WriteFile(FileName, []byte(next), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCookie: it is mond's.
func TestCookie(t *testing.T) {
	for _, want := range []string{rpc.CookieKey, `_COOKIE = "` + rpc.CookieValue + `"`, rpc.LifelineEnv, rpc.TimeoutEnv} {
		if !strings.Contains(source, want) {
			t.Errorf("mond.py has no %s", want)
		}
	}
}
