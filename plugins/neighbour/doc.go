// Package neighbour speaks with the stations of a link about addresses: ARP for
// IPv4 (RFC 826, RFC 5227) and neighbour discovery for IPv6 (RFC 4861). It
// encodes and decodes the frames, sends and hears them on one interface
// ([Socket], [Station]), asks who answers for addresses ([Station.Ask]), hears
// who claims them ([Station.Listen]), and reads from the kernel what an
// interface is like ([Links]).
//
// It decides nothing: when to announce is alerts/fake/announce, whom to ask and
// what an answer means monitors/heartbeat and alerts/lvs/doctor. It moves no
// address and changes nothing in the kernel.
//
// # Claims
//
// What is heard is a [Claim]: that an address is at a hardware address. Every
// ARP packet with a sender's address is one, whether it asks or answers
// (RFC 5227 1.1), and so are neighbour advertisements, and solicitations that
// say who asks. Questions of those who have no address yet (sender 0.0.0.0, or
// from ::) claim nothing.
//
// Frames have no VLAN tag, neither sent nor heard: the kernel puts and takes it,
// as for any program that uses the interface of the VLAN.
//
// # Namespaces
//
// [Open], [OpenStation] and [OpenLinks] look at the network namespace of the
// calling thread; what they return belongs to it and may be used from any thread.
// They need CAP_NET_RAW, Links does not.
package neighbour
