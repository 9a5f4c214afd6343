package isakmp

// The payloads of this file have a single field: their body is what they carry.

// KE is the Key Exchange payload (RFC 2408 §3.7): the public value, as long as its group demands.
type KE struct{ Data []byte }

// Hash is the Hash payload (RFC 2408 §3.11).
type Hash struct{ Data []byte }

// SIG is the Signature payload (RFC 2408 §3.12).
type SIG struct{ Data []byte }

// Nonce is the Nonce payload (RFC 2408 §3.13).
type Nonce struct{ Data []byte }

// VID is the Vendor ID payload (RFC 2408 §3.16).
type VID struct{ Data []byte }

// NATD is the NAT Discovery payload (RFC 3947 §3.2): the hash of an address and port.
type NATD struct{ Data []byte }

// Raw is a payload without a layout in its dialect, kept octet by octet.
type Raw struct {
	PayloadType PayloadType
	Body        []byte
}

// Type returns PayloadKE.
func (KE) Type() PayloadType { return PayloadKE }

// Type returns PayloadHASH.
func (Hash) Type() PayloadType { return PayloadHASH }

// Type returns PayloadSIG.
func (SIG) Type() PayloadType { return PayloadSIG }

// Type returns PayloadNonce.
func (Nonce) Type() PayloadType { return PayloadNonce }

// Type returns PayloadVID.
func (VID) Type() PayloadType { return PayloadVID }

// Type returns PayloadNATD.
func (NATD) Type() PayloadType { return PayloadNATD }

// Type returns the number it was received under, or is to be sent under.
func (p Raw) Type() PayloadType { return p.PayloadType }

// AppendBody appends the public value.
func (p KE) AppendBody(b []byte) ([]byte, error) { return append(b, p.Data...), nil }

// AppendBody appends the hash.
func (p Hash) AppendBody(b []byte) ([]byte, error) { return append(b, p.Data...), nil }

// AppendBody appends the signature.
func (p SIG) AppendBody(b []byte) ([]byte, error) { return append(b, p.Data...), nil }

// AppendBody appends the nonce.
func (p Nonce) AppendBody(b []byte) ([]byte, error) { return append(b, p.Data...), nil }

// AppendBody appends the vendor's octets.
func (p VID) AppendBody(b []byte) ([]byte, error) { return append(b, p.Data...), nil }

// AppendBody appends the hash.
func (p NATD) AppendBody(b []byte) ([]byte, error) { return append(b, p.Data...), nil }

// AppendBody appends the body.
func (p Raw) AppendBody(b []byte) ([]byte, error) { return append(b, p.Body...), nil }

// ParseKE reads the body of a KE payload. It takes anything, as do the next five.
func ParseKE(body []byte, _ int) (KE, error) { return KE{Data: body}, nil }

// ParseHash reads the body of a HASH payload.
func ParseHash(body []byte, _ int) (Hash, error) { return Hash{Data: body}, nil }

// ParseSIG reads the body of a SIG payload.
func ParseSIG(body []byte, _ int) (SIG, error) { return SIG{Data: body}, nil }

// ParseNonce reads the body of a Nonce payload.
func ParseNonce(body []byte, _ int) (Nonce, error) { return Nonce{Data: body}, nil }

// ParseVID reads the body of a Vendor ID payload.
func ParseVID(body []byte, _ int) (VID, error) { return VID{Data: body}, nil }

// ParseNATD reads the body of a NAT-D payload.
func ParseNATD(body []byte, _ int) (NATD, error) { return NATD{Data: body}, nil }
