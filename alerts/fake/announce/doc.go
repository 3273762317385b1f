// Package announce tells the network whose addresses are, for as long as they
// are held: by ARP (RFC 5227, RFC 5944 4.6) and neighbour advertisements
// (RFC 4861 7.2.6, RFC 9131). A [Plan] says what is to be sent when; it is pure.
// An [Announcer] sends it, and hears who else claims the addresses.
//
// It adds and removes no address and decides nothing of roles: whoever holds
// says [Announcer.Took], [Announcer.Again] and [Announcer.Released], and asks
// [Announcer.Account]. Frames are plugins/neighbour's.
//
// # What is sent
//
// IPv4: at 0, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30 and 60 s an announcement (a
// request) and a gratuitous reply, since some equipment heeds only the one, some
// only the other; so often since the first may be lost, and a port of a switch
// may learn for 30 s before it forwards. IPv6: an advertisement to all nodes and
// one to all routers, at 0, 1 and 2 s (MAX_NEIGHBOR_ADVERTISEMENT). Then both
// every Refresh. Stations of Tell are asked each time who has their own address,
// by one who has ours: this they cannot ignore, and their answer proves that
// they are reached.
//
// It begins anew when the holder says Again, when an interface has a carrier
// again, another hardware address, or is another of the same name; not more often
// than once a second. When a stranger claims an address that is held, it is
// defended at once, but at most once in 10 s (DEFEND_INTERVAL, RFC 5227 2.4), so
// that two that both defend make no storm; if it was claimed since, the last
// word, after these 10 s, is ours.
//
// # In which order
//
// An interface sends at most [Limits.Rate] frames a second, so that hundreds of
// addresses are no flood for a switch. Each address has its first frame before
// any has its second; among equals the groups take turns. A step whose time has
// come before the step before it went out replaces it.
//
// # What is never sent
//
// Nothing after Released has returned. And nothing for an address that the
// kernel does not have on the interface: before each batch of frames it is asked
// for the interface's addresses, hardware address, carrier and forwarding. So a
// program that was stopped while its lease ended announces nothing when it goes
// on. What could not be sent is counted and told.
package announce
