// Package group is a group on its key server, apart from the protocol that carries its decisions: its policy and keys,
// their lifetimes and the schedule of rekeys, sequence numbers, Sender-IDs, member records and acknowledgements.
//
// A registration has two steps, because nothing may change before the candidate has proven itself (RFC 6407 §3.2). Offer
// says what the group would give now; Admit, after the proof, allocates Sender-IDs and records the member:
//
//	offer := g.Offer(now, who)                   // message 2 carries its policy
//	a, err := g.Admit(now, who, from, offer, n)  // message 4 carries its keys
//
// A rekey is a value first (Plan): what changes, under which Rekey SA, for whom. The carrier makes a message of it and
// sends it to every address in the plan. Due returns the plans whose time has come, Deadline says when that will be.
// A plan may come a second time, with Attempt above zero: then the carrier repeats the message it has made before.
//
// What a group hands out together — one Rekey SA and its Data-Security SAs — is an epoch. An offer belongs to an epoch;
// when another has taken its place before the candidate is admitted, the offer is void (ErrMoved).
//
// A Group reads no clock, starts no goroutine and takes randomness from its Options only. It is not safe for concurrent
// use. RFC 6407 §3.5, §4 and §5, RFC 6054 §4, RFC 8263 §5 and §6.
package group
