package snmp

import (
	"io"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// engine is the authoritative engine of SNMPv3 that an agent is (RFC 3414 §1.5.1).
type engine struct {
	id    string
	began time.Time
}

// The engine's name begins with the enterprise number for documentation (RFC 5612), with the bit of RFC 3411 §5 set, and 5: octets
// that its administrator chose follow.
const engineForm = "\x80\x00\x7e\xd9\x05"

// boots is how often the engine has started under its name, which is a new one each time.
const boots = 1

func newEngine(rand io.Reader, now time.Time) (engine, error) {
	var own [12]byte
	if _, err := io.ReadFull(rand, own[:]); err != nil {
		return engine{}, err
	}
	return engine{engineForm + string(own[:]), now}, nil
}

// time is how long the engine has run, in seconds.
func (e engine) time(now time.Time) uint32 { return uint32(now.Sub(e.began) / time.Second) }

var hashes = map[policy.SNMPHash]gosnmp.SnmpV3AuthProtocol{
	policy.SNMPSHA1: gosnmp.SHA, policy.SNMPSHA256: gosnmp.SHA256, policy.SNMPSHA512: gosnmp.SHA512,
}

// user makes a user's keys, which are those of this engine (RFC 3414 §2.6).
func (e engine) user(u policy.SNMPUser) (*gosnmp.UsmSecurityParameters, error) {
	p := &gosnmp.UsmSecurityParameters{
		AuthoritativeEngineID: e.id, AuthoritativeEngineBoots: boots, UserName: u.Name,
		AuthenticationProtocol: hashes[u.Hash], AuthenticationPassphrase: u.Password,
		PrivacyProtocol: gosnmp.AES, PrivacyPassphrase: u.Privacy,
	}
	return p, p.InitSecurityKeys()
}
