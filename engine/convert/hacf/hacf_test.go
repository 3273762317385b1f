package hacf

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
	"github.com/mondhq/mond/engine/convert/converttest"
)

var update = flag.Bool("update", false, "write the golden files")

// reader is that of a machine of that name.
func reader(name, self string) convert.Format {
	for _, f := range Formats(func() string { return self }) {
		if f.Name == name {
			return f
		}
	}
	panic(name)
}

// TestGolden: the guide's pair, and one with everything; the same comes out
// whichever of the two files is named.
func TestGolden(t *testing.T) {
	for _, tt := range []struct{ folder, file, self, golden string }{
		{"guide", Name, "lvs1.domain.com", "guide-lvs1.golden"},
		{"guide", Resources, "elsewhere", "guide-lvs1.golden"},
		{"guide", Name, "LVS2.domain.com", "guide-lvs2.golden"},
		{"full", Name, "lvs1", "full.golden"},
	} {
		path := filepath.Join("testdata", tt.folder, tt.file)
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r := reader(tt.file, tt.self).Read(path, src)
		text := strings.ReplaceAll(converttest.Report(t, r), "testdata/"+tt.folder+"/", "")
		converttest.Same(t, filepath.Join("testdata", tt.golden), text, *update && tt.file == Name)
		converttest.Means(t, r.File)
	}
}

func TestIs(t *testing.T) {
	for text, want := range map[string]bool{
		"node a b\nbcast eth0\n":  true,
		"# x\nnode a\n":           false,
		"node = a\n":              false,
		"lvs1 10.0.0.3 lvs mon\n": false,
		"hostgroup web 10.0.0.3\n\nwatch web\n  service x\n": false,
		"virtual = 10.0.0.3:80\n\treal = 10.0.0.4:80 gate\n": false,
		"": false,
	} {
		if Is([]byte(text)) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestRefuses(t *testing.T) {
	const nodes = "node a b\nbcast eth0\n"
	for _, tt := range []struct{ conf, resources, want string }{
		{"node a\nbcast eth0\n", "", "there are 1 nodes"},
		{"node a b\n", "", "there is no link between the directors"},
		{nodes + "keepalive often\n", "", `"often" is no time`},
		{nodes + "frob 1\n", "", `"frob" is no directive of heartbeat`},
		{nodes + "keepalive\n", "", "keepalive wants a value"},
		{nodes + "auto_failback maybe\n", "", `auto_failback "maybe"`},
		{nodes + "crm on\n", "", "the resources are Pacemaker's"},
		{nodes + "mcast eth0 10.0.0.1 694 1 0\n", "", "is no multicast group"},
		{nodes + "ucast eth1 lvs2\n", "", `"lvs2" is no address`},
		{nodes, "c 10.0.0.3\n", `"c" is no node`},
		{nodes, "a 10.0.0.3/33\n", "is no length of a prefix"},
		{nodes, "a IPaddr::lvs\n", "is no IP address"},
		{nodes, "a 10.0.0.3\nb 10.0.0.3\n", "10.0.0.3 is there already"},
		{nodes, strings.Repeat("a 10.0.0.@ x\n", 9), "there are 9 groups"},
	} {
		text := tt.resources
		for i := 1; strings.Contains(text, "@"); i++ {
			text = strings.Replace(text, "@", string(rune('0'+i)), 1)
		}
		dir := t.TempDir()
		path := filepath.Join(dir, Name)
		if err := os.WriteFile(filepath.Join(dir, Resources), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r := reader(Name, "a").Read(path, []byte(tt.conf))
		var b bytes.Buffer
		if err := r.Diagnostics.Write(&b); err != nil {
			t.Fatal(err)
		}
		if !r.Diagnostics.HasErrors() || !strings.Contains(b.String(), tt.want) {
			t.Errorf("%q, %q: want %q; %s", tt.conf, tt.resources, tt.want, &b)
		}
	}
}

// TestAlone: without haresources there are no addresses, which is told; without
// ha.cf there is no pair.
func TestAlone(t *testing.T) {
	r := reader(Name, "a").Read(filepath.Join(t.TempDir(), Name), []byte("node a b\nbcast eth0\n"))
	if r.Diagnostics.HasErrors() || !strings.Contains(r.Losses[0].Why, "there is no haresources beside it") {
		t.Errorf("%v, %v", r.Diagnostics, r.Losses)
	}
	r = reader(Resources, "a").Read(filepath.Join(t.TempDir(), Resources), []byte("a 10.0.0.3\n"))
	if err := r.Diagnostics.Err(); err == nil || !strings.Contains(err.Error(), "there is no ha.cf in the same folder") {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	for _, folder := range []string{"guide", "full"} {
		conf, _ := os.ReadFile(filepath.Join("testdata", folder, Name))
		resources, _ := os.ReadFile(filepath.Join("testdata", folder, Resources))
		f.Add(string(conf), string(resources))
	}
	f.Add("node a b\nucast x y\nucast x\nbcast", "a 1.1.1.1\\\n\\\n\\\nb::c\\")
	f.Fuzz(func(t *testing.T, conf, resources string) {
		p := pair{conf: source{Name, []byte(conf)}, resources: source{Resources, []byte(resources)}, self: "a"}
		r := read(p, Name)
		if got, want := strings.Count(joined(resources), "\n"), strings.Count(resources, "\n"); got > want {
			t.Errorf("joined lines: %d, before %d", got, want)
		}
		if r.Diagnostics.HasErrors() {
			return
		}
		if _, diags := config.Parse(Name, config.Format(r.WithReport().Standalone())); diags.HasErrors() {
			t.Errorf("mond cannot read it: %v", diags.Err())
		}
	})
}
