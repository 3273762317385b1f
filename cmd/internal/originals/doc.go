// Package originals holds the tests that run mon's own programs, those of
// Debian's packages mon and mon-contrib, under mond and beside it under the
// real mon, against the same servers at the same time: both must see and do the
// same. It also runs our programs under the real mon.
//
// The tests have a machine of their own: namespaces in which they may take the
// well-known ports that many programs insist on, stand in for hardware, and
// write below /usr without a trace. It has no code of its own.
package originals
