package kit

import (
	"fmt"

	"github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// Reading notes which reading of an ambiguous requirement the device follows: what it does, in words that stand beside the catalogue's
// ambiguity in the report. The spec has seen it and accepts it; a reading that the text does not bear is for Expect. An id that is not in the
// catalogue, or whose entry says of nothing that it is open, is an error of ours.
func Reading(id, does string, args ...any) {
	ginkgo.GinkgoHelper()
	if err := readable(id); err != nil {
		end(verdict.Error, err.Error())
	}
	gathered().readings = append(gathered().readings, verdict.Reading{Requirement: id, Does: fmt.Sprintf(does, args...)})
}

func readable(id string) error {
	all, err := catalog.LoadAll()
	if err != nil {
		return err
	}
	r, err := all.Find(id)
	if err == nil && r.Ambiguity == "" {
		err = fmt.Errorf("a reading of %s, of which the catalogue says nothing that is open", id)
	}
	return err
}
