package policy

// Reason says why a line was called or not.
type Reason uint8
