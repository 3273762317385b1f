package lvs

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/words"
	"github.com/mondhq/mond/plugins/alert"
)

const (
	declared = "-P tcp -V 10.0.0.3:80 --service -s wlc -p 360 -M 24"
	shopRow  = "-A -t 10.0.0.3:80 -s wlc -p 360 -M 255.255.255.0\n"
)

// writes records the edits that are asked of a fake, as METHOD of the target.
func writes(f *ipvs.Fake) *[]string {
	var list []string
	f.Fail(func(method string, v ipvs.Virtual, real netip.AddrPort) error {
		switch method {
		case "Services", "Service", "Destinations", "Timeouts", "Daemons":
			return nil
		}
		text := method
		if v != (ipvs.Virtual{}) {
			text += " " + v.String()
		}
		if real.IsValid() {
			text += " " + real.String()
		}
		list = append(list, text)
		return nil
	})
	return &list
}

func wantWrites(t *testing.T, list *[]string, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, *list); d != "" {
		t.Errorf("edits (-want +got):\n%s", d)
	}
	*list = nil
}

func foreign(t *testing.T, f *ipvs.Fake, real string) {
	t.Helper()
	must(t, f.AddDestination(t.Context(), virtual("10.0.0.3:80"), ipvs.Destination{Addr: netip.MustParseAddrPort(real), Weight: 3}))
}

const foreignRow = "-a -t 10.0.0.3:80 -r 192.168.0.9:80 -m -w 3\n"

func TestDeclared(t *testing.T) {
	r := newRig(t, ipvs.NewFake(), nil)
	list := writes(r.fake)
	const v = "tcp 10.0.0.3:80"
	r.keep(true, claim(web1), claim(declared), claim(web2, down))
	wantWrites(t, list, "AddService "+v, "AddDestination "+v+" 192.168.0.1:80")
	r.want(shopRow + row1)

	// another scheduler is a set, a pool is never empty
	r.keep(true, claim(strings.ReplaceAll(declared, "wlc", "rr")), claim(web2), claim(web1, down))
	wantWrites(t, list, "UpdateService "+v, "AddDestination "+v+" 192.168.0.2:80", "DeleteDestination "+v+" 192.168.0.1:80")
	r.want(strings.ReplaceAll(shopRow, "wlc", "rr") + row2)

	// what was declared and is in no full set any more goes
	r.keep(false, claim(web2, withdrawn))
	wantWrites(t, list) // hands off
	r.keep(true, claim(strings.ReplaceAll(declared, "wlc", "rr")), claim(web1))
	wantWrites(t, list, "AddDestination "+v+" 192.168.0.1:80", "DeleteDestination "+v+" 192.168.0.2:80")
	r.keep(true)
	wantWrites(t, list, "DeleteDestination "+v+" 192.168.0.1:80", "DeleteService "+v)
	r.want("")
	r.keep(true)
	r.resync()
	wantWrites(t, list)
}

// What is declared is declared whole: thresholds of somebody else go.
func TestDeclaredWhole(t *testing.T) {
	r := newRig(t, ipvs.NewFake(), nil)
	r.keep(true, claim(declared), claim(web1))
	row := ipvs.Destination{Addr: netip.MustParseAddrPort("192.168.0.1:80"), Weight: 5, Forward: ipvs.Direct, Upper: 9}
	must(t, r.fake.UpdateDestination(t.Context(), virtual("10.0.0.3:80"), row))
	r.resync()
	r.want(shopRow + row1)
	must(t, r.fake.UpdateService(t.Context(), ipvs.Service{Virtual: virtual("10.0.0.3:80"), Scheduler: "sh"}))
	r.resync()
	r.want(shopRow + row1)
	must(t, r.fake.DeleteService(t.Context(), virtual("10.0.0.3:80")))
	r.resync()
	r.want(shopRow + row1)
	if got := r.report().Tables[0].Repaired; got != 4 {
		t.Errorf("%d repaired, want 4", got)
	}
}

func TestServiceWithForeignRowsStays(t *testing.T) {
	r := newRig(t, ipvs.NewFake(), nil)
	r.keep(true, claim(declared), claim(web1))
	foreign(t, r.fake, "192.168.0.9:80")
	r.keep(true, claim(declared), claim(web1))
	r.want(shopRow + row1 + foreignRow)

	err := r.alert.Keep(t.Context(), true, nil)
	if err == nil || !strings.Contains(err.Error(), "real servers of others are in it ([192.168.0.9:80])") {
		t.Errorf("got %v", err)
	}
	r.want(shopRow + foreignRow)
	now := r.report().Tables[0]
	if s := now.Services[0]; s.State != "blocked" || s.Trouble == "" || now.Rows[0].State != "foreign" || now.Agrees() {
		t.Errorf("report %+v", now)
	}
	must(t, r.fake.DeleteDestination(t.Context(), virtual("10.0.0.3:80"), netip.MustParseAddrPort("192.168.0.9:80")))
	r.resync()
	r.want("")
}

// Down on the virtual service's own row takes it and its real servers out.
func TestServiceDown(t *testing.T) {
	r := newRig(t, ipvs.NewFake(), nil)
	r.keep(true, claim(declared), claim(web1))
	r.keep(false, claim(declared, down))
	r.want("")
	r.keep(false, claim(declared, provisional))
	r.want("")
	r.keep(false, claim(declared))
	r.want(shopRow + row1)
}

// A service that was ours and is now claimed by nobody keeps the real servers
// that plain claims name.
func TestNoLongerDeclared(t *testing.T) {
	r := newRig(t, ipvs.NewFake(), nil)
	r.keep(true, claim(declared), claim(web1))
	_ = r.alert.Keep(t.Context(), true, []alert.Claim{claim(web1)})
	r.want(shopRow + row1)
	r.keep(true, claim(declared), claim(web1)) // and it is taken again
	r.want(shopRow + row1)
}

// What was declared by an earlier run goes with the first full set of the next;
// what was not stays.
func TestLeftByAnEarlierRun(t *testing.T) {
	fake, dir := shopTable(), t.TempDir()
	same := func(o *Options) { o.StateDir = dir }
	const other = "-P tcp -V 10.0.0.4:80"
	first := newRig(t, fake, same)
	first.keep(true, claim(other+" --service -s rr"), claim(other+" -R 192.168.0.1"), claim(web1))
	first.end()
	second := newRig(t, fake, same)
	second.keep(true, claim(web2))
	second.want(shop + row1 + row2)
	second.end()
	third := newRig(t, fake, same)
	list := writes(fake)
	third.keep(true, claim(web2))
	third.resync()
	wantWrites(t, list)
}

func TestRestartOfDeclaredWritesNothing(t *testing.T) {
	fake, dir := ipvs.NewFake(), t.TempDir()
	same := func(o *Options) { o.StateDir = dir }
	all := []alert.Claim{claim("-V 10.0.0.0/28:443 --service -s mh -b mh-port"), claim(declared), claim(web1), claim(web2, down),
		claim("-V 10.0.0.0/28:443 -R 192.168.0.1 -F tun --tun-type gue --tun-port 6080 -x 9"), claim("--timeouts tcp=5")}
	first := newRig(t, fake, same)
	first.keep(true, all...)
	first.end()
	list := writes(fake)
	second := newRig(t, fake, same)
	second.keep(true, all...)
	second.resync()
	wantWrites(t, list)
}

func TestRanges(t *testing.T) {
	r := newRig(t, ipvs.NewFake(), nil)
	service, real := claim("-V 10.0.0.3-4:80 --service -s rr"), claim("-V 10.0.0.3-4:80 -R 192.168.0.1")
	r.keep(true, service, real)
	const both = `-A -t 10.0.0.3:80 -s rr
-a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 1
-A -t 10.0.0.4:80 -s rr
-a -t 10.0.0.4:80 -r 192.168.0.1:80 -g -w 1
`
	r.want(both)
	list := writes(r.fake)
	real.Args = strings.Fields("-V 10.0.0.4-5:80 -R 192.168.0.1") // the same claim says something else
	service.Args = strings.Fields("-V 10.0.0.4-5:80 --service -s rr")
	r.keep(true, service, real)
	r.want(strings.NewReplacer("0.4:", "0.5:", "0.3:", "0.4:").Replace(both))
	wantWrites(t, list, "AddService tcp 10.0.0.5:80", "AddDestination tcp 10.0.0.5:80 192.168.0.1:80",
		"DeleteDestination tcp 10.0.0.3:80 192.168.0.1:80", "DeleteService tcp 10.0.0.3:80")
}

// An edit that the kernel refuses for good is told with its claim, not tried at
// every turn, and stops no other.
func TestRefusedForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, ipvs.NewFake(), nil)
		var tries atomic.Int32
		var refuse atomic.Bool
		refuse.Store(true)
		r.fake.Fail(func(method string, v ipvs.Virtual, _ netip.AddrPort) error {
			if method == "AddService" && v == virtual("10.0.0.3:80") {
				if tries.Add(1); refuse.Load() {
					return ipvs.ErrNoScheduler
				}
			}
			return nil
		})
		const other = "-P tcp -V 10.0.0.4:80"
		err := r.alert.Keep(t.Context(), true, []alert.Claim{claim(declared), claim(web1), claim(other + " --service -s rr"), claim(other + " -R 192.168.0.1")})
		if !errors.Is(err, ipvs.ErrNoScheduler) || !strings.Contains(err.Error(), `claim "shop:http lvs.alert `+declared+`"`) {
			t.Errorf("got %v", err)
		}
		rest := "-A -t 10.0.0.4:80 -s rr\n-a -t 10.0.0.4:80 -r 192.168.0.1:80 -g -w 1\n"
		r.want(rest)
		time.Sleep(10 * time.Minute)
		if n := tries.Load(); n < 4 || n > 6 {
			t.Errorf("tried %d times in 10 minutes", n)
		}
		if n := strings.Count(r.log.String(), "does not agree"); n != 1 {
			t.Errorf("told %d times:\n%s", n, r.log)
		}
		refuse.Store(false) // somebody loaded the module
		time.Sleep(refusedLast + time.Minute)
		r.want(shopRow + row1 + rest)
		r.end()
	})
}

// What fails for a moment is tried again soon, then less often.
func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, shopTable(), nil)
		var at []time.Duration
		began := time.Now()
		r.fake.Fail(func(method string, _ ipvs.Virtual, _ netip.AddrPort) error {
			if method == "AddDestination" {
				at = append(at, time.Since(began))
				return errors.New("no memory")
			}
			return nil
		})
		if err := r.alert.Keep(t.Context(), true, []alert.Claim{claim(web1)}); err == nil {
			t.Error("no error")
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		want := []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond, 1500 * time.Millisecond}
		if d := cmp.Diff(want, at); d != "" {
			t.Errorf("tries (-want +got):\n%s", d)
		}
		r.fake.Fail(nil)
		time.Sleep(2 * time.Second)
		r.want(shop + row1)
		r.end()
	})
}

func TestTimeouts(t *testing.T) {
	r := newRig(t, ipvs.NewFake(), nil)
	must(t, r.fake.SetTimeouts(t.Context(), ipvs.Timeouts{TCP: 900, TCPFin: 120, UDP: 300}))
	list := writes(r.fake)
	r.keep(true, claim("--timeouts tcp=900"))
	wantWrites(t, list)
	r.keep(true, claim("--timeouts tcp=5,udp=300"), claim("--timeouts tcpfin=7"))
	wantWrites(t, list, "SetTimeouts")
	if got := r.report().Tables; len(got) != 1 || got[0].Timeouts == nil || got[0].Timeouts.State != "agrees" {
		t.Errorf("report %+v", got)
	}
	must(t, r.fake.SetTimeouts(t.Context(), ipvs.Timeouts{UDP: 1}))
	*list = nil
	r.resync()
	wantWrites(t, list, "SetTimeouts")
	r.keep(true)
	now, err := r.fake.Timeouts(t.Context())
	if want := (ipvs.Timeouts{TCP: 5, TCPFin: 7, UDP: 300}); err != nil || now != want {
		t.Errorf("%v, %v; want %v, never set back", now, err, want)
	}
}

// A namespace that vanishes is told; the other table is kept, and its rows come
// when it does.
func TestNamespaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blue := ipvs.NewFake()
		var there atomic.Bool
		r := newRig(t, shopTable(), func(o *Options) {
			kernel := o.Open
			o.Open = func(at words.Place) (ipvs.Table, error) {
				switch {
				case at.NetNS == "":
					return kernel(at)
				case !there.Load():
					return nil, ipvs.ErrNoNamespace
				}
				return blue, nil
			}
		})
		in := " --netns blue"
		all := []alert.Claim{claim(web1), claim(declared + in), claim(web2 + in)}
		if err := r.alert.Keep(t.Context(), true, all); !errors.Is(err, ipvs.ErrNoNamespace) {
			t.Errorf("got %v", err)
		}
		r.want(shop + row1)
		there.Store(true)
		time.Sleep(defaultResync + time.Second)
		if got := blue.Text(); got != shopRow+row2 {
			t.Errorf("in blue:\n%s", got)
		}
		if tables := r.report().Tables; len(tables) != 2 || tables[1].NetNS != "blue" {
			t.Errorf("report %+v", tables)
		}
		text, err := r.alert.Show(t.Context(), "ipvsadm")
		if want := row1 + "# kernel, network namespace blue\n" + shopRow + row2; err != nil || text != want {
			t.Errorf("%v\n%s", err, text)
		}
		blue.Fail(func(string, ipvs.Virtual, netip.AddrPort) error { return ipvs.ErrNoNamespace })
		there.Store(false)
		_ = r.alert.Keep(t.Context(), true, []alert.Claim{claim(web1)}) // its rows went with it
		time.Sleep(2 * defaultResync)
		if err := r.alert.Keep(t.Context(), true, []alert.Claim{claim(web1)}); err != nil {
			t.Error(err)
		}
		r.end()
	})
}

func TestStanding(t *testing.T) {
	r := newRig(t, ipvs.NewFake(), nil)
	of := func(service string) func(*alert.Claim) {
		return func(c *alert.Claim) { c.Group, c.Service = "virtual", service }
	}
	const both = "-P tcp -V 10.0.0.3-4:80 -R 192.168.0.1 -W 5"
	r.keep(true, claim(declared, of("web")), claim("-V 10.0.0.4:80 --service", of("web")), claim(both, of("web")), claim(web2, down, of("web")), claim("-V 10.0.0.5:80 -R 192.168.0.3", of("gone")))
	for i, v := range []string{"10.0.0.3:80", "10.0.0.4:80"} {
		must(t, r.fake.Count(virtual(v), netip.MustParseAddrPort("192.168.0.1:80"), ipvs.Counters{Active: 2, Inactive: 3, Persistent: uint32(i)}))
	}
	before := r.fake.Calls("Destinations")
	text, err := r.alert.Show(t.Context(), "standing web")
	must(t, err)
	var got []alert.Standing
	must(t, json.Unmarshal([]byte(text), &got))
	want := []alert.Standing{
		{ID: claim(both).ID, Known: true, There: true, Weight: 5, Active: 4, Inactive: 6, Persistent: 1},
		{ID: claim(declared).ID, Known: true, There: true, Active: -1, Inactive: -1, Persistent: -1},
		{ID: claim(web2).ID, Known: true},
		{ID: claim("-V 10.0.0.4:80 --service").ID, Known: true, There: true, Active: -1, Inactive: -1, Persistent: -1},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if n := r.fake.Calls("Destinations") - before; n != 2 {
		t.Errorf("%d reads, want one for each virtual service", n)
	}
	r.fake.Fail(func(string, ipvs.Virtual, netip.AddrPort) error { return errors.New("no") })
	text, err = r.alert.Show(t.Context(), "standing virtual:gone")
	if err != nil || !strings.Contains(text, `"known":false`) || strings.Count(text, `"id"`) != 1 {
		t.Errorf("%v: %s", err, text)
	}
}

func TestCommands(t *testing.T) {
	fake := shopTable()
	foreign(t, fake, "192.168.0.9:80")
	r := newRig(t, fake, nil)
	if text, err := r.alert.Show(t.Context(), "diff"); text != "" || err != nil {
		t.Errorf("before the first claim: %q, %v", text, err)
	}
	r.keep(true, claim(declared), claim(web1), claim("--timeouts udp=9"))
	must(t, fake.UpdateService(t.Context(), ipvs.Service{Virtual: virtual("10.0.0.3:80"), Scheduler: "rr"}))
	must(t, fake.DeleteDestination(t.Context(), virtual("10.0.0.3:80"), netip.MustParseAddrPort("192.168.0.1:80")))
	must(t, fake.SetTimeouts(t.Context(), ipvs.Timeouts{UDP: 1}))
	for topic, want := range map[string]string{
		"ipvsadm": shopRow + row1,
		"diff": "ipvsadm --set 0 0 9\nipvsadm -E -t 10.0.0.3:80 -s wlc -p 360 -M 255.255.255.0\n" +
			"ipvsadm -a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 5\n",
		"ipvsadm 10.0.0.4":      "",
		"ipvsadm 10.0.0.3":      shopRow + row1,
		"ipvsadm x 10.0.0.3:80": shopRow + row1,
	} {
		if text, err := r.alert.Show(t.Context(), topic); err != nil || text != want {
			t.Errorf("%s: %v\n%s", topic, err, text)
		}
	}
	for _, bad := range []string{"weather", "table after", "table after x"} {
		if _, err := r.alert.Show(t.Context(), bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
