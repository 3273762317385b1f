// Package wire is what directors of a pair say to each other: the packet of a
// beat, how it is sealed, and what is refused. It is pure: it opens no socket,
// asks no clock and starts nothing; who serves is decided elsewhere
// (monitors/heartbeat/member), and how packets travel too
// (monitors/heartbeat/link).
//
// # A packet
//
// A packet is one datagram, or one frame of a serial line, of at most
// [MaxPacket] bytes. All numbers are big endian.
//
//	 0  2  magic "mH"
//	 2  1  version (1); another one is refused, so it changes only when
//	       directors of two releases cannot understand each other at all
//	 3  1  kind
//	 4  1  key: which of the shared secrets sealed it
//	 5  1  link: the number of the link it was sent on
//	 6  1  from: the sender's node number, 1 to 255
//	 7  1  to: for which node, 0 for every one
//	 8  4  cluster: a hash of the cluster's name, so that a foreign packet on a
//	       shared network is told from a forged one
//	12  8  incarnation: a random number that the sender drew when it started
//	20  8  seq: counts the sender's packets of this incarnation, from 1
//	28  n  the body, encrypted
//	    16 the tag
//
// The body is a row of type, length (one byte each) and value. Unknown types
// are skipped, and so is what follows the known part of a value: a later
// release adds to either and the version stays. See [Beat], [Hello], [Chunk],
// [Nack], [Question] and [Vote] for what they carry.
//
// # Sealing
//
// The AEAD is AES-256-GCM; the header is bound to it as associated data, and
// the whole name of the cluster. Its key is HKDF-SHA256 of the shared secret,
// of the cluster, of from, to and incarnation: a key for each direction and
// each start of a program. The nonce is link and seq, so no two packets share
// one: a [Sealer] takes a new seq for each body and seals it once for each
// link. Nothing on disk and no clock is part of it. A machine that was put
// back to an earlier snapshot is the one thing that could use a nonce twice;
// [Sealer.Renew] ends that (monitors/heartbeat/member says when).
//
// [Keys] hold several secrets: all of them are accepted, one is sent with. To
// change the secret: add it on both, then send with it on both, then remove
// the old one.
//
// # Who is alive
//
// A packet proves nothing about time: it may have been recorded. So an
// incarnation is believed only after it answered a challenge. A [Session]
// sends HELLO with a random number until the peer has sent ACK with that
// number in it; from that packet's seq on, packets of that incarnation are
// taken, each once ([Window]), and those of any other are refused. A restarted
// peer draws a new incarnation and both challenge each other anew, which takes
// one round. An incarnation that was replaced never comes back. This needs no
// generation on disk: a read-only root, a restored snapshot and a clock set
// back change nothing.
//
// The same beat goes out on all links; the first copy is taken, the others are
// only accounted to their link ([Opened.Copy]).
//
// # What is refused
//
// Every packet refused has a [Reason], and [Session.Counts] counts them. A
// refused packet changes nothing but that count; one from an incarnation not
// proven also makes the session send a challenge, at most one each
// [HelloEvery], whatever arrives.
//
// # The witness
//
// A witness has a node number, too, and speaks with each director in a Session
// of its own, sealed and challenged like those of the two. So no vote counts
// twice, none from before a restart of either counts at all, and all times in
// it are relative: to when it was asked for, by the asker's clock.
//
// # The reliable channel
//
// Beats are never sent again: the next one says everything. Configuration and
// commands are numbered [Chunk]s, kept by the sender until acknowledged, and
// asked for again by [Nack], a bitmap of what is missing. [Outbox] and [Inbox]
// are its two ends, with limits on everything.
package wire
