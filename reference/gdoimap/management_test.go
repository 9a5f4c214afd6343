package gdoimap

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

func TestManagementOf(t *testing.T) {
	sak := func(as ...wire.Attribute) gdoi.SA {
		return gdoi.SA{Attributes: []isakmp.Payload{gdoi.GAP{}, gdoi.SAK{Attributes: append([]wire.Attribute{wire.TV(gdoi.KEKAlgorithm, 3)}, as...)}}}
	}
	for name, c := range map[string]struct {
		sa   gdoi.SA
		want policy.Management
	}{
		"no SAK":       {gdoi.SA{}, policy.ManagementNone},
		"none named":   {sak(), policy.ManagementNone},
		"LKH":          {sak(wire.TV(gdoi.KEKManagement, gdoi.KEKManagementLKH)), policy.ManagementLKH},
		"another":      {sak(wire.TV(gdoi.KEKManagement, 100)), 100},
		"for a member": {SAOf(leafRekey(), policy.Activation{}, nil, nil), policy.ManagementLKH},
	} {
		if got := ManagementOf(c.sa); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
