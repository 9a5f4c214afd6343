package policy

import (
	"net/netip"
	"time"
)

// KeyServer is the whole configuration of a key server.
type KeyServer struct {
	Name       string
	Profile    Profile
	Address    netip.AddrPort // where it listens; port 848 unless said (RFC 6407 §2.2)
	Phase1     Phase1
	Groups     []Group
	Replay     ReplayAttributes // profile getvpn: under which numbers SATs tell of anti-replay
	SigningKey []byte           // PKCS#8 DER of the RSA or ECDSA key that signs PUSH messages
	SNMP       *SNMP            // of GET VPN; nil: no agent
	Console    Console
	Log        LogReceiver
	Router     Router // of GET VPN; in a file its fields are the key server's
}

// Member is the whole configuration of a group member.
type Member struct {
	Name           string
	Profile        Profile
	Group          uint32
	ZeroAttributes bool           // in SATs 0 as Address Preservation and as SA Direction stands for none
	Address        netip.AddrPort // its own; port 848 unless said
	IPsecFlows     int            // SAs of one policy that it has room for; 0: any number; of the profile getvpn
	ReRegister     time.Duration  // before the last SA expires; 0 means 60 s, or less if the SA lives shorter than 20 min
	Authorised     []Flow         // those for which the group may send policy (RFC 5374 §4.1.3.5); empty: all
	Phase1         Phase1
	Client         Client           // of profile getvpn: what it takes of what its key server offers
	OtherAddress   netip.Addr       // its own of the other IP version, for the traffic of that version; not valid: none
	KeyServers     []netip.AddrPort // in order of preference; together with their PSK they are the GPAD (RFC 6407 §3.1)
	GroupName      string           // by which operators know the group on the console
	GroupOID       OIDName          // names the group in message 1 instead of its number (RFC 8052 §2.1)
	IEC61850       bool             // it hands out keys for IEC 61850; else it takes no such SA (RFC 8052 §2.2)
	Groups         []Membership     // several groups at once instead of one; then Group, GroupOID, Authorised, SIDRequest and Passive are zero
	Inside         []netip.Prefix   // networks behind this gateway
	Joins          []Stream         // by hand, beside those of the Rekey SAs
	FailOpen       bool             // without an SA, protected traffic leaves in clear
	MTU            int              // of the outside link; 0 means 1500
	ReplayWindow   int              // packets; 0 switches the window off, as multi-sender SAs need (RFC 4303 §3.4.3)
	// FirstSequence is the number of the first packet of each SA, as if those before it had been sent and received. 0 means 1,
	// which is right (RFC 4303 §2.2); tests begin near the end of the numbers, where nobody would get otherwise.
	FirstSequence uint64
	RetryDelay    time.Duration // after a failed registration; 0 means 10 s
	SIDRequest    int           // Sender-IDs to ask for when a counter mode is in the policy; 0 asks for none and gets one
	Passive       bool          // of GET VPN: it sends in ESP and takes clear packets too, whatever its key server says of directions
	FailClose     FailClose     // of GET VPN
	OnDemand      bool          // it begins to register when a packet of its hosts is to be protected (RFC 5374 §4.1.1), not when it starts
	Rekey         MemberRekey
	Replay        ReplayAttributes // profile getvpn: under which numbers SATs tell of anti-replay
	Metadata      Metadata         // profile getvpn: what it puts between ESP and a packet
	Console       Console
	VRF           string   // of its interfaces; "": the global one
	Namespace     string   // path of the network namespace that has them; "": that of the process
	VRFs          []Member // further members of the device, each in a VRF of its own
	DataPath      DataPath // how it carries packets; in a file its fields are the member's
	Log           LogReceiver
	SNMP          *SNMP  // of GET VPN; nil: no agent
	Track         *Track // of GET VPN, of a member of one group; nil: nothing is tracked
	AccessList    []ACE  // its own, ahead of the group's: what it leaves in clear; of the profile getvpn
	DenyProtocol  uint8  // see Group
	PacketRate    int    // see Group
}

// Membership is what a member of several groups has for one of them. They stand in the order of their policy: traffic that several
// protect is of the first (RFC 4301 §4.4.1).
type Membership struct {
	Group      uint32
	GroupName  string
	GroupOID   OIDName
	KeyServers []netip.AddrPort // empty: the member's
	Authorised []Flow
	SIDRequest int
	Track      *Track
	Passive    bool
}

// Stream is what comes of a multicast group on an interface, from one source or, if that is invalid, from any.
type Stream struct {
	Group     netip.Addr
	Interface string // as the system names it
	Source    netip.Addr
}

// Memberships returns the member as it is in each of its groups, as if it were in no other.
func (m Member) Memberships() []Member {
	if len(m.Groups) == 0 {
		return []Member{m}
	}
	var all []Member
	for _, in := range m.Groups {
		one := m
		one.Groups, one.Group, one.GroupOID, one.Authorised, one.SIDRequest, one.Track = nil, in.Group, in.GroupOID, in.Authorised, in.SIDRequest, in.Track
		one.Passive, one.GroupName = in.Passive, in.GroupName
		if len(in.KeyServers) > 0 {
			one.KeyServers = in.KeyServers
		}
		all = append(all, one)
	}
	return all
}

// Tables returns the members of a device, one for each of its routing tables.
func (m Member) Tables() []Member { return append([]Member{m}, m.VRFs...) }

// MemberRekey says which signatures of PUSH messages a member takes beyond, or instead of, those that RFC 6407 asks for.
type MemberRekey struct {
	AcceptSHA1    bool         // SIG_HASH_ALGORITHM may be SHA-1
	SignatureForm SigForm      // of RSA
	KEKBehaviour  KEKBehaviour // of profile getvpn
	TellMissed    bool         // of profile getvpn: the operator is told of a rekey that has not come
}

// Phase1 configures IKEv1 Phase 1 with pre-shared keys or signatures.
type Phase1 struct {
	NATTraversal bool          // messages may pass a NAT, then on port 4500 (RFC 3947), where a member takes ESP in UDP too (RFC 3948)
	Keepalive    time.Duration // silence of a node behind a NAT before it sends a keepalive (RFC 3948 §4); 0 means 20 s

	Identity     Identity      // the own one; zero: the address
	Peers        []Identity    // those that a peer may have; empty: any that it proves
	Certificates Certificates  // what signatures are made and checked with
	Proposals    []Proposal    // in order of preference; empty means DefaultProposal
	AllowWeak    bool          // proposals may have parts that are off otherwise; see Proposal.Weak
	Mode         ExchangeMode  // how a member begins, and what a key server answers
	ClearProof   bool          // a member's: the last message of Aggressive Mode is not encrypted
	Prefer       Preference    // a key server's: whose order of proposals decides
	Kilobytes    int           // protected by one SA before it ends; 0: any number
	DPD          time.Duration // silence of the peer after which it is asked for a sign of life (RFC 3706); 0: never
	Lifetime     time.Duration // 0 means 86400 s
	PSKs         []PSK
	Retransmit   time.Duration // first interval, doubled each time; 0 means 1 s
	Retries      int           // repetitions before giving up; 0 means 4
	HalfOpen     HalfOpen      // responder
	Established  int           // a key server's: SAs of one peer beyond which the oldest gives way; 0 means 32

	AnySituation       bool // an SA may be of the DOI of GDOI or of IPsec, in situation 0 or 1; a key server answers in the same
	TransformsFromZero bool // transforms are numbered from 0, not from 1
}

// HalfOpen says how many unfinished exchanges a responder keeps. Beyond that the oldest gives way (RFC 6407 §7.2.5).
type HalfOpen struct {
	Total      int // 0 means 1000
	PerAddress int // of one IP address, whatever its ports; 0 means 100
}

// PSK is the pre-shared key of the peers inside a prefix, of a peer by its name, or of one with that name inside a prefix.
type PSK struct {
	Peer     netip.Prefix // not valid: anywhere, known by Identity, which only Aggressive Mode says in time (RFC 2409 §5.4)
	Identity Identity     // that the peers have to prove with it; zero: any
	Key      []byte
}

// Group is the policy of one group on the key server.
type Group struct {
	Name       string
	ID         uint32
	OID        OIDName        // names it beside ID (RFC 8052 §2.1)
	Members    []netip.Prefix // Phase 1 identities that may join; empty: nobody
	Identities []Identity     // and others that may, or parts of the subjects of their certificates
	Rekey      RekeyPolicy
	SAs        []SAPolicy
	Activation Activation
	SIDBits    int      // 0 means 8
	SIDRange   SIDRange // the share of this key server where there are others of the group (RFC 6054 §4); zero: all

	Authorization  *Authorization // of GET VPN, instead of Members and Identities
	ZeroAttributes bool           // SATs say 0 where an SA has no Address Preservation or SA Direction
	ReceiveOnly    bool           // of GET VPN: all SAs are handed out for receiving only, for a group that has yet to be rolled out
	// DenyProtocol is the Protocol-ID of SATs that carry deny entries of access lists; 0 means DefaultDenyProtocol.
	DenyProtocol uint8
	// PacketRate is how many packets a second the busiest member sends under an SA, of profile getvpn; 0: nobody says.
	PacketRate int
}

// SIDRange is the first and the last of some Sender-IDs.
type SIDRange struct{ First, Last uint32 }

// In reports whether the range is one of Sender-IDs of so many bits.
func (r SIDRange) In(bits int) bool {
	return r.First <= r.Last && r.Last > 0 && uint64(r.Last)>>bits == 0
}

// Transport is how PUSH messages travel.
type Transport string

// The transports. Without rekey the group has no KEK and members register again before their SAs end.
const (
	TransportUnicast   Transport = "unicast"
	TransportMulticast Transport = "multicast"
	TransportNone      Transport = "none"
)

// RekeyPolicy configures the Rekey SA and its schedule.
type RekeyPolicy struct {
	Transport    Transport
	Address      netip.AddrPort // multicast destination
	KEKLifetime  time.Duration  // 0 means 86400 s
	Margin       time.Duration  // a TEK or KEK is replaced this long before it expires; 0 means a tenth of its lifetime
	Retransmit   int            // further copies of a multicast PUSH, or attempts without acknowledgement
	Interval     time.Duration  // between them; 0 means 10 s, the least that RFC 8263 §6 recommends to wait
	Ack          AckType
	KEK          KEKTransform  // the zero value means DefaultKEK
	SigHash      SigHash       // 0 means SHA-256, or with ECDSA the hash of the curve
	SigForm      SigForm       // of RSA
	Management   Management    // of the KEK
	Updates      int           // of a hierarchy in one PUSH at most; 0 means MostUpdates
	Sync         time.Duration // profile getvpn: the pseudotime is told at least so often; 0 means 2 h
	KEKBehaviour KEKBehaviour  // of profile getvpn
	Reminders    bool          // of profile getvpn: who has not acknowledged a PUSH gets it again at each Interval, until the next one
	Backward     bool          // access control: who joins gets no Data-Security SA from before (RFC 6407 §7.4.2)
}

// SAPolicy is one Data-Security SA to be made afresh with each rekey.
type SAPolicy struct {
	Selector     Selector
	Also         []Selector // further flows under the same SA, each with a SAT of its own
	AccessList   []ACE      // instead of both: what is protected and what is not, the first entry decides; of the profile getvpn
	IPsecProfile string     // by which an operator knows how it protects; that another one is named is a change of policy
	Transform    Transform
	Lifetime     time.Duration // 0 means 3600 s
	Handling     IECHandling   // of IEC 61850
	Tag          bool          // profile getvpn: packets carry the tag of their security group
	AntiReplay   AntiReplay    // profile getvpn: not of IEC 61850
}
