package ike

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// modes notes what can be seen of Aggressive Mode, lifetimes and dead peer detection.
func (o *observer) modes() {
	o.aggressive()
	o.lifetimes()
	o.liveness()
	o.quiet()
	o.numbers()
}

func (o *observer) aggressive() {
	p := o.pair("aggressive")
	p.gm.Mode, p.ks.Mode = policy.AggressiveMode, policy.EitherMode
	p.gm.Suites, p.ks.Suites = []Suite{suiteAES, suite3}, []Suite{suiteAES, suite3}
	elsewhere := netip.MustParseAddr("192.0.2.77")
	p.gm.Local = netip.AddrPortFrom(elsewhere, 848)
	p.ks.PSK = policy.Phase1{PSKs: []policy.PSK{keyAt(elsewhere, "gdoi-psk")}}.PSK
	p.gm.Retries = 1
	p.run()
	o.note("aggressive: established %v %v", p.iSA != nil, p.rSA != nil)
	server := policy.Identity{Kind: policy.IdentityFQDN, Value: "ks.example"}
	named := o.pair("named")
	named.gm.Mode, named.ks.Mode, named.ks.Identity = policy.AggressiveMode, policy.EitherMode, server
	named.gm.PSK = keys("another", keyNamed(server, "gdoi-psk"))
	named.gm.Retries = 1
	named.run()
	o.note("aggressive with a name: established %v %v", named.iSA != nil, named.rSA != nil)
	for n, d := range p.onWire {
		if o.mine(n) {
			o.note("%s", describe(o.tb, d))
		}
	}
	if o.role == rule.KS {
		two := o.pair("two groups")
		two.gm.Mode, two.ks.Mode = policy.AggressiveMode, policy.AggressiveMode
		two.gm.Tap = func(stage core.Stage, out *core.Outgoing) {
			if sa, rest, ok := firstSA(out.Payloads); ok && stage == core.Built {
				second := *firstTransform(&sa)
				second.Attributes = replace(second.Attributes, wire.TV(isakmp.AttrGroupDescription, 19))
				sa.Proposals[0].Transforms = append(sa.Proposals[0].Transforms, second)
				out.Payloads = append([]isakmp.Payload{sa}, rest...)
			}
		}
		two.begin()
		two.drain()
		o.note("two groups: refused %v", len(two.refused) > 0)
	}
}

func (o *observer) lifetimes() {
	p := o.pair("lifetimes")
	p.gm.Kilobytes, p.gm.Lifetime, p.ks.Lifetime = 1, 4*time.Hour, time.Hour
	p.gm.Retries = 1
	p.ks.Tap = func(_ core.Stage, out *core.Outgoing) {
		for _, sent := range out.Payloads {
			if n, ok := sent.(isakmp.Notify); ok {
				o.note("%s of DOI %d, %d octets of SPI", n.NotifyType, n.DOI, len(n.SPI))
			}
		}
	}
	p.run()
	mine, peer := o.sides(p)
	if mine == nil || peer == nil {
		return
	}
	o.note("expires after %s, the peer after %s", mine.Expiry().Sub(start), peer.Expiry().Sub(start))
	told := o.pair("told")
	told.gm.Mode, told.ks.Mode, told.ks.Lifetime = policy.AggressiveMode, policy.EitherMode, time.Hour
	told.ks.Tap = altersNotify(func(n *isakmp.Notify) { n.SPI = nil })
	told.gm.Retries = 1
	told.run()
	o.note("%d messages", len(told.onWire))
	if told.iSA != nil && told.takeNotify() == nil {
		o.note("expires after %s", told.iSA.Expiry().Sub(start))
	}
	for range 40 {
		_, _ = mine.SealDelete(keymat.Seeded("bulk"))
	}
	o.note("exhausted %v", mine.Exhausted())
}

func (o *observer) sides(p *pair) (mine, peer *SA) {
	if o.role == rule.KS {
		return p.rSA, p.iSA
	}
	return p.iSA, p.rSA
}

func (o *observer) liveness() {
	p := o.pair("liveness")
	p.gm.DPD, p.ks.DPD, p.gm.Retries, p.ks.Retries = time.Minute, time.Minute, 2, 2
	p.run()
	for n, d := range p.onWire[:min(2, len(p.onWire))] {
		if o.mine(n) {
			o.note("%s", describe(o.tb, d))
		}
	}
	mine, peer := o.sides(p)
	if mine == nil || peer == nil {
		return
	}
	o.asks(mine, peer)
	o.answers(mine, peer)
}

// quiet notes whether a node asks a peer that has not said that it answers.
func (o *observer) quiet() {
	p := o.pair("quiet")
	p.gm.DPD, p.ks.DPD, p.gm.Retries = time.Minute, time.Minute, 1
	peer := &p.ks
	if o.role == rule.KS {
		peer = &p.gm
	}
	peer.Tap = func(stage core.Stage, out *core.Outgoing) {
		if stage == core.Built {
			out.Payloads = slices.DeleteFunc(slices.Clone(out.Payloads), func(p isakmp.Payload) bool { return p.Type() == isakmp.PayloadVID })
		}
	}
	p.run()
	if mine, _ := o.sides(p); mine != nil {
		o.note("asks a silent peer %v", mine.Wake().Before(mine.Expiry()))
	}
}

// asks notes what a node asks whose peer answers wrongly.
func (o *observer) asks(mine, peer *SA) {
	rand := keymat.Seeded("asks")
	var first uint32
	for n := range 6 {
		ds, ending := mine.Timer(mine.Wake(), rand)
		o.note("question %d: %d datagrams, ending %d", n, len(ds), ending)
		if len(ds) == 0 {
			return
		}
		said, ok := o.read(peer, ds[0])
		if !ok {
			return
		}
		number := binary.BigEndian.Uint32(append(said.Data, 0, 0, 0, 0))
		if n == 0 {
			first = number
		}
		o.note("%s, %d octets of SPI, number plus %d", said.NotifyType, len(said.SPI), number-first)
		for _, wrong := range []isakmp.Notify{
			{NotifyType: isakmp.NotifyRUThereACK, Protocol: 1, SPI: make([]byte, 16), Data: said.Data},
			{NotifyType: isakmp.NotifyRUThereACK, Protocol: 1, SPI: peer.spi(), Data: be(number + 99)},
		} {
			o.tell(mine, peer, wrong)
		}
	}
}

// answers notes what a node answers.
func (o *observer) answers(mine, peer *SA) {
	for _, number := range []uint32{7, 7, 9} {
		o.tell(mine, peer, isakmp.Notify{NotifyType: isakmp.NotifyRUThere, Protocol: 1, SPI: peer.spi(), Data: be(number)})
	}
	o.tell(mine, peer, isakmp.Notify{NotifyType: isakmp.NotifyRUThere, Protocol: 1, SPI: make([]byte, 16), Data: be(11)})
}

// tell has the peer say something, and notes what becomes of it.
func (o *observer) tell(mine, peer *SA, n isakmp.Notify) {
	d, _ := peer.SealInformational(keymat.Seeded("tell", string(n.Data)), n)
	opened, err := mine.OpenInformational(d.Data)
	if err != nil {
		o.note("not opened")
		return
	}
	ds, err := mine.Liveness(start, opened, keymat.Seeded("answer"))
	o.note("%s: %d answers, refused %v", n.NotifyType, len(ds), err != nil)
	for _, d := range ds {
		said, ok := o.read(peer, d)
		o.note("%v %s %d %x", ok, said.NotifyType, len(said.SPI), said.Data)
	}
}

func (o *observer) read(by *SA, d Datagram) (isakmp.Notify, bool) {
	opened, err := by.OpenInformational(d.Data)
	if err != nil {
		return isakmp.Notify{}, false
	}
	n, _, ok := isakmp.Find[isakmp.Notify](opened.Payloads)
	return n, ok
}

// numbers notes whether first questions of several SAs differ.
func (o *observer) numbers() {
	var all []uint32
	for _, seed := range []string{"one", "two"} {
		p := o.pair(seed)
		p.gm.DPD, p.ks.DPD, p.gm.Retries = time.Minute, time.Minute, 1
		p.run()
		mine, _ := o.sides(p)
		if mine == nil {
			return
		}
		_, _ = mine.Timer(mine.Wake(), keymat.Seeded(seed, "numbers"))
		all = append(all, mine.liveness.number)
	}
	slices.Sort(all)
	o.note("first numbers differ %v", len(slices.Compact(all)) == 2)
}

func firstSA(ps []isakmp.Payload) (sa isakmp.SA, rest []isakmp.Payload, ok bool) {
	if len(ps) == 0 {
		return sa, nil, false
	}
	sa, ok = ps[0].(isakmp.SA)
	return sa, ps[1:], ok
}
