package keylog

import (
	"encoding/hex"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// The kinds of entries.
const (
	KindPhase1  = "phase1"
	KindRekey   = "rekey"
	KindTraffic = "traffic"
	KindSIDs    = "sids"
	KindAH      = "ah" // a traffic entry but for the name: readers of ESP have no use for it
	KindIEC     = "iec61850"
)

// Entry is one secret. All octet strings are hexadecimal; a field that does not belong to the Kind is left out.
type Entry struct {
	Kind  string    `json:"kind"`
	Node  string    `json:"node"`
	Time  time.Time `json:"time"`
	Group uint32    `json:"group,omitempty"`

	// Phase 1 (RFC 2409 §5 and appendix B).
	CookieI   string `json:"cookie_i,omitempty"`
	CookieR   string `json:"cookie_r,omitempty"`
	SKEYID    string `json:"skeyid,omitempty"`
	SKEYIDd   string `json:"skeyid_d,omitempty"`
	SKEYIDa   string `json:"skeyid_a,omitempty"`
	SKEYIDe   string `json:"skeyid_e,omitempty"`
	CipherKey string `json:"cipher_key,omitempty"` // also of a traffic entry, there with the salt
	FirstIV   string `json:"first_iv,omitempty"`
	Shared    string `json:"g_xy,omitempty"` // the Diffie-Hellman value: SKEYID_d, _a and _e can be derived again with it

	// Rekey SA (RFC 6407 §5.3) and Data-Security SA (§5.5); numbers are those of the registries.
	SPI          string `json:"spi,omitempty"` // 32 or 8 hexadecimal digits
	Source       string `json:"source,omitempty"`
	Destination  string `json:"destination,omitempty"`
	Cipher       int    `json:"cipher,omitempty"`
	KeyBits      int    `json:"key_bits,omitempty"`
	IV           string `json:"iv,omitempty"`
	Key          string `json:"key,omitempty"`
	PublicKey    string `json:"public_key,omitempty"` // SubjectPublicKeyInfo, DER
	SigHash      int    `json:"sig_hash,omitempty"`
	SigAlgorithm int    `json:"sig_algorithm,omitempty"`
	SigForm      string `json:"sig_form,omitempty"` // "bare-hash" of RSA signatures without DigestInfo
	Ack          int    `json:"ack,omitempty"`

	Protocol        uint8   `json:"protocol,omitempty"`
	SourcePort      uint16  `json:"source_port,omitempty"`
	DestinationPort uint16  `json:"destination_port,omitempty"`
	Integrity       int     `json:"integrity,omitempty"`
	IntegrityKey    string  `json:"integrity_key,omitempty"`
	Mode            int     `json:"mode,omitempty"`
	ESN             bool    `json:"esn,omitempty"` // extended sequence numbers, of 64 bits
	Preservation    int     `json:"preservation,omitempty"`
	Direction       int     `json:"direction,omitempty"`
	Lifetime        float64 `json:"lifetime_s,omitempty"`

	// SA of IEC 61850 (RFC 8052 §2.2): what its traffic is. Its algorithms are Cipher and Integrity, by their own registries.
	OID        string `json:"oid,omitempty"`         // numbers with dots
	OIDPayload string `json:"oid_payload,omitempty"` // octets

	// Sender-IDs (RFC 6407 §5.6.4).
	Bits   int      `json:"bits,omitempty"`
	Values []uint32 `json:"values,omitempty"`
}

// Of makes the entries of one effect.
func Of(node string, now time.Time, s *core.Secret) []Entry {
	base := Entry{Node: node, Time: now, Group: s.Group}
	var entries []Entry
	if s.Phase1 != nil {
		entries = append(entries, phase1(base, s.Phase1))
	}
	if s.Rekey != nil {
		entries = append(entries, rekey(base, s.Rekey))
	}
	if s.Traffic != nil {
		entries = append(entries, traffic(base, s.Traffic))
	}
	if s.SIDs != nil {
		e := base
		e.Kind, e.Bits, e.Values = KindSIDs, s.SIDs.Bits, s.SIDs.Values
		entries = append(entries, e)
	}
	return entries
}

func phase1(e Entry, p *core.Phase1Secret) Entry {
	e.Kind = KindPhase1
	e.CookieI, e.CookieR = hex.EncodeToString(p.InitiatorCookie[:]), hex.EncodeToString(p.ResponderCookie[:])
	e.SKEYID, e.SKEYIDd = hex.EncodeToString(p.SKEYID), hex.EncodeToString(p.SKEYIDd)
	e.SKEYIDa, e.SKEYIDe = hex.EncodeToString(p.SKEYIDa), hex.EncodeToString(p.SKEYIDe)
	e.CipherKey, e.FirstIV = hex.EncodeToString(p.CipherKey), hex.EncodeToString(p.FirstIV)
	e.Shared = hex.EncodeToString(p.Shared)
	return e
}

func rekey(e Entry, r *policy.RekeySA) Entry {
	e.Kind, e.SPI = KindRekey, r.SPI.String()
	e.Source, e.Destination = r.Source.String(), r.Destination.String()
	e.Cipher, e.KeyBits = int(r.Cipher), r.KeyBits
	e.IV, e.Key = hex.EncodeToString(r.IV), hex.EncodeToString(r.Key)
	e.PublicKey = hex.EncodeToString(r.PublicKey)
	e.SigHash, e.SigAlgorithm, e.Ack = int(r.SigHash), int(r.SigAlgorithm), int(r.Ack)
	if r.SigForm != policy.SigDigestInfo {
		e.SigForm = r.SigForm.String()
	}
	e.Lifetime = r.Lifetime.Seconds()
	return e
}

func traffic(e Entry, t *policy.TrafficSA) Entry {
	e.Kind, e.SPI = KindTraffic, policy.FormatSPI(t.SPI)
	e.CipherKey, e.IntegrityKey = hex.EncodeToString(t.CipherKey), hex.EncodeToString(t.IntegrityKey)
	e.Lifetime = t.Lifetime.Seconds()
	if t.Transform.Protocol == policy.ProtocolIEC61850 {
		return iec61850(e, t)
	}
	e.Source, e.Destination = t.Selector.Source.String(), t.Selector.Destination.String()
	e.Protocol, e.SourcePort, e.DestinationPort = t.Selector.Protocol, t.Selector.SourcePort, t.Selector.DestinationPort
	e.Cipher, e.KeyBits, e.Integrity = int(t.Transform.Cipher), t.Transform.KeyBits, int(t.Transform.Integrity)
	e.ESN, e.Mode, e.Preservation = t.Transform.ESN, int(t.Transform.Mode), int(t.Transform.Preservation)
	e.Direction = int(t.Transform.Direction)
	if t.Transform.Protocol == policy.ProtocolAH {
		e.Kind = KindAH
	}
	return e
}

func iec61850(e Entry, t *policy.TrafficSA) Entry {
	e.Kind = KindIEC
	e.OID, e.OIDPayload = t.Selector.Traffic.OID, hex.EncodeToString([]byte(t.Selector.Traffic.Payload))
	e.Cipher, e.Integrity = int(t.Transform.Encryption), int(t.Transform.Authentication)
	return e
}
