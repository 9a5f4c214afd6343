package peer

import (
	"regexp"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/syslog"
)

// eventOf says which event a message of GET VPN tells of. Those of a key server's registrations are not a member's.
var eventOf = map[string]string{
	"GDOI_ON_OFF":   "STARTED",
	"GM_REGS_COMPL": "REGISTERED", "KS_REGS_COMPL": "REGISTERED",
	"GM_RECV_REKEY":         "REKEY_ACCEPTED",
	"GM_DELETE_EXPIRED_KEK": "SA_REMOVED", "GM_RECV_DELETE": "SA_REMOVED", "GM_CLEAR_REGISTER": "SA_REMOVED",
	"KS_NACK_GM_EJECT": "ACK_MISSING",

	"GDOI_REKEY_FAILURE": "REFUSED", "GDOI_REKEY_SEQ_FAILURE": "REFUSED", "PSEUDO_TIME_TOO_OLD": "REFUSED",
	"GM_HASH_FAIL": "REFUSED", "GM_REJECTING_SA_PAYLOAD": "REFUSED", "UNEXPECTED_SIGKEY": "REFUSED", "UNSUPPORTED_TEK_PROTO": "REFUSED",
	"KS_HASH_FAIL": "REFUSED", "KS_BAD_ID": "REFUSED", "KS_UNAUTHORIZED": "REFUSED", "UNAUTHORIZED_IDENTITY": "REFUSED",
	"UNAUTHORIZED_IPADDR": "REFUSED", "UNREGISTERED_INTERFACE": "REFUSED", "KS_UNSOL_ACK": "REFUSED", "KS_GM_REVOKED": "REFUSED",
	"REPLAY_FAILED": "REFUSED", "TIMEBASED_REPLAY_FAILED": "REFUSED", "PKT_REPLAY_ERR": "REFUSED",
}

// told are the events of which every device of GET VPN tells. That it refuses something it tells without saying by which requirement, and of
// acknowledgements it tells only that they do not come.
var told = []string{"STARTED", "REGISTERED", "REKEY_ACCEPTED", "SA_REMOVED"}

// fieldOf gives the values of messages the names that they have in events.
var fieldOf = map[string]string{"seq": "sequence", "gm_addr": "member", "ks_addr": "key_server"}

// event reads a line with a message of GET VPN as the event that it tells of.
func event(text string) (syslog.Line, bool) {
	line, found := messageIn(text)
	name, known := eventOf[line.Tag]
	if !found || !known || name == "STARTED" && line.Fields["state"] != "ON" {
		return syslog.Line{}, false
	}
	line.Tag = name
	for from, to := range fieldOf {
		if value, ok := line.Fields[from]; ok {
			line.Fields[to] = value
		}
	}
	return line, true
}

// Message reads a line with a message of GET VPN: its Tag is the mnemonic as the catalogue has it, and its Fields the values of the
// placeholders, as far as the words are known.
func (e Events) Message(text string) (syslog.Line, bool) {
	if !e.Own {
		return messageIn(text)
	}
	line, err := syslog.Parse(text)
	if err != nil {
		return syslog.Line{}, false
	}
	messages, err := catalog.LoadMessages()
	if err != nil {
		return syslog.Line{}, false
	}
	_, err = messages.Find(line.Tag)
	return line, err == nil
}

func messageIn(text string) (syslog.Line, bool) {
	messages, err := catalog.LoadMessages()
	if err != nil {
		return syslog.Line{}, false
	}
	m, fields, found := messages.Read(text)
	if !found {
		return syslog.Line{}, false
	}
	line := syslog.Line{Tag: m.Mnemonic, Severity: severityIn(text), Fields: fields, Text: text}
	fromLine(&line, text)
	return line, true
}

var digit = regexp.MustCompile(`%[A-Z0-9_]+-([0-7])-`)

// severityIn is the digit in front of a mnemonic.
func severityIn(text string) core.Severity {
	if found := digit.FindStringSubmatch(text); found != nil {
		return core.Severity(found[1][0] - '0')
	}
	return 0
}
