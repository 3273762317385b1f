package difference

// traps are about traps.
func traps() []Difference { return nil }
