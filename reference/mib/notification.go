package mib

import (
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
)

// Notification is one of the module's, by its number.
type Notification uint32

// The notifications that are sent here: all but those of key servers among several that serve one group.
const (
	KSNewRegistration      Notification = 1
	KSRegistrationComplete Notification = 2
	KSRekeyPushed          Notification = 3
	KSNoRSAKeys            Notification = 4
	MemberRegister         Notification = 5
	MemberRegistered       Notification = 6
	MemberReRegister       Notification = 7
	MemberRekeyReceived    Notification = 8
	MemberIncompleteConfig Notification = 9
	MemberNoIPsecFlows     Notification = 10
	MemberRekeyFailure     Notification = 11
	KSMemberDeleted        Notification = 13
)

// OID names the notification in a trap.
func (n Notification) OID() OID { return Root.with(0, uint32(n)) }

// Who tells which, as the switches say.
var (
	toldByKeyServer = []Notification{KSNewRegistration, KSRegistrationComplete, KSRekeyPushed, KSNoRSAKeys, KSMemberDeleted}
	toldByMember    = []Notification{MemberRegister, MemberRegistered, MemberReRegister, MemberRekeyReceived, MemberIncompleteConfig,
		MemberNoIPsecFlows, MemberRekeyFailure}
)

// switches say of each notification of the module, by number from 1, whether it is sent.
var switches = func() (all []Column) {
	for i, name := range []string{
		"KSNewReg", "KSRegComp", "KSRekeyPush", "KSNoRSA", "GMReg", "GmRegComp", "GmReReg", "GmRekeyRec", "GmIncompCfg", "GmNoIpSecFlows",
		"GmRekeyFail", "KsRoleChange", "KsGmDeleted", "KsPeerReach", "KsPeerUnreach",
	} {
		all = append(all, column("cgmGdoi"+name+"NotifEnable", Integer, 1, 4, uint32(i+1)))
	}
	return all
}()

// Teller turns what a node logs into notifications. The zero value is that of a node which has logged nothing.
type Teller struct{ again bool }

// of has the notification that goes with a line of a role's log.
var of = map[string]map[string]Notification{
	roleKS: {
		"REGISTRATION_ASKED": KSNewRegistration, "REGISTERED": KSRegistrationComplete, "REKEY_SENT": KSRekeyPushed,
		getvpn.KSNoRSAKeys.String(): KSNoRSAKeys, getvpn.GMDelete.String(): KSMemberDeleted,
	},
	roleGM: {
		"REGISTERED": MemberRegistered, "REREGISTRATION": MemberReRegister, "REGISTRATION_START": MemberRegister,
		"REKEY_ACCEPTED": MemberRekeyReceived, getvpn.GMIncompleteCfg.String(): MemberIncompleteConfig,
		getvpn.GMNoIPsecFlows.String(): MemberNoIPsecFlows, getvpn.GDOIRekeyFailure.String(): MemberRekeyFailure,
		getvpn.GDOIRekeySeqFailure.String(): MemberRekeyFailure, getvpn.PseudoTimeTooOld.String(): MemberRekeyFailure,
	},
}

// The roles, as a status names them.
const (
	roleKS = "KS"
	roleGM = "GM"
)

// Tell returns the notification that goes with a line of the log of a node in that role. A registration that begins because the member
// is to register again is told once, as that.
func (t *Teller) Tell(role string, l *core.Log) (n Notification, ok bool) {
	n, ok = of[role][l.Tag]
	again := t.again
	t.again = n == MemberReRegister
	if n == MemberRegister && again {
		return 0, false
	}
	return n, ok
}

// Carries are the objects of a table that a trap of this notification brings along.
func (n Notification) Carries(t Table) (all []Object) {
	for _, c := range carried[n] {
		if next, ok := t.Next(c.OID); ok && next.OID.In(c.OID) {
			all = append(all, next)
		}
	}
	return all
}

var carried = map[Notification][]Column{
	KSNewRegistration:   {KeyServerMembers},
	KSRekeyPushed:       {KeyServerRekeysPushed},
	KSNoRSAKeys:         {GroupName},
	KSMemberDeleted:     {KeyServerMembers},
	MemberRegister:      {MemberKeyServerType, MemberKeyServer},
	MemberRegistered:    {MemberKeyServerType, MemberKeyServer},
	MemberReRegister:    {MemberKeyServerType, MemberKeyServer},
	MemberRekeyReceived: {MemberKeyServerType, MemberKeyServer, MemberRekeysReceived},
	MemberNoIPsecFlows:  {MemberActiveTEKs},
	MemberRekeyFailure:  {MemberKeyServerType, MemberKeyServer, MemberRekeysReceived},
}
