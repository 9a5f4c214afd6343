package lab

import (
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/mib"
	"github.com/gdoilab/gdoilab/reference/snmp"
)

func trapOf(t testing.TB) []byte {
	t.Helper()
	table := mib.Member(control.GMStatus{Role: "GM", Address: "192.0.2.7:848"}, true)
	message, err := snmp.Trap("gdoilab", time.Minute, mib.MemberRekeyReceived, table)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func TestReadTrap(t *testing.T) {
	n, ok := readTrap(trapOf(t))
	if !ok || n.Notification != mib.MemberRekeyReceived || len(n.Objects) != 3 || len(n.Objects.Of("cgmGdoiGmRekeysReceived")) != 1 {
		t.Errorf("%+v, %t", n, ok)
	}
	other := &gosnmp.SnmpPacket{Version: gosnmp.Version2c, PDUType: gosnmp.SNMPv2Trap, Variables: []gosnmp.SnmpPDU{
		{Name: ".1.3.6.1.2.1.1.3.0", Type: gosnmp.TimeTicks, Value: uint32(1)},
		{Name: ".1.3.6.1.6.3.1.1.4.1.0", Type: gosnmp.ObjectIdentifier, Value: ".1.3.6.1.6.3.1.1.5.1"},
	}}
	message, err := other.MarshalMsg()
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := readTrap(message); ok {
		t.Errorf("a trap of another module is %+v", n)
	}
}

func TestReadTrapTruncated(t *testing.T) {
	message := trapOf(t)
	for n := range len(message) {
		readTrap(message[:n]) // must not fail in another way than by its answer
	}
}

func FuzzReadTrap(f *testing.F) {
	f.Add(trapOf(f))
	f.Fuzz(func(t *testing.T, message []byte) {
		if n, ok := readTrap(message); ok && n.OID().String() == "" {
			t.Error("a notification without a name")
		}
	})
}
