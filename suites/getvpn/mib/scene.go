package mib

import (
	"context"
	"encoding/hex"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// scene is a group of the profile whose device can be asked by SNMP. None of its nodes runs yet.
type scene struct {
	*lab.Lab
	ctx    context.Context
	device *lab.Peer
}

// The lifetime of the group's TEK, which is the shortest that is usual.
const lifetime = time.Hour

func network(ctx context.Context, setup lab.Setup) *scene {
	GinkgoHelper()
	setup.Profile, setup.SNMP, setup.Hosts = policy.ProfileGETVPN, true, true
	hasten := setup.Member
	setup.Member = func(i int, c *policy.Member) {
		kit.Hurry(i, c, 200*time.Millisecond, 200*time.Millisecond)
		if hasten != nil {
			hasten(i, c)
		}
	}
	s := &scene{Lab: kit.Lab(ctx, setup), ctx: ctx}
	if s.device = s.GM[0]; s.KS.Device() {
		s.device = s.KS
	}
	return s
}

// group is a network whose members have registered.
func group(ctx context.Context, setup lab.Setup) *scene {
	GinkgoHelper()
	s := network(ctx, setup)
	kit.Precondition(s.Up(ctx), "every member registers")
	return s
}

// shows walks through the device's module. That objects come in their order is judged by the way.
func (s *scene) shows() lab.Shows {
	GinkgoHelper()
	all, err := s.device.SNMP(s.ctx)
	Expect(err).NotTo(HaveOccurred(), "the device answers")
	return all
}

// shown is the only instance of an object.
func (s *scene) shown(name string) lab.Instance {
	GinkgoHelper()
	all := s.shows().Of(name)
	Expect(all).To(HaveLen(1), "instances of %s", name)
	return all[0]
}

// keys is how many TEKs the member says that it has.
func (s *scene) keys() uint64 {
	GinkgoHelper()
	return s.shown("cgmGdoiGmActiveTEKNum").Number
}

// octets are those of an SPI as a status writes it.
func octets(spi string) []byte {
	GinkgoHelper()
	b, err := hex.DecodeString(spi)
	Expect(err).NotTo(HaveOccurred())
	return b
}

// every are the octets of all instances of an object.
func every(all lab.Shows) (values [][]byte) {
	for _, i := range all {
		values = append(values, i.Octets)
	}
	return values
}
