package isakmp

// Phase1 is the dialect of Phase 1 and of Informational exchanges (RFC 2409 §5).
var Phase1 = Dialect{
	PayloadSA:    ParserOf(ParseSA),
	PayloadKE:    ParserOf(ParseKE),
	PayloadID:    ParserOf(ParseID),
	PayloadHASH:  ParserOf(ParseHash),
	PayloadSIG:   ParserOf(ParseSIG),
	PayloadNonce: ParserOf(ParseNonce),
	PayloadN:     ParserOf(ParseNotify),
	PayloadD:     ParserOf(ParseDelete),
	PayloadVID:   ParserOf(ParseVID),
}
