package getvpn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/core"
)

// Message names one of the messages.
type Message uint8

// The messages, with when they are told. Those of key servers among several that serve one group are not here.
const (
	GDOIACLNum            Message = iota // The ACL of a group has more than 100 entries
	GMDelete                             // A member is removed from the key server
	KSBadID                              // Key server and member disagree during registration, as about the identity
	KSBlackholeACK                       // What the key server sends to a member runs into a null route
	KSClearRegister                      // An operator clears the group on the key server
	KSConvSAsDuplex                      // Receive-only is taken out of the group's policy
	KSConvSAsIngress                     // Receive-only is put into the group's policy
	KSFirstGM                            // The first member joins the group on this key server
	KSGMRejectsSAPayload                 // The member rejects the proposal of the key server
	KSGMRevoked                          // An unauthorized member tried to join during the rekey protocol
	KSGroupAdd                           // A command adds a key server to the group
	KSGroupDelete                        // A command takes the key server out of the group
	KSHashFail                           // A PULL message of the member has a bad or no hash
	KSLastGM                             // The last member leaves the group on this key server
	KSNACKGMEject                        // Three consecutive unicast rekeys without any ACK
	KSNoRSAKeys                          // The RSA key for rekey signing was never generated or is lost
	KSRegsCompl                          // The key server has finished a registration
	KSRekeyTransToMulti                  // The group changes from unicast to multicast rekey
	KSRekeyTransToUni                    // The group changes from multicast to unicast rekey
	KSSendMcastRekey                     // A multicast rekey is sent
	KSSendUnicastRekey                   // A unicast rekey cycle is sent
	KSUnauthorized                       // An unauthorized member tries to join during registration
	KSUnsolACK                           // An ACK from a past member, or denial of service
	UnauthorizedIdentity                 // A registration is discarded, since its identity (DN or FQDN) is not authorized
	UnauthorizedIPAddr                   // A registration is discarded, since its address is not in the authorization list
	UnregisteredInterface                // A registration arrives on an interface other than the one of registrations, and is not gone on with
	TransErr                             // The crypto engine is overloaded, as by many registrations while a rekey is being signed

	GDOIRekeySeqFailure      // A rekey fails the sequence-number antireplay check
	PseudoTimeLarge          // A rekey is accepted whose pseudotime is ahead of the member's by more than the lesser of window and 30 s
	PseudoTimeTooOld         // A rekey is dropped whose pseudotime is behind the member's by more than the tolerance
	GMNoCryptoEngine         // No crypto engine can be used: resources are lacking, or the policy asks for what the member cannot do
	GDOIRekeyFailure         // The payloads of a rekey cannot be read
	GMACLMerge               // The local and the downloaded ACL were merged
	GMACLPermit              // The local ACL of the member has a permit entry
	GMClearRegister          // An operator clears the group on the member
	GMCMAttach               // The crypto map is attached for the local member
	GMCMDetach               // The crypto map is detached for the local member
	GMConvSADuplex           // The SAs of the group go to both directions, after receive-only was taken out on the key server
	GMConvSADuplexLocal      // An operator sets both directions on the member
	GMEnableGDOICM           // The member has enabled the ACL on its GDOI crypto map
	GMHashFail               // A PULL message of the key server has a bad or no hash
	GMIncompleteCfg          // The group, its key server or both are missing in the configuration of the member
	GMNoIPsecFlows           // The hardware has no IPsec flow left
	GMReRegister             // An SA ended or was cleared without a rekey, or the time before its end came; the member registers again
	GMRecvDelete             // The key server sent a message that removes the member
	GMRecvRekey              // A rekey was received and accepted
	GMRegsCompl              // A registration is finished
	GMRejectingSAPayload     // The member rejects the proposal sent by the key server
	GMRekeyNotRecd           // A rekey of the key server did not arrive
	GMRekeyTransToMulti      // The member changes from unicast to multicast rekey
	GMRekeyTransToUni        // A member changes to unicast rekeys, or begins with them at registration
	GMSAIngress              // Receive-only policy arrives from the key server
	GMUnregister             // The member leaves the group
	UnexpectedSigkey         // A signature key arrives that was not expected
	UnsupportedTEKProto      // A SA TEK payload names a protocol other than ESP
	GMRegister               // The member starts a registration or re-registration
	SAKEKUpdated             // A KEK was installed or replaced after registration or rekey
	SATEKUpdated             // A TEK was installed after registration or rekey
	GMInstallPoliciesSuccess // The policies of a registration or rekey are installed
	GMDeleteExpiredKEK       // The life of a KEK ended on the member without a KEK rekey
	TimebasedReplayFailed    // The pseudotime of a packet fails the check
	PktReplayErr             // A packet fails the replay check, told beside TIMEBASED_REPLAY_FAILED

	ReplayFailed // The antireplay check of a member or key server fails
	GDOIOnOff    // GDOI starts with the first group in use, or is off at boot
	ISAKMPOnOff  // ISAKMP starts with its first use, or is off at boot
)

var byMnemonic = func() map[string]Message {
	m := make(map[string]Message, len(table))
	for i := range table {
		m[table[i].mnemonic] = Message(i)
	}
	return m
}()

// All returns every message, those of key servers first.
func All() []Message {
	all := make([]Message, len(table))
	for i := range all {
		all[i] = Message(i)
	}
	return all
}

// Find returns the message of that mnemonic.
func Find(mnemonic string) (Message, bool) {
	m, ok := byMnemonic[mnemonic]
	return m, ok
}

// String returns the mnemonic, such as "GM_REGS_COMPL".
func (m Message) String() string { return table[m].mnemonic }

// Facility is the word in front of the severity, such as "GDOI".
func (m Message) Facility() string { return table[m].facility }

// Severity is that of the message's lines.
func (m Message) Severity() core.Severity { return table[m].severity }

// Head is what a line of the message begins with: "%GDOI-5-GM_REGS_COMPL".
func (m Message) Head() string {
	return fmt.Sprintf("%%%s-%d-%s", table[m].facility, table[m].severity, table[m].mnemonic)
}

// Format is the whole line with its {placeholders}.
func (m Message) Format() string { return m.Head() + ": " + table[m].text }

// Own returns those of the fields that the message has places for, to be given behind the others: where a name is there twice, the first
// one counts.
func (m Message) Own(fields ...core.Field) []core.Field {
	var own []core.Field
	for _, f := range fields {
		if strings.Contains(table[m].text, "{"+f.Name+"}") {
			own = append(own, f)
		}
	}
	return own
}

// Field is one value of a message.
func Field(name string, value any) core.Field {
	return core.Field{Name: name, Value: fmt.Sprint(value)}
}

// unknown stands where a message has a place for a value that nobody gave.
const unknown = "-"

// Event is the log line of a message: its tag is the mnemonic, and the fields fill the places of their names. Other fields are
// facts beside the words. Of two fields with one name the first counts.
func Event(m Message, fields ...core.Field) *core.Log {
	fields = once(fields)
	return &core.Log{Severity: table[m].severity, Tag: table[m].mnemonic, Text: fill(table[m].text, fields), Fields: fields}
}

// once leaves out fields whose name was there before.
func once(fields []core.Field) []core.Field {
	var kept []core.Field
	for _, f := range fields {
		if !slices.ContainsFunc(kept, func(k core.Field) bool { return k.Name == f.Name }) {
			kept = append(kept, f)
		}
	}
	return kept
}

// fill puts values into the places of a text. A value is never read for places of its own.
func fill(text string, fields []core.Field) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return b.String()
		}
		b.WriteString(valueOf(name, fields))
		text = after
	}
}

func valueOf(name string, fields []core.Field) string {
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	return unknown
}
