package host

import "sync"

// crashLimit is at how many crashes in a row a check is suspected.
const crashLimit = 2

// suspects are the checks that were under way when their plugin crashed. One
// that was so at two crashes, with no answer of its own between them, is run
// alone, in a process of its own. Having answered there it is let go once,
// since it may only have been in bad company; the second time it stays.
type suspects struct {
	mu  sync.Mutex
	all map[string]*suspicion // by group and service; empty as a rule
}

type suspicion struct {
	crashes int
	terms   int // how often it was sent to run alone
	alone   bool
}

// crashed notes who was under way at a crash; it returns who is to run alone
// from now on.
func (s *suspects) crashed(keys []string) (alone []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]*suspicion{}
	}
	for _, k := range keys {
		one := s.all[k]
		if one == nil {
			one = &suspicion{}
			s.all[k] = one
		}
		if one.crashes++; one.crashes >= crashLimit && !one.alone {
			one.alone = true
			one.terms++
			alone = append(alone, k)
		}
	}
	return alone
}

// any reports whether there is anybody to look at; it is cheap.
func (s *suspects) any() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all) > 0
}

// alone reports whether a check is to be run alone.
func (s *suspects) alone(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[key]
	return one != nil && one.alone
}

// answered notes that a check came back from among others, or from running
// alone.
func (s *suspects) answered(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[key]
	switch {
	case one == nil:
	case !one.alone && one.terms == 0:
		delete(s.all, key)
	case one.alone && one.terms > 1: // it stays
	default:
		one.alone, one.crashes = false, 0
	}
}

// forget lets all go.
func (s *suspects) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = nil
}
