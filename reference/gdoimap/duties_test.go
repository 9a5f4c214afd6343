package gdoimap

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// What a member says to a key server that neglects one duty: the guard that refuses, nil if the member has to take it.
var neglected = map[*rule.Guard]*rule.Guard{
	dutyDOI:              checkDOI,
	dutySituation:        checkSituation,
	dutySAReserved:       checkSAReserved,
	dutyFirst:            checkFirst,
	dutyOneSAK:           checkOnce,
	dutyOrder:            checkOrder,
	dutyGAPPlace:         checkGAPPlace,
	dutySAKReserved:      checkSAKReserved,
	dutyKEKForm:          checkKEKForm,
	dutyKEKAlgorithm:     checkKEKAlgorithm,
	dutyKEKKeyLength:     checkKEKKeyLength,
	dutyKEKLifetime:      nil,
	dutySigAlgorithm:     checkSigAlgorithm,
	dutySigKeyLength:     checkSigKeyLength,
	dutyAckRequest:       nil,
	dutyProtocol:         checkProtocol,
	dutyTransform:        checkTransform,
	dutySATForm:          checkSATForm,
	dutyNoUDP:            nil,
	dutyNoGroup:          nil,
	dutyAfterSAK:         checkAfterSAK,
	dutyAfterGAP:         checkAfterGAP,
	dutyAfterSAT:         malformed,
	dutySAKOctet:         checkSAKOctet,
	dutyGAPOctet:         checkGAPOctet,
	dutySATOctet:         checkSATOctet,
	dutySendNoManagement: nil,
	dutyCBCKeyLength:     checkKeyLength,
	dutyGCMKeyLength:     checkGCMKeyLength,
	dutyGCMTransform:     nil,
	dutyPacketLength:     malformed,
	dutyNoIntegrity:      checkNoIntegrity,
	dutyKeyLength:        checkGCMKeyLength,
	dutyLifeOrder:        checkLifeOrder,
	dutyCount:            checkCount,
	dutyKeySPI:           checkBound,
	dutyComplete:         checkComplete,
	dutyTEKOnce:          checkTEKOnce,
	dutyGCMKey:           checkGCMKey,
	dutyIntegrityKey:     checkIntegrityKey,
	dutyOneKEK:           checkOneKEK,
	dutyKEKOnce:          checkKEKOnce,
	dutyIVFirst:          nil,
	dutyPublicKey:        checkKEKOnce,
	dutySIDPacket:        nil,
	dutySIDSPI:           checkSIDSPI,
}

// neglectedOthers is the same for the duties about the other transforms.
var neglectedOthers = map[*rule.Guard]*rule.Guard{
	dutyNoKeyLength:   checkNoKeyLength,
	dutyGMACAlone:     checkGMACAlone,
	dutyGMACKeyLength: checkGMACKeyLength,
	dutyGMACKey:       checkGMACKey,
	dutyNULLIntegrity: checkBothNULL,
	dutySendESN:       nil,
	dutyTripleDESKey:  checkTripleDESKey,
	dutySHA1Key:       checkSHA1Key,
}

// malformed stands for the decoder that refuses.
var malformed = &rule.Guard{Name: "decoder"}

// ackedFixture also asks for acknowledgements.
func ackedFixture(rules *rule.Switches) *fixture {
	f, rekey := newFixture(rules), exampleRekey()
	rekey.Ack = policy.AckKEKSHA256
	f.sa = SAOf(rekey, exampleActivation(), []policy.TrafficSA{gcmSA(), cbcSA()}, rules)
	return f
}

func TestDutiesOfTheKeyServer(t *testing.T) {
	for _, duty := range own(rule.KindDuty, "gdoimap.make.") {
		if duty == dutyRequestForm {
			continue
		}
		want, ok := neglected[duty]
		build := ackedFixture
		if !ok {
			want, ok = neglectedOthers[duty]
			build = newOthers
		}
		if !ok {
			want, ok = neglectedIEC[duty]
			build = newIEC
		}
		if !ok {
			want, ok = neglectedLKH[duty]
			build = newDownload
		}
		if !ok {
			want, ok = neglectedUpdates[duty]
			build = newUpdates
		}
		if !ok {
			want, ok = neglectedReplay[duty]
			build = newReplay
		}
		if !ok {
			want, ok = neglectedAccess[duty]
			build = newAccess
		}
		if !ok {
			t.Errorf("no test for %v", duty)
			continue
		}
		f := build(altered(t, duty.Name, rule.Broken))
		if bytes.Equal(f.octets(t), build(nil).octets(t)) {
			t.Errorf("nobody sees that %v is neglected", duty)
		}
		_, _, err := f.receive(t, nil)
		switch {
		case (err == nil) != (want == nil):
			t.Errorf("%v neglected: %v", duty, err)
		case err != nil && refusing(t, err) != want:
			t.Errorf("%v neglected: %v", duty, err)
		}
	}
}

func refusing(t *testing.T, err error) *rule.Guard {
	t.Helper()
	if e := new(wire.Error); errors.As(err, &e) {
		return malformed
	}
	return violated(t, err)
}

func (f *fixture) octets(t *testing.T) []byte {
	t.Helper()
	return append(body(t, f.sa), body(t, f.kd)...)
}

func TestDutyOfTheRequest(t *testing.T) {
	gap := RequestOf(2, altered(t, dutyRequestForm.Name, rule.Broken))
	if _, err := ReadRequest(gap, nil); err == nil || violated(t, err) != checkRequestForm {
		t.Errorf("%v", err)
	}
}

// What a member has to overlook or to assume: while the duty is kept, and when it is neglected.
func TestDutiesOfTheMember(t *testing.T) {
	type outcome struct {
		p   Policy
		err error
	}
	refused := func(o outcome) bool { return o.err != nil }
	for _, c := range []struct {
		duty      *rule.Guard
		alter     func(*fixture)
		kept, not func(outcome) bool
	}{
		{dutyNoManagement, sakWith(wire.TV(gdoi.KEKManagement, 1)), func(o outcome) bool { return o.p.Rekey.Key != nil }, refused},
		{dutyOtherAck, sakWith(wire.TV(gdoi.KEKAckRequested, 200)), func(o outcome) bool { return o.p.Rekey.Ack == policy.AckNone }, refused},
		{dutyIgnoreGroup, satWith(atGCM, wire.TV(gdoi.GroupDescription, 14)), func(o outcome) bool { return len(o.p.SAs) == 2 }, refused},
		{dutySymmetric, satWithout(atGCM, gdoi.SADirection),
			func(o outcome) bool { return o.p.SAs[0].Transform.Direction == policy.DirectionAbsent },
			func(o outcome) bool { return o.p.SAs[0].Transform.Direction == policy.DirectionReceiverOnly }},
		{dutyReadESN, satWith(atGCM, wire.TV(gdoi.ExtendedSequenceNumber, 1)),
			func(o outcome) bool { return o.p.SAs[0].Transform.ESN && !o.p.SAs[1].Transform.ESN },
			func(o outcome) bool { return !o.p.SAs[0].Transform.ESN }},
		{dutyAnySource, satESP(atGCM, func(e *gdoi.SATESP) { e.Source = gdoi.ID16{Type: 4, Data: make([]byte, 8)} }),
			func(o outcome) bool { return o.p.SAs[0].Selector.Source == anyAddress },
			func(o outcome) bool { return o.p.SAs[0].Selector.Source.IsSingleIP() }},
		{dutyBySPI, swappedKeys,
			func(o outcome) bool { return bytes.Equal(o.p.SAs[0].CipherKey, gcmSA().CipherKey) },
			func(o outcome) bool { return bytes.Equal(o.p.SAs[1].CipherKey, gcmSA().CipherKey) }},
	} {
		t.Run(c.duty.Name, func(t *testing.T) {
			f := newFixture(nil)
			c.alter(f)
			p, _, err := f.receive(t, nil)
			if err != nil || !c.kept(outcome{p, nil}) {
				t.Errorf("kept: %+v, %v", p, err)
			}
			p, _, err = f.receive(t, altered(t, c.duty.Name, rule.Broken))
			if !c.not(outcome{p, err}) {
				t.Errorf("neglected: %+v, %v", p, err)
			}
		})
	}
}

// swappedKeys makes both SAs of one kind and sends their keys in the other order.
func swappedKeys(f *fixture) {
	second := gcmSA()
	second.SPI, second.CipherKey = 0x200, from(0, 20)
	sas := []policy.TrafficSA{gcmSA(), second}
	f.sa, f.kd = SAOf(nil, policy.Activation{}, sas, nil), KDOf(nil, sas, nil, nil)
	f.packets(1, 0)
}

func TestDefaultLifetime(t *testing.T) {
	for m, want := range map[rule.Mutation]time.Duration{rule.None: 28800, rule.Up: 28801, rule.Down: 28799} {
		f := newFixture(nil)
		satWithout(atGCM, gdoi.SALifeType)(f)
		satWithout(atGCM, gdoi.SALifeDuration)(f)
		p, _, err := f.receive(t, altered(t, timerDefaultLife.Name, m))
		if err != nil || p.SAs[0].Lifetime != want*time.Second {
			t.Errorf("%v: %+v, %v", m, p.SAs, err)
		}
	}
}

func TestWholeSeconds(t *testing.T) {
	for d, want := range map[time.Duration]uint32{
		0: 1, time.Nanosecond: 1, time.Second: 1, 1999 * time.Millisecond: 1, 2 * time.Second: 2,
		-time.Second: 1, 1<<63 - 1: 1<<32 - 1,
	} {
		if got := wholeSeconds(d); got != want {
			t.Errorf("%v is sent as %d s", d, got)
		}
	}
}
