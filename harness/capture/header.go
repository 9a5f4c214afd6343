package capture

import (
	"encoding/hex"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// headerField shows an ISAKMP header (RFC 2408 §3.1).
func headerField(h isakmp.Header) Field {
	return Field{Name: "HDR", Length: isakmp.HeaderLen, Children: []Field{
		{Name: "Initiator Cookie", Value: h.InitiatorCookie.String(), Offset: 0, Length: 8},
		{Name: "Responder Cookie", Value: h.ResponderCookie.String(), Offset: 8, Length: 8},
		{Name: "Next Payload", Value: numbered(registered(h.NextPayload, uint64(h.NextPayload)), uint64(h.NextPayload)), Offset: 16, Length: 1},
		{Name: "Version", Value: fmt.Sprintf("%d.%d", h.Version>>4, h.Version&15), Offset: 17, Length: 1},
		{Name: "Exchange", Value: numbered(registered(h.Exchange, uint64(h.Exchange)), uint64(h.Exchange)), Offset: 18, Length: 1},
		{Name: "Flags", Value: fmt.Sprintf("0x%02x %v", uint8(h.Flags), h.Flags), Offset: 19, Length: 1},
		{Name: "Message ID", Value: fmt.Sprintf("%08x", h.MessageID), Offset: 20, Length: 4},
		{Name: "Length", Value: fmt.Sprint(h.Length), Offset: 24, Length: 4},
	}}
}

// unhex reads hexadecimal; what is none gives nil.
func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
