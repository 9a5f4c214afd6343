package ikev2

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// KE is the Key Exchange payload (RFC 7296 §3.4).
//
//	group (2) | reserved (2) | public value
type KE struct {
	Group    uint16
	Reserved uint16
	Data     []byte
}

// Nonce is the Nonce payload (RFC 7296 §3.9).
type Nonce struct{ Data []byte }

// VendorID is the Vendor ID payload (RFC 7296 §3.12).
type VendorID struct{ Data []byte }

// ID is what the two Identification payloads hold (RFC 7296 §3.5).
//
//	type (1) | reserved (3) | data
type ID struct {
	IDType   IDType
	Reserved [3]byte
	Data     []byte
}

// IDi is the Identification payload of the initiator.
type IDi struct{ ID }

// IDr is that of the responder, or whom the initiator wants to speak with.
type IDr struct{ ID }

// CERT is the Certificate payload (RFC 7296 §3.6).
//
//	encoding (1) | certificate
type CERT struct {
	Encoding uint8
	Data     []byte
}

// CERTREQ is the Certificate Request payload (RFC 7296 §3.7).
//
//	encoding (1) | SHA-1 hashes of trust anchors' keys (20 each)
type CERTREQ struct {
	Encoding    uint8
	Authorities []byte
}

// AUTH is the Authentication payload (RFC 7296 §3.8).
//
//	method (1) | reserved (3) | data
type AUTH struct {
	Method   AuthMethod
	Reserved [3]byte
	Data     []byte
}

// Type returns PayloadKE.
func (KE) Type() isakmp.PayloadType { return PayloadKE }

// Type returns PayloadNonce.
func (Nonce) Type() isakmp.PayloadType { return PayloadNonce }

// Type returns PayloadV.
func (VendorID) Type() isakmp.PayloadType { return PayloadV }

// Type returns PayloadIDi.
func (IDi) Type() isakmp.PayloadType { return PayloadIDi }

// Type returns PayloadIDr.
func (IDr) Type() isakmp.PayloadType { return PayloadIDr }

// Type returns PayloadCERT.
func (CERT) Type() isakmp.PayloadType { return PayloadCERT }

// Type returns PayloadCERTREQ.
func (CERTREQ) Type() isakmp.PayloadType { return PayloadCERTREQ }

// Type returns PayloadAUTH.
func (AUTH) Type() isakmp.PayloadType { return PayloadAUTH }

// AppendBody appends the body.
func (p KE) AppendBody(b []byte) ([]byte, error) {
	b = binary.BigEndian.AppendUint16(b, p.Group)
	b = binary.BigEndian.AppendUint16(b, p.Reserved)
	return append(b, p.Data...), nil
}

// AppendBody appends the nonce.
func (p Nonce) AppendBody(b []byte) ([]byte, error) { return append(b, p.Data...), nil }

// AppendBody appends the vendor's octets.
func (p VendorID) AppendBody(b []byte) ([]byte, error) { return append(b, p.Data...), nil }

// AppendBody appends the body, which AUTH payloads cover too (RFC 7296 §2.15).
func (p ID) AppendBody(b []byte) ([]byte, error) {
	return append(append(append(b, byte(p.IDType)), p.Reserved[:]...), p.Data...), nil
}

// AppendBody appends the body.
func (p CERT) AppendBody(b []byte) ([]byte, error) {
	return append(append(b, p.Encoding), p.Data...), nil
}

// AppendBody appends the body.
func (p CERTREQ) AppendBody(b []byte) ([]byte, error) {
	return append(append(b, p.Encoding), p.Authorities...), nil
}

// AppendBody appends the body.
func (p AUTH) AppendBody(b []byte) ([]byte, error) {
	return append(append(append(b, byte(p.Method)), p.Reserved[:]...), p.Data...), nil
}

// ParseKE reads the body of a KE payload.
func ParseKE(body []byte, offset int) (KE, error) {
	r := wire.NewReaderAt(body, offset)
	p := KE{Group: r.Uint16("KE group"), Reserved: r.Uint16("KE reserved"), Data: r.Rest()}
	if err := r.Done(); err != nil {
		return KE{}, err
	}
	return p, nil
}

// ParseNonce reads the body of a Nonce payload. It takes anything, as does the next.
func ParseNonce(body []byte, _ int) (Nonce, error) { return Nonce{Data: body}, nil }

// ParseVendorID reads the body of a Vendor ID payload.
func ParseVendorID(body []byte, _ int) (VendorID, error) { return VendorID{Data: body}, nil }

// ParseIDi reads the body of an IDi payload.
func ParseIDi(body []byte, offset int) (IDi, error) {
	id, err := parseID(body, offset)
	return IDi{id}, err
}

// ParseIDr reads the body of an IDr payload.
func ParseIDr(body []byte, offset int) (IDr, error) {
	id, err := parseID(body, offset)
	return IDr{id}, err
}

func parseID(body []byte, offset int) (ID, error) {
	r := wire.NewReaderAt(body, offset)
	p := ID{IDType: IDType(r.Uint8("ID type"))}
	copy(p.Reserved[:], r.Bytes(len(p.Reserved), "ID reserved"))
	p.Data = r.Rest()
	if err := r.Done(); err != nil {
		return ID{}, err
	}
	return p, nil
}

// ParseCERT reads the body of a CERT payload.
func ParseCERT(body []byte, offset int) (CERT, error) {
	r := wire.NewReaderAt(body, offset)
	p := CERT{Encoding: r.Uint8("certificate encoding"), Data: r.Rest()}
	if err := r.Done(); err != nil {
		return CERT{}, err
	}
	return p, nil
}

// ParseCERTREQ reads the body of a CERTREQ payload.
func ParseCERTREQ(body []byte, offset int) (CERTREQ, error) {
	r := wire.NewReaderAt(body, offset)
	p := CERTREQ{Encoding: r.Uint8("certificate request encoding"), Authorities: r.Rest()}
	if err := r.Done(); err != nil {
		return CERTREQ{}, err
	}
	return p, nil
}

// ParseAUTH reads the body of an AUTH payload.
func ParseAUTH(body []byte, offset int) (AUTH, error) {
	r := wire.NewReaderAt(body, offset)
	p := AUTH{Method: AuthMethod(r.Uint8("AUTH method"))}
	copy(p.Reserved[:], r.Bytes(len(p.Reserved), "AUTH reserved"))
	p.Data = r.Rest()
	if err := r.Done(); err != nil {
		return AUTH{}, err
	}
	return p, nil
}
