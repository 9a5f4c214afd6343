package kit

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// The prefixes of labels, by which specs can be filtered as sets.
const (
	labelRequirement = "req:"
	labelSubject     = "subject:"
	labelDUT         = "dut:"
	labelNeeds       = "needs:"
	labelFeature     = "feature:"
	labelScene       = "scene:"
	labelBeside      = "beside:"
)

// Negative marks a spec in which the tester breaks a rule. It must call Control.
var Negative = ginkgo.Label("negative")

// Exhaustive marks the specs of a table of combinations. Each is cheap, but there are many: "make test" leaves them out where
// time is real.
var Exhaustive = ginkgo.Label("exhaustive")

// Row marks the specs of a table of messages that are altered in one place each, by the number of their row: all but the first are
// Exhaustive, since to a network one such message is like another.
func Row(n int) ginkgo.Labels {
	if n == 0 {
		return nil
	}
	return Exhaustive
}

// A scene is what of two devices beside each other a spec is about: the columns of the matrix of interoperation.
const (
	Phase1       = verdict.ScenePhase1
	Registration = verdict.SceneRegistration
	Rekeying     = verdict.SceneRekey
	DataPlane    = verdict.SceneDataPlane
)

// Scene has a spec in which both ends are somebody else's count in the matrix of interoperation.
func Scene(name string) ginkgo.Labels { return ginkgo.Label(labelScene + name) }

// Limit is the longest that a spec may take on the wall clock.
const Limit = 90 * time.Second

// Requirement names the entries of the catalogue that a spec tests.
func Requirement(ids ...string) ginkgo.Labels {
	var labels ginkgo.Labels
	for _, id := range ids {
		labels = append(labels, labelRequirement+id)
	}
	return labels
}

// Subject names the part of the suite, as the report groups it.
func Subject(name string) ginkgo.Labels { return ginkgo.Label(labelSubject + name) }

// DUT names the role under test.
func DUT(role rule.Role) ginkgo.Labels { return ginkgo.Label(labelDUT + role.String()) }

// Needs names what a spec cannot do without.
func Needs(needs ...lab.Need) ginkgo.Labels {
	var labels ginkgo.Labels
	for _, n := range needs {
		labels = append(labels, labelNeeds+string(n))
	}
	return labels
}

// Feature names what the device has to have as part of its protocol; package peer has the words. A device whose manifest
// does not declare them ends the spec as unsupported.
func Feature(names ...string) ginkgo.Labels {
	var labels ginkgo.Labels
	for _, n := range names {
		labels = append(labels, labelFeature+n)
	}
	return labels
}

// A spec without a requirement or with a feature that nobody knows is refused when the tree is built, and every spec gets a time limit.
var _ = ginkgo.AddTreeConstructionNodeArgsTransformer(checkSpec)

func checkSpec(node types.NodeType, _ ginkgo.Offset, text string, args []any) (string, []any, []error) {
	errs := unknownFeatures(args)
	if node != types.NodeTypeIt {
		return text, args, errs
	}
	named := slices.ContainsFunc(args, func(a any) bool {
		labels, ok := a.(ginkgo.Labels)
		return ok && slices.ContainsFunc(labels, func(l string) bool { return strings.HasPrefix(l, labelRequirement) })
	})
	if !named {
		errs = append(errs, fmt.Errorf("the spec %q names no requirement", text))
	}
	return text, append(args, ginkgo.SpecTimeout(Limit), beside(text)), errs
}

// foreigners are the names of the foreign peers, daemons and hosts.
var foreigners = sync.OnceValue(func() []string { return append(peer.Foreigners(), peer.ESPHosts()...) })

// beside are labels for the foreign peers that the sentence of a spec names.
func beside(text string) (labels ginkgo.Labels) {
	for _, word := range strings.Fields(text) {
		if name := strings.TrimSuffix(word, "'s"); slices.Contains(foreigners(), name) {
			labels = append(labels, labelBeside+name)
		}
	}
	return labels
}

// unknownFeatures returns an error for each feature among the labels that is no word of the vocabulary.
func unknownFeatures(args []any) (errs []error) {
	for _, a := range args {
		labels, _ := a.(ginkgo.Labels)
		for _, name := range labelled(labels, labelFeature) {
			if err := peer.CheckFeature(name); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errs
}

// labelled returns what follows the prefix in the labels that have it.
func labelled(labels []string, prefix string) []string {
	var found []string
	for _, l := range labels {
		if rest, ok := strings.CutPrefix(l, prefix); ok && !slices.Contains(found, rest) {
			found = append(found, rest)
		}
	}
	return found
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// roleUnderTest reads the role from a spec's labels.
func roleUnderTest(labels []string) rule.Role {
	switch first(labelled(labels, labelDUT)) {
	case rule.KS.String():
		return rule.KS
	case rule.GM.String():
		return rule.GM
	}
	return rule.Both
}

// SpecID makes a spec's stable name from its subject and text: "rekey/drops-a-rekey-whose-sig-is-wrong".
func SpecID(subject, text string) string {
	slug := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, text)
	for strings.Contains(slug, "--") {
		slug = strings.ReplaceAll(slug, "--", "-")
	}
	return subject + "/" + strings.Trim(slug, "-")
}
