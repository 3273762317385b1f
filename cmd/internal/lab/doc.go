// Package lab holds the tests that need a whole LVS site on a real kernel: a
// client, a director and two real servers in namespaces of one User-Mode Linux
// (scripts/lab), with mond, its plugins, ipvsadm and curl as people run them.
// It has no code of its own, and its tests are skipped on the machine itself.
//
// What needs the kernel's table but no site is tested beside alerts/lvs; what
// needs neither is tested in cmd/mond.
package lab
