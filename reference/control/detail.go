package control

import "time"

// KEK is a Rekey SA without its keys. Lengths of keys are in bits, what else has a length in octets.
type KEK struct {
	Transport    string `json:"transport"`            // unicast or multicast
	Cipher       string `json:"cipher"`               // as in a configuration: aes128-cbc, 3des
	KeyBits      int    `json:"key_bits"`             // of the cipher
	IV           int    `json:"iv"`                   // octets
	SigHash      string `json:"sig_hash"`             // sha256
	SigAlgorithm string `json:"sig_algorithm"`        // rsa, ecdsa-256
	SigKeyBits   int    `json:"sig_key_bits"`         // of its modulus or curve
	PublicKey    int    `json:"public_key"`           // octets of the SubjectPublicKeyInfo
	Ack          string `json:"ack,omitempty"`        // the type of acknowledgement that is asked for
	Management   string `json:"management,omitempty"` // lkh
	Lifetime     int    `json:"lifetime"`             // seconds, when it was made or handed over

	Due time.Time `json:"due,omitzero"` // at a key server: when it replaces the SA
	Ends
}

// SADetail is what an SA is beyond its name: enough to compare it with what a packet carries.
type SADetail struct {
	Protocol        string `json:"protocol"`  // esp or ah
	Transform       string `json:"transform"` // as in a configuration
	Mode            string `json:"mode"`      // as in a configuration
	Direction       string `json:"direction"` // as in a configuration
	KeyOctets       int    `json:"key_octets"`
	IntegrityOctets int    `json:"integrity_octets"`
	Lifetime        int    `json:"lifetime"` // seconds, when it was made or handed over

	Source          string    `json:"source,omitempty"` // of packets; prefixes
	Destination     string    `json:"destination,omitempty"`
	IPProtocol      uint8     `json:"ip_protocol,omitempty"` // 0: any
	SourcePort      uint16    `json:"source_port,omitempty"` // 0: any
	DestinationPort uint16    `json:"destination_port,omitempty"`
	Due             time.Time `json:"due,omitzero"` // at a key server: when it replaces the SA
}

// RekeyCounts are what a key server has sent to a group.
type RekeyCounts struct {
	Rekeys      uint64 `json:"rekeys,omitempty"`      // messages, without repetitions
	Retransmits int    `json:"retransmits,omitempty"` // repetitions of the last one
	Took        int64  `json:"took,omitempty"`        // milliseconds from the last one to its last acknowledgement so far
}

// MemberCounts are the messages between a key server and one member. Sent and Received are rings of the last four sequence numbers:
// each number stands in the place after that of the one before it, and the fifth in the first place again.
type MemberCounts struct {
	Rekeys   uint64   `json:"rekeys,omitempty"`
	Retries  uint64   `json:"retries,omitempty"`
	Acks     uint64   `json:"acks,omitempty"`
	Missed   uint64   `json:"missed,omitempty"` // acknowledgements that were due after the last attempt
	Sent     []uint32 `json:"sent,omitempty"`
	Received []uint32 `json:"received,omitempty"` // that were acknowledged
}

// GMCounts are what has happened to a member in one group.
type GMCounts struct {
	Registrations uint64    `json:"registrations,omitempty"` // that succeeded
	Attempts      uint64    `json:"attempts,omitempty"`
	Rekeys        uint64    `json:"rekeys,omitempty"`       // accepted in all
	RekeysSince   uint64    `json:"rekeys_since,omitempty"` // accepted since the latest registration
	Acks          uint64    `json:"acks,omitempty"`         // sent
	AcksSince     uint64    `json:"acks_since,omitempty"`
	LastFrom      string    `json:"last_from,omitempty"` // address that the last rekey came from
	LastRekey     time.Time `json:"last_rekey,omitzero"`
	ReRegisters   time.Time `json:"re_registers,omitzero"` // when it will, unless a rekey comes
}
