package isakmp_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

func TestOpaquePayloads(t *testing.T) {
	data := []byte{1, 2, 3}
	for _, want := range []isakmp.Payload{isakmp.KE{Data: data}, isakmp.Hash{Data: data}, isakmp.SIG{Data: data},
		isakmp.Nonce{Data: data}, isakmp.VID{Data: data}, isakmp.NATD{Data: data},
		isakmp.Raw{PayloadType: isakmp.PayloadPOP, Body: data}, isakmp.Raw{PayloadType: 130, Body: data},
		isakmp.Raw{PayloadType: 131, Body: data}} {
		t.Run(want.Type().String(), func(t *testing.T) {
			b, err := isakmp.AppendPayload(nil, isakmp.PayloadNone, want)
			if err != nil || !bytes.Equal(b, []byte{0, 0, 0, 7, 1, 2, 3}) {
				t.Fatalf("appended %x (%v)", b, err)
			}
			ps, _, err := isakmp.Phase1.Parse(want.Type(), b, 0)
			if err != nil || len(ps) != 1 || !reflect.DeepEqual(ps[0].Payload, want) {
				t.Errorf("parsed %+v (%v)", ps, err)
			}
		})
	}
}
