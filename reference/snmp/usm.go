package snmp

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/gdoilab/gdoilab/reference/mib"
)

// The counters that reports carry (RFC 3414 §5), below usmStats.
const (
	unsupportedLevel = 1
	notInWindow      = 2
	unknownUser      = 3
	unknownEngine    = 4
	wrongDigest      = 5
)

var usmStats = mib.OID{1, 3, 6, 1, 6, 3, 15, 1, 1}

// window is by how much the time of a message may differ from the engine's (RFC 3414 §2.2.3).
const window = 150

// peek reads who a message is from, as far as it can be read; nothing of it is proven.
func peek(message []byte) *gosnmp.SnmpPacket {
	anybody := &gosnmp.UsmSecurityParameters{UserName: "anybody"}
	reader := gosnmp.GoSNMP{Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, SecurityParameters: anybody}
	header, _ := reader.SnmpDecodePacket(bytes.Clone(message)) // what it cannot read is left out
	return header
}

// secured answers a message of SNMPv3, in the order of RFC 3414 §3.2: engine, user, level, digest, time.
func (a *Agent) secured(now time.Time, message []byte, header *gosnmp.SnmpPacket) (*gosnmp.SnmpPacket, error) {
	from, ok := header.SecurityParameters.(*gosnmp.UsmSecurityParameters)
	if !ok || header.SecurityModel != gosnmp.UserSecurityModel {
		return nil, fmt.Errorf("%w: another security model", ErrIgnored)
	}
	user := a.users[from.UserName]
	switch {
	case from.AuthoritativeEngineID != a.engine.id:
		return a.report(now, header, nil, unknownEngine)
	case user == nil:
		return a.report(now, header, nil, unknownUser)
	case header.MsgFlags&gosnmp.AuthPriv != gosnmp.AuthPriv:
		return a.report(now, header, nil, unsupportedLevel)
	}
	reader := gosnmp.GoSNMP{Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, MsgFlags: gosnmp.AuthPriv, SecurityParameters: user}
	request, err := reader.UnmarshalTrap(bytes.Clone(message), true)
	if err != nil { // of another digest, or under another key of privacy: who has not both passwords gets the same answer
		return a.report(now, header, nil, wrongDigest)
	}
	if from.AuthoritativeEngineBoots != boots || outside(from.AuthoritativeEngineTime, a.engine.time(now)) {
		return a.report(now, header, user, notInWindow)
	}
	response, err := a.envelope(now, header, user, gosnmp.AuthPriv)
	if err != nil {
		return nil, err
	}
	response.RequestID, response.ContextEngineID, response.ContextName = request.RequestID, request.ContextEngineID, request.ContextName
	return response, a.serve(request, response)
}

func outside(a, b uint32) bool { return max(a, b)-min(a, b) > window }

// report tells why a message is not answered, if whoever sent it wants to know (RFC 3412 §7.1 step 3). Only that a message is out of
// time is told under the user's key.
func (a *Agent) report(now time.Time, header *gosnmp.SnmpPacket, user *gosnmp.UsmSecurityParameters, why uint32) (*gosnmp.SnmpPacket, error) {
	if header.MsgFlags&gosnmp.Reportable == 0 {
		return nil, fmt.Errorf("%w: report %d is not wanted", ErrIgnored, why)
	}
	level := gosnmp.NoAuthNoPriv
	if user == nil {
		user = &gosnmp.UsmSecurityParameters{AuthoritativeEngineID: a.engine.id, AuthoritativeEngineBoots: boots}
	} else {
		level = gosnmp.AuthNoPriv
	}
	r, err := a.envelope(now, header, user, level)
	if err != nil {
		return nil, err
	}
	a.reports[why]++
	r.PDUType, r.ContextEngineID = gosnmp.Report, a.engine.id
	r.Variables = []gosnmp.SnmpPDU{{Name: slices.Concat(usmStats, mib.OID{why, 0}).String(), Type: gosnmp.Counter32, Value: a.reports[why]}}
	return r, nil
}

// envelope is a message of SNMPv3 from this engine, in answer to another one.
func (a *Agent) envelope(now time.Time, to *gosnmp.SnmpPacket, user *gosnmp.UsmSecurityParameters, level gosnmp.SnmpV3MsgFlags) (*gosnmp.SnmpPacket, error) {
	m := &gosnmp.SnmpPacket{Version: gosnmp.Version3, MsgFlags: level, SecurityModel: gosnmp.UserSecurityModel, MsgID: to.MsgID}
	own := user.Copy().(*gosnmp.UsmSecurityParameters)
	own.AuthoritativeEngineTime = a.engine.time(now)
	m.SecurityParameters = own
	if level != gosnmp.AuthPriv {
		return m, nil
	}
	return m, user.InitPacket(m) // a salt that no other message of the user has
}
