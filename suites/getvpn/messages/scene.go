package messages

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/syslog"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// message is one that a device has to tell, in one sentence.
type message struct {
	mnemonic     string
	when         string
	requirements string // beside the one for all messages, with spaces between
	needs        lab.Need
	feature      string
	within       time.Duration // 0: lab.Patience
	setup        lab.Setup
	cause        func(ctx SpecContext, l *lab.Lab)
	values       func(l *lab.Lab) map[string]string // of the placeholders that are looked at; group goes without saying
	control      func(ctx SpecContext, l *lab.Lab) bool
	alive        string // what control proves
}

// all is the requirement for every message.
const all = "GETVPN-SYSLOG-01"

// tellsEach makes a spec of each row; of is the device.
func tellsEach(of func(*lab.Lab) *lab.Peer, rows []message) {
	for i, m := range rows {
		It("tells "+m.mnemonic+" "+m.when, m.labels(i), func(ctx SpecContext) { m.told(ctx, of) })
	}
}

func (m message) labels(row int) []any {
	ids := append([]string{all}, strings.Fields(m.requirements)...)
	labels := []any{kit.Requirement(ids...), kit.Row(row)}
	if m.control != nil {
		labels = append(labels, kit.Negative)
	}
	if m.needs != "" {
		labels = append(labels, kit.Needs(m.needs))
	}
	if m.feature != "" {
		labels = append(labels, kit.Feature(m.feature))
	}
	return labels
}

// told has the cause come about and looks for the message, which must not have been there before.
func (m message) told(ctx SpecContext, of func(*lab.Lab) *lab.Peer) {
	GinkgoHelper()
	setup := m.setup
	setup.Profile = policy.ProfileGETVPN
	l := kit.Lab(ctx, setup)
	device := of(l)
	kit.Precondition(device.Can(peer.ReadLog), "the log of "+device.Name()+" can be read")
	m.cause(ctx, l)
	before := earlier[l]
	delete(earlier, l)
	limit := m.within
	if limit == 0 {
		limit = lab.Patience
	}
	Expect(device.AwaitMessage(ctx, m.mnemonic, before, limit)).To(BeTrue(), "%s tells %s; it told %s", device.Name(), m.mnemonic, mnemonics(device))
	m.expect(l, device.Messages(m.mnemonic)[before])
	if m.control != nil {
		kit.Control(m.control(ctx, l), m.alive)
	}
}

// earlier has how often a device had told the message before its cause, if a spec has noted it.
var earlier = make(map[*lab.Lab]int)

// from notes that only what the device tells from now on counts.
func from(l *lab.Lab, device *lab.Peer, mnemonic string) { earlier[l] = len(device.Messages(mnemonic)) }

// expect looks at severity and values of a message as far as they are known of devices.
func (m message) expect(l *lab.Lab, line syslog.Line) {
	GinkgoHelper()
	messages, err := catalog.LoadMessages()
	kit.Precondition(err, "the catalogue of messages")
	of, err := messages.Find(m.mnemonic)
	kit.Precondition(err, m.mnemonic+" is in the catalogue")
	if of.SeverityKnown {
		Expect(int(line.Severity)).To(Equal(of.Severity), "the severity of %s", m.mnemonic)
	}
	if len(line.Fields) == 0 && !of.FormatKnown {
		return // words of its own
	}
	if strings.Contains(of.Format, "{group}") {
		Expect(line.Fields["group"]).To(BeElementOf(l.GroupNames()), "the group of %q", line.Text)
	}
	if m.values == nil {
		return
	}
	want := m.values(l)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		Expect(line.Fields[name]).To(Equal(want[name]), "%s of %q", name, line.Text)
	}
}

// mnemonics are what a device has told so far, for whoever reads of a failure.
func mnemonics(p *lab.Peer) []string {
	var told []string
	for _, line := range p.Messages("") {
		told = append(told, line.Tag)
	}
	return told
}

// begins starts the key server and the first member, whatever comes of it.
func begins(ctx SpecContext, l *lab.Lab) {
	GinkgoHelper()
	kit.Precondition(l.KS.Start(ctx), "the key server starts")
	kit.Precondition(l.GM[0].Start(ctx), "the member starts")
}

// registers starts everybody and waits until all members are registered.
func registers(ctx SpecContext, l *lab.Lab) {
	GinkgoHelper()
	kit.Precondition(l.Up(ctx), "every member registers")
}

// registeredAfter ends the misbehaviour of a peer and reports whether member i registers then.
func registeredAfter(misbehaving func(*lab.Lab) *lab.Peer, i int) func(SpecContext, *lab.Lab) bool {
	return func(ctx SpecContext, l *lab.Lab) bool {
		return misbehaving(l).Misbehave(nil) == nil && l.GM[i-1].AwaitRegistrations(ctx, 0, time.Minute)
	}
}

// misbehaving has a peer break a rule from its start on.
func misbehaving(of func(*lab.Lab) *lab.Peer, d tester.Deviation) func(SpecContext, *lab.Lab) {
	return func(ctx SpecContext, l *lab.Lab) {
		GinkgoHelper()
		Expect(of(l).Misbehave(tester.Taps(d))).To(Succeed())
		begins(ctx, l)
	}
}

func keyServer(l *lab.Lab) *lab.Peer { return l.KS }
func member(l *lab.Lab) *lab.Peer    { return l.GM[0] }

func address(p *lab.Peer) string { return p.Addr().Addr().String() }

// between are the addresses of key server and member.
func between(l *lab.Lab) map[string]string {
	return map[string]string{"ks_addr": address(l.KS), "gm_addr": address(l.GM[0])}
}

func fromServer(l *lab.Lab) map[string]string { return map[string]string{"ks_addr": address(l.KS)} }
func ofMember(l *lab.Lab) map[string]string   { return map[string]string{"gm_addr": address(l.GM[0])} }

// on says that something is on.
func on(*lab.Lab) map[string]string { return map[string]string{"state": "ON"} }

// numbered adds a sequence number.
func numbered(seq uint32, values map[string]string) map[string]string {
	values["seq"] = fmt.Sprint(seq)
	return values
}
