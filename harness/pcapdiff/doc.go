// Package pcapdiff says what differs between two captures in terms of the protocol.
//
// What is random or belongs to one run only is matched up, not compared: cookies, Message IDs and SPIs by the places where
// they stand, so that a PUSH under the wrong Rekey SA still shows; nonces, keys, hashes and signatures by their length and by
// the outcome of their check; addresses of key servers and members by their role; lifetimes and dates by when they end. Everything
// else has to be the same: which exchanges there are and how they end, which payloads a message has and in which order,
// and every field.
//
//	capture A --> conversation --> exchanges --+
//	                                           +--> pairs of exchanges --> pairs of messages --> pairs of fields --> Report
//	capture B --> conversation --> exchanges --+
//
// A difference that follows from another one, such as a length, a count or the size of a key, is left out, and one that shows
// in many messages is told once, with all of their frames. Packets of ESP are not compared one by one: what counts is how
// each SA is used.
package pcapdiff
