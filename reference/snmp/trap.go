package snmp

import (
	"fmt"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/gdoilab/gdoilab/reference/mib"
)

// What every trap begins with (RFC 3416 §4.2.6).
var (
	sysUpTime   = mib.OID{1, 3, 6, 1, 2, 1, 1, 3, 0}
	snmpTrapOID = mib.OID{1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0}
)

// Trap makes the message of a notification, of SNMPv2c, from a node that has been up so long and shows that table.
func Trap(community string, up time.Duration, n mib.Notification, table mib.Table) ([]byte, error) {
	m := &gosnmp.SnmpPacket{
		Version: gosnmp.Version2c, Community: community, PDUType: gosnmp.SNMPv2Trap, RequestID: uint32(up / time.Microsecond & 0x7fffffff),
		Variables: []gosnmp.SnmpPDU{
			{Name: sysUpTime.String(), Type: gosnmp.TimeTicks, Value: uint32(up / (10 * time.Millisecond))},
			{Name: snmpTrapOID.String(), Type: gosnmp.ObjectIdentifier, Value: n.OID().String()},
		},
	}
	for _, o := range n.Carries(table) {
		m.Variables = append(m.Variables, bound(o))
	}
	message, err := m.MarshalMsg()
	if err != nil {
		return nil, fmt.Errorf("snmp: trap %s: %w", n.OID(), err)
	}
	return message, nil
}
