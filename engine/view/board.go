package view

import (
	"iter"
	"sync/atomic"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
)

// Cell holds the current row of one service. The loop stores, readers load.
type Cell = atomic.Pointer[Service]

// Board is where the loop publishes and readers look. Readers never block and
// never see a half-made row; a row and its neighbour may be of different
// turns.
type Board struct {
	shelf  atomic.Pointer[shelf]
	daemon atomic.Pointer[Daemon]
	pools  atomic.Pointer[pools]
	orders atomic.Pointer[[]Order]
	roles  atomic.Pointer[[]Role]
	// Calls and Failures are the last alerts and failures, histlength of each.
	Calls    Ring[Call]
	Failures Ring[Failure]
}

// shelf is the set of services of one configuration, in file order.
type shelf struct {
	config *config.Config
	cells  []*Cell
	byKey  map[opstatus.Key]*Cell
}

// NewBoard makes an empty Board.
func NewBoard() *Board {
	b := &Board{}
	b.Replace(new(config.Config), nil, nil)
	b.daemon.Store(&Daemon{})
	return b
}

// Replace publishes a new configuration and its cells: cells[i] belongs to
// keys[i]. Only the loop calls it.
func (b *Board) Replace(cfg *config.Config, keys []opstatus.Key, cells []*Cell) {
	s := &shelf{config: cfg, cells: cells, byKey: make(map[opstatus.Key]*Cell, len(keys))}
	for i, k := range keys {
		s.byKey[k] = cells[i]
	}
	b.shelf.Store(s)
}

// Config is the configuration in force; an empty one before the first.
func (b *Board) Config() *config.Config { return b.shelf.Load().config }

// SetDaemon publishes the daemon's row. Only the loop calls it.
func (b *Board) SetDaemon(d *Daemon) { b.daemon.Store(d) }

// Daemon is the daemon's row.
func (b *Board) Daemon() *Daemon { return b.daemon.Load() }

// Service is the row of key, or nil.
func (b *Board) Service(key opstatus.Key) *Service {
	if c := b.shelf.Load().byKey[key]; c != nil {
		return c.Load()
	}
	return nil
}

// Services are all rows in file order.
func (b *Board) Services() iter.Seq[*Service] {
	cells := b.shelf.Load().cells
	return func(yield func(*Service) bool) {
		for _, c := range cells {
			if row := c.Load(); row != nil && !yield(row) {
				return
			}
		}
	}
}
