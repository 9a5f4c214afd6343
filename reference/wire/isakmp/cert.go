package isakmp

import "github.com/gdoilab/gdoilab/reference/wire"

// CERT is the Certificate payload (RFC 2408 §3.9).
//
//	encoding (1) | certificate
type CERT struct {
	Encoding CertEncoding
	Data     []byte
}

// CR is the Certificate Request payload (RFC 2408 §3.10).
//
//	encoding (1) | certificate authority
type CR struct {
	Encoding  CertEncoding
	Authority []byte // its name in DER; none for any authority
}

// Type returns PayloadCERT.
func (CERT) Type() PayloadType { return PayloadCERT }

// Type returns PayloadCR.
func (CR) Type() PayloadType { return PayloadCR }

// AppendBody appends the body.
func (p CERT) AppendBody(b []byte) ([]byte, error) {
	return append(append(b, byte(p.Encoding)), p.Data...), nil
}

// AppendBody appends the body.
func (p CR) AppendBody(b []byte) ([]byte, error) {
	return append(append(b, byte(p.Encoding)), p.Authority...), nil
}

// ParseCERT reads the body of a CERT payload.
func ParseCERT(body []byte, offset int) (CERT, error) {
	r := wire.NewReaderAt(body, offset)
	p := CERT{Encoding: CertEncoding(r.Uint8("certificate encoding")), Data: r.Rest()}
	if err := r.Done(); err != nil {
		return CERT{}, err
	}
	return p, nil
}

// ParseCR reads the body of a CR payload.
func ParseCR(body []byte, offset int) (CR, error) {
	r := wire.NewReaderAt(body, offset)
	p := CR{Encoding: CertEncoding(r.Uint8("certificate request type")), Authority: r.Rest()}
	if err := r.Done(); err != nil {
		return CR{}, err
	}
	return p, nil
}
