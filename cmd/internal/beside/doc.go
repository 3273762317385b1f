// Package beside holds the tests of mond beside the programs that may decide in
// its place which director serves: the real heartbeat and the real keepalived,
// in namespaces of their own, with the resource scripts, agents and hooks that
// are shipped in etc. It has no code of its own.
package beside
