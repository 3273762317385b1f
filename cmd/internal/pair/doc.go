// Package pair holds the tests of two directors: whole monds in network
// namespaces of this machine, with a client that asks every 5 ms who serves.
// They need root, and measure time; what needs IPVS is in cmd/internal/lab.
package pair
