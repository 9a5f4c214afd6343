package getvpn

import (
	"strings"

	"github.com/gdoilab/gdoilab/reference/rule"
)

// demanded says which requirement a message is demanded by, and of whom, where it is not the one for all of them.
var demanded = map[Message]struct {
	id   rule.ID
	role rule.Role
}{
	KSHashFail:           {"GETVPN-REG-25", rule.KS},
	GMHashFail:           {"GETVPN-REG-25", rule.GM},
	GMRejectingSAPayload: {"GETVPN-REG-26", rule.GM},
	KSGMRejectsSAPayload: {"GETVPN-REG-26", rule.KS},
	KSFirstGM:            {"GETVPN-REG-29", rule.KS},
	KSLastGM:             {"GETVPN-REG-29", rule.KS},
	KSRegsCompl:          {"GETVPN-REG-29", rule.KS},

	GMIncompleteCfg:     {"GETVPN-REG-27", rule.GM},
	KSNoRSAKeys:         {"GETVPN-REKEY-23", rule.KS},
	GDOIRekeyFailure:    {"GETVPN-REKEY-28", rule.GM},
	KSRekeyTransToUni:   {"GETVPN-REKEY-29", rule.KS},
	KSRekeyTransToMulti: {"GETVPN-REKEY-29", rule.KS},
	GMRekeyTransToUni:   {"GETVPN-REKEY-29", rule.GM},
	GMRekeyTransToMulti: {"GETVPN-REKEY-29", rule.GM},
	KSSendUnicastRekey:  {"GETVPN-REKEY-30", rule.KS},
	KSSendMcastRekey:    {"GETVPN-REKEY-30", rule.KS},
	GMRecvRekey:         {"GETVPN-REKEY-30", rule.GM},
	GDOIRekeySeqFailure: {"GETVPN-SEQ-06", rule.GM},

	KSUnsolACK:    {"GETVPN-ACK-04", rule.KS},
	KSNACKGMEject: {"GETVPN-EJECT-05", rule.KS},
	GMDelete:      {"GETVPN-EJECT-05", rule.KS},
	KSGMRevoked:   {"GETVPN-EJECT-05", rule.KS},
	GMRecvDelete:  {"GETVPN-EJECT-06", rule.GM},
	GMUnregister:  {"GETVPN-EJECT-06", rule.GM},

	GMCMAttach:       {"GETVPN-ACL-16", rule.GM},
	GMCMDetach:       {"GETVPN-ACL-16", rule.GM},
	GMEnableGDOICM:   {"GETVPN-ACL-16", rule.GM},
	GMACLMerge:       {"GETVPN-ACL-06", rule.GM},
	GMACLPermit:      {"GETVPN-ACL-03", rule.GM},
	GDOIACLNum:       {"GETVPN-ACL-10", rule.KS},
	GMNoCryptoEngine: {"GETVPN-SYSLOG-03", rule.GM},
	GMNoIPsecFlows:   {"GETVPN-SYSLOG-03", rule.GM},

	KSBlackholeACK:        {"GETVPN-SYSLOG-04", rule.KS},
	UnregisteredInterface: {"GETVPN-SYSLOG-10", rule.KS},
	TransErr:              {"GETVPN-SYSLOG-10", rule.KS},
	GMRekeyNotRecd:        {"GETVPN-SYSLOG-10", rule.GM},
	PseudoTimeLarge:       {"GETVPN-SYSLOG-08", rule.GM},

	KSConvSAsIngress:    {"GETVPN-SYSLOG-01", rule.KS},
	KSConvSAsDuplex:     {"GETVPN-SYSLOG-01", rule.KS},
	GMClearRegister:     {"GETVPN-SYSLOG-05", rule.GM},
	KSClearRegister:     {"GETVPN-SYSLOG-05", rule.KS},
	KSGroupDelete:       {"GETVPN-SYSLOG-06", rule.KS},
	KSGroupAdd:          {"GETVPN-SYSLOG-06", rule.KS},
	KSUnauthorized:      {"GETVPN-SYSLOG-02", rule.KS},
	KSBadID:             {"GETVPN-SYSLOG-07", rule.KS},
	UnexpectedSigkey:    {"GETVPN-SYSLOG-07", rule.GM},
	UnsupportedTEKProto: {"GETVPN-SYSLOG-07", rule.GM},

	GMRegister:               {"GETVPN-SYSLOG-01", rule.GM},
	GMRegsCompl:              {"GETVPN-SYSLOG-01", rule.GM},
	GMReRegister:             {"GETVPN-SYSLOG-01", rule.GM},
	GMInstallPoliciesSuccess: {"GETVPN-SYSLOG-01", rule.GM},
	GMDeleteExpiredKEK:       {"GETVPN-SYSLOG-01", rule.GM},
	SAKEKUpdated:             {"GETVPN-SYSLOG-01", rule.GM},
	SATEKUpdated:             {"GETVPN-SYSLOG-01", rule.GM},
	GDOIOnOff:                {"GETVPN-SYSLOG-01", rule.Both},
	ISAKMPOnOff:              {"GETVPN-SYSLOG-01", rule.Both},
}

// duties are the guards of those messages.
var duties = func() map[Message]*rule.Guard {
	guards := make(map[Message]*rule.Guard, len(demanded))
	for _, m := range All() {
		if d, ok := demanded[m]; ok {
			name := "getvpn.tell." + strings.ToLower(m.String())
			guards[m] = rule.Duty(name, d.id, d.role, "what "+m.String()+" tells of is told")
		}
	}
	return guards
}()

// Told reports whether a node tells the message; it does not only in the mutant that keeps it to itself.
func (m Message) Told(s *rule.Switches) bool {
	g := duties[m]
	return g == nil || g.Kept(s)
}
