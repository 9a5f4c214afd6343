// Package ikev2 is the base protocol of IKEv2 (RFC 7296): IKE_SA_INIT and IKE_AUTH as initiator and responder, and under the IKE SA
// the exchanges that every peer understands: INFORMATIONAL and the rekey of the IKE SA. It makes no Child SAs: it begins without one
// (RFC 6023), and to who insists on one it says that there is none, and keeps the IKE SA (RFC 7296 §1.2).
//
//	1  I --> R  HDR, [N(COOKIE),] SAi1, KEi, Ni, N(NAT_DETECTION_*_IP)
//	2  R --> I  HDR, SAr1, KEr, Nr, [CERTREQ,] N(NAT_DETECTION_*_IP)
//	3  I --> R  HDR, SK{IDi, [CERT,] [CERTREQ,] AUTH}          from 4500 to 4500 if there is a NAT, and so ever after
//	4  R --> I  HDR, SK{IDr, [CERT,] AUTH}
//
// It is a core: it has no I/O and no clock. Every call says what time it is, and Deadline says when Timeout is to be called.
package ikev2
