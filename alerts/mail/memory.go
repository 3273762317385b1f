package mail

import (
	"net/mail"
	"sync"
)

// remembered is how many notices a memory holds.
const remembered = 1024

// memory knows who has been told of a notice that not all could be told of,
// so that the next try does not tell the others again. It lasts as long as
// the process; at least once is the promise, this only spares people.
type memory struct {
	mu    sync.Mutex
	told  map[string]map[string]bool // ID of the notice, address
	order []string                   // IDs, oldest first
}

func (m *memory) remember(id string, to mail.Address) {
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
	m.told[id][to.Address] = true
	if len(m.order) > remembered {
		delete(m.told, m.order[0])
		m.order = m.order[1:]
	}
}

// without gives those of list who have not been told.
func (m *memory) without(id string, list []mail.Address) []mail.Address {
	m.mu.Lock()
	defer m.mu.Unlock()
	var left []mail.Address
	for _, to := range list {
		if !m.told[id][to.Address] {
			left = append(left, to)
		}
	}
	return left
}

func (m *memory) forget(id string) {
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
