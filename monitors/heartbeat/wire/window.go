package wire

// The sizes that a Window may have, in packets.
const (
	MinWindow     = 64
	MaxWindow     = 1024
	DefaultWindow = 256
)

// Window remembers which of the last numbers were seen, so that each counts
// once. The zero value has seen nothing and is of no use: see NewWindow.
type Window struct {
	// top is the highest number marked; bits[n/64%len] holds those at and below
	// it, as far as the window reaches.
	top  uint64
	bits []uint64
}

// NewWindow makes a Window over size numbers, within the limits and rounded up
// to the next multiple of 64, that takes numbers after after.
func NewWindow(size int, after uint64) Window {
	size = min(max(size, MinWindow), MaxWindow)
	w := Window{top: after, bits: make([]uint64, (size+63)/64+1)}
	for i := range w.bits {
		w.bits[i] = ^uint64(0)
	}
	w.bits[after/64%uint64(len(w.bits))] = 1<<(after%64)<<1 - 1
	return w
}

// span is how far below top a number may be.
func (w *Window) span() uint64 { return uint64(len(w.bits)-1) * 64 }

// Check says whether n is new (Taken), was seen (Replayed), or is behind the
// window (TooOld). It marks nothing.
func (w *Window) Check(n uint64) Reason {
	switch {
	case n > w.top:
		return Taken
	case w.top-n >= w.span():
		return TooOld
	case w.bits[n/64%uint64(len(w.bits))]&(1<<(n%64)) != 0:
		return Replayed
	}
	return Taken
}

// Mark takes n as seen. What Check does not take is not marked.
func (w *Window) Mark(n uint64) {
	if w.Check(n) != Taken {
		return
	}
	count := uint64(len(w.bits))
	if n > w.top {
		for word := w.top/64 + 1; word <= n/64 && word <= w.top/64+count; word++ {
			w.bits[word%count] = 0
		}
		w.top = n
	}
	w.bits[n/64%count] |= 1 << (n % 64)
}

// Top is the highest number seen.
func (w *Window) Top() uint64 { return w.top }
