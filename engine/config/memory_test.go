package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// memoryBlocks are what a file of TestMemory is put together of: those of one kind
// are the forms that one block may have.
func memoryBlocks() [][]string {
	return [][]string{
		{"", "table = by-role\n", "ipvs_timeouts = udp=30,tcp=900\n", "maintenance_dir = /m\n", "ipvs_sync = interface=eth1\n", "notify = always\n"},
		{
			"template all w=5\n    scheduler wlc\n    real 192.168.0.1 weight 5\n    real 192.168.0.2 weight $w\n    check http\n        monitor http.monitor -p $port\n",
			"template all w=5\n    scheduler rr\n    real 192.168.0.1 weight 5\n    check http\n        monitor http.monitor -p $port\n        weight_from exit\n",
			"template all w=5\n    scheduler rr\n    real 192.168.0.1 weight 5\n    check\n        monitor http.monitor -p $port\n    check http\n        monitor http.monitor -p $port -u /\n", // differs
			"template all w=5\n    real 192.168.0.1 weight $w\n    check http\n        weight_from exit\n        monitor http.monitor -p $port\n",
		},
		{"", "hostgroup 192.168.0.1 192.168.0.1\n", "watch 192.168.0.1\n    service http\n        interval 10s\n        monitor http.monitor -p 80\n", "hostgroup other a b\n" /* warns */},
		{"virtual one\n    address tcp 10.0.0.1:80\n    use all\n", "", "virtual one\n    address tcp 10.0.0.1:80\n    real 192.168.0.9\n    use all w=3\n"},
		{
			"virtual two\n    address udp 10.0.0.2:80\n    description the $virtual\n    drain 1m\n    real 192.168.0.1 weight 7\n    maintenance_dir m\n    check http\n        monitor http.monitor -p $port\n    check ping\n        monitor fping.monitor\n",
			"virtual two\n    address udp 10.0.0.2:80\n    description the $virtual\n    drain 1m\n    real 192.168.0.1 weight 8\n    maintenance_dir m\n    check http\n        monitor http.monitor -p $port\n    check ping\n        monitor fping.monitor\n",
			"virtual two\n    address udp 10.0.0.2:80\n    # no checks\n    real 192.168.0.1 weight 8\n",
			"",
		},
		{
			"virtual three\n    address fwmark 3\n    real 192.168.0.1:80 weight 7 forward nat\n    quorum 20\n    check http\n        monitor http.monitor -p $port\n", // warns
			"virtual three\n    address fwmark 3\n    real 192.168.0.3:80 name three\n    real 192.168.0.4:80\n    period\n        alert mail.alert root\n    check http\n        on three\n        monitor http.monitor -p $port\n        weight_from exit\n",
			"virtual three\n    address fwmark 3\n    real 192.168.0.3:80\n    netns blue\n    maintenance_at * wd {Sun}\n",
			"virtual three\n    address tcp 10.0.0.4:80\n    real 192.168.0.3\n    check\n        monitor http.monitor -p $port\n        through\n",
			"virtual three\n    address tcp 10.0.0.1:80\n    real 192.168.0.3\n",                                                                             // that of one
			"virtual three\n    address tcp 10.0.0.4:80\n    real 2001:db8::1\n",                                                                             // of two families
			"virtual three\n    address tcp 10.0.0.4:80\n    real 192.168.0.1\n    check http\n        monitor http.monitor -p $port\n        interval 1s\n", // differs
		},
	}
}

// TestMemory reads files that follow each other with a memory and without: they mean
// the same, and what there is to say is the same as soon as nothing is remembered.
func TestMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mon.cf")
	rapid.Check(t, func(t *rapid.T) {
		blocks := memoryBlocks()
		is, order := make([]int, len(blocks)), []int{3, 4, 5}
		with := bare()
		with.Memory = &Memory{}
		for range rapid.IntRange(2, 12).Draw(t, "steps") {
			switch k := rapid.IntRange(0, len(blocks)+1).Draw(t, "kind"); {
			case k < len(blocks):
				is[k] = rapid.IntRange(0, len(blocks[k])-1).Draw(t, "form")
			case k == len(blocks):
				order = rapid.Permutation(order).Draw(t, "order")
			}
			var b strings.Builder
			b.WriteString("syntax = mond\n" + strings.Repeat("\n", rapid.IntRange(0, 2).Draw(t, "shift")))
			for _, k := range append([]int{0, 1, 2}, order...) {
				b.WriteString(blocks[k][is[k]] + "\n")
			}
			save(t, path, b.String())
			want, told := Load(t.Context(), path, bare())
			got, said := Load(t.Context(), path, with)
			if (len(told) > 0) != (len(said) > 0) {
				t.Fatalf("said %s, want %s, of\n%s", printed(said), printed(told), b.String())
			}
			if diff := cmp.Diff(want, got, alike()...); diff != "" {
				t.Fatalf("with a memory it means something else: %s\n%s", diff, b.String())
			}
			if len(said) > 0 && with.Memory.Used() {
				with.Memory.Forget()
				if _, said = Load(t.Context(), path, with); printed(said) != printed(told) {
					t.Fatalf("said %s, want %s", printed(said), printed(told))
				}
			}
		}
	})
}

func save(t interface{ Fatal(...any) }, path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What did not change is the same; what runs by the last configuration is not
// changed by reading the next.
func TestMemoryKeeps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mon.cf")
	o := bare()
	o.Memory = &Memory{}
	load := func(text string) *Config {
		t.Helper()
		save(t, path, text)
		c, diag := Load(t.Context(), path, o)
		if len(diag) > 0 {
			t.Fatal(printed(diag))
		}
		return c
	}
	const first, more = "syntax = mond\nipvs_timeouts = udp=30\n\n", "\nvirtual two\n    address tcp 10.0.0.9:80\n    real 192.168.0.1\n"
	text := strings.TrimPrefix(shared(20), "syntax = mond\n")
	a := load(first + text)
	if o.Memory.Used() {
		t.Error("something is remembered of nothing")
	}
	b := load(first + "\n# further down\n" + text + more)
	if !o.Memory.Used() || len(b.Virtuals) != 21 {
		t.Fatalf("remembered: %v; %d virtual services", o.Memory.Used(), len(b.Virtuals))
	}
	for i, v := range a.Virtuals[1:] { // the first has the table's limits
		if b.Virtuals[1+i] != v {
			t.Errorf("virtual %s was made anew", v.Name)
		}
	}
	if n := len(b.Virtuals[0].Rows); n != 2 {
		t.Errorf("%d rows, want its own and one for the limits", n)
	}
	old := fmt.Sprintf("%+v", *a.Virtuals[3])
	c := load(first + strings.Replace(text, "address tcp 10.0.3.3:80", "address tcp 10.0.3.3:80\n    quorum 2", 1) + more)
	if c.Virtuals[3] == a.Virtuals[3] || c.Virtuals[3].Pool.Quorum == a.Virtuals[3].Pool.Quorum {
		t.Error("what changed is as before")
	}
	d := load(strings.Replace(first, "30", "30\nmaintenance_dir = /m", 1) + text + more)
	if d.Virtuals[3].MaintenanceDir != "/m" {
		t.Errorf("maintenancedir %q, want /m", d.Virtuals[3].MaintenanceDir)
	}
	if is := fmt.Sprintf("%+v", *a.Virtuals[3]); is != old {
		t.Errorf("what runs was changed:\n%s\nwas\n%s", is, old)
	}
}

// A memory does not hold on to files without end.
func TestMemoryEnds(t *testing.T) {
	var m Memory
	m.begin(maxHeld/2, "")
	for i, used := range []bool{true, false, true} {
		m.keep([]*pool{{virtualDraft: &virtualDraft{text: "a"}}}, poolSettings{})
		m.used = false
		m.begin(maxHeld/2, "")
		m.take("a")
		if m.Used() != used {
			t.Errorf("reading %d: used %v, want %v", i, m.Used(), used)
		}
	}
}
