package difference

// protocol are about the protocol of clients.
func protocol() []Difference { return nil }
