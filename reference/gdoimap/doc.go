// Package gdoimap translates between the payloads of GDOI and the values of group policy, in both directions.
//
//	policy.RekeySA      <-->  SAK and a key packet of type KEK, or with a hierarchy of keys LKH
//	policy.Activation   <-->  GAP
//	policy.TrafficSA    <-->  SAT and a key packet of type TEK
//	policy.SIDs         <-->  a key packet of type SID
//
// The functions ending in Of are a key server's: they build what PULL and PUSH carry, and hold its duties. ReadSA and
// Policy.AddKeys are a group member's: they check what came and refuse it with a *rule.Violation that names the
// requirement. Message 3 of the PULL goes the other way: RequestOf and ReadRequest.
//
// A member takes what it supports and refuses all else, as RFC 6407 §5.3.2 and RFC 2407 §4.5.3 demand: the transforms and
// KEK ciphers of package policy, ESP in tunnel and transport mode, selectors of IPv4 and IPv6 that are prefixes. Not here: AH,
// UDP encapsulation, lifetimes in kilobytes. What is returned shares no memory with the payloads.
//
// Specifications: RFC 6407 §5.2 to §5.6, RFC 2407 §4.5 (attributes of a SAT), RFC 8263 §2 (acknowledgements), RFC 4106 §8,
// RFC 4543 §5, RFC 4868 §2, RFC 2404 §3 and RFC 2451 §2 (keys), RFC 6054 §3 (Sender-IDs).
package gdoimap
