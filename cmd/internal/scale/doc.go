// Package scale proves and measures what a whole mond does with a thousand
// virtual services of ten real servers each: how long a reload with one change
// takes and how many requests it makes of the kernel, how soon after the answer
// of a check the kernel is told, and what it costs to look at the table when
// nothing changes.
//
// The table is a double: lvs.alert is this package's own test program, whose
// every request goes to the test as a message and waits for the answer, as
// netlink's do. It has the real one's code but for what reads and writes
// netlink, which cmd/internal/lab tries on a kernel. There are only tests.
package scale
