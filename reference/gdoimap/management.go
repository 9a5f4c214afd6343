package gdoimap

import (
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// ManagementOf is the KEK_MANAGEMENT_ALGORITHM that a SAK names, and ManagementNone if there is none. In a PULL it says nothing (RFC
// 6407 §5.3).
func ManagementOf(sa gdoi.SA) policy.Management {
	for _, p := range sa.Attributes {
		sak, ok := p.(gdoi.SAK)
		if !ok {
			continue
		}
		for _, a := range sak.Attributes {
			if number, ok := a.Uint(); ok && a.Type == gdoi.KEKManagement {
				return policy.Management(number)
			}
		}
	}
	return policy.ManagementNone
}
