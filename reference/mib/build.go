package mib

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
)

// The values of enumerations that depend on nothing.
const (
	primary   = 1 // CgmGdoiKsRole
	udp       = 2 // CgmGdoiIpProtocolId
	kekInUse  = 1 // CgmGdoiKekStatus
	inbound   = 1 // CgmGdoiTekStatus
	outbound  = 2
	truth     = 1 // TruthValue
	falsehood = 2
)

// builder gathers the objects of one node at one time.
type builder struct {
	Table
	now time.Time
}

// KeyServer is what a key server shows. Notifies says whether it sends notifications to anybody.
func KeyServer(s control.KSStatus, notifies bool) Table {
	b := builder{Table{role: roleKS}, s.Time}
	self := ofPlace(s.Address)
	for _, g := range s.Groups {
		group := ofGroup(g.ID).index()
		members := number(len(g.Members))
		b.group(group, g.Name)
		b.put(GroupMemberCount, group, members)
		b.put(GroupRekeyRetransmits, group, number(lastRekey(g.RekeyCounts)))
		b.put(GroupRekeyTime, group, number(g.Took))
		index := group.with(self.index()...)
		b.put(KeyServerIDLength, index, number(len(self.value)))
		b.put(KeyServerActiveKEK, index, octets(g.Rekey))
		b.put(KeyServerRekeysPushed, index, number(g.Sequence))
		b.put(KeyServerRole, index, number(primary))
		b.put(KeyServerMembers, index, members)
		b.kek(ofKeyServer.keks, index, g.Rekey, g.KEK, g.RekeyExpiry)
		b.teks(ofKeyServer, index, g.SAs)
	}
	return b.done(toldByKeyServer, notifies)
}

// lastRekey counts the messages of the last rekey: it, and its repetitions.
func lastRekey(c control.RekeyCounts) int {
	if c.Rekeys == 0 {
		return 0
	}
	return 1 + c.Retransmits
}

// Member is what a group member shows, in each of its groups; see KeyServer.
func Member(s control.GMStatus, notifies bool) Table {
	b := builder{Table{role: roleGM}, s.Time}
	self := ofPlace(s.Address)
	for _, g := range s.Memberships() {
		group := ofGroup(g.Group).index()
		b.group(group, strconv.FormatUint(uint64(g.Group), 10))
		b.put(GroupMemberCount, group, number(0))
		b.put(GroupRekeyRetransmits, group, number(0))
		b.put(GroupRekeyTime, group, number(0))
		index := group.with(self.index()...)
		b.put(MemberIDLength, index, number(len(self.value)))
		server := registrar(g).columns()
		for i, c := range []Column{MemberKeyServerType, MemberKeyServerLength, MemberKeyServer} {
			b.put(c, index, server[i])
		}
		b.put(MemberActiveKEK, index, octets(g.Rekey))
		b.put(MemberRekeysReceived, index, number(g.Sequence))
		b.put(MemberActiveTEKs, index, number(g.Keyed()))
		b.kek(ofMember.keks, index, g.Rekey, g.KEK, g.RekeyExpiry)
		b.teks(ofMember, index, g.SAs)
	}
	return b.done(toldByMember, notifies)
}

// registrar is the key server that the member is registered with: none while it has nothing of one.
func registrar(g control.GMGroup) identity {
	if g.Rekey == "" && len(g.SAs) == 0 {
		return identity{kind: ipv4Address}
	}
	return ofPlace(g.KeyServer)
}

func (b *builder) group(index OID, name string) {
	b.put(GroupIDLength, index, number(4))
	b.put(GroupName, index, Value{Octets: []byte(name)})
	b.put(GroupPeerKeyServers, index, number(0))
}

// kek adds the Rekey SA in force, if there is one. Its index is 1: what was before it is not told.
func (b *builder) kek(columns []Column, of OID, spi string, k *control.KEK, expiry time.Time) {
	if spi == "" || k == nil {
		return
	}
	source, destination := ofPlace(k.Source).columns(), ofPlace(k.Destination).columns()
	b.row(columns, of.with(1), octets(spi),
		source[0], source[1], source[2], portOf(k.Source), destination[0], destination[1], destination[2], portOf(k.Destination),
		number(udp), number(management[k.Management]), number(kekCiphers[k.Cipher]), number(k.KeyBits),
		number(hashes[k.SigHash]), number(signatures[k.SigAlgorithm]), number(k.SigKeyBits), number(0),
		number(k.Lifetime), b.left(expiry), number(kekInUse))
}

// teks adds a row for each flow, and for each flow the SAs that protect it: one row for each direction in which one is used.
func (b *builder) teks(to tables, of OID, sas []control.SA) {
	flows := make(map[string]uint32)
	rows := make(map[uint32]uint32)
	for _, sa := range sas {
		flow, known := flows[sa.Selector]
		if !known {
			flow = uint32(len(flows) + 1)
			flows[sa.Selector] = flow
			b.selector(to.selectors, of.with(flow), sa.Detail)
		}
		for _, status := range directions(sa) {
			rows[flow]++
			b.tek(to.teks, of.with(flow, rows[flow]), sa, status)
		}
	}
}

// directions are those in which an SA is used: it receives as long as it is there.
func directions(sa control.SA) []uint32 {
	if sa.Sending {
		return []uint32{inbound, outbound}
	}
	return []uint32{inbound}
}

func (b *builder) selector(columns []Column, index OID, d control.SADetail) {
	source, destination := ofNetwork(d.Source).columns(), ofNetwork(d.Destination).columns()
	b.row(columns, index, source[0], source[1], source[2], port(d.SourcePort),
		destination[0], destination[1], destination[2], port(d.DestinationPort), number(protocols[d.Protocol]))
}

func (b *builder) tek(columns []Column, index OID, sa control.SA, status uint32) {
	d := sa.Detail
	t := transforms[d.Transform]
	b.row(columns, index, octets(sa.SPI), number(modes[d.Mode]), number(encryption(t)), number(8*d.KeyOctets),
		number(integrities[t.Integrity]), number(8*d.IntegrityOctets), windowOf(sa.Replay), number(d.Lifetime), b.left(sa.Expiry), number(status))
}

// windowOf is the window of time-based anti-replay in seconds; 0 where there is none.
func windowOf(r *control.Replay) Value {
	if r == nil || r.Method != byTime {
		return number(0)
	}
	window, _ := time.ParseDuration(r.Window)
	return number(int(window / time.Second))
}

// byTime is the method of anti-replay that the module has a window for.
const byTime = "time"

// row puts one value into each column of a table.
func (b *builder) row(columns []Column, index OID, values ...Value) {
	for i, c := range columns {
		b.put(c, index, values[i])
	}
}

func (b *builder) put(c Column, index OID, v Value) {
	v.Kind = c.Kind
	b.objects = append(b.objects, Object{c.OID.with(index...), v})
}

// left is what is left of a lifetime in whole seconds.
func (b *builder) left(expiry time.Time) Value {
	return number(max(0, int(expiry.Sub(b.now)/time.Second)))
}

// done adds the switches of notifications and puts all in order.
func (b *builder) done(told []Notification, notifies bool) Table {
	for _, c := range switches {
		b.put(c, OID{0}, number(falsehood))
	}
	b.sort()
	if notifies {
		for _, n := range told {
			i, _ := b.find(switches[n-1].OID.with(0))
			b.objects[i].Value.Number = truth
		}
	}
	return b.Table
}

// number is a value that is not negative.
func number[T ~int | ~int64 | ~uint32](n T) Value { return Value{Number: uint32(n)} }

// octets are those of an SPI in hexadecimal; none if it is of nothing.
func octets(spi string) Value {
	b, _ := hex.DecodeString(spi)
	return Value{Octets: b}
}
