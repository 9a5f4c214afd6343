package gdoimap

import (
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

var (
	checkKDReserved = rule.Check("gdoimap.read.kd.reserved", "RFC6407-5.6-01", rule.GM,
		"the reserved fields of a KD and its key packets are 0")
	checkCount = rule.Check("gdoimap.read.kd.count", "RFC6407-5.6-01", rule.GM,
		"a KD has as many key packets as it says")
	checkKDType = rule.Check("gdoimap.read.kd.type", "RFC6407-5.3.2-01", rule.GM,
		"each key packet is of a supported type")
	checkBound = rule.Check("gdoimap.read.kd.spi", "RFC6407-5.6-03", rule.GM,
		"the SPI of a key packet is that of the SAK or of a SAT")
	checkComplete = rule.Check("gdoimap.read.kd.complete", "RFC6407-3.2-18", rule.GM,
		"a KD has keys for the SAK and for each SAT")
	dutyBySPI = rule.Duty("gdoimap.read.kd.order", "RFC6407-3.3-06", rule.GM,
		"keys are bound to policy by SPI, not by order")
)

// AddKeys reads the KD payload that goes with the policy (RFC 6407 §5.6). It binds keys to SAs by SPI alone, and takes all
// keys or none: with an error, a *rule.Violation, the policy is as it was. A KD for a SAK may have no TEK packet at all: the
// policy then ends up without Data-Security SAs, whose keys come by PUSH (§5.6.1). Sender-IDs are returned, nil if there are
// none.
func (p *Policy) AddKeys(kd gdoi.KD, rules *rule.Switches) (*policy.SIDs, error) {
	if err := checkKD(kd, rules); err != nil {
		return nil, err
	}
	k := newKeyring(p, rules)
	for i := range kd.Packets {
		if err := k.take(&kd.Packets[i]); err != nil {
			return nil, err
		}
	}
	if err := k.finish(); err != nil {
		return nil, err
	}
	p.Rekey, p.SAs = k.rekey, k.withKeys()
	return k.sids, nil
}

func checkKD(kd gdoi.KD, rules *rule.Switches) error {
	reserved := uint(kd.Reserved2)
	for i := range kd.Packets {
		reserved |= uint(kd.Packets[i].Reserved)
	}
	switch {
	case !checkKDReserved.Holds(rules, reserved == 0):
		return checkKDReserved.Violated("KD with a reserved field that is not 0")
	case !checkCount.Holds(rules, kd.Count == nil || int(*kd.Count) == len(kd.Packets)):
		return checkCount.Violated("KD with %d key packets says %d", len(kd.Packets), *kd.Count)
	}
	return nil
}

// keyring is the state of reading a KD. Policy and keys come together when all is read.
type keyring struct {
	rules *rule.Switches
	rekey *policy.RekeySA
	sas   []policy.TrafficSA // as the policy has them
	keys  []tek              // of sas
	teks  int                // TEK packets so far
	keks  int
	lkhs  int
	sids  *policy.SIDs
}

// tek is the keys of a Data-Security SA.
type tek struct {
	cipher, integrity []byte
	read              bool
}

func newKeyring(p *Policy, rules *rule.Switches) *keyring {
	k := &keyring{rules: rules, sas: p.SAs, keys: make([]tek, len(p.SAs))}
	if p.Rekey != nil {
		rekey := *p.Rekey
		k.rekey = &rekey
	}
	return k
}

// take reads one key packet.
func (k *keyring) take(p *gdoi.KeyPacket) error {
	switch p.Type {
	case gdoi.KDTypeTEK:
		return k.takeTEK(p)
	case gdoi.KDTypeKEK:
		return k.takeKEK(p)
	case gdoi.KDTypeLKH:
		return k.takeLKH(p)
	case gdoi.KDTypeSID:
		return k.takeSID(p)
	}
	if !checkKDType.Holds(k.rules, false) {
		return checkKDType.Violated("key packet of type %v", p.Type)
	}
	return nil
}

// finish looks for what has no key.
func (k *keyring) finish() error {
	if k.rekey != nil && k.keks == 0 {
		if !checkComplete.Holds(k.rules, false) {
			return checkComplete.Violated("KD without a key for the SAK")
		}
		k.rekey = nil
	}
	byPush := k.teks == 0 && k.rekey != nil
	for i := range k.sas {
		if !k.keys[i].read && !byPush && !checkComplete.Holds(k.rules, false) {
			return checkComplete.Violated("KD without a key for SPI %08x", k.sas[i].SPI)
		}
	}
	return nil
}

// withKeys gives the SAs their keys, and leaves out those without.
func (k *keyring) withKeys() []policy.TrafficSA {
	have := k.sas[:0]
	for i, t := range k.keys {
		if t.read {
			have = append(have, k.sas[i])
			sa := &have[len(have)-1]
			sa.CipherKey, sa.IntegrityKey = t.cipher, t.integrity
		}
	}
	return have
}
