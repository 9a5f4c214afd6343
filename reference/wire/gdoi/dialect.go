package gdoi

import "github.com/gdoilab/gdoilab/reference/wire/isakmp"

// DOI is the Group Domain of Interpretation (RFC 6407 §5).
const DOI = 2

// ID is the Identification payload: the group in the PULL, the member in the ACK (RFC 6407 §5.1, RFC 8263 §3.4).
type ID = isakmp.ID

// Pull is the dialect of GROUPKEY-PULL (RFC 6407 §3.2).
//
//	GM --> KS  1  HDR*, HASH(1), Ni, ID
//	KS --> GM  2  HDR*, HASH(2), Nr, SA
//	GM --> KS  3  HDR*, HASH(3) [, GAP]
//	KS --> GM  4  HDR*, HASH(4) [, SEQ], KD
var Pull = isakmp.Dialect{
	isakmp.PayloadSA:    isakmp.ParserOf(ParseSA),
	isakmp.PayloadID:    isakmp.ParserOf(isakmp.ParseID),
	isakmp.PayloadHASH:  isakmp.ParserOf(isakmp.ParseHash),
	isakmp.PayloadNonce: isakmp.ParserOf(isakmp.ParseNonce),
	isakmp.PayloadN:     isakmp.ParserOf(isakmp.ParseNotify),
	isakmp.PayloadD:     isakmp.ParserOf(isakmp.ParseDelete),
	isakmp.PayloadVID:   isakmp.ParserOf(isakmp.ParseVID),
	isakmp.PayloadKD:    isakmp.ParserOf(ParseKD),
	isakmp.PayloadSEQ:   isakmp.ParserOf(ParseSEQ),
	isakmp.PayloadGAP:   isakmp.ParserOf(ParseGAP),
}

// Push is the dialect of GROUPKEY-PUSH (RFC 6407 §4).
//
//	KS --> GM  HDR*, SEQ, [D,] [SA, KD,] SIG
var Push = isakmp.Dialect{
	isakmp.PayloadSA:  isakmp.ParserOf(ParseSA),
	isakmp.PayloadSIG: isakmp.ParserOf(isakmp.ParseSIG),
	isakmp.PayloadN:   isakmp.ParserOf(isakmp.ParseNotify),
	isakmp.PayloadD:   isakmp.ParserOf(isakmp.ParseDelete),
	isakmp.PayloadVID: isakmp.ParserOf(isakmp.ParseVID),
	isakmp.PayloadKD:  isakmp.ParserOf(ParseKD),
	isakmp.PayloadSEQ: isakmp.ParserOf(ParseSEQ),
	isakmp.PayloadGAP: isakmp.ParserOf(ParseGAP),
}

// ACK is the dialect of GROUPKEY-PUSH-ACK (RFC 8263 §3).
//
//	GM --> KS  HDR, HASH, SEQ, ID
var ACK = isakmp.Dialect{
	isakmp.PayloadHASH: isakmp.ParserOf(isakmp.ParseHash),
	isakmp.PayloadSEQ:  isakmp.ParserOf(ParseSEQ),
	isakmp.PayloadID:   isakmp.ParserOf(isakmp.ParseID),
}

// DialectOf returns the dialect of an exchange: those of this package, or that of Phase 1.
func DialectOf(x isakmp.ExchangeType) isakmp.Dialect {
	switch x {
	case isakmp.ExchangePull:
		return Pull
	case isakmp.ExchangePush:
		return Push
	case isakmp.ExchangePushACK:
		return ACK
	}
	return isakmp.Phase1
}
