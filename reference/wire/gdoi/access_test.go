package gdoi_test

import (
	"bytes"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// denied is OSPF between any two addresses of IPv4.
var denied = []byte{
	89,                                 // protocol
	4, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, // source: IPv4 subnet, port 0, eight octets
	4, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, // destination
}

func TestAccessEntry(t *testing.T) {
	e, err := gdoi.ParseAccessEntry(denied, 0)
	if err != nil || e.Protocol != 89 || e.Source.Type != 4 {
		t.Fatalf("%+v, %v", e, err)
	}
	again, err := e.Append(nil)
	if err != nil || !bytes.Equal(again, denied) {
		t.Errorf("% x, %v", again, err)
	}
	for n := range denied {
		if _, err := gdoi.ParseAccessEntry(denied[:n], 0); err == nil {
			t.Errorf("%d of %d octets are taken", n, len(denied))
		}
	}
	if _, err := gdoi.ParseAccessEntry(append(bytes.Clone(denied), 0), 0); err == nil {
		t.Error("an octet too many is taken")
	}
}

func FuzzAccessEntry(f *testing.F) {
	f.Add(denied)
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := gdoi.ParseAccessEntry(data, 0)
		if err != nil {
			return
		}
		if again, err := e.Append(nil); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("% x became % x, %v", data, again, err)
		}
	})
}
