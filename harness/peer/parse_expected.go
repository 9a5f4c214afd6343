package peer

import (
	"time"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// expectedFailures reads known failures. Only one can be applied to a spec or to a requirement beside the same device.
func expectedFailures(v yamldoc.Value) (all []Expected) {
	v.Items(func(_ int, item yamldoc.Value) {
		e := expected(item)
		for _, other := range all {
			if about := e.Spec + e.Requirement; about != "" && about == other.Spec+other.Requirement && e.beside(other) {
				item.Problem("a failure of %s is expected already (%s)", about, other.At)
			}
		}
		all = append(all, e)
	})
	return all
}

// readExpected reads a file that holds nothing but known failures, in the form that they have in a manifest.
func readExpected(file string, data []byte) (all []Expected, err error) {
	err = yamldoc.Read(file, data, func(root yamldoc.Value) {
		root.Fields(yamldoc.Required("expected_failures", &all, expectedFailures))
	})
	return all, err
}

// beside reports whether both may be meant of one device beside another.
func (e Expected) beside(other Expected) bool {
	return (e.With == "" || other.With == "" || e.With == other.With) && (e.As == 0 || other.As == 0 || e.As == other.As)
}

// expected reads one known failure.
func expected(v yamldoc.Value) Expected {
	e := Expected{At: v.Place(), Verdict: "fail"}
	v.Fields(
		yamldoc.Optional("spec", &e.Spec, sentence),
		yamldoc.Optional("requirement", &e.Requirement, requirement),
		yamldoc.Optional("verdict", &e.Verdict, expectable.Read),
		yamldoc.Optional("with", &e.With, name),
		yamldoc.Optional("as", &e.As, playable.Read),
		yamldoc.Required("looks_like", &e.LooksLike, expression),
		yamldoc.Required("why", &e.Why, sentence),
		yamldoc.Required("owner", &e.Owner, sentence),
		yamldoc.Required("until", &e.UntilDay, sentence),
	)
	if v.Has("spec") == v.Has("requirement") {
		v.Problem("name either a spec or a requirement")
	}
	if day, err := time.Parse(time.DateOnly, e.UntilDay); err == nil {
		e.Until = day.AddDate(0, 0, 1)
	} else if e.UntilDay != "" {
		v.Problem("until %q is no day; write one such as 2026-12-31", e.UntilDay)
	}
	return e
}

// expectable are the verdicts that may be expected: what an error of the harness is like, nobody can know.
var expectable = yamldoc.Names[string]{{"fail", "fail"}, {"inconclusive", "inconclusive"}}

// playable are the roles of a device.
var playable = yamldoc.Names[rule.Role]{{Name: "KS", Value: rule.KS}, {Name: "GM", Value: rule.GM}}

func requirement(v yamldoc.Value) string {
	id, ok := v.Text()
	if !ok {
		return ""
	}
	requirements, err := catalog.LoadAll()
	if err == nil {
		_, err = requirements.Find(id)
	}
	if err != nil {
		v.Problem("%v", err)
	}
	return id
}
