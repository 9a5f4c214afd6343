package ike

import (
	"io"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// SealInformational makes a protected Informational exchange of Notify and Delete payloads, with HASH(1) and a Message ID
// of its own (RFC 2409 §5.7).
func (sa *SA) SealInformational(rand io.Reader, ps ...isakmp.Payload) (Datagram, error) {
	return Datagram{}, nil
}

// SealDelete tells the peer that this SA is gone (RFC 2408 §3.15).
func (sa *SA) SealDelete(rand io.Reader) (Datagram, error) { return Datagram{}, nil }

// OpenInformational decrypts a protected Informational and checks HASH(1). The error is a *rule.Violation.
func (sa *SA) OpenInformational(data []byte) (*Opened, error) { return nil, nil }

// Deleted reports whether a proven Informational deletes this SA.
func (sa *SA) Deleted(o *Opened) bool { return false }

// Notify makes a Notification about this SA, for SealInformational (RFC 2408 §3.14).
func (sa *SA) Notify(t isakmp.NotifyType, data []byte) isakmp.Notify { return isakmp.Notify{} }
