package lab

import (
	"encoding/binary"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// masquerade gives the namespace of the calling thread the rules of a NAT, which are, as the program nft would print them,
//
//	table ip gdoilab {
//		chain forward {
//			type filter hook forward priority filter; policy drop;
//			iifname "lan0" meta l4proto udp accept
//			ct state established,related accept
//			ct status dnat accept
//		}
//		chain input {
//			type filter hook input priority filter; policy drop;
//		}
//		chain postrouting {
//			type nat hook postrouting priority srcnat; policy accept;
//			oifname "wan0" snat to 192.0.2.254:40000-65535 fully-random
//		}
//		chain prerouting {
//			type nat hook prerouting priority dstnat; policy accept;
//			iifname "wan0" udp dport 848 dnat to 192.0.2.10       if there is a key server behind it
//			iifname "wan0" udp dport 4500 dnat to 192.0.2.10
//			iifname "wan0" udp dport 500 dnat to 192.0.2.10
//		}
//	}
func masquerade(forward bool) error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	table := c.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "gdoilab"})
	drop := nftables.ChainPolicyDrop
	filter := func(name string, hook *nftables.ChainHook) *nftables.Chain {
		return c.AddChain(&nftables.Chain{Table: table, Name: name, Type: nftables.ChainTypeFilter, Hooknum: hook,
			Priority: nftables.ChainPriorityFilter, Policy: &drop})
	}
	nat := func(name string, hook *nftables.ChainHook, priority *nftables.ChainPriority) *nftables.Chain {
		return c.AddChain(&nftables.Chain{Table: table, Name: name, Type: nftables.ChainTypeNAT, Hooknum: hook, Priority: priority})
	}
	add := func(chain *nftables.Chain, parts ...[]expr.Any) {
		c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: joined(parts)})
	}
	accept := []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}

	forwarding := filter("forward", nftables.ChainHookForward)
	add(forwarding, through(expr.MetaKeyIIFNAME, natInside), isUDP(), accept)
	add(forwarding, conntrack(expr.CtKeySTATE, expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED), accept)
	add(forwarding, conntrack(expr.CtKeySTATUS, statusDNAT), accept)
	filter("input", nftables.ChainHookInput)
	add(nat("postrouting", nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource), through(expr.MetaKeyOIFNAME, natOutside), anyPort())
	if forward {
		prerouting := nat("prerouting", nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest)
		for _, port := range natForwarded {
			add(prerouting, through(expr.MetaKeyIIFNAME, natOutside), isUDP(), isTo(port), handOn())
		}
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	return nil
}

// statusDNAT is the bit of a connection whose destination was translated (IPS_DST_NAT of Linux).
const statusDNAT = 1 << 5

func joined(parts [][]expr.Any) (all []expr.Any) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// through matches the interface that a packet came in by or goes out by.
func through(key expr.MetaKey, name string) []expr.Any {
	wanted := make([]byte, unix.IFNAMSIZ)
	copy(wanted, name)
	return []expr.Any{&expr.Meta{Key: key, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: wanted}}
}

func isUDP() []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_UDP}}}
}

// isTo matches the destination port.
func isTo(port uint16) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binary.BigEndian.AppendUint16(nil, port)},
	}
}

// conntrack matches any of the bits of what the kernel knows of a connection.
func conntrack(key expr.CtKey, bits uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: key, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

// anyPort has a packet leave with the NAT's address and a port that has nothing to do with that of the sender, another for each
// peer.
func anyPort() []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: 1, Data: NATAddr.AsSlice()},
		&expr.Immediate{Register: 2, Data: binary.BigEndian.AppendUint16(nil, natFirst)},
		&expr.Immediate{Register: 3, Data: binary.BigEndian.AppendUint16(nil, 1<<16-1)},
		&expr.NAT{Type: expr.NATTypeSourceNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2, RegProtoMax: 3, Specified: true, FullyRandom: true},
	}
}

// handOn has a packet go to the key server.
func handOn() []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: 1, Data: KeyServerAddr.AsSlice()},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1},
	}
}
