package change

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// atOnce is how long a rekey may take that a change of policy calls for. What waits for the schedule takes much longer.
const atOnce = 2 * time.Second

// scene is a key server with members of profile getvpn, each with a host behind it.
type scene struct {
	*lab.Lab
	ctx context.Context
	sas map[string]string // the transforms of SAs by their SPIs, as far as they were asked for
}

// group brings up such a network.
func group(ctx context.Context, members int, alter func(*policy.Group)) *scene {
	GinkgoHelper()
	return &scene{kit.Up(ctx, setup(members, alter)), ctx, make(map[string]string)}
}

func setup(members int, alter func(*policy.Group)) lab.Setup {
	return lab.Setup{Members: members, Hosts: true, Profile: policy.ProfileGETVPN, Group: alter}
}

// as leaves a group as it is.
func as(*policy.Group) {}

// configure has the key server go by another policy.
func (s *scene) configure(alter func(*policy.KeyServer)) control.ConfigureResult {
	GinkgoHelper()
	r, err := s.KS.Configure(s.ctx, alter)
	kit.Precondition(err, "the key server takes another policy while it runs")
	return r
}

// pushes are the rekeys that were sent since the mark.
func (s *scene) pushes(since kit.Mark) []capture.Message {
	return kit.MessagesSince(s.Lab, since, core.Push.String())
}

// leaves reports whether a rekey leaves soon after the mark.
func (s *scene) leaves(since kit.Mark) bool {
	return s.Wait(s.ctx, atOnce, func() bool { return len(s.pushes(since)) > 0 })
}

// forced is the rekey that an operator asks for.
func (s *scene) forced(args control.RekeyArgs) capture.Message {
	GinkgoHelper()
	since := kit.Now(s.Lab)
	kit.Rekey(s.ctx, s.Lab, args)
	kit.Reached(s.leaves(since), "the operator's rekey is sent")
	return kit.Last(s.pushes(since))
}

// values are those of all fields at that path of names.
func values(m capture.Message, path string) (all []string) {
	for _, sa := range m.Payloads {
		if sa.Name == "SA" {
			all = append(all, under(sa, path)...)
		}
	}
	return all
}

// under are the values below an SA, in the attribute payloads of that name.
func under(sa capture.Field, path string) (all []string) {
	name, field := path[:3], path[4:]
	for _, payload := range sa.Children {
		for _, f := range payload.Children {
			if payload.Name == name && f.Name == field {
				all = append(all, f.Value)
			}
		}
	}
	return all
}

func ofSA(alter func(*policy.SAPolicy)) func(*policy.KeyServer) {
	return func(c *policy.KeyServer) { alter(&c.Groups[0].SAs[0]) }
}

func ofRekey(alter func(*policy.RekeyPolicy)) func(*policy.KeyServer) {
	return func(c *policy.KeyServer) { alter(&c.Groups[0].Rekey) }
}
