package lkh

import (
	"context"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// scene is a group with a hierarchy of keys.
type scene struct {
	*lab.Lab
	ctx context.Context
}

// tree has a group's KEK be the root of a hierarchy.
func tree(g *policy.Group) { g.Rekey.Management = policy.ManagementLKH }

// keyedBy has the members acknowledge rekeys in that way.
func keyedBy(typ policy.AckType) func(*policy.Group) {
	return func(g *policy.Group) { g.Rekey.Ack = typ }
}

// build makes a network with such a group and so many members; nothing runs yet.
func build(ctx context.Context, members int, alter ...func(*policy.Group)) *scene {
	GinkgoHelper()
	return &scene{kit.Lab(ctx, lab.Setup{Members: members, Hosts: true, Member: hasty, Group: func(g *policy.Group) {
		kit.Acknowledging(g)
		tree(g)
		for _, change := range alter {
			change(g)
		}
	}}), ctx}
}

// up has all members of such a group be registered.
func up(ctx context.Context, members int, alter ...func(*policy.Group)) *scene {
	GinkgoHelper()
	s := build(ctx, members, alter...)
	kit.Precondition(s.Up(ctx), "the members register")
	return s
}

// hasty has a member that gets no answer ask again soon.
func hasty(_ int, c *policy.Member) {
	c.Phase1.Retransmit, c.Phase1.Retries, c.RetryDelay = 200*time.Millisecond, 2, 200*time.Millisecond
}

// rekey has the key server send a PUSH, which is made with those deviations.
func (s *scene) rekey(args control.RekeyArgs, ds ...tester.Deviation) control.RekeyResult {
	GinkgoHelper()
	if len(ds) > 0 {
		Expect(s.KS.Misbehave(tester.Taps(ds...))).To(Succeed())
		defer func() { Expect(s.KS.Misbehave(nil)).To(Succeed()) }()
	}
	return kit.Rekey(s.ctx, s.Lab, args)
}

// newKEK is a rekey that brings another KEK and nothing else.
var newKEK = control.RekeyArgs{KEK: true, KEKOnly: true}

// exclude takes member i out of the group.
func (s *scene) exclude(i int) control.RekeyResult {
	GinkgoHelper()
	result, err := s.KS.Exclude(s.ctx, s.GM[i-1])
	kit.Precondition(err, "the key server excludes a member")
	return result
}

// follows waits until member i sends under the first SA of a rekey, and reports whether it does; one that lingers is had to go over.
func (s *scene) follows(i int, r control.RekeyResult) bool {
	GinkgoHelper()
	j := 1
	if i == 1 {
		j = 2
	}
	return kit.Follows(s.ctx, s.Lab, i, j, r.SPIs[0])
}

// pushes waits until so many different PUSH messages have crossed the WAN since the mark, and returns them decoded.
func (s *scene) pushes(since kit.Mark, n int) []capture.Message {
	GinkgoHelper()
	var found []capture.Message
	s.Wait(s.ctx, lab.Patience, func() bool {
		found = nil
		for _, m := range kit.MessagesSince(s.Lab, since, core.Push.String()) {
			repeated := slices.ContainsFunc(found, func(have capture.Message) bool {
				return have.Header.InitiatorCookie == m.Header.InitiatorCookie && kit.Value(have, "SEQ") == kit.Value(m, "SEQ")
			})
			if !repeated {
				found = append(found, m)
			}
		}
		return len(found) >= n
	})
	Expect(found).To(HaveLen(n), "there are %d PUSH messages", n)
	return found
}

// download is the last message 4 that member i was sent.
func (s *scene) download(i int) capture.Message {
	GinkgoHelper()
	return kit.Last(slices.DeleteFunc(kit.MessagesSince(s.Lab, 0, core.Pull4.String()), func(m capture.Message) bool {
		return m.To.Addr() != s.GM[i-1].Addr().Addr()
	}))
}

// Where the arrays are in a message.
const (
	packet = "KD/Key Packet LKH"
	array  = packet + "/LKH_DOWNLOAD_ARRAY"
	update = packet + "/LKH_UPDATE_ARRAY"
)

// all are the fields at a path.
func all(fields []capture.Field, path string) []capture.Field {
	name, rest, more := strings.Cut(path, "/")
	var found []capture.Field
	for _, f := range fields {
		switch {
		case f.Name == name && more:
			found = append(found, all(f.Children, rest)...)
		case f.Name == name:
			found = append(found, f)
		}
	}
	return found
}

// values are those of the fields at a path.
func values(fields []capture.Field, path string) []string {
	var list []string
	for _, f := range all(fields, path) {
		list = append(list, f.Value)
	}
	return list
}

// named is the place and the handle of a key, or of what an update begins at.
func named(fields []capture.Field) string {
	return strings.Join(append(values(fields, "LKH ID"), values(fields, "Key Handle")...), "/")
}

// held are the names of the keys that a member was given.
func held(m capture.Message) []string {
	var names []string
	for _, key := range all(m.Payloads, array+"/LKH Key") {
		names = append(names, named(key.Children))
	}
	return names
}
