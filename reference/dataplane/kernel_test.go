package dataplane

import (
	"bytes"
	"slices"
	"testing"

	"github.com/safchain/ethtool"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/internal/nettest"
)

// TestTheKernelTakesApart has the kernel cut what was put together, as it does in front of an interface that cannot: its packets are
// those that were put together, to the octet, but for the TTL.
func TestTheKernelTakesApart(t *testing.T) {
	w := newWorld(t)
	whole(t, w.g1, "lan0")
	var d *Device
	w.g1.Do(func() (err error) {
		d, err = Open(config(1))
		return err
	})
	defer d.Close()
	tap, out := w.h1.Tap("eth0"), d.NewOutlet()
	arrive := func(want [][]byte) {
		t.Helper()
		var got [][]byte
		nettest.Eventually(t, "the packets", func() bool {
			for _, p := range tap.IPv4() {
				if p[15] == 7 { // of the last octet of the source
					got = append(got, p)
				}
			}
			return len(got) >= len(want)
		})
		same(t, got, want)
	}
	deliver := func(s stream, change func(p []byte)) {
		t.Helper()
		packets := s.packets()
		want := make([][]byte, len(packets))
		for i, p := range packets {
			copy(p[off4Source:], []byte{10, 1, 2, 7, 10, 1, 1, 2})
			change(finished(p))
			want[i] = bytes.Clone(p)
			want[i][off4TTL]--
			setLength(want[i])
			out.Emit(core.Inside, p)
		}
		out.Flush()
		arrive(want)
	}
	for _, s := range []stream{{sizes: []int{8}}, {sizes: []int{1400, 1400, 1400, 7}}, {sizes: slices.Repeat([]int{1}, 5)}, {sizes: slices.Repeat([]int{1448}, 44)},
		{udp: true, sizes: []int{1400, 1400, 9}}, {udp: true, sizes: slices.Repeat([]int{65}, 64)}} {
		deliver(s, func([]byte) {})
	}
	for _, form := range []uint16{0, 0xffff} {
		deliver(stream{sizes: slices.Repeat([]int{1400}, 4)}, func(p []byte) { zeroSum(p, form) })
	}
}

// whole has an interface get no packet that stands for several.
func whole(t *testing.T, space *nettest.Space, link string) {
	t.Helper()
	space.Do(func() error {
		tool, err := ethtool.NewEthtool()
		if err != nil {
			return err
		}
		defer tool.Close()
		have, err := tool.Features(link)
		if err != nil {
			return err
		}
		off := make(map[string]bool)
		for _, feature := range []string{"tx-checksum-ip-generic", "tx-generic-segmentation", "tx-tcp-segmentation", "tx-udp-segmentation", "tx-scatter-gather"} {
			if _, ok := have[feature]; ok {
				off[feature] = false
			}
		}
		return tool.Change(link, off)
	})
}
