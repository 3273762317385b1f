package heartbeat

import (
	"flag"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/member"
	"github.com/mondhq/mond/plugins/getopt"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
)

// configure reads a command line.
func configure(words string) (*heart, error) {
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	h := New(fs).(*heart)
	if _, err := getopt.Parse(fs, strings.Fields(words)); err != nil {
		return h, err
	}
	return h, h.Validate()
}

const enough = "--node 1 --peer 2 --keys /k --link a=udp:10.0.0.1,10.0.0.2 "

const (
	asksThird = "--witness 3=udp:10.0.0.1,10.0.0.9 "
	judge     = "--node 3 --keys /k --director 1=udp:10.0.0.9,10.0.0.1 --director 2=udp:10.0.0.9,10.0.0.2 "
)

func TestOptions(t *testing.T) {
	for words, want := range map[string]string{
		"":                  "",
		"--lease-alone 3s":  "",
		enough:              "",
		"--node 1":          "", // alone
		"--node 1 --peer 2": "--keys is missing",
		"--peer 2 --link a=udp:10.0.0.1,10.0.0.2 --keys /k":      "--node is missing",
		"--node 1 --link a=bcast:eth0":                           "--peer is missing",
		"--node 0":                                               "want a number from 1 to 255",
		"--node 256":                                             "want a number from 1 to 255",
		"--node 2 --peer 2 --keys /k --link a=bcast:eth0":        "both directors have node number 2",
		enough + "--link a=bcast:eth0":                           "a second link a",
		enough + "--link b=tcp:1":                                "no kind of link",
		enough + "--interval 10ms":                               "",
		enough + "--interval 9ms":                                "want a time from 10ms",
		enough + "--interval 100ms --dead 200ms":                 "less than 3 beats",
		enough + "--dead 10s --initdead 5s":                      "initial dead time",
		enough + "--lease 500ms":                                 "want a time from 1s",
		enough + "--lease 3":                                     "",
		enough + "--lease 0":                                     "want a time from 1s",
		enough + "--lease-alone 0":                               "",
		enough + "--lossy 25":                                    "want a number from 1 to 24",
		enough + "--max-changes 0":                               "want a number from 1",
		enough + "--neighbour web":                               "want the IP address",
		enough + "--neighbour 10.0.0.9 --neighbour ::9":          "",
		enough + "--cluster=":                                    "--cluster is missing",
		enough + asksThird:                                       "",
		enough + asksThird + "--witness 3=udp:10.1.0.1,10.1.0.9": "",
		enough + asksThird + "--witness 4=udp:10.0.0.1,10.0.0.9": "one witness for a pair",
		enough + "--witness 2=udp:10.0.0.1,10.0.0.9":             "node 2 is one of the two",
		enough + "--witness w=udp:10.0.0.1,10.0.0.9":             "no number of a node",
		enough + "--witness 3=bcast:eth0":                        "want NODE=udp:LOCAL,PEER",
		"--node 1 " + asksThird:                                  "a single director needs no witness",
		judge:                                                    "",
		judge + "--dead 10s":                                     "",
		judge + enough:                                           "which is no director",
		"--node 3 --director 1=udp:10.0.0.9,10.0.0.1":            "--keys is missing",
		"--node 3 --keys /k --director 1=udp:10.0.0.9,10.0.0.1":  "one is named",
		judge + "--director 3=udp:10.0.0.9,10.0.0.3":             "is this witness itself",
	} {
		_, err := configure(words)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", words, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %s", words, err, want)
		}
	}
	nine := enough
	for _, name := range strings.Fields("b c d e f g h i") {
		nine += "--link " + name + "=bcast:" + name + " "
	}
	if _, err := configure(nine); err == nil || !strings.Contains(err.Error(), "more than 8 links") {
		t.Errorf("nine links: %v", err)
	}
	h, err := configure(enough + "--lease 2.5 --name lvs1")
	if err != nil || h.lease.value != 2500*time.Millisecond || h.config(1, 1).SelfName != "lvs1" {
		t.Errorf("%v, %+v", err, h)
	}
}

func TestOrders(t *testing.T) {
	var known orders
	show := func(list ...role.Order) []member.Ordered { return known.news(list) }
	hold := role.Order{Group: "web", Verb: role.Hold, Serial: 4}
	all := role.Order{Verb: role.Standby, Serial: 3}
	for _, c := range []struct {
		name string
		list []role.Order
		want []member.Ordered
	}{
		{"the older first", []role.Order{hold, all}, []member.Ordered{{Order: member.OrderStandby}, {Group: "web", Order: member.OrderHold}}},
		{"told again", []role.Order{hold, all}, nil},
		{"again by an operator", []role.Order{{Group: "web", Verb: role.Hold, Serial: 5}, all}, []member.Ordered{{Group: "web", Order: member.OrderHold}}},
		{"one ends", []role.Order{all}, []member.Ordered{{Group: "web", Order: member.OrderAuto}}},
		{"once", []role.Order{all, {Group: "web", Verb: role.Release, Serial: 6}}, []member.Ordered{{Group: "web", Order: member.OrderRelease}}},
		{"and gone", []role.Order{all}, nil},
		{"off, then nothing", []role.Order{{Verb: role.Off, Serial: 7}}, []member.Ordered{{Order: member.OrderOff}}},
		{"none", nil, []member.Ordered{{Order: member.OrderAuto}}},
	} {
		if got := show(c.list...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "keys")
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"good":          {"auth 1\n1 a-secret-of-this-test\n", 0o600, ""},
		"readable":      {"auth 1\n1 a-secret-of-this-test\n", 0o640, "chmod 600"},
		"empty":         {"", 0o600, "auth"},
		"of heartbeat":  {"auth 1\n1 sha1 secret\n", 0o600, "line 2"},
		"short":         {"auth 1\n1 secret\n", 0o600, "16 or more"},
		"much too long": {strings.Repeat("#\n", maxKeyFile), 0o600, "no key file"},
	} {
		if err := os.WriteFile(file, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := loadKeys(file)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "a-secret") {
			t.Errorf("%s: the secret is in %v", name, err)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "none")} {
		if _, err := loadKeys(path); err == nil {
			t.Errorf("%s is no key file", path)
		}
	}
}

func TestEpochs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "epoch")
	if n := readEpoch(file); n != 1 {
		t.Errorf("none: %d", n)
	}
	if err := writeEpoch(file, 5001); err != nil || readEpoch(file) != 5001 {
		t.Errorf("%v, %d", err, readEpoch(file))
	}
	for _, text := range []string{"", "x", "-1", "99999999999999999999", "281474976710655"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if n := readEpoch(file); n != 1 {
			t.Errorf("%q: %d", text, n)
		}
	}
	if err := writeEpoch(filepath.Join(t.TempDir(), "none", "epoch"), 1); err == nil {
		t.Error("it was written where nothing is")
	}
}

// TestVoice: what is wrong with any service is what is wrong with the one of the
// file, and it is told when it changes.
func TestVoice(t *testing.T) {
	told := map[string]monitor.Result{}
	count := 0
	v := voice{say: func(s string, r monitor.Result) { told[s], count = r, count+1 }}
	v.report(member.Report{Service: "peer", Code: "alive", Summary: "node 2 is alive"}, nil)
	v.report(member.Report{Service: "role-web", Code: "holding", Summary: "holding: it is"}, nil)
	if r := told[""]; r.Failing() || r.Warn || r.Summary != "web holding" {
		t.Errorf("%+v", r)
	}
	v.report(member.Report{Service: "link-a", Level: member.Bad, Code: "dead", Summary: "nothing was heard"}, nil)
	if r := told[""]; !r.Failing() || !strings.Contains(r.Summary, "link-a: dead") || !strings.Contains(r.Detail, "nothing was heard") {
		t.Errorf("%+v", r)
	}
	v.report(member.Report{Service: "link-a", Level: member.Warn, Code: "left", Summary: "left"}, nil)
	if r := told[""]; r.Failing() || !r.Warn {
		t.Errorf("%+v", r)
	}
	v.report(member.Report{Service: "link-a", Code: "ok", Summary: "0 % lost"}, nil)
	before := count
	v.report(member.Report{Service: "link-a", Code: "ok", Summary: "0 % lost"}, nil)
	if count != before+1 {
		t.Errorf("%d words about nothing new", count-before)
	}
	v.keys(os.ErrNotExist)
	if r := told[""]; !r.Failing() || !strings.Contains(r.Summary, "stay in use") {
		t.Errorf("%+v", r)
	}
	v.keys(nil)
	if r := told[""]; r.Failing() {
		t.Errorf("%+v", r)
	}
	if got := slices.Sorted(maps.Keys(told)); !slices.Equal(got, []string{"", "link-a", "peer", "role-web"}) {
		t.Errorf("%q", got)
	}
}
