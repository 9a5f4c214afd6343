package ack

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// asking is a group whose key server wants every PUSH acknowledged.
func asking(g *policy.Group) { g.Rekey.Ack = policy.AckKEKSHA256 }

// up brings up a key server that asks for acknowledgements, and one member.
func up(ctx context.Context) *lab.Lab {
	GinkgoHelper()
	return kit.Up(ctx, lab.Setup{Group: asking})
}

// member asks the key server what it knows of gm1.
func member(ctx context.Context, l *lab.Lab) control.KSMember {
	GinkgoHelper()
	status, err := l.KS.KSStatus(ctx)
	kit.Precondition(err, "the key server answers its control socket")
	for _, m := range status.Groups[0].Members {
		if m.Address == l.GM[0].Addr().String() {
			return m
		}
	}
	return control.KSMember{}
}

// acknowledged waits until the key server has recorded gm1's acknowledgement of that number.
func acknowledged(ctx context.Context, l *lab.Lab, sequence uint32) bool {
	GinkgoHelper()
	return l.Wait(ctx, lab.Patience, func() bool { return member(ctx, l).Acked == sequence })
}
