package told

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/alert"
)

func TestEach(t *testing.T) {
	later, never := errors.New("later"), alert.Permanent(errors.New("never"))
	rows := []struct {
		name      string
		errs      map[string]error
		left      bool // something is remembered for another try
		permanent bool
		again     []string // who is told at another try
	}{
		{"all told", nil, false, false, []string{"a", "b", "c"}},
		{"one later", map[string]error{"b": later}, true, false, []string{"b"}},
		{"one never", map[string]error{"b": never}, false, true, []string{"a", "b", "c"}},
		{"one later, one never", map[string]error{"a": later, "b": never}, true, false, []string{"a", "b"}},
		{"none", map[string]error{"a": never, "b": never, "c": never}, false, true, []string{"a", "b", "c"}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			var m Memory
			all := []string{"a", "b", "c"}
			err := m.Each("1", all, func(who string) error { return r.errs[who] })
			if (err == nil) != (r.errs == nil) || alert.IsPermanent(err) != r.permanent {
				t.Errorf("permanent is %v: %v", alert.IsPermanent(err), err)
			}
			if (m.Len() == 1) != r.left {
				t.Errorf("remembers %d notices", m.Len())
			}
			var again []string
			if err := m.Each("1", all, func(who string) error { again = append(again, who); return nil }); err != nil {
				t.Error(err)
			}
			if d := cmp.Diff(r.again, again); d != "" {
				t.Error(d)
			}
			if m.Len() != 0 {
				t.Error("remembers a notice that all have had")
			}
		})
	}
}

func TestMixedErrorsKeepTheirKind(t *testing.T) {
	one := errors.New("one")
	err := Join([]error{one, alert.Permanent(errors.New("two"))})
	if alert.IsPermanent(err) || err.Error() != "one\ntwo" {
		t.Errorf("%v", err)
	}
	if Join(nil) != nil {
		t.Error("no errors are an error")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	var m Memory
	for i := range 3 * remembered {
		m.Remember(fmt.Sprint(i), "a")
		m.Remember("", "a")
	}
	if m.Len() != remembered || len(m.order) != remembered || m.Has("", "a") || !m.Has(fmt.Sprint(3*remembered-1), "a") {
		t.Errorf("%d, %d", m.Len(), len(m.order))
	}
}

func TestManyAtOnce(t *testing.T) {
	var m Memory
	var services sync.WaitGroup
	for i := range 8 {
		services.Go(func() {
			for range 100 {
				_ = m.Each(fmt.Sprint(i), []string{"a", "b"}, func(string) error { return errors.New("no") })
			}
		})
	}
	services.Wait()
}
