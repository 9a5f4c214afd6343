package lab

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// A UDP checksum that comes out as zero is sent as all ones: zero stands for none, with which a receiver of IPv6 drops the packet.
func TestChecksumOfZero(t *testing.T) {
	for _, ends := range [][2]string{{"192.0.2.1:848", "192.0.2.2:848"}, {"[2001:db8::1]:848", "[2001:db8::2]:848"}} {
		from, to := netip.MustParseAddrPort(ends[0]), netip.MustParseAddrPort(ends[1])
		data := make([]byte, 2)
		probe, err := UDPPacket(from, to, 64, data)
		if err != nil {
			t.Fatal(err)
		}
		copy(data, probe[len(probe)-4:]) // the checksum as data makes that of the whole zero
		packet, err := UDPPacket(from, to, 64, data)
		if err != nil {
			t.Fatal(err)
		}
		ip, ok := Parse(packet)
		if got := binary.BigEndian.Uint16(packet[len(packet)-4:]); got != 0xffff || !ok || !ip.intact() {
			t.Errorf("%s: checksum %04x, intact %t", ends[0], got, ip.intact())
		}
	}
}
