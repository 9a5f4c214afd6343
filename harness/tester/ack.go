package tester

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// AckID has acknowledgements name somebody else, hashed as if it were right (RFC 8263 §3.4).
func AckID(what string, change func(*isakmp.ID)) Deviation {
	return Edit(core.PushACK, what, "RFC 8263 §3.4", func(id isakmp.ID) isakmp.Payload {
		id.Data = slices.Clone(id.Data)
		change(&id)
		return id
	})
}

// AckAs has the HASH of acknowledgements be made as that of another type is (RFC 8263 §2), with the key of the Rekey SA, which
// is in the key log.
func AckAs(what string, by keymat.Ack, rekey keylog.Entry) Deviation {
	return Deviation{core.PushACK.String() + " hashed " + what, "RFC 8263 §2", on(core.PushACK, core.Authenticated, func(o *core.Outgoing) {
		key, err := hex.DecodeString(rekey.Key)
		after, afterErr := isakmp.AppendPayloads(nil, o.Payloads[1:])
		if err != nil || afterErr != nil {
			return
		}
		spi := slices.Concat(o.Header.InitiatorCookie[:], o.Header.ResponderCookie[:])
		o.Payloads = slices.Clone(o.Payloads)
		o.Payloads[0] = isakmp.Hash{Data: by.Hash(by.Key(key, [16]byte(spi)), after, nil)}
	})}
}

// ForgeACK makes the acknowledgement of a PUSH from the key log of its Rekey SA (RFC 8263 §3), for one that no member sent.
func ForgeACK(rekey keylog.Entry, sequence uint32, id netip.Addr) ([]byte, error) {
	spi, err := hex.DecodeString(rekey.SPI)
	key, keyErr := hex.DecodeString(rekey.Key)
	if err != nil || keyErr != nil || len(spi) != 16 {
		return nil, fmt.Errorf("tester: acknowledgement under %q: no usable Rekey SA", rekey.SPI)
	}
	typ := uint8(isakmp.IDIPv4Addr)
	if id.Is6() {
		typ = isakmp.IDIPv6Addr
	}
	after := []isakmp.Payload{gdoi.SEQ{Number: sequence}, isakmp.ID{IDType: typ, Data: id.AsSlice()}}
	seqPayload, err := isakmp.AppendPayload(nil, isakmp.PayloadID, after[0])
	if err != nil {
		return nil, err
	}
	idPayload, err := isakmp.AppendPayload(nil, isakmp.PayloadNone, after[1])
	if err != nil {
		return nil, err
	}
	by := gdoimap.AckOf(policy.AckType(rekey.Ack))
	hash := by.Hash(by.Key(key, [16]byte(spi)), seqPayload, idPayload)
	return isakmp.Assemble(isakmp.Header{
		InitiatorCookie: isakmp.Cookie(spi[:8]), ResponderCookie: isakmp.Cookie(spi[8:]),
		Version: isakmp.Version10, Exchange: isakmp.ExchangePushACK,
	}, append([]isakmp.Payload{isakmp.Hash{Data: hash}}, after...))
}

// AckUnderived has acknowledgements hashed with the KEK itself in place of a key derived from it (RFC 8263 §3.2).
func AckUnderived(rekey keylog.Entry) Deviation {
	return ackKeyed("with the KEK itself", rekey, func(kek, _ []byte) []byte { return kek })
}

// AckUnterminated has the key of acknowledgements derived with a label that lacks its zero octet (RFC 8263 §3.2).
func AckUnterminated(rekey keylog.Entry) Deviation {
	return ackKeyed("with a label without its zero octet", rekey, func(kek, spi []byte) []byte {
		return hmacSHA256(kek, []byte("GROUPKEY-PUSH ACK"), spi, ackBits)
	})
}

// AckSwapped has the key of acknowledgements derived with the responder's cookie before the initiator's (RFC 8263 §3.2).
func AckSwapped(rekey keylog.Entry) Deviation {
	return ackKeyed("with the cookies exchanged", rekey, func(kek, spi []byte) []byte {
		return hmacSHA256(kek, ackLabel, spi[8:], spi[:8], ackBits)
	})
}

// AckLength has the key of acknowledgements derived with another L, which is the length in bits (RFC 8263 §3.2).
func AckLength(bits uint16, rekey keylog.Entry) Deviation {
	return ackKeyed(fmt.Sprintf("with %d for L", bits), rekey, func(kek, spi []byte) []byte {
		return hmacSHA256(kek, ackLabel, spi, binary.BigEndian.AppendUint16(nil, bits))
	})
}

// What the key of acknowledgements with SHA-256 is derived from beside KEK and cookies (RFC 8263 §3.2).
var (
	ackLabel = []byte("GROUPKEY-PUSH ACK\x00")
	ackBits  = []byte{0x02, 0x00}
)

// ackKeyed has acknowledgements hashed with SHA-256 and a key that is derived in another way from the KEK in the key log and the
// cookies of the message.
func ackKeyed(what string, rekey keylog.Entry, derive func(kek, spi []byte) []byte) Deviation {
	return Deviation{core.PushACK.String() + " hashed " + what, "RFC 8263 §3.2", on(core.PushACK, core.Authenticated, func(o *core.Outgoing) {
		kek, err := hex.DecodeString(rekey.Key)
		after, afterErr := isakmp.AppendPayloads(nil, o.Payloads[1:])
		if err != nil || afterErr != nil {
			return
		}
		key := derive(kek, slices.Concat(o.Header.InitiatorCookie[:], o.Header.ResponderCookie[:]))
		o.Payloads = slices.Clone(o.Payloads)
		o.Payloads[0] = isakmp.Hash{Data: hmacSHA256(key, after)}
	})}
}

func hmacSHA256(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
