package kit

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// describe reads what a spec says of itself.
func describe(r ginkgo.SpecReport) verdict.Spec {
	labels := r.Labels()
	subject := first(labelled(labels, labelSubject))
	id := SpecID(subject, r.LeafNodeText)
	return verdict.Spec{
		ID: id, Name: r.LeafNodeText, Subject: subject,
		Requirements: labelled(labels, labelRequirement),
		DUT:          roleUnderTest(labels).String(),
		Needs:        labelled(labels, labelNeeds),
		Features:     labelled(labels, labelFeature),
		Scene:        first(labelled(labels, labelScene)),
		Negative:     slices.Contains(labels, Negative[0]),
		Fabric:       session.Fabric.Name(),
		Repeat:       fmt.Sprintf("%s --fabric %s --seed %s --spec %s", session.Command, session.Fabric.Name(), session.Seed, id),
	}
}

// judge turns Ginkgo's outcome, and what the spec gathered, into a verdict.
func judge(r ginkgo.SpecReport, s *state) verdict.Spec {
	spec := describe(r)
	spec.Seconds, spec.Readings = r.RunTime.Seconds(), s.readings
	spec.Verdict, spec.Reason = outcome(r)
	switch {
	case spec.Verdict == verdict.Error:
	case s.verdict != "":
		spec.Verdict, spec.Reason = s.verdict, s.reason
	case spec.Verdict == verdict.Pass && spec.Negative && s.controls == 0:
		spec.Verdict, spec.Reason = verdict.Error, "a negative spec ended without its positive control"
	}
	expect(&spec, time.Now())
	return spec
}

// outcome is what Ginkgo says of a spec.
func outcome(r ginkgo.SpecReport) (verdict.Verdict, string) {
	where := fmt.Sprintf("%s (%s:%d)", r.Failure.Message, filepath.Base(r.Failure.Location.FileName), r.Failure.Location.LineNumber)
	switch r.State {
	case types.SpecStatePassed:
		return verdict.Pass, ""
	case types.SpecStateSkipped:
		return verdict.Skipped, r.Failure.Message
	case types.SpecStateFailed:
		return verdict.Fail, where
	case types.SpecStateTimedout:
		return verdict.Fail, "took longer than " + Limit.String() + ": " + where
	case types.SpecStateInterrupted, types.SpecStateAborted:
		return verdict.Error, "interrupted"
	case types.SpecStatePanicked:
		return verdict.Error, "panic: " + r.Failure.ForwardedPanic + " " + where + "\n" + r.Failure.Location.FullStackTrace
	default:
		return verdict.Error, "not run: " + r.State.String()
	}
}

// ran tells a spec that was run, or skipped itself, from one that the filter or an interrupt left out.
func ran(r ginkgo.SpecReport) bool {
	return r.State != types.SpecStateSkipped || r.Failure.Message != ""
}

// gather collects what the lab of a spec has to show.
func gather(spec verdict.Spec, s *state) (*verdict.Evidence, error) {
	e := &verdict.Evidence{Spec: spec, Seed: s.seed, Frames: s.lab.Frames(), Keys: s.lab.Keys(), Nodes: nodes(s.lab), Peer: session.peer()}
	for _, p := range s.lab.Peers() {
		shown, err := p.Show()
		if err != nil {
			return nil, err
		}
		e.Syslog = append(e.Syslog, shown.Log...)
		for _, f := range shown.Config {
			e.Config = append(e.Config, verdict.ConfigFile{Node: p.Name(), Path: f.Path, Content: f.Content})
		}
	}
	shown, err := s.lab.ShowForeign()
	e.Syslog = append(e.Syslog, shown.Log...)
	for _, f := range shown.Config {
		e.Config = append(e.Config, verdict.ConfigFile{Node: "foreign", Path: f.Path, Content: f.Content})
	}
	return e, err
}

// peer says in a report which manifest describes the device.
func (s Session) peer() *verdict.Peer {
	m, err := s.device()
	if err != nil {
		return nil
	}
	p := peerOf(m)
	for _, part := range m.Parts() {
		p.Parts = append(p.Parts, peerOf(part))
	}
	return &p
}

func peerOf(m *peer.Manifest) verdict.Peer {
	return verdict.Peer{Name: m.Name, Vendor: m.Vendor, Version: m.Version, File: m.File, Digest: m.Digest}
}

// nodes names the addresses of a lab.
func nodes(l *lab.Lab) map[string]string {
	names := make(map[string]string)
	for _, p := range l.Peers() {
		for _, a := range p.Addrs() {
			names[a.String()] = p.Name()
		}
	}
	for i, h := range l.Hosts {
		names[h.Addr().String()] = lab.HostName(i + 1)
		if h.Addr6().IsValid() {
			names[h.Addr6().String()] = lab.HostName(i + 1)
		}
	}
	return names
}
