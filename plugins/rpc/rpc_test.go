package rpc

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// wire sends m through its bytes, as the stream does.
func wire[M proto.Message](t rapid.TB, m, into M) M {
	t.Helper()
	raw, err := proto.Marshal(m)
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	if err := proto.Unmarshal(raw, into); err != nil {
		t.Fatalf("unmarshal: %v", err)
	}
	return into
}

// anyText draws strings that are not all valid UTF-8, as programs print them.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringN(0, 40, 200), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 60), func(b []byte) string { return string(b) }))
}

func oneLine() *rapid.Generator[string] {
	return rapid.Map(anyText(), func(s string) string { return strings.ReplaceAll(s, "\n", " ") })
}

func words() *rapid.Generator[[]string] { return rapid.SliceOfN(anyText(), 0, 6) }

func env() *rapid.Generator[map[string]string] {
	return rapid.MapOfN(rapid.StringMatching(`MON_[A-Z]{1,8}`), anyText(), 0, 6)
}

func valid(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, strings.ToValidUTF8(s, "\uFFFD"))
	}
	return out
}

func validMap(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = strings.ToValidUTF8(v, "\uFFFD")
	}
	return out
}

var now = time.Unix(1_800_000_000, 0)

func drawHost(t *rapid.T) monitor.Host {
	perf := rapid.MapOfN(rapid.StringMatching(`[a-z]{1,9}`), rapid.Float64(), 0, 4).Draw(t, "perf")
	h := monitor.Host{
		Name:   rapid.StringMatching(`[a-z0-9.-]{1,20}`).Draw(t, "name"),
		Detail: strings.ToValidUTF8(anyText().Draw(t, "hostdetail"), "\uFFFD"),
		OK:     rapid.Bool().Draw(t, "ok"),
		Took:   time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "hosttook")),
	}
	if len(perf) > 0 {
		h.Perf = perf
	}
	return h
}

func drawResult(t *rapid.T) monitor.Result {
	r := monitor.Result{
		Cause:   monitor.Cause(rapid.IntRange(0, int(monitor.LocalFault)).Draw(t, "cause")),
		Warn:    rapid.Bool().Draw(t, "warn"),
		Summary: oneLine().Draw(t, "summary"),
		Detail:  anyText().Draw(t, "detail"),
		Hosts:   rapid.SliceOfN(rapid.Custom(drawHost), 0, 5).Draw(t, "hosts"),
		Took:    time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "took")),
	}
	r.Started = now.Add(-r.Took - time.Duration(rapid.Int64Range(1, 1e12).Draw(t, "began")))
	if r.Cause == monitor.Exited {
		r.Exit = rapid.IntRange(0, 255).Draw(t, "exit")
	}
	return r
}

func TestResultRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawResult(t)
		got := DecodeResult(wire(t, EncodeResult(7, in, now), &pb.Result{}), now)
		in.Summary = strings.ToValidUTF8(in.Summary, "\uFFFD")
		in.Detail = strings.ToValidUTF8(in.Detail, "\uFFFD")
		if diff := cmp.Diff(in, got, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("result changed on the wire (-sent +got):\n%s", diff)
		}
	})
}

func TestSubjectAndEnvRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := monitor.Request{
			Group: anyText().Draw(t, "group"), Service: anyText().Draw(t, "service"),
			Hosts: words().Draw(t, "hosts"), Args: words().Draw(t, "args"), Env: env().Draw(t, "env"),
		}
		s, err := EncodeSubject(3, in)
		if err != nil {
			t.Fatal(err)
		}
		got := DecodeSubject(wire(t, s, &pb.Subject{}))
		list, err := EncodeEnv(in.Env)
		if err != nil {
			t.Fatal(err)
		}
		got.Env = DecodeEnv(wire(t, &pb.Job{Env: list}, &pb.Job{}).Env)
		want := monitor.Request{
			Group: strings.ToValidUTF8(in.Group, "\uFFFD"), Service: strings.ToValidUTF8(in.Service, "\uFFFD"),
			Hosts: valid(in.Hosts), Args: valid(in.Args), Env: validMap(in.Env),
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("request changed on the wire (-sent +got):\n%s", diff)
		}
	})
}

func drawTime(t *rapid.T, label string) time.Time {
	ns := rapid.Int64Range(0, 4e18).Draw(t, label)
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

func TestNoticeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := alert.Request{
			ID: anyText().Draw(t, "id"), Group: anyText().Draw(t, "group"), Service: anyText().Draw(t, "service"),
			Kind:     alert.Kind(rapid.IntRange(1, int(alert.Test)).Draw(t, "kind")),
			Repeated: rapid.Bool().Draw(t, "repeated"), Late: rapid.Bool().Draw(t, "late"),
			Hosts: words().Draw(t, "hosts"), Args: words().Draw(t, "args"),
			Summary: anyText().Draw(t, "summary"), Output: anyText().Draw(t, "output"),
			At:   drawTime(t, "at"),
			Exit: rapid.IntRange(-1, 255).Draw(t, "exit"), Status: rapid.IntRange(0, 9).Draw(t, "status"),
			Env: env().Draw(t, "env"),
		}
		got, err := DecodeNotice(wire(t, EncodeNotice(in), &pb.Notice{}))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*string{&in.ID, &in.Group, &in.Service, &in.Summary, &in.Output} {
			*s = strings.ToValidUTF8(*s, "\uFFFD")
		}
		in.Hosts, in.Args, in.Env = valid(in.Hosts), valid(in.Args), validMap(in.Env)
		if diff := cmp.Diff(in, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("notice changed on the wire (-sent +got):\n%s", diff)
		}
	})
}

func TestClaimsRoundTrip(t *testing.T) {
	draw := func(t *rapid.T) alert.Claim {
		return alert.Claim{
			ID: rapid.String().Draw(t, "id"), Group: rapid.String().Draw(t, "group"), Service: rapid.String().Draw(t, "service"),
			Reason: rapid.String().Draw(t, "reason"), Args: rapid.SliceOfN(rapid.String(), 0, 5).Draw(t, "args"),
			Down: rapid.Bool().Draw(t, "down"), Provisional: rapid.Bool().Draw(t, "prov"), Withdrawn: rapid.Bool().Draw(t, "withdrawn"),
			Since: drawTime(t, "since"),
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(rapid.Custom(draw), 0, 5).Draw(t, "claims")
		req := wire(t, &pb.KeepRequest{Claims: EncodeClaims(in)}, &pb.KeepRequest{})
		if diff := cmp.Diff(in, DecodeClaims(req.Claims), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("claims changed on the wire (-sent +got):\n%s", diff)
		}
	})
}

func TestManifestRoundTrip(t *testing.T) {
	want := Manifest{
		Kind: Alert, Name: "lvs.alert", Synopsis: "edits the table",
		Flags: []Flag{{Name: "V", Usage: "virtual `vip:port`", Default: "x"}, {Name: "u", Switch: true}},
		Caps:  []string{"cap_net_admin"}, MaxInflight: 12, Keeper: true, Watcher: true, Elector: true, Holder: true,
	}
	got := DecodeManifest(wire(t, EncodeManifest(want), &pb.Manifest{}))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	problems := []Problem{{Index: 2, Message: "no such port"}, {Index: -1, Message: "both -a and -b"}}
	if diff := cmp.Diff(problems, DecodeProblems(wire(t, EncodeProblems(problems), &pb.ValidateReply{}))); diff != "" {
		t.Error(diff)
	}
}

// The zero value of anything that a plugin answers must never be success.
func TestZeroMessagesAreNoSuccess(t *testing.T) {
	if r := DecodeResult(&pb.Result{}, now); !r.Blind() {
		t.Errorf("an empty result is %v, want blind", r.Cause)
	}
	if r := DecodeResult(nil, now); !r.Blind() {
		t.Errorf("no result is %v, want blind", r.Cause)
	}
	if r := DecodeResult(&pb.Result{Exit: 0, Hosts: []*pb.Host{{Name: "a"}}}, now); !r.Blind() || len(r.Hosts) != 0 {
		t.Errorf("a host without a state became %v", r.Hosts)
	}
	if err := DecodeError(&pb.SendReply{}); err == nil {
		t.Error("an empty SendReply is success")
	}
	if err := DecodeKeep(&pb.KeepReply{}); err == nil {
		t.Error("an empty KeepReply is success")
	}
	if _, err := DecodeNotice(&pb.Notice{}); err == nil {
		t.Error("an empty notice has a kind")
	}
	if m := DecodeManifest(&pb.Manifest{}); m.Kind != Unknown {
		t.Errorf("an empty manifest is a %v", m.Kind)
	}
}

func TestNonsenseIsGarbled(t *testing.T) {
	for name, p := range map[string]*pb.Result{
		"unknown cause":  {Cause: 42, Summary: "fine"},
		"negative cause": {Cause: -1},
		"large cause":    {Cause: 257},
		"large exit":     {Cause: pb.Cause_EXITED, Exit: 256},
	} {
		if r := DecodeResult(p, now); r.Cause != monitor.Garbled || !strings.Contains(r.Summary, "answered cause") {
			t.Errorf("%s: got %v %q", name, r.Cause, r.Summary)
		}
	}
	for _, r := range []monitor.Result{{Cause: monitor.Exited, Exit: 256}, {Cause: monitor.Exited, Exit: -1}, {Cause: 99}} {
		if p := EncodeResult(1, r, now); p.Cause != pb.Cause_GARBLED {
			t.Errorf("%+v was sent as %v", r, p.Cause)
		}
	}
}

func TestCausesHaveTheSameNumbers(t *testing.T) {
	for c := monitor.NotRun; c.Valid(); c++ {
		want := strings.ToUpper(strings.ReplaceAll(c.String(), " ", "_"))
		want = strings.ReplaceAll(want, "GARBLED_ANSWER", "GARBLED")
		if got := pb.Cause(c).String(); got != want {
			t.Errorf("cause %d is %s here and %s on the wire", c, want, got)
		}
	}
}

func TestOutputIsCutWithAMark(t *testing.T) {
	long := strings.Repeat("grüße ", 1<<20)
	p := EncodeResult(1, monitor.Failed("a b", long), now)
	if n := len(p.Summary) + len(p.Detail); n > MaxOutput {
		t.Errorf("%d bytes were sent, %d are allowed", n, MaxOutput)
	}
	if !strings.HasSuffix(p.Detail, CutMark) || !utf8.ValidString(p.Detail) {
		t.Errorf("detail ends in %q", p.Detail[len(p.Detail)-60:])
	}
	p = EncodeResult(1, monitor.Failed(long, "rest"), now)
	if len(p.Summary) > maxSummary || !strings.HasPrefix(p.Detail, "grüße ") {
		t.Errorf("summary of %d bytes, detail %.20q", len(p.Summary), p.Detail)
	}
	p = EncodeResult(1, monitor.Failed("one\ntwo", "three"), now)
	if p.Summary != "one" || p.Detail != "two\nthree" {
		t.Errorf("summary %q, detail %q", p.Summary, p.Detail)
	}
}

func TestCutKeepsItsLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyText().Draw(t, "s")
		limit := len(CutMark) + rapid.IntRange(0, 100).Draw(t, "limit")
		got := Cut(s, limit)
		if len(got) > limit || !utf8.ValidString(got) {
			t.Fatalf("Cut(%q, %d) = %q", s, limit, got)
		}
		if whole := text(s); len(whole) <= limit && got != whole {
			t.Fatalf("Cut(%q, %d) = %q, nothing was to be cut", s, limit, got)
		}
	})
}

func TestManyHostsStayWithinTheLimit(t *testing.T) {
	hosts := make([]monitor.Host, 5000)
	for i := range hosts {
		hosts[i] = monitor.Host{Name: "host.example.com", Detail: strings.Repeat("x", 1000), OK: true}
	}
	p := EncodeResult(1, monitor.Result{Cause: monitor.Exited, Hosts: hosts}, now)
	if len(p.Hosts) != len(hosts) {
		t.Fatalf("%d hosts were sent, want all %d", len(p.Hosts), len(hosts))
	}
	if n := proto.Size(p); n > HostReceives {
		t.Errorf("a result of %d bytes, the host takes %d", n, HostReceives)
	}
	for i := range hosts {
		hosts[i].Name = strings.Repeat("long", 60)
	}
	if p := EncodeResult(1, monitor.Result{Cause: monitor.Exited, Hosts: hosts}, now); len(p.Hosts) != 0 {
		t.Errorf("half a list of %d hosts was sent", len(p.Hosts))
	}
}

func TestSubjectAndEnvHaveLimits(t *testing.T) {
	huge := make([]string, 50_000)
	for i := range huge {
		huge[i] = "host.example.com"
	}
	if _, err := EncodeSubject(1, monitor.Request{Hosts: huge}); err == nil {
		t.Error("a subject of 900 kB was taken")
	}
	long := map[string]string{}
	for _, k := range []string{"A", "B", "C", "D", "E", "F", "G"} {
		long[k] = strings.Repeat("x", 100<<10)
	}
	if _, err := EncodeEnv(long); err == nil {
		t.Error("an environment of 458 kB was taken")
	}
	list, err := EncodeEnv(map[string]string{"MON_LAST_OUTPUT": long["A"]})
	if err != nil || len(list[1]) > MaxOutput {
		t.Errorf("one long value: %v", err)
	}
}

func TestSizesAreNotBelowTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := EncodeResult(1<<40, drawResult(t), now)
		// Tag and length of the repeated field cost up to 5 bytes more.
		if got, real := ResultSize(p), proto.Size(p); got+64 < real {
			t.Fatalf("size %d is taken for %d", real, got)
		}
	})
}

func TestErrorsRoundTrip(t *testing.T) {
	for name, want := range map[string]error{
		"none": nil, "plain": errors.New("mail: no route"), "permanent": alert.Permanent(errors.New("no such user")),
	} {
		got := DecodeError(wire(t, EncodeError(want), &pb.SendReply{}))
		if (want == nil) != (got == nil) || want != nil && want.Error() != got.Error() || alert.IsPermanent(want) != alert.IsPermanent(got) {
			t.Errorf("%s: sent %v, got %v", name, want, got)
		}
	}
	if err := DecodeKeep(&pb.KeepReply{NeedFull: true}); !errors.Is(err, ErrNoFullSet) {
		t.Errorf("need_full is %v", err)
	}
	if err := DecodeKeep(&pb.KeepReply{Stale: true}); err != nil {
		t.Errorf("stale is %v", err)
	}
}

func TestRemaining(t *testing.T) {
	for d, want := range map[time.Duration]uint32{
		-time.Second: 0, 0: 0, 1: 1, time.Millisecond: 1, time.Second + 1: 1001, 1 << 62: 1<<32 - 1,
	} {
		if got := Remaining(d); got != want {
			t.Errorf("Remaining(%v) = %d, want %d", d, got, want)
		}
	}
}

func TestUnpairDropsAKeyWithoutValue(t *testing.T) {
	if got := unpair([]string{"A", "1", "B"}); !maps.Equal(got, map[string]string{"A": "1"}) {
		t.Errorf("got %v", got)
	}
}

// Whatever bytes a plugin sends: no panic, and a verdict only where the bytes
// name one.
func FuzzDecodeResult(f *testing.F) {
	for _, r := range []monitor.Result{{}, monitor.OK("fine"), monitor.Failed("a", "b"), {Cause: 99}} {
		raw, err := proto.Marshal(EncodeResult(1, r, now))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte{0x10, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, raw []byte) {
		p := &pb.Result{}
		if proto.Unmarshal(raw, p) != nil {
			return
		}
		r := DecodeResult(p, now)
		named := p.Cause == pb.Cause_EXITED || p.Cause == pb.Cause_TIMED_OUT
		if !r.Blind() && !named {
			t.Errorf("%v became the verdict %v", p, r)
		}
		if r.Exit < 0 || r.Exit > 255 || !r.Cause.Valid() || r.Took < 0 {
			t.Errorf("out of range: %+v", r)
		}
		EncodeResult(1, r, now)
	})
}
