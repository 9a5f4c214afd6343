package policy

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// Protocol is what a Data-Security SA is for: the Protocol-ID of its SAT (RFC 6407 §5.5, RFC 8052 §2.2). Zero is ESP, as if it
// were left out.
type Protocol uint8

// The protocols. But for ESP, which is 1 on the wire, they are the numbers of the registry.
const (
	ProtocolESP      Protocol = 0
	ProtocolAH       Protocol = 2
	ProtocolIEC61850 Protocol = 3
)

// OIDName is an object identifier and the octets that belong to it, whose layout the identifier says. It names a group
// (RFC 8052 §2.1) or the traffic of an SA (§2.2). The zero value names nothing.
type OIDName struct {
	OID     string // numbers with dots
	Payload string // octets, not text; may be empty
}

// String returns the name as "1.2.840.10070.61850.8.1.2 e0000101".
func (n OIDName) String() string {
	if n.Payload == "" {
		return n.OID
	}
	return n.OID + " " + hex.EncodeToString([]byte(n.Payload))
}

// IECAuthentication is the Authentication Algorithm of IEC 61850 (RFC 8052 §2.2.2). Zero leaves the choice to the key server.
type IECAuthentication uint16

// The authentication algorithms of IEC 61850.
const (
	IECAuthNone          IECAuthentication = 1
	IECAuthHMACSHA256128 IECAuthentication = 2 // truncated to 16 octets
	IECAuthHMACSHA256    IECAuthentication = 3
	IECAuthGMAC128       IECAuthentication = 4
	IECAuthGMAC256       IECAuthentication = 5
)

// IECEncryption is the Confidentiality Algorithm of IEC 61850 (RFC 8052 §2.2.3). Zero leaves the choice to the key server.
type IECEncryption uint16

// The confidentiality algorithms of IEC 61850.
const (
	IECEncryptNone   IECEncryption = 1
	IECEncryptCBC128 IECEncryption = 2
	IECEncryptCBC256 IECEncryption = 3
	IECEncryptGCM128 IECEncryption = 4
	IECEncryptGCM256 IECEncryption = 5
)

// iecAuthForm is a row of the table of authentication algorithms of IEC 61850: the octets of TEK_INTEGRITY_KEY, salt included
// (RFC 8052 §2.3).
type iecAuthForm struct {
	algorithm  IECAuthentication
	key        int
	name, text string
}

var iecAuthForms = []iecAuthForm{
	{IECAuthNone, 0, "none", "no authentication"},
	{IECAuthHMACSHA256128, 32, "hmac-sha256-128", "hmac-sha-256-128"},
	{IECAuthHMACSHA256, 32, "hmac-sha256", "hmac-sha-256"},
	{IECAuthGMAC128, 16 + 4, "aes128-gmac", "aes-gmac-128"},
	{IECAuthGMAC256, 32 + 4, "aes256-gmac", "aes-gmac-256"},
}

// iecEncryptForm is a row of the table of confidentiality algorithms of IEC 61850: the octets of TEK_ALGORITHM_KEY, salt
// included.
type iecEncryptForm struct {
	algorithm  IECEncryption
	key        int
	combined   bool // it authenticates by itself
	name, text string
}

var iecEncryptForms = []iecEncryptForm{
	{IECEncryptGCM128, 16 + 4, true, "aes128-gcm", "aes-gcm-128"},
	{IECEncryptGCM256, 32 + 4, true, "aes256-gcm", "aes-gcm-256"},
	{IECEncryptCBC128, 16, false, "aes128-cbc", "aes-cbc-128"},
	{IECEncryptCBC256, 32, false, "aes256-cbc", "aes-cbc-256"},
	{IECEncryptNone, 0, false, "none", "no encryption"},
}

func (a IECAuthentication) form() (iecAuthForm, bool) {
	i := slices.IndexFunc(iecAuthForms, func(f iecAuthForm) bool { return f.algorithm == a })
	if i < 0 {
		return iecAuthForm{}, false
	}
	return iecAuthForms[i], true
}

func (e IECEncryption) form() (iecEncryptForm, bool) {
	i := slices.IndexFunc(iecEncryptForms, func(f iecEncryptForm) bool { return f.algorithm == e })
	if i < 0 {
		return iecEncryptForm{}, false
	}
	return iecEncryptForms[i], true
}

// Known reports whether the algorithm is one of the registry.
func (a IECAuthentication) Known() bool { _, ok := a.form(); return ok }

// Known reports whether the algorithm is one of the registry.
func (e IECEncryption) Known() bool { _, ok := e.form(); return ok }

// Authenticates reports whether the algorithm authenticates what it encrypts by itself.
func (e IECEncryption) Authenticates() bool { f, _ := e.form(); return f.combined }

// IECTransforms lists the combinations of algorithms for IEC 61850 in which nothing is encrypted without being authenticated
// (RFC 8052 §3). Nothing else is set in them.
func IECTransforms() (all []Transform) {
	for _, e := range iecEncryptForms {
		for _, a := range iecAuthForms {
			t := Transform{Protocol: ProtocolIEC61850, Authentication: a.algorithm, Encryption: e.algorithm}
			if t.Check() == nil && !(e.combined && a.algorithm != IECAuthNone) {
				all = append(all, t)
			}
		}
	}
	return all
}

// checkIEC is Check for IEC 61850.
func (t Transform) checkIEC() error {
	switch {
	case !t.Authentication.Known() && t.Authentication != 0:
		return fmt.Errorf("unknown authentication algorithm %d of IEC 61850", t.Authentication)
	case !t.Encryption.Known() && t.Encryption != 0:
		return fmt.Errorf("unknown confidentiality algorithm %d of IEC 61850", t.Encryption)
	case t.Authentication == IECAuthNone && t.Encryption.Known() && t.Encryption != IECEncryptNone && !t.Encryption.Authenticates():
		f, _ := t.Encryption.form()
		return fmt.Errorf("%s without authentication", f.text) // RFC 8052 §2.2.3
	}
	return nil
}

// nameIEC is Name for IEC 61850; a choice that is left to the key server has none.
func (t Transform) nameIEC() string {
	a, _ := t.Authentication.form()
	e, _ := t.Encryption.form()
	return "iec61850 " + e.name + " " + a.name
}

// textIEC is String for IEC 61850.
func (t Transform) textIEC() string {
	text := fmt.Sprintf("encryption-%d", t.Encryption)
	if f, ok := t.Encryption.form(); ok {
		text = f.text
	}
	if f, ok := t.Authentication.form(); ok {
		return text + " " + f.text
	}
	return fmt.Sprintf("%s authentication-%d", text, t.Authentication)
}

// IECHandling is what a SAT of IEC 61850 says beside traffic and algorithms (RFC 8052 §2.2.4). Nil means absent.
type IECHandling struct {
	ATD *time.Duration // SA_ATD, whole seconds: it goes before the ATD of the group
	KDA *int           // SA_KDA: percent of the members that should have the key before it is used
}
