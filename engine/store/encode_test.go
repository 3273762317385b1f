package store

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
)

// fill sets every field of v, deeply, to something other than zero, so that a
// field which the docs forget is seen to be lost.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 11, 23, 12, 30, 15, 123456789, time.Local)))
		return
	case opstatus.Status:
		v.Set(reflect.ValueOf(opstatus.Linkdown))
		return
	case monitor.Cause:
		v.Set(reflect.ValueOf(monitor.LocalFault))
		return
	case alert.Kind:
		v.Set(reflect.ValueOf(alert.Ack))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, val := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(val)
		v.SetMapIndex(key, val)
	case reflect.String:
		v.SetString("a <b> \xff\xfe & \"c\"\n\x00d")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint64, reflect.Uint8:
		v.SetUint(7)
	default:
		v.SetInt(-3)
	}
}

func filled[T any]() T {
	var v T
	fill(reflect.ValueOf(&v).Elem())
	return v
}

func TestEveryFieldSurvives(t *testing.T) {
	record := filled[Record]()
	row := encodeRecord(record)
	gotRecord, err := decodeRecord(row)
	check(t, err)
	if d := cmp.Diff(record, gotRecord); d != "" {
		t.Errorf("record: a field is missing in recordDoc:\n%s", d)
	}

	notice := filled[Notice]()
	notice.Request.Env = map[string]string{"MON_X": "a=b\xff", "Y": ""}
	row = encodeNotice(notice)
	gotNotice, err := decodeNotice(notice.Seq, row)
	check(t, err)
	if d := cmp.Diff(notice, gotNotice); d != "" {
		t.Errorf("notice: a field is missing in noticeDoc:\n%s", d)
	}

	globals := filled[Globals]()
	row = encodeGlobals(globals)
	gotGlobals, err := decodeGlobals(row)
	check(t, err)
	if d := cmp.Diff(globals, gotGlobals); d != "" {
		t.Errorf("globals: a field is missing in globalsDoc:\n%s", d)
	}

	pool := filled[Pool]()
	row = encodePool(pool)
	gotPool, err := decodePool(row)
	check(t, err)
	if d := cmp.Diff(pool, gotPool); d != "" {
		t.Errorf("pool: a field is missing in poolDoc:\n%s", d)
	}

	event := filled[Event]()
	event.Kind, event.Number = "status", 0
	row = encodeEvent(event)
	gotEvent, err := decodeEvent(row)
	check(t, err)
	if d := cmp.Diff(event, gotEvent); d != "" {
		t.Errorf("event: a field is missing in eventDoc:\n%s", d)
	}
}

func TestEnumsSurvive(t *testing.T) {
	for s := opstatus.Untested; s <= opstatus.Warn; s++ {
		if got := statusOf(s.String()); got != s {
			t.Errorf("status %v came back as %v", s, got)
		}
	}
	for c := monitor.NotRun; c.Valid(); c++ {
		if got := word(c.String(), monitor.Cause.String, monitor.NotRun); got != c {
			t.Errorf("cause %v came back as %v", c, got)
		}
	}
	if got := statusOf("exploded"); got != opstatus.Unknown {
		t.Errorf("a status of a newer mond is %v", got)
	}
	if got := statusOf(""); got != opstatus.Untested {
		t.Errorf("a missing status is %v", got)
	}
}

// TestReadable holds the layout fast: what stands here was written by format 1
// and must stay readable for ever.
func TestReadable(t *testing.T) {
	const row = `{"status":"fail","last":"ok","bad":2,"failures":2,"total":9,"first_fail":"2026-11-23T11:00:00Z",` +
		`"took_ns":1500000,"exit":1,"summary":"web2","output":{"b64":"//4="},"tested":true,` +
		`"periods":[{"name":"wd {Mon-Fri}","sent":1}],"of_the_future":{"x":1}}`
	got, err := decodeRecord([]byte(row))
	check(t, err)
	first := time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)
	if got.State.Status != opstatus.Fail || got.State.Last != opstatus.OK || !got.State.FirstFail.Equal(first) ||
		got.State.Output != "\xff\xfe" || got.State.Took != 1500*time.Microsecond || got.Periods["wd {Mon-Fri}"].Sent != 1 {
		t.Errorf("decoded %+v", got)
	}
	again := encodeRecord(got)
	want := strings.Replace(row, `,"of_the_future":{"x":1}`, "", 1)
	if d := cmp.Diff(want, string(again)); d != "" {
		t.Error(d)
	}
}

func genRecord(t *rapid.T) Record {
	str := rapid.StringN(0, 20, 80)
	raw := rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) })
	when := rapid.Map(rapid.Int64(), func(n int64) time.Time { return time.Unix(0, n) })
	r := Record{State: opstatus.State{
		Status: opstatus.Status(rapid.IntRange(0, 9).Draw(t, "status")),
		Good:   rapid.Int().Draw(t, "good"), Summary: str.Draw(t, "summary"), Output: raw.Draw(t, "output"),
		FirstFail: when.Draw(t, "first"), LastOK: when.Draw(t, "ok"),
	}}
	if rapid.Bool().Draw(t, "acked") {
		r.State.Ack = &opstatus.Note{At: when.Draw(t, "at"), User: str.Draw(t, "user"), Text: raw.Draw(t, "text")}
	}
	for range rapid.IntRange(0, 3).Draw(t, "claims") {
		r.Claims = append(r.Claims, alert.Claim{
			ID: str.Draw(t, "id"), Args: rapid.SliceOf(raw).Draw(t, "args"), Since: when.Draw(t, "since"),
		})
	}
	return r
}

func TestRecordRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genRecord(t)
		row := encodeRecord(want)
		if !json.Valid(row) {
			t.Fatalf("no JSON: %q", row)
		}
		got, err := decodeRecord(row)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
	})
}

func TestAnyTimeIsEncoded(t *testing.T) {
	odd := []time.Time{
		{}, time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Unix(1<<60, 0), time.Now().In(time.FixedZone("odd", 86400*2)),
	}
	for _, at := range odd {
		if row := encodeRecord(Record{State: opstatus.State{LastOK: at}}); !json.Valid(row) {
			t.Errorf("%v: %s", at, row)
		}
	}
}

func TestKeysSortAsTimesDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sec := rapid.Int64Range(-1<<36, 1<<36)
		a := time.Unix(sec.Draw(t, "a"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
		b := time.Unix(sec.Draw(t, "b"), 0)
		ka, kb := string(eventKey(a, 1)), string(eventKey(b, 1))
		if a.Before(b) && ka > kb || b.Before(a) && kb > ka {
			t.Fatalf("%v and %v sort the wrong way round", a, b)
		}
	})
}

func TestRecordKey(t *testing.T) {
	for _, k := range []opstatus.Key{{Group: "web", Service: "http"}, {Group: "a:b", Service: "c\x00d"}, {Group: "ä\xff", Service: " "}} {
		if got, ok := parseRecordKey(recordKey(k)); !ok || got != k {
			t.Errorf("%q came back as %q, %v", k, got, ok)
		}
	}
}

func FuzzDecode(f *testing.F) {
	r, n, e := filled[Record](), filled[Notice](), filled[Event]()
	f.Add(encodeRecord(r))
	f.Add(encodeNotice(n))
	f.Add(encodeEvent(e))
	f.Add(encodeEvent(Event{At: time.Unix(1_800_000_000, 5), Kind: "status", Group: "g", Service: "s", From: "ok", To: "fail", Exit: -1, Text: "a\"b\n\t\x01\\", Took: 7}))
	f.Add([]byte(`{"at":"2026-01-02T03:04:05Z","kind":"a","exit":01}`))
	f.Add([]byte(`{"kind":"a","KIND":"b"}`))
	f.Add(encodeGlobals(filled[Globals]()))
	f.Add([]byte(`{"status":7}`))
	f.Add([]byte(`{"summary":{"b64":"!"}}`))
	f.Add([]byte(`{"first_fail":"0000-01-01T00:00:00+23:59","at":"9999-12-31T23:59:59-23:59"}`))
	f.Fuzz(func(t *testing.T, row []byte) {
		if r, err := decodeRecord(row); err == nil {
			again(t, r, decodeRecord, encodeRecord(r))
		}
		if n, err := decodeNotice(1, row); err == nil {
			again(t, n, func(row []byte) (Notice, error) { return decodeNotice(1, row) }, encodeNotice(n))
		}
		if e, err := decodeEvent(row); err == nil {
			again(t, e, decodeEvent, encodeEvent(e))
			again(t, e, newReader().decode, encodeEvent(e))
			if quick, ok := newReader().quick(row); ok && !cmp.Equal(e, quick) {
				t.Fatal("by hand: " + cmp.Diff(e, quick))
			}
		} else if _, ok := newReader().quick(row); ok {
			t.Fatalf("%s is read by hand only: %v", row, err)
		}
		if g, err := decodeGlobals(row); err == nil {
			again(t, g, decodeGlobals, encodeGlobals(g))
		}
	})
}

// again holds that what was once decoded is not changed by being saved.
func again[T any](t *testing.T, want T, decode func([]byte) (T, error), row []byte) {
	t.Helper()
	got, err := decode(row)
	if err != nil {
		t.Fatalf("%s: %v", row, err)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatal(d)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
