// Package member decides which of two directors holds each group of addresses.
// It is pure: a [Member] is told events and the time, and answers with actions.
// It opens no socket, asks no clock, starts nothing and stores nothing. How
// beats look is monitors/heartbeat/wire, how they travel monitors/heartbeat/link;
// addresses are moved by fake.alert, to which the engine hands the tokens.
//
// # How it is driven
//
// The caller is one goroutine: it calls [Member.Step] for each event, and with
// a [Tick] at [Member.Wake], and carries out the actions in their order. now is
// CLOCK_BOOTTIME as a Duration, so that a machine that slept knows it.
//
//	packet:  Session.Open(link, packet); HELLO and ACK end there. BEAT and
//	         GOODBYE are decoded and become Heard{Link, Incarnation, Beat, Copy}.
//	         After each Open, and before each Send, Session.Reply is asked.
//	Send:    Beat.Append, then Sealer.Seal for all links at once. The same beat
//	         goes out on all links: each link's count of beats says so.
//	Token:   pushed to the engine's role lane. Never queued behind anything; a
//	         newer one of the group replaces one not delivered yet.
//	Probe:   ask the network for the group's addresses, all of them, more than
//	         once within one question, and give Probed: ByPeer as soon as one is
//	         answered with a hardware address of the peer, ByRival as soon as one
//	         is answered with another, Nobody after Wait, or Unlooked if it could
//	         not be sent. A later answer counts for the next question. With it
//	         somebody on each of its networks is asked who answered lately, as
//	         often: Nobody names a network on which that one did not.
//	Facts:   from this program's own netlink socket and its own ARP and NS
//	         questions to gateway and neighbours (every 100 ms, every 50 ms while
//	         the peer is silent): not through the engine, which may be stuck.
//	         Held.Lease comes from IFA_CACHEINFO: tstamp (hundredths of a
//	         second) and the valid lifetime set, not what is left in whole
//	         seconds.
//	Reserve: written to disk by somebody else, nobody waits.
//	Renew:   draw an incarnation, Sealer.Renew, Session.Renew, Member.Renewed.
//
// # Who may take a group
//
// There are three ways to a group, and no fourth.
//
//  1. By grant, as long as the peer is alive (and has the group): it was asked,
//     holds nothing of it (its kernel's dump says so, and no token of its own is
//     on its way any more), and answers the very request. The request is in
//     every beat, its nonce is the beat's number; the grant names that number
//     and is in every beat, too. It is good for [GrantFor] from when the asker
//     sent that beat, by the asker's own clock; the granter keeps to it a little
//     longer, from when it received it. Who granted does not accept a grant
//     itself, so requests that cross cannot both win: the operator's goes first,
//     then the higher priority, then the lower number.
//  2. By the peer's goodbye that says that it holds nothing.
//  3. By the peer's silence: on all links for its dead time, which it announces
//     itself. Then nobody may answer for the addresses on the network
//     (2 questions in a row, 4 where somebody answered before, and more where
//     answers were lost, while a gateway or a neighbour answers each time:
//     proof.go), and a gateway must answer here, or the witness give it
//     where there is one. A kernel that answers still serves, whatever became of
//     its programs: its lease ends soon, and is waited for with questions that
//     follow each other closely (ending.go), or it is permanent and an operator is
//     called. The questions begin while the peer is merely late, so they cost no
//     time.
//
// And only after the conditions of start were met once: carrier and one
// neighbour that answers on each of the group's networks, the table loaded,
// first results, a word of the peer or initdead. Fitness is no condition when
// the peer is dead.
//
// A program that starts and finds the addresses in its kernel ([Held]) goes on
// holding them as soon as the peer says that it does not, or is dead. Nothing of
// roles comes from a disk; operators' orders neither: who keeps them gives them
// again.
//
// # Who holds
//
// A holder sends a token each beat. It is good for a second (3 beats, if that is
// more), with a lease for the kernel as long as the live peer could take the
// group, and Config.LeaseAlone else.
//
// While nothing is held yet and the peer is alive, a token permits to add only
// until half of our dead time has gone by since the newest beat that the peer is
// known to have heard; the peer asks the network only after three fifths of it.
// So an address is never added behind the back of a peer that has just found it
// free. The keeper adds within that time or waits for the next token, which
// comes with each beat and each answer of the peer.
//
// A holder sends no token
//
//   - after it stood still for half its dead time or more, until a beat says
//     that the peer heard it since;
//   - while half of a lease went by and nobody renewed it though tokens were
//     sent: engine or keeper are stuck. It ends with the lease, and the peer
//     takes the group.
//
// It releases when the peer asks and may ask so, when this program ends, by
// order, when its addresses are gone or cannot be added and the peer can have
// them (or is silent: then the network is asked anew), when the witness gives
// the group away, and when the peer has the better
// claim. Released it is when a dump shows it; where the lease removed the
// addresses and not the keeper, when the last token is too old as well.
//
// The better claim, after a split, is the higher epoch; of equal ones the one
// with more than twice the traffic, then the fitter by 15 %, then the lower
// number. The loser removes first. The winner announces twice: when it sees the
// other, and when the other's beat says that it is gone.
//
// # Who is preferred
//
// Of a free group the one that an order names, then the one that is fitter by
// 15 %, then by priority, then by number. A holder stays: failback is off by
// default. A holder that is worse by 15 % for 3 s gives the group, one that
// cannot serve at all (no carrier, nobody answers) after 200 ms. A group that
// changed hands more than 3 times in 10 minutes stays where it is, but for
// orders and for a dead peer. A change of hands after an order, on either of the
// two, does not count.
//
// Orders: hold takes it and keeps it; release gives it once; standby gives it
// and takes it only from a dead peer; off releases it and never takes it; auto
// ends all of these. The newer hold wins.
//
// # What is promised
//
// G1. As long as kernels obey leases, machines do not stand still, and one link
// or the network of the addresses works between the two, no moment sees an
// address on both.
//
// A machine that stood still (a virtual machine that was suspended) has its
// addresses when it goes on, and so may both, until the first packet of the
// peer: one beat at most. In a split of all links and of the network of the
// addresses, each side that has a gateway serves; when a link works again the
// loser releases on the first beat it hears. Where there is a witness there is no
// such time.
//
// G2. A dead machine's group is taken at its dead time. G3. One link alone
// changes no role. G4. A link is reported within a second at beats of 100 ms: dead
// after 700 ms of silence (5 beats where they take longer), one-way in the same
// time, lossy at 6 of 24 beats, which follow each other eight times as fast once
// one was missed. One that loses 1 %, or a director that stands still for 300 ms,
// is no reason. G5. What does not open changes nothing; see wire. G7. No wall clock.
//
// What is not promised: a holder that was alone holds permanent addresses. If
// its programs die then, all at once and before the peer that has come back is
// able, its kernel goes on answering and the peer does not take the group; it
// reports "kernel serves", an operator decides.
//
// # Reports
//
//	peer         alive, suspect is alive; deaf, dead, left, unknown
//	link-NAME    ok; dead, one-way, lossy, left, unknown
//	redundancy   ok; one link, operators (warn); alone, config, unable, links, witness
//	witness      ok; unknown, starts (warn); silent, refuses; where there is one
//	role-GROUP   standby, taking, holding, releasing; and what is wrong with it
//
// A [Report] comes when its code changes; [Member.Reports] gives all of them for
// reminders. A [Change] comes with each decision, also with one to do nothing,
// and says why in a sentence.
//
// # More than two, and a witness
//
// A group needs the word of all live voters, which are two here. A witness is a
// third (monitors/heartbeat/witness). [AskVote] goes out with each beat, of a
// holder and of one that wants to take from a silent peer for the group itself,
// else to know that it is there; [Voted] comes back. Where there is a witness it
// decides:
//
//   - Nothing is taken from a silent peer without its vote. The questions to the
//     network stand as well; the gateway is not asked for.
//   - A holder holds on while the peer hears it, or its vote lasts; else it
//     releases: Unvoted. A vote is asked for the dead time while the peer answers,
//     so that the peer takes over at its dead time and the time of a release
//     ([witness.Margin]); and the longer, the longer this node has been alone, up to
//     half a minute, so that a witness may restart.
//   - Leases stay short, since somebody could always take over.
//
// A witness that dies alone changes no role. If both directors have missed it for
// ten dead times, 5 s at least, and each knows that of the other from its beats,
// they do without it, and the rules of a pair hold until it answers again. Where
// peer and witness are lost at once nobody serves: NoWitness. An operator's order
// to hold ends that. A peer that said goodbye and holds nothing is not lost.
//
// So all links and the network of the addresses may be cut between the two, and no
// moment sees two holders, whoever reaches the witness. That needs programs that
// run: a holder whose programs die or stand still in the very split keeps the
// addresses until its lease ends.
//
// # Strangers
//
// Before a group is first taken after a start, the network is asked whether a third
// machine answers for it (RFC 5227 2.1), from the start on, so that it costs no
// time; while nobody holds it each second again. If one does, the group is not
// taken (RivalServes), or taken with an alarm, as Config.Rival says. What the peer
// held up to now is taken without a question.
package member
