package role

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/plugins/getopt"
)

// same compares netip's values by themselves.
var same = cmp.Options{
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
}

func TestParseAddress(t *testing.T) {
	ip, pfx := netip.MustParseAddr, netip.MustParsePrefix
	for _, tt := range []struct {
		word, text string // text: as String has it, where it differs
		want       Address
	}{
		{"10.0.0.3", "10.0.0.3/32", Address{Prefix: pfx("10.0.0.3/32")}},
		{"10.0.0.3/24", "", Address{Prefix: pfx("10.0.0.3/24")}},
		{"10.0.0.3/255.255.255.0", "10.0.0.3/24", Address{Prefix: pfx("10.0.0.3/24")}},
		{"10.0.0.3/24/eth0", "", Address{Prefix: pfx("10.0.0.3/24"), Device: "eth0"}},
		{"10.0.0.3//eth0", "10.0.0.3/32/eth0", Address{Prefix: pfx("10.0.0.3/32"), Device: "eth0"}},
		{"10.0.0.3/24/eth0:lvs", "", Address{Prefix: pfx("10.0.0.3/24"), Device: "eth0", Label: "eth0:lvs"}},
		{"10.0.0.3/24/eth0:lvs/10.0.0.255", "", Address{Prefix: pfx("10.0.0.3/24"), Device: "eth0", Label: "eth0:lvs", Broadcast: ip("10.0.0.255")}},
		{"10.0.0.3/24/eth0/10.0.0.255", "", Address{Prefix: pfx("10.0.0.3/24"), Device: "eth0", Broadcast: ip("10.0.0.255")}},
		{"10.0.0.3/24/10.0.0.255", "", Address{Prefix: pfx("10.0.0.3/24"), Broadcast: ip("10.0.0.255")}},
		{"10.0.0.3/24//10.0.0.255", "10.0.0.3/24/10.0.0.255", Address{Prefix: pfx("10.0.0.3/24"), Broadcast: ip("10.0.0.255")}},
		{"10.0.0.3/32/lo", "", Address{Prefix: pfx("10.0.0.3/32"), Device: "lo"}},
		{"10.0.0.3/32/bond0.12", "", Address{Prefix: pfx("10.0.0.3/32"), Device: "bond0.12"}},
		{"10.0.0.3/31", "", Address{Prefix: pfx("10.0.0.3/31")}},
		{"2001:db8::3", "2001:db8::3/128", Address{Prefix: pfx("2001:db8::3/128")}},
		{"2001:DB8:0::3/128/eth0", "2001:db8::3/128/eth0", Address{Prefix: pfx("2001:db8::3/128"), Device: "eth0"}},
		{"fe80::3/64/eth1", "", Address{Prefix: pfx("fe80::3/64"), Device: "eth1"}},
	} {
		got, err := ParseAddress(tt.word)
		if err != nil {
			t.Errorf("%s: %v", tt.word, err)
			continue
		}
		if d := cmp.Diff(tt.want, got, same); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.word, d)
		}
		if tt.text == "" {
			tt.text = tt.word
		}
		if got.String() != tt.text {
			t.Errorf("%s: String is %s, want %s", tt.word, got, tt.text)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for word, want := range map[string]string{
		"":                              `address "": "" is no IP address; say ip[/bits`,
		"lvs1":                          `"lvs1" is no IP address`,
		"10.0.0.300":                    `is no IP address`,
		"10.0.0.3/33":                   `"33" is no length of a prefix: it goes from 1 to 32`,
		"10.0.0.3/0":                    `from 1 to 32`,
		"10.0.0.3/-1":                   `from 1 to 32`,
		"2001:db8::3/129":               `from 1 to 128`,
		"10.0.0.3/255.0.255.0":          `no netmask: say its bits`,
		"10.0.0.3/eth0":                 `"eth0" is no length`,
		"10.0.0.0/24":                   `the network 10.0.0.0/24 itself`,
		"10.0.0.255/24":                 `its broadcast address`,
		"0.0.0.0":                       `no address of a station`,
		"127.0.0.1":                     `loopback network`,
		"224.0.0.1":                     `multicast`,
		"255.255.255.255":               `the broadcast address`,
		"::1":                           `loopback`,
		"ff02::1":                       `multicast`,
		"::ffff:10.0.0.3":               `say 10.0.0.3`,
		"fe80::3%eth0":                  `say fe80::3/64/eth0 instead of a zone`,
		"fe80::3":                       `needs its interface: say fe80::3/64/eth0`,
		"10.0.0.3/24/":                  `the interface is missing`,
		"10.0.0.3/24/:lvs":              `the interface is missing`,
		"10.0.0.3/24/eth0:":             `the label behind "eth0:" is missing`,
		"10.0.0.3/24/eth0:aaaaaaaaaaaa": `not at most 15 letters`,
		"10.0.0.3/24/abcdefghijklmnop":  `no name of an interface`,
		"10.0.0.3/24/..":                `no name of an interface`,
		"10.0.0.3/24/eth 0":             `no name of an interface`,
		"2001:db8::3/64/eth0:lvs":       `an IPv6 address has none; say eth0`,
		"2001:db8::3/64/eth0/10.0.0.1":  `only IPv4 has one`,
		"10.0.0.3/24/eth0/10.0.1.255":   `not in the network 10.0.0.0/24: say 10.0.0.255`,
		"10.0.0.3/24/eth0/10.0.0.3":     `the address itself`,
		"10.0.0.3/24/eth0/eth0":         `no broadcast address`,
		"10.0.0.3/24/eth0/::1":          `only IPv4`,
		"10.0.0.3/24/eth0/10.0.0.255/x": `more than four parts`,
		"10.0.0.3/24/10.0.0.255/eth0":   `"eth0" is no broadcast address`,
	} {
		_, err := ParseAddress(word)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), strconv.Quote(word)) {
			t.Errorf("%q: %v, want %q", word, err, want)
		}
	}
}

func TestParseGroup(t *testing.T) {
	a, _ := ParseAddress("10.0.0.3/32/eth0")
	b, _ := ParseAddress("10.0.0.4/32/eth0")
	plain := Group{Name: "10.0.0.3", Addresses: []Address{a}, Refresh: time.Minute, Priority: 100, Failback: FailbackOff, Conflict: Refuse, ProgramLimit: 10 * time.Second}
	full := Group{
		Name: "web", Addresses: []Address{a, b},
		Routes: [][]string{{"default", "via", "10.0.0.1", "src", "10.0.0.3"}}, Rules: [][]string{{"from", "10.0.0.3", "table", "5"}, {"to", "10.9.0.0/16"}},
		Tell:    []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")},
		Refresh: 30 * time.Second, Priority: 0, Failback: FailbackAfter, After: 5 * time.Minute, Conflict: Takeover,
		OnTake: [][]string{{"/bin/a", "-x", "1"}, {"/bin/b"}}, OnRelease: [][]string{{"/bin/c"}}, ProgramLimit: 2 * time.Second,
	}
	full.Addresses[0].Router, full.Addresses[1].Router = true, true
	fullArgs := []string{
		"--group", "web", "--priority=0", "-failback", "5m", "--conflict", "takeover", "--route", "default  via 10.0.0.1 src 10.0.0.3",
		"--rule", "from 10.0.0.3 table 5", "--rule", "to 10.9.0.0/16", "--tell", "10.0.0.1,2001:db8::1", "--tell", "10.0.0.1", "--refresh", "30s",
		"--on-take", "/bin/a -x 1", "--on-take", "/bin/b", "--on-release", "/bin/c", "--program-limit", "2s", "--router", "--", "10.0.0.3/32/eth0", "10.0.0.4/32/eth0",
	}
	off := plain
	off.Refresh, off.Failback, off.Name = 0, FailbackNow, "role:a.b-c_d"
	for name, tt := range map[string]struct {
		args []string
		want Group
	}{
		"one address":            {[]string{"10.0.0.3/32/eth0"}, plain},
		"everything":             {fullArgs, full},
		"off, and the last word": {[]string{"--refresh", "0", "--failback", "5m", "--failback", "now", "--group", "x", "--group", "role:a.b-c_d", "10.0.0.3/32/eth0"}, off},
	} {
		got, err := ParseGroup(tt.args)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(tt.want, got, same); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestParseGroupRefuses(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "no address: say ip[/bits"},
		{[]string{"--group", "web"}, "no address"},
		{[]string{"--group", "", "10.0.0.3"}, "option --group: \"\": a name is 1 to 64"},
		{[]string{"--group", "a b", "10.0.0.3"}, "option --group"},
		{[]string{"--priority", "256", "10.0.0.3"}, `option --priority: "256": say a number from 0 to 255`},
		{[]string{"--priority", "-1", "10.0.0.3"}, "from 0 to 255"},
		{[]string{"--failback", "on", "10.0.0.3"}, "say off, now, or a time"},
		{[]string{"--failback", "0s", "10.0.0.3"}, "say off, now, or a time"},
		{[]string{"--conflict", "fence", "10.0.0.3"}, "say refuse or takeover"},
		{[]string{"--route", " ", "10.0.0.3"}, "option --route: \" \": it is empty"},
		{[]string{"--route", "ip route add default", "10.0.0.3"}, `leave out "ip": say what comes behind "ip route add"`},
		{[]string{"--rule", "add from 10.0.0.3", "10.0.0.3"}, `leave out "add": say what comes behind "ip rule add"`},
		{[]string{"--route", "-6 default", "10.0.0.3"}, `leave out "-6"`},
		{[]string{"--tell", "router", "10.0.0.3"}, `"router" is no IP address`},
		{[]string{"--tell", "10.0.0.1,", "10.0.0.3"}, `"" is no IP address`},
		{[]string{"--tell", "224.0.0.1", "10.0.0.3"}, "multicast"},
		{[]string{"--tell", "fe80::1%eth0", "10.0.0.3"}, "leave the zone out"},
		{[]string{"--refresh", "10ms", "10.0.0.3"}, "from 1s to 24h, or 0"},
		{[]string{"--refresh", "60", "10.0.0.3"}, "from 1s to 24h"},
		{[]string{"--on-take", "mkdir x", "10.0.0.3"}, "say the program's whole path, such as /etc/mond/mkdir"},
		{[]string{"--on-release", `/bin/sh -c "x y"`, "10.0.0.3"}, "no shell reads it"},
		{[]string{"--on-take", "/bin/x\n", "10.0.0.3"}, "control character"},
		{[]string{"--program-limit", "1h", "10.0.0.3"}, "from 100ms to 1m"},
		{[]string{"--nosuch", "10.0.0.3"}, "option --nosuch: there is no such option"},
		{[]string{"10.0.0.3", "--router"}, "options go before the addresses"},
		{[]string{"10.0.0.3", "10.0.0.3/24/eth0"}, `address "10.0.0.3/24/eth0": 10.0.0.3 is named twice`},
	} {
		if _, err := ParseGroup(tt.args); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.args, err, tt.want)
		}
	}
	_, err := ParseGroup([]string{"--priority", "x", "10.0.0.3"})
	if e, ok := errors.AsType[*getopt.Error](err); !ok || e.Index != 1 {
		t.Errorf("the error of an option is %#v, want its place", err)
	}
	_, err = ParseGroup([]string{"--priority", "3", "10.0.0.3", "10.0.0.256"})
	if e, ok := errors.AsType[*AddressError](err); !ok || e.Index != 3 {
		t.Errorf("the error of an address is %#v, want its place", err)
	}
}

// TestArgsLeaveOutDefaults: a line that says little stays one.
func TestArgsLeaveOutDefaults(t *testing.T) {
	g, err := ParseGroup([]string{"--group=10.0.0.3", "--priority", "100", "10.0.0.3"})
	if err != nil || !slices.Equal(g.Args(), []string{"10.0.0.3/32"}) {
		t.Errorf("%q, %v", g.Args(), err)
	}
}

// TestArgsRoundTrip: what Args says, ParseGroup reads as the same group.
func TestArgsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyGroup(t)
		got, err := ParseGroup(want.Args())
		if err != nil {
			t.Fatalf("%q: %v", want.Args(), err)
		}
		if d := cmp.Diff(want, got, same); d != "" {
			t.Fatalf("%q (-want +got):\n%s", want.Args(), d)
		}
	})
}

func anyGroup(t *rapid.T) Group {
	word := rapid.StringMatching(`[a-z0-9.:/-]{0,8}[a-z0-9]`)
	lists := func(label, first string) (out [][]string) {
		for range rapid.IntRange(0, 2).Draw(t, label) {
			out = append(out, append([]string{first}, rapid.SliceOfN(word, 0, 4).Draw(t, label)...))
		}
		return out
	}
	g := Group{
		Name: rapid.StringMatching(`[A-Za-z0-9._:-]{1,64}`).Draw(t, "name"), Routes: lists("routes", "default"), Rules: lists("rules", "from"),
		Refresh:  time.Duration(rapid.IntRange(0, 86400).Draw(t, "refresh")) * time.Second,
		Priority: rapid.Uint8().Draw(t, "priority"), Failback: rapid.SampledFrom([]Failback{FailbackOff, FailbackNow, FailbackAfter}).Draw(t, "failback"),
		Conflict: rapid.SampledFrom([]Conflict{Refuse, Takeover}).Draw(t, "conflict"), OnTake: lists("take", "/a/b"), OnRelease: lists("release", "/c"),
		ProgramLimit: time.Duration(rapid.IntRange(100, 60000).Draw(t, "limit")) * time.Millisecond,
	}
	if g.Failback == FailbackAfter {
		g.After = time.Duration(rapid.IntRange(1, 86400).Draw(t, "after")) * time.Second
	}
	router := rapid.Bool().Draw(t, "router")
	for range rapid.IntRange(1, 5).Draw(t, "addresses") {
		if a := anyAddress(t); !g.has(a.Prefix.Addr()) {
			a.Router = router
			g.Addresses = append(g.Addresses, a)
			g.Tell = append(g.Tell, a.Prefix.Addr())
		}
	}
	return g
}

func anyAddress(t *rapid.T) Address {
	host := byte(rapid.IntRange(2, 200).Draw(t, "host"))
	a := Address{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, host | 1}), rapid.SampledFrom([]int{8, 24, 32}).Draw(t, "bits"))}
	a.Device = rapid.SampledFrom([]string{"", "eth0", "bond0.123"}).Draw(t, "device")
	if rapid.Bool().Draw(t, "v6") {
		a.Prefix = netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, 15: host}), rapid.SampledFrom([]int{64, 128}).Draw(t, "bits6"))
		return a
	}
	if a.Device != "" && rapid.Bool().Draw(t, "label") {
		a.Label = a.Device + ":lvs"
	}
	if rapid.Bool().Draw(t, "broadcast") && a.Prefix.Bits() == 24 {
		a.Broadcast = lastOf(a.Prefix)
	}
	return a
}

// FuzzParseGroup: whatever the words, what is read is read again from Args.
func FuzzParseGroup(f *testing.F) {
	f.Add("--group web --tell 10.0.0.1,10.0.0.2 10.0.0.3/24/eth0:lvs/10.0.0.255 2001:db8::3/128/eth0")
	f.Add("-priority=3 --router -- 10.0.0.3/255.255.255.0/eth0")
	f.Add("--failback 1h5m --refresh 0 10.0.0.3//lo 10.0.0.4/24//10.0.0.255")
	f.Fuzz(func(t *testing.T, line string) {
		g, err := ParseGroup(strings.Split(line, " "))
		if err != nil {
			return
		}
		again, err := ParseGroup(g.Args())
		if err != nil || !reflect.DeepEqual(g, again) {
			t.Errorf("%q: %q: %v\n%+v\n%+v", line, g.Args(), err, g, again)
		}
	})
}
