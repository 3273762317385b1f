// Package told remembers who has had a notice that not all could be given, so
// that the next try does not tell the others again. Alerts with several
// recipients use it: addresses, files, hosts.
//
// It is no promise: at least once is what mond promises, and the memory ends
// with the process. A notice without an ID is never remembered.
package told

import (
	"errors"
	"sync"

	"github.com/mondhq/mond/plugins/alert"
)

// remembered is how many notices a memory holds; the oldest make room.
const remembered = 1024

// Memory knows who has been told of which notice. The zero value is empty. Its
// methods may be called concurrently.
type Memory struct {
	mu    sync.Mutex
	told  map[string]map[string]bool // ID of the notice, recipient
	order []string                   // IDs, oldest first
}

// Remember notes that who has had the notice.
func (m *Memory) Remember(id, who string) {
	if id == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.told == nil {
		m.told = map[string]map[string]bool{}
	}
	if m.told[id] == nil {
		m.told[id] = map[string]bool{}
		m.order = append(m.order, id)
	}
	m.told[id][who] = true
	if len(m.order) > remembered {
		delete(m.told, m.order[0])
		m.order = m.order[1:]
	}
}

// Has reports whether who has had the notice.
func (m *Memory) Has(id, who string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.told[id][who]
}

// Len is how many notices are remembered.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.told)
}

// Forget drops a notice that is not tried again.
func (m *Memory) Forget(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.told[id] == nil {
		return
	}
	delete(m.told, id)
	for i, other := range m.order {
		if other == id {
			m.order = append(m.order[:i], m.order[i+1:]...)
			return
		}
	}
}

// Each calls tell for each of all who has not had the notice yet, in order,
// and joins what failed as [Join] does.
func (m *Memory) Each(id string, all []string, tell func(who string) error) error {
	var errs []error
	for _, who := range all {
		if m.Has(id, who) {
			continue
		}
		if err := tell(who); err != nil {
			errs = append(errs, err)
			continue
		}
		m.Remember(id, who)
	}
	return m.Close(id, Join(errs))
}

// Close returns err, and forgets the notice if there is no next try.
func (m *Memory) Close(id string, err error) error {
	if err == nil || alert.IsPermanent(err) {
		m.Forget(id)
	}
	return err
}

// Join makes one error of those of several recipients: permanent if all are,
// since only then would another try change nothing. None are nil.
func Join(errs []error) error {
	err, permanent := errors.Join(errs...), 0
	for _, e := range errs {
		if alert.IsPermanent(e) {
			permanent++
		}
	}
	if permanent > 0 && permanent < len(errs) {
		return mixed{err}
	}
	return err
}

// mixed hides that a part of an error is permanent.
type mixed struct{ error }
