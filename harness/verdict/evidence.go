package verdict

import (
	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// Evidence is what stands behind one verdict.
type Evidence struct {
	Spec    Spec
	Seed    string
	Frames  []capture.Frame
	Keys    []keylog.Entry
	Nodes   map[string]string // address -> name of the node, for diagrams; may be nil
	Syslog  []string          // lines, RFC 5424
	Control []string          // requests and answers, one JSON object a line
}
