package tester

import (
	"crypto"
	"crypto/aes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
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
	return resigned(what, "RFC 6407 §4", func(header, payloads []byte) ([]byte, error) {
		digest := sha256.Sum256(cover(header, payloads))
		return rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	})
}

// SignAs has SIG be a signature by another scheme, or by another key (RFC 6407 §5.3.5, §5.3.6).
func SignAs(what string, key crypto.Signer, scheme keymat.PushScheme) Deviation {
	return resigned(what, "RFC 6407 §5.3.6", func(header, payloads []byte) ([]byte, error) {
		return scheme.Sign(key, scheme.Digest(header, payloads))
	})
}

// SignDER has SIG hold r and s of ECDSA in a SEQUENCE, as X.509 does, instead of one after another (RFC 6407 §5.3.6.4).
func SignDER(key *ecdsa.PrivateKey, hash crypto.Hash) Deviation {
	return resigned("with r and s in DER", "RFC 6407 §5.3.6.4", func(header, payloads []byte) ([]byte, error) {
		return key.Sign(nil, keymat.PushScheme{Hash: hash}.Digest(header, payloads), hash)
	})
}

// SignWide has r and s of ECDSA each be an octet longer than they are to be (RFC 6407 §5.3.6.4).
func SignWide(key *ecdsa.PrivateKey, hash crypto.Hash) Deviation {
	scheme := keymat.PushScheme{Hash: hash}
	return resigned("with r and s an octet too long", "RFC 6407 §5.3.6.4", func(header, payloads []byte) ([]byte, error) {
		sig, err := scheme.Sign(key, scheme.Digest(header, payloads))
		return slices.Concat([]byte{0}, sig[:len(sig)/2], []byte{0}, sig[len(sig)/2:]), err
	})
}

// EditSIG changes the octets of SIG (RFC 6407 §5.3.6), which the signed Length is not changed for.
func EditSIG(what string, change func([]byte) []byte) Deviation {
	return EditAuthenticated(core.Push, what, "RFC 6407 §5.3.6", func(s isakmp.SIG) isakmp.Payload {
		return isakmp.SIG{Data: change(slices.Clone(s.Data))}
	})
}

// resigned replaces SIG by what sign makes of the header and of the payloads before SIG.
func resigned(what, section string, sign func(header, payloads []byte) ([]byte, error)) Deviation {
	return Deviation{core.Push.String() + " signed " + what, section, on(core.Push, core.Authenticated, func(o *core.Outgoing) {
		last := len(o.Payloads) - 1
		before, err := isakmp.AppendPayloads(nil, o.Payloads)
		old, ok := o.Payloads[last].(isakmp.SIG)
		if err != nil || !ok {
			return
		}
		before = before[:len(before)-isakmp.GenericLen-len(old.Data)]
		if sig := signFitting(o, before, len(old.Data), sign); sig != nil {
			o.Payloads = append(o.Payloads[:last:last], isakmp.SIG{Data: sig})
		}
	})}
}

// signFitting signs a header whose Length is that of the message with the signature. One in DER is now and then an octet
// longer or shorter than the last: then the Length of the padded message, in which it makes no difference, is signed.
func signFitting(o *core.Outgoing, before []byte, octets int, sign func(header, payloads []byte) ([]byte, error)) []byte {
	signFor := func(length int) []byte {
		h := o.Header
		h.NextPayload, h.Length = isakmp.FirstType(o.Payloads), uint32(length)
		sig, err := sign(h.Append(nil), before)
		if err != nil {
			return nil
		}
		return sig
	}
	whole := isakmp.HeaderLen + len(before) + isakmp.GenericLen
	first := signFor(whole + octets)
	for _, n := range []int{octets, len(first), len(first) - 1, len(first) + 1} {
		if sig := signFor(whole + n); len(sig) == n {
			return sig
		}
	}
	block := aes.BlockSize
	return signFor(isakmp.HeaderLen + (whole-isakmp.HeaderLen+len(first)+block-1)/block*block)
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

// Garbage has the encrypted part of a message be octets that no key makes sense of (RFC 6407 §4.4).
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
		if errIV != nil || errKey != nil {
			return
		}
		kek := gdoimap.CipherOf(policy.RekeySA{Cipher: policy.KEKCipher(rekey.Cipher)})
		plain, _, err := kek.DecryptCBC(key, iv, o.Bytes[isakmp.HeaderLen:])
		if err != nil {
			return
		}
		if body, _, err := kek.EncryptCBC(otherKey(key), iv, plain); err == nil {
			o.Bytes = append(slices.Clone(o.Bytes[:isakmp.HeaderLen]), body...)
		}
	})}
}

// otherKey differs from the key in a bit that is no parity bit of DES.
func otherKey(key []byte) []byte {
	other := slices.Clone(key)
	other[len(other)/2] ^= 2
	return other
}
