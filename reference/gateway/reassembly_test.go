package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/core"
)

// piece makes a fragment with the ID of the body's octets from to to; the last one if more is false.
func piece(t *testing.T, id uint16, body []byte, from, to int, more bool, alter ...header) *packet {
	t.Helper()
	alter = append(alter, func(ip *layers.IPv4) {
		ip.Id, ip.FragOffset = id, uint16(from/8)
		if more {
			ip.Flags |= layers.IPv4MoreFragments
		}
	})
	p, err := parse(wrap(t, hostA, hostB, protocolESP, body[from:to], alter...))
	if err != nil {
		t.Fatal(err)
	}
	return &p
}

func someBody(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

func TestReassemblyInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	body := someBody(100)
	for range 50 {
		var d reassembler
		pieces := []*packet{
			piece(t, 7, body, 0, 24, true), piece(t, 7, body, 24, 64, true),
			piece(t, 7, body, 64, 96, true), piece(t, 7, body, 96, 100, false),
		}
		pieces = append(pieces, pieces[r.IntN(4)]) // and one twice
		r.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
		for _, p := range pieces {
			whole, lost, err := d.add(t0, p)
			if err != nil || lost != 0 {
				t.Fatal(lost, err)
			}
			if whole == nil {
				continue
			}
			if want := wrap(t, hostA, hostB, protocolESP, body, func(ip *layers.IPv4) { ip.Id = 7 }); !bytes.Equal(whole, want) {
				t.Fatalf("got %x\nwant %x", whole, want)
			}
		}
	}
}

func TestReassemblyRejects(t *testing.T) {
	body := someBody(200)
	other := someBody(200)
	other[30] = 0xff
	p := func(b []byte, from, to int, more bool) *packet { return piece(t, 1, b, from, to, more) }
	for _, c := range []struct {
		name   string
		pieces []*packet
		want   error
	}{
		{"overlap", []*packet{p(body, 0, 32, true), p(body, 24, 64, true)}, errOverlap},
		{"inside another", []*packet{p(body, 0, 64, true), p(body, 8, 16, true)}, errOverlap},
		{"around another", []*packet{p(body, 8, 16, true), p(body, 0, 64, true)}, errOverlap},
		{"same place, other octets", []*packet{p(body, 24, 40, true), p(other, 24, 40, true)}, errOverlap},
		{"two ends", []*packet{p(body, 64, 100, false), p(body, 104, 120, false)}, errOverlap},
		{"beyond the end", []*packet{p(body, 64, 100, false), p(body, 104, 120, true)}, errOverlap},
		{"end before what is there", []*packet{p(body, 64, 80, true), p(body, 32, 40, false)}, errOverlap},
		{"not a multiple of 8", []*packet{p(body, 0, 20, true)}, errFragment},
		{"empty", []*packet{p(body, 0, 0, true)}, errFragment},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d reassembler
			for i, piece := range c.pieces {
				_, _, err := d.add(t0, piece)
				if last := i == len(c.pieces)-1; last && !errors.Is(err, c.want) || !last && err != nil {
					t.Errorf("piece %d: %v, want %v", i, err, c.want)
				}
			}
			// Nothing of that datagram is accepted any more, until its time is over.
			if _, _, err := d.add(t0, p(body, 0, 8, true)); !errors.Is(err, errRejected) {
				t.Errorf("a sibling of the rejected fragment: %v", err)
			}
			later := t0.Add(reassemblyTimeout)
			if whole, lost, err := d.add(later, p(body, 0, 8, true)); err != nil || whole != nil || lost != 0 {
				t.Errorf("after its time: %v", err)
			}
			if whole, _, err := d.add(later, p(body, 8, 16, false)); err != nil || whole == nil {
				t.Errorf("after its time: %v", err)
			}
		})
	}
}

// 65,535 octets are the longest packet; options of the first fragment count.
func TestReassemblyOfTheLongest(t *testing.T) {
	body := someBody(65528)
	options := func(ip *layers.IPv4) {
		ip.Options = []layers.IPv4Option{{OptionType: 148, OptionLength: 4, OptionData: []byte{0, 0}}}
	}
	for _, c := range []struct {
		end  int
		with header
		want error
	}{
		{65515, func(*layers.IPv4) {}, nil}, {65516, func(*layers.IPv4) {}, errFragment}, {65511, options, nil}, {65512, options, errFragment},
	} {
		var d reassembler
		if _, _, err := d.add(t0, piece(t, 1, body, 0, 40000, true, c.with)); err != nil {
			t.Fatal(err)
		}
		whole, _, err := d.add(t0, piece(t, 1, body, 40000, c.end, false))
		if !errors.Is(err, c.want) || c.want == nil && len(whole) != maxPacket {
			t.Errorf("to %d: %d octets, %v", c.end, len(whole), err)
		}
	}
}

func TestReassemblyMarksCongestion(t *testing.T) {
	body := someBody(16)
	ecn := func(v uint8) header { return func(ip *layers.IPv4) { ip.TOS = v } }
	for _, c := range []struct{ first, second, want uint8 }{{2, 3, 3}, {2, 2, 2}, {3, 2, 3}, {0, 3, 0}} {
		var d reassembler
		_, _, _ = d.add(t0, piece(t, 1, body, 0, 8, true, ecn(c.first)))
		whole, _, err := d.add(t0, piece(t, 1, body, 8, 16, false, ecn(c.second)))
		if err != nil || whole[offTOS] != c.want {
			t.Errorf("%d and %d make %d, %v", c.first, c.second, whole[offTOS], err)
		}
	}
}

func TestReassemblyIsBounded(t *testing.T) {
	var d reassembler
	body := someBody(16)
	lost := uint64(0)
	for id := range uint16(100) {
		_, n, err := d.add(t0, piece(t, id, body, 0, 8, true))
		if err != nil {
			t.Fatal(err)
		}
		lost += n
	}
	if len(d.waiting) != maxPerSource || lost != 100-maxPerSource {
		t.Errorf("one source has %d datagrams waiting, %d lost", len(d.waiting), lost)
	}
	for i := range 200 {
		src := netip.AddrFrom4([4]byte{10, 9, byte(i), 1}).AsSlice()
		_, n, err := d.add(t0, piece(t, 1, body, 0, 8, true, func(ip *layers.IPv4) { ip.SrcIP = src }))
		if err != nil {
			t.Fatal(err)
		}
		lost += n
	}
	if len(d.waiting) != maxDatagrams || lost != 300-maxDatagrams {
		t.Errorf("%d datagrams waiting, %d lost", len(d.waiting), lost)
	}
	if got := d.expire(t0.Add(reassemblyTimeout)); got != maxDatagrams {
		t.Errorf("%d lost by time", got)
	}

	long := someBody(8 * (maxFragments + 1))
	for i := range maxFragments + 1 {
		_, _, err := d.add(t0, piece(t, 1, long, 8*i, 8*i+8, true))
		if want := i == maxFragments; errors.Is(err, errFragments) != want {
			t.Fatalf("fragment %d: %v", i, err)
		}
	}
}

// What the gateway does with fragments of ESP.
func TestFragmentsAtTheGateway(t *testing.T) {
	a := newGateway(t, gatewayA, nil, gcmSA(1))
	outer := one(t, a, at(1), core.Inside, udp(t, hostA, hostB, 400), core.Outside)
	alone := bytes.Clone(outer) // a whole packet that says it is a fragment
	alone[offFragment] |= flagMF >> 8
	resum(alone, headerLen)

	b := newGateway(t, gatewayB, nil, gcmSA(1))
	if out, err := handle(b, at(1), core.Outside, alone); err != nil || len(out) != 0 {
		t.Errorf("a fragment without siblings: %d packets, %v", len(out), err)
	}
	if deadline, ok := b.Deadline(); !ok || !deadline.Equal(at(31)) {
		t.Errorf("deadline %v, %v", deadline.Sub(t0), ok)
	}
	b.Expire(at(30.9))
	if n := b.Counters()["dropped"]; n != 0 {
		t.Errorf("%d dropped before the time is over", n)
	}
	b.Expire(at(31))
	if n := b.Counters()["dropped"]; n != 1 {
		t.Errorf("%d dropped when the time is over", n)
	}
	if deadline, _ := b.Deadline(); !deadline.Equal(at(3600)) {
		t.Errorf("deadline %v", deadline.Sub(t0))
	}
	one(t, newGateway(t, gatewayB, mutant(t, "gateway.esp.fragment", "off"), gcmSA(1)), at(1), core.Outside, alone, core.Inside)

	refuseOverlap := piece(t, 9, someBody(64), 0, 32, true)
	if _, err := handle(b, at(40), core.Outside, refuseOverlap.bytes); err != nil {
		t.Fatal(err)
	}
	refuses(t, b, at(40), core.Outside, piece(t, 9, someBody(64), 24, 64, false).bytes, guardWhole)
}

func ExampleGateway_Handle() {
	g := alone(Config{Address: netip.MustParseAddr("192.0.2.1")})
	err := g.Handle(time.Now(), core.Inside, []byte("a packet"), func(core.Side, []byte) {})
	fmt.Println(err, g.Counters()["dropped"])
	// Output: gateway: malformed packet: no IP header 1
}
