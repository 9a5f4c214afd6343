package tester

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Rearrange changes the list of payloads after HASH or SIG were made, which so can be left out or moved, too.
func Rearrange(kind core.Kind, what, section string, change func([]isakmp.Payload) []isakmp.Payload) Deviation {
	return Deviation{kind.String() + " with " + what, section, on(kind, core.Authenticated, func(o *core.Outgoing) {
		o.Payloads = change(slices.Clone(o.Payloads))
	})}
}

// Datagram changes the finished datagram, of which it is given the header once more.
func Datagram(kind core.Kind, what, section string, change func(h isakmp.Header, data []byte) []byte) Deviation {
	return Deviation{kind.String() + " sent with " + what, section, on(kind, core.Sealed, func(o *core.Outgoing) {
		if h, err := isakmp.ParseHeader(o.Bytes); err == nil {
			o.Bytes = change(h, slices.Clone(o.Bytes))
		}
	})}
}

// SignedHeader has SIG cover another header than the one that is sent (RFC 6407 §4).
func SignedHeader(what string, change func(h *isakmp.Header)) Deviation {
	var right isakmp.Header
	return Deviation{core.Push.String() + " signed for " + what, "RFC 6407 §4", func(stage core.Stage, o *core.Outgoing) {
		if o.Kind != core.Push {
			return
		}
		switch stage {
		case core.Built:
			right = o.Header
			change(&o.Header)
		case core.Authenticated:
			o.Header = right
		}
	}}
}

// Resign replaces SIG by another RSA signature with SHA-256, of what cover makes of the header and of the payloads before
// SIG (RFC 6407 §4).
func Resign(what string, key *rsa.PrivateKey, cover func(header, payloads []byte) []byte) Deviation {
	return Deviation{core.Push.String() + " signed " + what, "RFC 6407 §4", on(core.Push, core.Authenticated, func(o *core.Outgoing) {
		last := len(o.Payloads) - 1
		payloads, err := isakmp.AppendPayloads(nil, o.Payloads)
		if err != nil || o.Payloads[last].Type() != isakmp.PayloadSIG {
			return
		}
		h := o.Header
		h.NextPayload, h.Length = isakmp.FirstType(o.Payloads), uint32(isakmp.HeaderLen+len(payloads))
		digest := sha256.Sum256(cover(h.Append(nil), payloads[:len(payloads)-isakmp.GenericLen-key.Size()]))
		if sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]); err == nil {
			o.Payloads = append(o.Payloads[:last:last], isakmp.SIG{Data: sig})
		}
	})}
}

// Padding puts so many octets of zeros behind SIG, more than encryption needs (RFC 2409 appendix B).
func Padding(octets int) Deviation {
	return EditAuthenticated(core.Push, fmt.Sprintf("%d octets of padding too many", octets), "RFC 2409 appendix B",
		func(s isakmp.SIG) isakmp.Payload {
			return isakmp.Framed{Payload: isakmp.SIG{Data: append(slices.Clone(s.Data), make([]byte, octets)...)}, LengthDelta: -octets}
		})
}

// OnlyDeletes has a PUSH carry these Delete payloads, and neither SA nor KD (RFC 6407 §5.9).
func OnlyDeletes(what string, ds ...isakmp.Delete) Deviation {
	return Payloads(core.Push, what, "RFC 6407 §5.9", func(ps []isakmp.Payload) []isakmp.Payload {
		return deleting(ps[:1:1], ds)
	})
}

// AlsoDeletes has a PUSH carry these Delete payloads beside the SA and KD that it has (RFC 6407 §5.9).
func AlsoDeletes(what string, ds ...isakmp.Delete) Deviation {
	return Payloads(core.Push, what, "RFC 6407 §5.9", func(ps []isakmp.Payload) []isakmp.Payload {
		return append(deleting(ps[:1:1], ds), ps[1:]...)
	})
}

func deleting(ps []isakmp.Payload, ds []isakmp.Delete) []isakmp.Payload {
	for _, d := range ds {
		ps = append(ps, d)
	}
	return ps
}

// DeleteESP is the Delete of Data-Security SAs, or of all of them if an SPI is 0 (RFC 6407 §5.9).
func DeleteESP(spis ...uint32) isakmp.Delete {
	d := isakmp.Delete{DOI: gdoi.DOI, Protocol: gdoi.ProtoIPsecESP, SPISize: 4}
	for _, spi := range spis {
		d.SPIs = append(d.SPIs, be32(spi))
	}
	return d
}

// DeleteKEK is the Delete of the Rekey SA with that SPI, zeros for any (RFC 6407 §5.9).
func DeleteKEK(spi []byte) isakmp.Delete {
	return isakmp.Delete{DOI: gdoi.DOI, Protocol: 0, SPISize: uint8(len(spi)), SPIs: [][]byte{spi}}
}

// Garbage has the encrypted part of a message be octets that no key made sense of.
func Garbage(kind core.Kind) Deviation {
	return Deviation{kind.String() + " of random octets", "RFC 6407 §4.4", on(kind, core.Sealed, func(o *core.Outgoing) {
		o.Bytes = slices.Clone(o.Bytes)
		noise := sha256.Sum256(o.Bytes)
		for i := isakmp.HeaderLen; i < len(o.Bytes); i++ {
			if at := i % len(noise); at == 0 {
				noise = sha256.Sum256(noise[:])
			}
			o.Bytes[i] ^= noise[i%len(noise)]
		}
	})}
}

// OtherKEK has PUSH messages encrypted with a key that is not that of the Rekey SA, whose keys are in the key log
// (RFC 6407 §4.3).
func OtherKEK(rekey keylog.Entry) Deviation {
	return Deviation{core.Push.String() + " encrypted with another key", "RFC 6407 §4.3", on(core.Push, core.Sealed, func(o *core.Outgoing) {
		iv, errIV := hex.DecodeString(rekey.IV)
		key, errKey := hex.DecodeString(rekey.Key)
		right, errRight := aes.NewCipher(key)
		wrong, errWrong := aes.NewCipher(flipped(key))
		if errIV != nil || errKey != nil || errRight != nil || errWrong != nil || len(iv) != aes.BlockSize {
			return
		}
		o.Bytes = slices.Clone(o.Bytes)
		body := o.Bytes[isakmp.HeaderLen:]
		cipher.NewCBCDecrypter(right, iv).CryptBlocks(body, body)
		cipher.NewCBCEncrypter(wrong, iv).CryptBlocks(body, body)
	})}
}
