package lab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/gosnmp/gosnmp"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/mib"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// managed is a node that has an SNMP agent.
type managed interface {
	// community may read all of it by SNMPv2c.
	community() string
	// manageBy sends a message to the agent and returns what comes back.
	manageBy(ctx context.Context, message []byte) ([]byte, error)
}

// managedByUser is a node whose SNMP agent may be one that knows users, of SNMPv3.
type managedByUser interface {
	// user is who reads all of it; nil: the agent knows a community.
	user() *policy.SNMPUser
	// reach opens a socket to the agent, from where it can be reached.
	reach(open func(address string) error) error
}

// userHashes are the names of what users are authenticated with.
var userHashes = map[policy.SNMPHash]gosnmp.SnmpV3AuthProtocol{
	policy.SNMPSHA1: gosnmp.SHA, policy.SNMPSHA256: gosnmp.SHA256, policy.SNMPSHA512: gosnmp.SHA512,
}

// asUser sends one request as a user, having found out which engine answers (RFC 3414 §4).
func asUser(ctx context.Context, node managedByUser, kind gosnmp.PDUType, binding gosnmp.SnmpPDU) (*gosnmp.SnmpPacket, error) {
	u := node.user()
	client := &gosnmp.GoSNMP{
		Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, MsgFlags: gosnmp.AuthPriv, Transport: "udp", Context: ctx, Timeout: Patience, MaxOids: atOnce,
		SecurityParameters: &gosnmp.UsmSecurityParameters{
			UserName: u.Name, AuthenticationProtocol: userHashes[u.Hash], AuthenticationPassphrase: u.Password, PrivacyProtocol: gosnmp.AES, PrivacyPassphrase: u.Privacy,
		},
	}
	err := node.reach(func(address string) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		client.Target, client.Port = at.Addr().String(), at.Port()
		return client.Connect()
	})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	if kind == gosnmp.SetRequest {
		return client.Set([]gosnmp.SnmpPDU{binding})
	}
	return client.GetBulk([]string{binding.Name}, 0, atOnce)
}

// agentAddress is where a device's agent listens that can be told so: in its own namespace, so that nobody else asks it.
var agentAddress = netip.MustParseAddrPort("127.0.0.1:1161")

// agent is what a setup asks of its devices.
func (s Setup) agent() *policy.SNMP {
	if !s.SNMP {
		return nil
	}
	return &policy.SNMP{Listen: agentAddress, Community: "gdoilab", Traps: []netip.AddrPort{trapReceiver}}
}

// agent is what the station's policy says of its agent; nil: it has none.
func (s Station) agent() *policy.SNMP {
	if s.KS != nil {
		return s.KS.SNMP
	}
	return s.GM.SNMP
}

// Instance is an object as a device shows it by SNMP. Of a Number or of Octets, one is what it has.
type Instance struct {
	OID    mib.OID
	Number uint64
	Octets []byte
}

// Shows are instances in the order in which a device has given them.
type Shows []Instance

// Of returns those of an object, by its name in CISCO-GDOI-MIB.
func (s Shows) Of(name string) Shows {
	column, ok := mib.Find(name)
	if !ok {
		panic("lab: CISCO-GDOI-MIB has no object " + name) // in a spec
	}
	return slices.DeleteFunc(slices.Clone(s), func(i Instance) bool { return !i.OID.In(column.OID) })
}

// mostInstances ends a walk through a device that has no end.
const mostInstances = 10000

// SNMP walks through CISCO-GDOI-MIB of a device.
func (p *Peer) SNMP(ctx context.Context) (Shows, error) {
	var all Shows
	for at := mib.Root; len(all) < mostInstances; {
		bindings, err := p.manage(ctx, gosnmp.GetBulkRequest, at)
		if err != nil {
			return nil, err
		}
		for _, b := range bindings {
			i, ok := instance(b)
			if !ok || !i.OID.In(mib.Root) {
				return all, nil
			}
			if slices.Compare(i.OID, at) <= 0 {
				return nil, fmt.Errorf("lab: %s shows %s behind %s", p.Name(), i.OID, at)
			}
			all, at = append(all, i), i.OID
		}
	}
	return nil, fmt.Errorf("lab: %s shows more than %d objects", p.Name(), mostInstances)
}

// SNMPSets asks a device to change the value of an object to a number, and returns its answer.
func (p *Peer) SNMPSets(ctx context.Context, o mib.OID, number int) (gosnmp.SNMPError, error) {
	answer, err := p.exchange(ctx, gosnmp.SetRequest, gosnmp.SnmpPDU{Name: o.String(), Type: gosnmp.Integer, Value: number})
	if err != nil {
		return 0, err
	}
	return answer.Error, nil
}

// atOnce is how many instances a device is asked for at once.
const atOnce = 25

func (p *Peer) manage(ctx context.Context, kind gosnmp.PDUType, at mib.OID) ([]gosnmp.SnmpPDU, error) {
	answer, err := p.exchange(ctx, kind, gosnmp.SnmpPDU{Name: at.String(), Type: gosnmp.Null})
	if err != nil {
		return nil, err
	}
	if answer.Error != gosnmp.NoError || len(answer.Variables) == 0 {
		return nil, fmt.Errorf("lab: %s answers SNMP with %s and %d objects", p.Name(), answer.Error, len(answer.Variables))
	}
	return answer.Variables, nil
}

// exchange sends a device one request.
func (p *Peer) exchange(ctx context.Context, kind gosnmp.PDUType, binding gosnmp.SnmpPDU) (*gosnmp.SnmpPacket, error) {
	if err := p.Can(peer.ReadSNMP); err != nil {
		return nil, fmt.Errorf("lab: %s: %w", p.Name(), err)
	}
	node, ok := p.node.(managed)
	if !ok {
		return nil, fmt.Errorf("lab: %s cannot be asked by SNMP", p.Name())
	}
	if u, ok := p.node.(managedByUser); ok && u.user() != nil {
		answer, err := asUser(ctx, u, kind, binding)
		if err != nil {
			return nil, fmt.Errorf("lab: %s: %w: %w", p.Name(), errNoAnswer, err)
		}
		return answer, nil
	}
	client := gosnmp.GoSNMP{Version: gosnmp.Version2c, Community: node.community()}
	request, err := client.SnmpEncodePacket(kind, []gosnmp.SnmpPDU{binding}, 0, atOnce)
	if err != nil {
		return nil, fmt.Errorf("lab: %s: %w", p.Name(), err)
	}
	octets, err := node.manageBy(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("lab: %s: %w", p.Name(), err)
	}
	answer, err := client.SnmpDecodePacket(octets)
	if err != nil {
		return nil, fmt.Errorf("lab: %s answers SNMP with %x: %w", p.Name(), octets, err)
	}
	return answer, nil
}

// instance is a binding with a value; it is not ok for one that has none.
func instance(b gosnmp.SnmpPDU) (i Instance, ok bool) {
	o, ok := mib.ParseOID(b.Name)
	if !ok {
		return Instance{}, false
	}
	switch v := b.Value.(type) {
	case []byte:
		return Instance{OID: o, Octets: v}, true
	case int, uint, uint32, uint64:
		return Instance{OID: o, Number: gosnmp.ToBigInt(v).Uint64()}, true
	}
	return Instance{}, false
}
