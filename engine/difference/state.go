package difference

// state are about disabling, acknowledging, tests and state files.
func state() []Difference { return nil }
