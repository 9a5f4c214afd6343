package isakmp

import (
	"fmt"
	"strings"
)

// The payload types (RFC 2408 §3.1, RFC 3947 §8, RFC 6407 §9).
const (
	PayloadNone       PayloadType = 0
	PayloadSA         PayloadType = 1
	PayloadProposal   PayloadType = 2
	PayloadTransform  PayloadType = 3
	PayloadKE         PayloadType = 4
	PayloadID         PayloadType = 5
	PayloadCERT       PayloadType = 6
	PayloadCR         PayloadType = 7
	PayloadHASH       PayloadType = 8
	PayloadSIG        PayloadType = 9
	PayloadNonce      PayloadType = 10
	PayloadN          PayloadType = 11
	PayloadD          PayloadType = 12
	PayloadVID        PayloadType = 13
	PayloadAttributes PayloadType = 14
	PayloadSAK        PayloadType = 15
	PayloadSAT        PayloadType = 16
	PayloadKD         PayloadType = 17
	PayloadSEQ        PayloadType = 18
	PayloadPOP        PayloadType = 19
	PayloadNATD       PayloadType = 20
	PayloadNATOA      PayloadType = 21
	PayloadGAP        PayloadType = 22
)

var payloadNames = [...]string{"NONE", "SA", "P", "T", "KE", "ID", "CERT", "CR", "HASH", "SIG", "NONCE", "N", "D", "VID",
	"ATTR", "SAK", "SAT", "KD", "SEQ", "POP", "NAT-D", "NAT-OA", "GAP"}

// String returns the short name that the RFCs use in their exchanges, such as "SAK".
func (t PayloadType) String() string { return name(payloadNames[:], int(t), "payload") }

// The exchange types (RFC 2408 §3.1, RFC 6407 §9, RFC 8263 §7).
const (
	ExchangeBase          ExchangeType = 1
	ExchangeMainMode      ExchangeType = 2
	ExchangeAuthOnly      ExchangeType = 3
	ExchangeAggressive    ExchangeType = 4
	ExchangeInformational ExchangeType = 5
	ExchangePull          ExchangeType = 32
	ExchangePush          ExchangeType = 33
	ExchangePushACK       ExchangeType = 35
)

var exchangeNames = map[ExchangeType]string{
	ExchangeBase:          "Base",
	ExchangeMainMode:      "Identity Protection",
	ExchangeAuthOnly:      "Authentication Only",
	ExchangeAggressive:    "Aggressive",
	ExchangeInformational: "Informational",
	ExchangePull:          "GROUPKEY-PULL",
	ExchangePush:          "GROUPKEY-PUSH",
	ExchangePushACK:       "GROUPKEY-PUSH-ACK",
}

// String returns the registered name, such as "GROUPKEY-PULL".
func (x ExchangeType) String() string {
	if name, ok := exchangeNames[x]; ok {
		return name
	}
	return fmt.Sprintf("exchange(%d)", uint8(x))
}

// The header flags (RFC 2408 §3.1).
const (
	FlagEncryption Flags = 1
	FlagCommit     Flags = 2
	FlagAuthOnly   Flags = 4
)

// String returns the letters E, C and A of the flags that are set, other bits in hexadecimal, "-" if there are none.
func (f Flags) String() string {
	var s strings.Builder
	for i, letter := range "ECA" {
		if f&(1<<i) != 0 {
			s.WriteRune(letter)
		}
	}
	if other := f &^ (FlagEncryption | FlagCommit | FlagAuthOnly); other != 0 {
		fmt.Fprintf(&s, "+%#02x", uint8(other))
	}
	if s.Len() == 0 {
		return "-"
	}
	return s.String()
}

// name looks a number up in a table that has names from 0 on; a gap in it is an empty name.
func name(names []string, n int, kind string) string {
	if n < len(names) && names[n] != "" {
		return names[n]
	}
	return fmt.Sprintf("%s(%d)", kind, n)
}
