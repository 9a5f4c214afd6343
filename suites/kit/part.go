package kit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/gdoilab/gdoilab/harness/verdict"
)

// Parts are parts of the suite, as PartOf names them. A process that needs a few specs only builds the containers of their parts, for
// building them all takes it longer than most specs.
type Parts []string

// PartOf names the part of the suite that a spec belongs to.
func PartOf(s verdict.Spec) string { return s.Subject + "/" + s.DUT }

// inOnePart returns an error if a container around a spec says that it is of another part than the spec itself.
func inOnePart(r types.SpecReport, s verdict.Spec) error {
	for _, labels := range r.ContainerHierarchyLabels {
		if subject, dut := containerPart(labels); !(Parts{PartOf(s)}).have(subject, dut) {
			return fmt.Errorf("the spec %s of %s is in a container of %s/%s", s.ID, PartOf(s), subject, dut)
		}
	}
	return nil
}

// wanted are the parts that this process builds; nil for all.
var wanted Parts

// The containers of other parts than the wanted ones stay empty.
var _ = ginkgo.AddTreeConstructionNodeArgsTransformer(emptyUnwanted)

func emptyUnwanted(node types.NodeType, _ ginkgo.Offset, text string, args []any) (string, []any, []error) {
	if node != types.NodeTypeContainer {
		return text, args, nil
	}
	var labels []string
	for _, a := range args {
		more, _ := a.(ginkgo.Labels)
		labels = append(labels, more...)
	}
	subject, dut := containerPart(labels)
	args = slices.Clone(args)
	for i, a := range args {
		body, ok := a.(func())
		if !ok {
			continue
		}
		args[i] = func() {
			if wanted.have(subject, dut) {
				body()
			}
		}
	}
	return text, args, nil
}

// containerPart returns the subject and the role that a container has by its labels, "" if it leaves them to what is in it.
func containerPart(labels []string) (subject, dut string) {
	return first(labelled(labels, labelSubject)), first(labelled(labels, labelDUT))
}

// have reports whether specs of that subject and of that role, "" for any, may be among the parts.
func (p Parts) have(subject, dut string) bool {
	if p == nil {
		return true
	}
	return slices.ContainsFunc(p, func(part string) bool {
		s, d, _ := strings.Cut(part, "/")
		return (subject == "" || subject == s) && (dut == "" || dut == d)
	})
}
