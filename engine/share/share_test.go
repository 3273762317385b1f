package share

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var day = time.Unix(1_700_000_000, 0)

// small is a set that soon has too much.
func small() *Set {
	s := New(nil)
	s.maxLive, s.maxEnded = 4, 6
	return s
}

func drawEntry(t *rapid.T) Entry {
	kind := rapid.SampledFrom([]string{Maint, Drain, Service, Ack, "of-a-later-release"}).Draw(t, "kind")
	e := Entry{
		Key: Key{kind, rapid.SampledFrom([]string{"www1", "www2", "shop/www1"}).Draw(t, "name")}, State: Stands,
		Value: rapid.SampledFrom([]string{"", "7"}).Draw(t, "value"), Who: rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "who"), At: day,
	}
	if rapid.Bool().Draw(t, "ends") {
		e.State, e.Value = rapid.SampledFrom([]State{Ended, Over}).Draw(t, "how"), ""
	}
	return e
}

// exchange has each of two learn all that the other knows.
func exchange(t interface{ Fatal(...any) }, a, b *Set) {
	for _, way := range [][2]*Set{{a, b}, {b, a}} {
		for _, p := range Parcels(way[0].All(), day) {
			list, err := Open(p, day)
			if err != nil {
				t.Fatal(err)
			}
			way[1].Merge(list)
		}
	}
}

func same(a, b *Set) bool {
	return a.Hash() == b.Hash() && slices.EqualFunc(a.All(), b.All(), func(x, y Entry) bool {
		return x.Key == y.Key && compare(&x, &y) == 0
	})
}

// Whatever is said on two directors, and whatever of it is lost, repeated or comes
// in another order: when each has told the other all it knows, they know the same.
func TestConverge(t *testing.T) {
	for name, make := range map[string]func() *Set{"ordinary": func() *Set { return New(nil) }, "too much": small} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				sets := [2]*Set{make(), make()}
				var way [2][][]byte // what is on the way to each
				for range rapid.IntRange(0, 40).Draw(t, "steps") {
					i := rapid.IntRange(0, 1).Draw(t, "director")
					switch rapid.IntRange(0, 3).Draw(t, "step") {
					case 0, 1:
						if !sets[i].Say(drawEntry(t), uint8(i+1)) {
							t.Fatal("it does not fit")
						}
					case 2:
						way[1-i] = append(way[1-i], Parcels(sets[i].All(), day)...)
					case 3:
						if n := len(way[i]); n > 0 { // any of them, and perhaps again later
							list, err := Open(way[i][rapid.IntRange(0, n-1).Draw(t, "which")], day)
							if err != nil {
								t.Fatal(err)
							}
							sets[i].Merge(list)
						}
					}
				}
				exchange(t, sets[0], sets[1])
				exchange(t, sets[0], sets[1]) // what the first dropped
				if !same(sets[0], sets[1]) {
					t.Fatalf("they differ:\n%+v\n%+v", sets[0].All(), sets[1].All())
				}
				if live, ended := sets[0].Len(); live > sets[0].maxLive || ended > sets[0].maxEnded {
					t.Fatalf("%d stand and %d ended", live, ended)
				}
				if again := New(sets[0].All()); name == "ordinary" && !same(again, sets[0]) {
					t.Fatal("what is saved is something else")
				}
			})
		})
	}
}

// The last word of one who knew all before holds on both.
func TestLastWordHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := New(nil), New(nil)
		for i, s := range []*Set{a, b} {
			for range rapid.IntRange(0, 10).Draw(t, "before") {
				s.Say(drawEntry(t), uint8(i+1))
			}
		}
		exchange(t, a, b)
		last := drawEntry(t)
		a.Say(last, 1)
		exchange(t, b, a)
		for _, s := range []*Set{a, b} {
			if got, _ := s.Get(last.Key); got.State != last.State || got.Value != last.Value || got.Who != last.Who || got.Node != 1 {
				t.Fatalf("%+v was said, %+v holds", last, got)
			}
		}
	})
}

// A director that was away comes back with what it knew then. What was ended
// meanwhile ends there as well, and nothing comes back to life.
func TestReturn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := New(nil), New(nil)
		for range rapid.IntRange(1, 10).Draw(t, "before") {
			a.Say(drawEntry(t), 1)
		}
		exchange(t, a, b)
		saved := a.All()
		ended := map[Key]bool{}
		for _, e := range b.All() {
			if e.State == Stands && rapid.Bool().Draw(t, "end") {
				b.Say(Entry{Key: e.Key, State: Ended, At: day}, 2)
				ended[e.Key] = true
			}
		}
		back := New(saved)
		exchange(t, back, b)
		if !same(back, b) {
			t.Fatal("they differ")
		}
		for k := range ended {
			if e, _ := b.Get(k); e.State != Ended {
				t.Fatalf("%v is there again: %+v", k, e)
			}
		}
	})
}

// One that was put back to an earlier day says other things under the numbers of
// words that the other one has already.
func TestEarlierDay(t *testing.T) {
	a, b := New(nil), New(nil)
	yesterday := a.All()
	a.Say(Entry{Key: Key{Maint, "www1"}, State: Stands, Value: "1"}, 1)
	exchange(t, a, b)
	a = New(yesterday)
	a.Say(Entry{Key: Key{Maint, "www1"}, State: Stands, Value: "2"}, 1)
	if a.Hash() == b.Hash() {
		t.Error("nobody would notice")
	}
	exchange(t, a, b)
	if !same(a, b) {
		t.Errorf("they differ: %+v, %+v", a.All(), b.All())
	}
}

func TestMergeNews(t *testing.T) {
	www1 := Entry{Key: Key{Maint, "www1"}, State: Stands, Version: 1, Node: 1}
	s := New([]Entry{www1})
	later := www1
	later.Version, later.State = 3, Ended
	between := www1
	between.Version = 2
	if news := s.Merge([]Entry{www1, between, later, between, later}); len(news) != 1 || news[0].Version != 3 {
		t.Errorf("news: %+v", news)
	}
	if news := s.Merge([]Entry{later}); news != nil {
		t.Errorf("the same again: %+v", news)
	}
}

// What cannot be an entry changes nothing and is counted.
func TestRefused(t *testing.T) {
	good := Entry{Key: Key{Maint, "www1"}, State: Stands, Version: 1, Node: 1, At: day}
	long := func(n int) string { return string(make([]byte, n)) }
	for name, spoil := range map[string]func(e *Entry){
		"no kind": func(e *Entry) { e.Kind = "" }, "long kind": func(e *Entry) { e.Kind = long(maxKind + 1) },
		"no name": func(e *Entry) { e.Name = "" }, "long name": func(e *Entry) { e.Name = long(MaxName + 1) },
		"long value": func(e *Entry) { e.Value = long(maxValue + 1) }, "long why": func(e *Entry) { e.Why = long(maxWhy + 1) },
		"long who": func(e *Entry) { e.Who = long(maxWho + 1) }, "long where": func(e *Entry) { e.Where = long(maxWhere + 1) },
		"no state": func(e *Entry) { e.State = 0 }, "unknown state": func(e *Entry) { e.State = Over + 1 },
		"no version": func(e *Entry) { e.Version = 0 }, "version": func(e *Entry) { e.Version = MaxVersion + 1 },
		"no node": func(e *Entry) { e.Node = 0 }, "before 1970": func(e *Entry) { e.At = time.Unix(-1, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			s := New([]Entry{good})
			was, e := s.Hash(), good
			e.Version = 2
			spoil(&e)
			if news := s.Merge([]Entry{e}); news != nil || s.Hash() != was || s.Refused() != 1 {
				t.Errorf("news %+v, refused %d", news, s.Refused())
			}
		})
	}
	s := New(nil)
	if !s.Say(Entry{Key: Key{Ack, "a:b"}, State: Stands, Why: "ä" + long(maxWhy-2) + "ä"}, 1) {
		t.Error("a long word is not passed on, not even cut")
	}
	if e, _ := s.Get(Key{Ack, "a:b"}); len(e.Why) != maxWhy {
		t.Errorf("cut to %d", len(e.Why))
	}
	if s.Say(Entry{Key: Key{Ack, long(MaxName + 1)}, State: Stands}, 1) || s.Say(good, 0) {
		t.Error("what no other director takes was said")
	}
}

// How long something stands goes over as what is left of it: the clocks of two
// machines differ.
func TestLeft(t *testing.T) {
	e := Entry{Key: Key{Maint, "www1"}, State: Stands, Version: 1, Node: 1, Until: day.Add(time.Hour)}
	there := day.Add(-48 * time.Hour)
	list, err := Open(Parcels([]Entry{e}, day)[0], there)
	if err != nil || !list[0].Until.Equal(there.Add(time.Hour)) {
		t.Errorf("%+v, %v", list, err)
	}
	list, err = Open(Parcels([]Entry{e}, day.Add(2*time.Hour))[0], there) // it ends, but it was not for ever
	if err != nil || !list[0].Until.Equal(there.Add(time.Second)) {
		t.Errorf("%+v, %v", list, err)
	}
}

// Much goes in several parcels, the newest first, each small enough.
func TestParcels(t *testing.T) {
	s := New(nil)
	for i := range MaxLive + 10 {
		s.Say(Entry{Key: Key{Service, "group:" + strconv.Itoa(i)}, State: Stands, Who: "ann", Why: "a word on it", At: day}, 1)
	}
	parcels, all := Parcels(s.All(), day), 0
	for _, p := range parcels {
		all += len(p)
		if len(p) > MaxParcel {
			t.Errorf("a parcel of %d bytes", len(p))
		}
	}
	t.Logf("%d entries: %d parcels, %d bytes", MaxLive, len(parcels), all)
	list, err := Open(parcels[0], day)
	if err != nil || len(list) != entriesMost || list[0].Name != "group:"+strconv.Itoa(MaxLive+9) {
		t.Errorf("%d entries, %v", len(list), err)
	}
	if len(parcels) != MaxLive/entriesMost || !s.Full() {
		t.Errorf("%d parcels", len(parcels))
	}
}

func FuzzOpen(f *testing.F) {
	s := New(nil)
	for i := range 10 {
		s.Say(Entry{Key: Key{Service, "group:" + strconv.Itoa(i)}, State: Stands, Who: "ann", Why: "a word on it", At: day, Until: day.Add(time.Hour)}, 1)
		f.Add(Parcels(s.All(), day)[0])
	}
	f.Add(seal(packed, make([]byte, head+3)))
	f.Add(seal(plain, []byte{0, 0, 0, 0, 0, 3, 1, 1}))
	f.Fuzz(func(t *testing.T, parcel []byte) {
		if len(parcel) >= head { // else nothing of it would be looked at
			seal(parcel[0], parcel)
		}
		list, err := Open(parcel, day)
		if err != nil && list != nil {
			t.Error("part of a damaged parcel")
		}
		set := New(nil)
		set.Merge(list)
		if live, ended := set.Len(); live > MaxLive || ended > MaxEnded {
			t.Error("too much")
		}
		other := New(nil)
		exchange(t, set, other)
		if !same(set, other) {
			t.Error("what was taken cannot be passed on")
		}
	})
}
