package kit

import (
	"reflect"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/gdoilab/gdoilab/harness/verdict"
)

// What a spec noted goes with its verdict, whatever that is.
func TestReading(t *testing.T) {
	defer func() { current = nil }()
	Reading("GETVPN-TIMER-03", "%d s", 3600)
	want := []verdict.Reading{{Requirement: "GETVPN-TIMER-03", Does: "3600 s"}}
	for _, state := range []types.SpecState{types.SpecStatePassed, types.SpecStateFailed} {
		if got := judge(reported(state), current).Readings; !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %+v", state, got)
		}
	}
}

func TestReadable(t *testing.T) {
	for id, says := range map[string]string{"GETVPN-TIMER-03": "", "GETVPN-TIMER-01": "nothing that is open", "GETVPN-TIMER-99": "no requirement"} {
		if err := readable(id); (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", id, err)
		}
	}
}
