package policy

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"time"
)

// RekeySPI names a Rekey SA: the initiator and responder cookie of its GROUPKEY-PUSH (RFC 6407 §5.3).
type RekeySPI [16]byte

// String returns the SPI in hexadecimal.
func (s RekeySPI) String() string { return hex.EncodeToString(s[:]) }

// Selector says which packets an SA protects (RFC 6407 §5.5.1). Zero means any, for protocol and ports.
type Selector struct {
	Source, Destination         netip.Prefix
	Protocol                    uint8
	SourcePort, DestinationPort uint16
	Traffic                     OIDName // of IEC 61850, instead of all else (RFC 8052 §2.2)
}

// String returns the selector as "10.0.0.0/8 -> 10.0.0.0/8", with protocol and ports where they are named.
func (s Selector) String() string {
	if s.Traffic != (OIDName{}) {
		return s.Traffic.String()
	}
	var room [2*longestPrefix + 40]byte // members log it with each rekey
	text := appendPrefix(room[:0], s.Source)
	text = appendPrefix(append(text, arrow...), s.Destination)
	if s.Protocol != 0 {
		text = strconv.AppendUint(append(text, " proto "...), uint64(s.Protocol), 10)
	}
	if s.SourcePort != 0 || s.DestinationPort != 0 {
		text = strconv.AppendUint(append(text, " ports "...), uint64(s.SourcePort), 10)
		text = strconv.AppendUint(append(text, arrow...), uint64(s.DestinationPort), 10)
	}
	return string(text)
}

const (
	arrow         = " -> "
	longestPrefix = 43 // octets of text
)

// appendPrefix appends what Prefix.String returns.
func appendPrefix(text []byte, p netip.Prefix) []byte {
	if !p.IsValid() {
		return append(text, p.String()...)
	}
	return p.AppendTo(text)
}

// FormatSPI writes the SPI of a Data-Security SA as it stands on the wire, in eight hexadecimal digits.
func FormatSPI(spi uint32) string {
	var octets [4]byte
	binary.BigEndian.PutUint32(octets[:], spi)
	var text [8]byte
	hex.Encode(text[:], octets[:])
	return string(text[:])
}

// Mode is the Encapsulation Mode of RFC 2407 §4.5.
type Mode uint16

// The encapsulation modes, with those of ESP in UDP (RFC 3947 §5.1).
const (
	ModeTunnel       Mode = 1
	ModeTransport    Mode = 2
	ModeUDPTunnel    Mode = 3
	ModeUDPTransport Mode = 4
)

// UDP reports whether ESP travels in UDP (RFC 3948).
func (m Mode) UDP() bool { return m == ModeUDPTunnel || m == ModeUDPTransport }

// Transports reports whether the IP header of a packet stays in front of ESP, in UDP or not.
func (m Mode) Transports() bool { return m == ModeTransport || m == ModeUDPTransport }

// Preservation is the Address Preservation of RFC 6407 §5.5.1.1.1. Absent means both.
type Preservation uint16

// The values of Preservation; PreserveAbsent leaves the attribute out.
const (
	PreserveAbsent      Preservation = 0
	PreserveNone        Preservation = 1
	PreserveSource      Preservation = 2
	PreserveDestination Preservation = 3
	PreserveBoth        Preservation = 4
)

// Source reports whether the outer source address is that of the inner packet.
func (p Preservation) Source() bool {
	return p == PreserveAbsent || p == PreserveBoth || p == PreserveSource
}

// Destination reports whether the outer destination address is that of the inner packet.
func (p Preservation) Destination() bool {
	return p == PreserveAbsent || p == PreserveBoth || p == PreserveDestination
}

// Direction is the SA Direction of RFC 6407 §5.5.1.1.2. Absent means symmetric.
type Direction uint16

// The values of Direction; DirectionAbsent leaves the attribute out.
const (
	DirectionAbsent       Direction = 0
	DirectionSenderOnly   Direction = 1
	DirectionReceiverOnly Direction = 2
	DirectionSymmetric    Direction = 3
)

// Transform is how an SA protects packets.
type Transform struct {
	Protocol     Protocol
	Cipher       Cipher
	KeyBits      int // of the cipher, without salt; 0 if it has keys of one length only, or none
	Integrity    Integrity
	ESN          bool // extended sequence numbers, of 64 bits (RFC 4303 §2.2.1); receivers need a replay window for them
	Mode         Mode
	Preservation Preservation
	Direction    Direction

	// Of IEC 61850, which has nothing else of the above (RFC 8052 §2.2).
	Authentication IECAuthentication
	Encryption     IECEncryption
}

// TrafficSA is a Data-Security SA with its keys (a SAT and its TEK).
type TrafficSA struct {
	SPI          uint32
	Selector     Selector
	Transform    Transform
	Lifetime     time.Duration // remaining when it was handed over
	CipherKey    []byte        // TEK_ALGORITHM_KEY: for combined modes the salt follows the key
	IntegrityKey []byte        // TEK_INTEGRITY_KEY; empty for combined modes
	Handling     IECHandling   // of IEC 61850
	Replay       *ReplaySA     // profile getvpn; nil: RFC 6407 alone
	Zeros        bool          // its SAT says 0 for what it has not of Address Preservation and SA Direction; a key server's
}

// SigHash is the SIG_HASH_ALGORITHM of RFC 6407 §5.3.5.
type SigHash uint16

// The hashes of signatures.
const (
	SigHashSHA1   SigHash = 2
	SigHashSHA256 SigHash = 3
	SigHashSHA384 SigHash = 4
	SigHashSHA512 SigHash = 5
)

// SigAlgorithm is the SIG_ALGORITHM of RFC 6407 §5.3.6.
type SigAlgorithm uint16

// The signature algorithms: RSASSA-PKCS1-v1_5, and ECDSA over P-256, P-384 and P-521, each with the hash of its size.
const (
	SigRSA      SigAlgorithm = 1
	SigECDSA256 SigAlgorithm = 4
	SigECDSA384 SigAlgorithm = 5
	SigECDSA521 SigAlgorithm = 6
)

// Hash is the hash that ECDSA has with a curve (RFC 6407 §5.3.5), and 0 for RSA, which has any.
func (a SigAlgorithm) Hash() SigHash {
	switch a {
	case SigECDSA256:
		return SigHashSHA256
	case SigECDSA384:
		return SigHashSHA384
	case SigECDSA521:
		return SigHashSHA512
	}
	return 0
}

// SigForm is what an RSA signature is made over.
type SigForm uint8

// The forms: a DigestInfo (RFC 6407 §5.3.6.1), or the digest alone, as some daemons have it.
const (
	SigDigestInfo SigForm = iota
	SigBareHash
)

// String returns the form's name in configuration files and key logs.
func (f SigForm) String() string {
	name, _ := sigForms.Of(f)
	return name
}

// AckType is the KEK_ACK_REQUESTED of RFC 8263 §2; AckNone leaves the attribute out.
type AckType uint16

// The acknowledgement types in use.
const (
	AckNone      AckType = 0
	AckKEKSHA256 AckType = 1
	AckLKHSHA256 AckType = 2
	AckKEKSHA512 AckType = 3
	AckLKHSHA512 AckType = 4
)

// RekeySA protects GROUPKEY-PUSH messages (a SAK and its KEK).
type RekeySA struct {
	SPI          RekeySPI
	Source       netip.AddrPort // where PUSH comes from
	Destination  netip.AddrPort // multicast group, or a unicast address; the unspecified address for unicast to each member
	Cipher       KEKCipher
	KeyBits      int
	SigHash      SigHash
	SigAlgorithm SigAlgorithm
	SigKeyBits   int
	SigForm      SigForm // no message tells it: the key server and its members are configured alike
	Ack          AckType
	Lifetime     time.Duration // remaining when it was handed over
	IV, Key      []byte
	PublicKey    []byte // SIG_ALGORITHM_KEY: SubjectPublicKeyInfo, DER
	LKH          *LKH   // what it brings of a hierarchy of keys; nil: IV and Key come by themselves
}

// Activation says when new SAs start and replaced ones stop (the GAP payload, RFC 6407 §5.4.1). Nil means absent.
type Activation struct {
	ATD, DTD *time.Duration // whole seconds
}

// SIDs are the Sender-IDs of one member (RFC 6407 §5.6.4).
type SIDs struct {
	Bits   int
	Values []uint32
}

// Download is what a member gets when it registers.
type Download struct {
	Group      uint32
	Rekey      *RekeySA // nil if the group has no rekey
	Sequence   uint32   // last PUSH number used under Rekey
	Activation Activation
	SAs        []TrafficSA
	Access     AccessList // what SAs are for and what stays in clear, in order
	SIDs       *SIDs
}

// Rekey is one change of the group as a value, before any message carries it.
type Rekey struct {
	Under      RekeySPI // the Rekey SA that protects it
	Sequence   uint32
	NewRekey   *RekeySA // set when the KEK changes
	Activation Activation
	SAs        []TrafficSA // new ones
	Access     AccessList  // see Download
	DeleteTEKs []uint32    // SPIs of Data-Security SAs to delete; a single 0 means all
	Protocols  []Protocol  // of each of DeleteTEKs in its order, and of 0 all that the group has; empty: ESP
	DeleteKEK  bool
}
