package isakmp

import "fmt"

// NotifyType is the type of a Notification payload (RFC 2408 §3.14.1, RFC 2407 §4.6.3).
type NotifyType uint16

// The notify types.
const (
	NotifyInvalidPayloadType      NotifyType = 1
	NotifyDOINotSupported         NotifyType = 2
	NotifySituationNotSupported   NotifyType = 3
	NotifyInvalidCookie           NotifyType = 4
	NotifyInvalidMajorVersion     NotifyType = 5
	NotifyInvalidMinorVersion     NotifyType = 6
	NotifyInvalidExchangeType     NotifyType = 7
	NotifyInvalidFlags            NotifyType = 8
	NotifyInvalidMessageID        NotifyType = 9
	NotifyInvalidProtocolID       NotifyType = 10
	NotifyInvalidSPI              NotifyType = 11
	NotifyInvalidTransformID      NotifyType = 12
	NotifyAttributesNotSupported  NotifyType = 13
	NotifyNoProposalChosen        NotifyType = 14
	NotifyBadProposalSyntax       NotifyType = 15
	NotifyPayloadMalformed        NotifyType = 16
	NotifyInvalidKeyInformation   NotifyType = 17
	NotifyInvalidIDInformation    NotifyType = 18
	NotifyInvalidCertEncoding     NotifyType = 19
	NotifyInvalidCertificate      NotifyType = 20
	NotifyCertTypeUnsupported     NotifyType = 21
	NotifyInvalidCertAuthority    NotifyType = 22
	NotifyInvalidHashInformation  NotifyType = 23
	NotifyAuthenticationFailed    NotifyType = 24
	NotifyInvalidSignature        NotifyType = 25
	NotifyAddressNotification     NotifyType = 26
	NotifySALifetime              NotifyType = 27
	NotifyCertificateUnavailable  NotifyType = 28
	NotifyUnsupportedExchangeType NotifyType = 29
	NotifyUnequalPayloadLengths   NotifyType = 30
	NotifyConnected               NotifyType = 16384
	NotifyResponderLifetime       NotifyType = 24576
	NotifyReplayStatus            NotifyType = 24577
	NotifyInitialContact          NotifyType = 24578
	NotifyRUThere                 NotifyType = 36136 // RFC 3706 §5.3
	NotifyRUThereACK              NotifyType = 36137
)

var notifyNames = [...]string{1: "INVALID-PAYLOAD-TYPE", "DOI-NOT-SUPPORTED", "SITUATION-NOT-SUPPORTED", "INVALID-COOKIE",
	"INVALID-MAJOR-VERSION", "INVALID-MINOR-VERSION", "INVALID-EXCHANGE-TYPE", "INVALID-FLAGS", "INVALID-MESSAGE-ID",
	"INVALID-PROTOCOL-ID", "INVALID-SPI", "INVALID-TRANSFORM-ID", "ATTRIBUTES-NOT-SUPPORTED", "NO-PROPOSAL-CHOSEN",
	"BAD-PROPOSAL-SYNTAX", "PAYLOAD-MALFORMED", "INVALID-KEY-INFORMATION", "INVALID-ID-INFORMATION",
	"INVALID-CERT-ENCODING", "INVALID-CERTIFICATE", "CERT-TYPE-UNSUPPORTED", "INVALID-CERT-AUTHORITY",
	"INVALID-HASH-INFORMATION", "AUTHENTICATION-FAILED", "INVALID-SIGNATURE", "ADDRESS-NOTIFICATION",
	"NOTIFY-SA-LIFETIME", "CERTIFICATE-UNAVAILABLE", "UNSUPPORTED-EXCHANGE-TYPE", "UNEQUAL-PAYLOAD-LENGTHS"}

var notifyStatusNames = map[NotifyType]string{
	NotifyConnected:         "CONNECTED",
	NotifyResponderLifetime: "RESPONDER-LIFETIME",
	NotifyReplayStatus:      "REPLAY-STATUS",
	NotifyInitialContact:    "INITIAL-CONTACT",
	NotifyRUThere:           "R-U-THERE",
	NotifyRUThereACK:        "R-U-THERE-ACK",
}

// String returns the registered name, such as "NO-PROPOSAL-CHOSEN".
func (t NotifyType) String() string {
	if s, ok := notifyStatusNames[t]; ok {
		return s
	}
	return name(notifyNames[:], int(t), "notify")
}

// IsError reports whether the type stands for an error rather than a status (RFC 2408 §3.14.1).
func (t NotifyType) IsError() bool { return t < NotifyConnected }

// NotifyError is an error that names the notification which says it to the peer.
type NotifyError struct {
	Type NotifyType
	Err  error
}

// Error returns the notification's name and what is behind it.
func (e *NotifyError) Error() string { return fmt.Sprintf("%s: %v", e.Type, e.Err) }

// Unwrap returns what is behind it.
func (e *NotifyError) Unwrap() error { return e.Err }
