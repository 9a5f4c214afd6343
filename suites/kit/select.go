package kit

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// ErrNoSpec is returned when nothing is selected: a run of nothing would prove nothing.
var ErrNoSpec = errors.New("no spec is selected")

// List returns the specs that the filter selects, without running them. A filter that selects nothing is an ErrNoSpec.
func List(filter string) ([]verdict.Spec, error) {
	if err := checkFilter(filter); err != nil {
		return nil, err
	}
	return list(filter)
}

// listed is what was listed last: a run checks what it is asked for before it does it, and a tree of all specs takes its time.
var listed struct {
	of    [4]string
	specs []verdict.Spec
}

// list is List for a filter that has been checked.
func list(filter string) ([]verdict.Spec, error) {
	of := [4]string{filter, session.Command, session.Seed, ""}
	if session.Fabric != nil {
		of[3] = session.Fabric.Name()
	}
	if listed.specs != nil && listed.of == of {
		return slices.Clone(listed.specs), nil
	}
	specs, err := preview(filter)
	if err == nil {
		listed.of, listed.specs = of, slices.Clone(specs)
	}
	return specs, err
}

func preview(filter string) ([]verdict.Spec, error) {
	suiteConfig, reporterConfig := ginkgo.GinkgoConfiguration()
	suiteConfig.LabelFilter = filter
	specs, err := identify(ginkgo.PreviewSpecs(suiteName, suiteConfig, reporterConfig).SpecReports)
	if err == nil && len(specs) == 0 {
		err = fmt.Errorf("%w: the filter %q matches none of them", ErrNoSpec, filter)
	}
	return specs, err
}

// texts has the whole text of every spec that was listed, with those of the containers around it, by id.
var texts = make(map[string]string)

// identify names the selected specs, in the order of their ids, and refuses two of one name.
func identify(reports types.SpecReports) ([]verdict.Spec, error) {
	var specs []verdict.Spec
	seen := make(map[string]bool)
	for _, r := range reports {
		if r.LeafNodeType != types.NodeTypeIt {
			continue
		}
		s := describe(r)
		claims[s.ID] = s.Requirements
		if r.State != types.SpecStatePassed {
			continue
		}
		if err := inOnePart(r, s); err != nil {
			return nil, err
		}
		if seen[s.ID] {
			return nil, fmt.Errorf("two specs are called %s", s.ID)
		}
		seen[s.ID] = true
		texts[s.ID] = r.FullText()
		specs = append(specs, s)
	}
	sortByID(specs)
	return specs, nil
}

func sortByID(specs []verdict.Spec) {
	slices.SortFunc(specs, func(a, b verdict.Spec) int { return strings.Compare(a.ID, b.ID) })
}

// named is a requirement that a filter names; what a filter says by patterns is not looked into.
var named = regexp.MustCompile(`\b` + labelRequirement + `([A-Za-z0-9][A-Za-z0-9.-]*)`)

// checkFilter refuses what is no label expression, and requirements that do not exist.
func checkFilter(filter string) error {
	if _, err := types.ParseLabelFilter(filter); err != nil {
		return fmt.Errorf("the filter %q is no label expression: %s", filter, complaint(err))
	}
	names := named.FindAllStringSubmatch(filter, -1)
	if len(names) == 0 {
		return nil
	}
	requirements, err := catalog.LoadAll()
	if err != nil {
		return err
	}
	for _, m := range names {
		if _, err := requirements.Find(m[1]); err != nil {
			return fmt.Errorf("the filter %q: %w", filter, err)
		}
	}
	return nil
}

var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// complaint is what Ginkgo says is wrong, without the picture that it draws on a terminal.
func complaint(err error) string {
	text := err.Error()
	if e, ok := err.(types.GinkgoError); ok {
		text = e.Message
	}
	lines := strings.Split(strings.TrimSpace(colour.ReplaceAllString(text, "")), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// Check returns the error that Run would return for this session and these options before it runs anything, and whatever is
// wrong with the device's manifest: what it expects of specs that do not exist, what cannot be rendered or found.
func Check(s Session, o Options) error {
	session = s
	if _, err := choose(o); err != nil {
		return err
	}
	device, err := s.device()
	if err != nil {
		return err
	}
	if err := checkExpected(device); err != nil {
		return err
	}
	return s.Fabric.Check(device)
}

// choose returns the specs that the options select.
func choose(o Options) ([]verdict.Spec, error) {
	if !o.Worker { // whoever starts a worker has checked the filter
		if err := checkFilter(o.Filter); err != nil {
			return nil, err
		}
	}
	specs, err := list(o.Filter)
	if err != nil {
		return nil, err
	}
	if o.Spec == "" {
		return o.Shard.part(specs)
	}
	ids := make([]string, len(specs))
	for i, s := range specs {
		if s.ID == o.Spec {
			return specs[i : i+1], nil
		}
		ids[i] = s.ID
	}
	return nil, unknownSpec(o.Spec, ids)
}

// unknownSpec says which specs may have been meant: those whose ids hold what was given, else those that differ little.
func unknownSpec(id string, ids []string) error {
	return fmt.Errorf("%w: %s", ErrNoSpec, unknownID(id, ids))
}

func unknownID(id string, ids []string) string {
	near := slices.DeleteFunc(slices.Clone(ids), func(s string) bool { return id == "" || !strings.Contains(s, strings.ToLower(id)) })
	if len(near) == 0 {
		near = catalog.Nearest(id, ids)
	}
	if len(near) == 0 {
		return fmt.Sprintf("there is none called %q; \"gdoilab list\" shows them", id)
	}
	return fmt.Sprintf("there is none called %q; did you mean %s?", id, strings.Join(near[:min(3, len(near))], ", "))
}
