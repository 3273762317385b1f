package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/share"
	"github.com/mondhq/mond/engine/virtual"
)

// Pools, orders and marks come back from disk; a pool that is gone does not.
func TestPoolsSurvive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mond.db")
	open := func() (*Store, Saved) {
		s, err := Open(Options{Path: path, NoSync: true})
		check(t, err)
		saved, err := s.Load()
		check(t, err)
		return s, saved
	}
	s, saved := open()
	if saved.Pools != nil {
		t.Errorf("a new store has pools: %v", saved.Pools)
	}
	now := time.Now().Round(0)
	shop := Pool{
		State: virtual.State{
			Standing: virtual.Standing{Begun: true, Quorum: virtual.QuorumUp, QuorumSince: now},
			Members:  []virtual.MemberState{{Desired: virtual.Desired{Name: "192.168.0.1:80", In: true, Weight: 5, Phase: virtual.Serving, Since: now}}},
		},
		Rows: map[string][]Row{"192.168.0.1:80": {{Target: []string{"-V", "10.0.0.3:80"}, More: []string{"-F", "dr"}}}},
	}
	globals := Globals{
		Orders:  []Order{{Target: "shop/www1", What: "drain", Deadline: -1, Note: opstatus.Note{At: now, User: "ann", Text: "\xff"}, Until: now.Add(time.Hour)}},
		Watches: map[string]opstatus.Note{"web": {At: now, User: "ann", Where: "lvs2"}},
		Shared: []share.Entry{{
			Key: share.Key{Kind: share.Maint, Name: "shop/www\xff"}, State: share.Over, Value: "7", Until: now.Add(time.Hour),
			Who: "ann", Where: "lvs2", Why: "new disk", At: now, Version: 1 << 39, Node: 255,
		}},
		Marks: map[string][]string{"/etc/mond/maintenance": {"www1", "www2"}, "/empty": nil},
	}
	s.Append(Batch{Pools: map[string]*Pool{"shop": &shop, "old": {}}, Globals: &globals}, nil)
	s.Append(Batch{Pools: map[string]*Pool{"old": nil}}, nil)
	check(t, s.Close(t.Context()))
	s, saved = open()
	if d := cmp.Diff(map[string]Pool{"shop": shop}, saved.Pools, cmpopts.EquateApproxTime(0)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(globals, saved.Globals, cmpopts.EquateApproxTime(0)); d != "" {
		t.Error(d)
	}
	check(t, s.Close(t.Context()))
}
