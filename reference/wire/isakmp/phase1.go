package isakmp

// Phase1 is the dialect of Phase 1 and of Informational exchanges (RFC 2409 §5, RFC 3947). The private
// numbers 130 and 131, with which drafts of RFC 3947 had their NAT-D and NAT-OA, stay Raw.
var Phase1 = Dialect{
	PayloadSA:    ParserOf(ParseSA),
	PayloadKE:    ParserOf(ParseKE),
	PayloadID:    ParserOf(ParseID),
	PayloadCERT:  ParserOf(ParseCERT),
	PayloadCR:    ParserOf(ParseCR),
	PayloadHASH:  ParserOf(ParseHash),
	PayloadSIG:   ParserOf(ParseSIG),
	PayloadNonce: ParserOf(ParseNonce),
	PayloadN:     ParserOf(ParseNotify),
	PayloadD:     ParserOf(ParseDelete),
	PayloadVID:   ParserOf(ParseVID),
	PayloadNATD:  ParserOf(ParseNATD),
	PayloadNATOA: ParserOf(ParseNATOA),
}
