package member

import (
	"errors"

	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var guardConflict = rule.Duty("member.policy.conflict", "RFC2407-4.5.2-02", rule.GM,
	"a key server whose policy gives an attribute two values is told ATTRIBUTES-NOT-SUPPORTED")

// conflicting is the requirement by which such a policy is refused.
const conflicting rule.ID = "RFC2407-4.5.2-03"

// sendConflict tells the key server that its policy gives an attribute two values, if that is why it is refused.
//
//	GM --> KS  HDR*, HASH(1), N
func (m *membership) sendConflict(why error) {
	var v *rule.Violation
	if !errors.As(why, &v) || v.Guard.ID != conflicting || m.phase1 == nil || !guardConflict.Kept(m.rules) {
		return
	}
	d, err := m.phase1.SealInformational(m.rand, m.phase1.Notify(isakmp.NotifyAttributesNotSupported, nil))
	if err == nil {
		m.send(d)
	}
}
