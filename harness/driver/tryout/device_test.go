package tryout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/driver"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// scene is a network in which everything goes well.
func scene(role string) Scene {
	return Scene{
		Place: driver.Preparation{Role: role}, Now: func() time.Time { return time.Unix(2, 0) }, Named: true,
		Together: func(context.Context) error { return nil },
		Wait: func(_ context.Context, so func() bool) bool {
			return slices.ContainsFunc(make([]int, 3), func(int) bool { return so() })
		},
		SPIs: func(context.Context) []string { return []string{"00000abc"} },
		Left: func() []string { return nil },
	}
}

// tried runs a tryout and returns its steps, those with faults apart.
func triedOut(t *testing.T, d driver.Driver, s Scene) (all []Step, faults []string) {
	t.Helper()
	Device(t.Context(), d, s, func(s Step) {
		if all = append(all, s); s.Fault() {
			faults = append(faults, s.What+": "+s.Err.Error())
		}
	})
	return all, faults
}

// A driver that is right has no fault, and neither has one of which the optional methods are not there.
func TestRightDrivers(t *testing.T) {
	for _, role := range []string{"GM", "KS"} {
		b := new(bent)
		if role == "KS" {
			b.state = func() (driver.State, error) {
				s, err := b.model.State(context.Background())
				s.Status = json.RawMessage(`{"groups":[{"id":1,"rekey":"00112233445566778899aabbccddeeff","sas":[{"spi":"00000abc"}]}]}`)
				return s, err
			}
		}
		all, faults := triedOut(t, b, scene(role))
		if len(faults) > 0 || len(all) < 15 {
			t.Errorf("%s: %d steps, %q", role, len(all), faults)
		}
	}
	lean := &bent{answers: make(map[string]driver.Answer),
		state:   func() (driver.State, error) { return driver.State{}, driver.ErrUnsupported },
		events:  func(int) (driver.Events, error) { return driver.Events{}, driver.ErrUnsupported },
		clock:   func() (driver.Clock, error) { return driver.Clock{}, driver.ErrUnsupported },
		secrets: func() (driver.Secrets, error) { return driver.Secrets{}, driver.ErrUnsupported },
		traffic: func() (driver.Traffic, error) { return driver.Traffic{}, driver.ErrUnsupported },
		collect: func() (driver.Collected, error) { return driver.Collected{}, driver.ErrUnsupported },
		trigger: func(driver.Trigger) (json.RawMessage, error) { return nil, driver.ErrUnsupported },
	}
	for _, name := range has {
		lean.answers[name] = driver.NotSupported
	}
	s := scene("GM")
	s.Named = false
	if _, faults := triedOut(t, lean, s); len(faults) > 0 {
		t.Errorf("%q", faults)
	}
}

// state is one whose status is this.
func state(status string) func() (driver.State, error) {
	return func() (driver.State, error) {
		return driver.State{Time: time.Unix(1, 0), Source: "x", Status: json.RawMessage(status)}, nil
	}
}

// Drivers that are wrong in one thing, and what is said of them.
var wrongDevices = []struct {
	name string
	bend func(b *bent, s *Scene)
	want string
}{
	{"cannot be prepared", func(b *bent, _ *Scene) { b.prepare = errors.New("no room") }, "is prepared: no room"},
	{"no configuration", func(b *bent, _ *Scene) { b.apply = func() (driver.Applied, error) { return driver.Applied{}, nil } },
		"makes a configuration: no configuration was made of the policy"},
	{"an empty one", func(b *bent, _ *Scene) {
		b.apply = func() (driver.Applied, error) {
			return driver.Applied{Files: []driver.File{{Name: "a", Content: " \n"}}}, nil
		}
	}, "makes a configuration: the configuration that was made of the policy is empty"},
	{"one outside", func(b *bent, _ *Scene) {
		b.apply = func() (driver.Applied, error) {
			return driver.Applied{Files: []driver.File{{Name: "/etc/a", Content: "x"}}}, nil
		}
	}, `makes a configuration: "/etc/a" is no relative path of a file`},
	{"no word for the default group", func(b *bent, _ *Scene) {
		b.apply = func() (driver.Applied, error) { return driver.Applied{}, driver.ErrUnsupported }
	}, "makes a configuration: it does not support the default group: unsupported"},
	{"does not start", func(b *bent, _ *Scene) { b.start = func() error { return driver.ErrFailed } }, "starts: failed"},
	{"finds nobody", func(_ *bent, s *Scene) { s.Together = func(context.Context) error { return errors.New("nobody") } },
		"finds together with a tester: nobody"},
	{"state without a time", func(b *bent, _ *Scene) {
		b.state = func() (driver.State, error) { return driver.State{Source: "x", Status: json.RawMessage("{}")}, nil }
	}, "tells its state: a state without the time at which the device was asked"},
	{"state without a source", func(b *bent, _ *Scene) {
		b.state = func() (driver.State, error) {
			return driver.State{Time: time.Unix(1, 0), Status: json.RawMessage("{}")}, nil
		}
	}, "tells its state: a state that does not say where it is from"},
	{"state without a status", func(b *bent, _ *Scene) { b.state = state("") }, "tells its state: a state without a status"},
	{"status of another form", func(b *bent, _ *Scene) { b.state = state(`{"sas":7}`) }, "tells its state: a status of another form"},
	{"SPI that is none", func(b *bent, _ *Scene) { b.state = state(`{"sas":[{"spi":"abc"}]}`) }, `tells its state: "abc" is no SPI; it has eight`},
	{"SPI that is reserved", func(b *bent, _ *Scene) { b.state = state(`{"sas":[{"spi":"000000ff"}]}`) }, `tells its state: "000000ff" is no SPI`},
	{"SPI of a rekey that is none", func(b *bent, _ *Scene) { b.state = state(`{"rekey":"00000abc"}`) }, `"00000abc" is no SPI of a Rekey SA`},
	{"SPI of another group", func(b *bent, _ *Scene) { b.state = state(`{"groups":[{"sas":[{"spi":"00000abd"}]}]}`) },
		"tells its state: it has an SA with the SPI 00000abd, and the tester knows only 00000abc"},
	{"state without an SA", func(b *bent, _ *Scene) { b.state = state(`{"group":1}`) },
		"tells its state: it has no SA, though the device has found together with a tester"},
	{"state fails", func(b *bent, _ *Scene) {
		b.state = func() (driver.State, error) { return driver.State{}, driver.ErrFailed }
	}, "tells its state: failed"},
	{"state that it said it has", func(b *bent, _ *Scene) {
		b.state = func() (driver.State, error) { return driver.State{}, driver.ErrUnsupported }
	}, "tells its state: it says that it has state, and then that it has not: unsupported"},
	{"clock that it said it has not", func(b *bent, _ *Scene) {
		b.answers = map[string]driver.Answer{driver.MethodClock: driver.NotSupported}
	}, "tells its time: it says of clock that it is unsupported, and then does it"},
	{"event of no known name", func(b *bent, _ *Scene) {
		b.events = func(int) (driver.Events, error) {
			return driver.Events{Events: []driver.Event{{Name: "JOINED", Text: "x"}}, Next: 1}, nil
		}
	}, `its log is read: there is no event "JOINED"; known are STARTED`},
	{"event without a line", func(b *bent, _ *Scene) {
		b.events = func(int) (driver.Events, error) {
			return driver.Events{Events: []driver.Event{{Name: "STARTED"}}, Next: 1}, nil
		}
	}, "its log is read: an event without the line that tells of it"},
	{"events that nobody names", func(b *bent, _ *Scene) {
		b.events = func(after int) (driver.Events, error) {
			return driver.Events{Events: []driver.Event{{Text: "x"}}[min(after, 1):], Next: 1}, nil
		}
	}, "its log is read: events are to come from the driver, and no line has the name of one"},
	{"events once more", func(b *bent, _ *Scene) {
		b.events = func(int) (driver.Events, error) {
			return driver.Events{Events: []driver.Event{{Text: "x", Name: "STARTED"}}, Next: 1}, nil
		}
	}, "its log is read: 1 lines beyond the first 1, and the next is to be number 1"},
	{"clock without a time", func(b *bent, _ *Scene) {
		b.clock = func() (driver.Clock, error) { return driver.Clock{Source: "x"}, nil }
	},
		"tells its time: a clock without a time"},
	{"clock without a source", func(b *bent, _ *Scene) {
		b.clock = func() (driver.Clock, error) { return driver.Clock{Time: time.Unix(1, 0)}, nil }
	}, "tells its time: a clock that does not say where it is from"},
	{"no keys", func(b *bent, _ *Scene) { b.secrets = func() (driver.Secrets, error) { return driver.Secrets{}, nil } },
		"gives its keys: it has no keys, though"},
	{"keys of no kind", func(b *bent, _ *Scene) {
		b.secrets = func() (driver.Secrets, error) { return driver.Secrets{Keys: []keylog.Entry{{Kind: "wep"}}}, nil }
	}, `gives its keys: there are no keys of the kind "wep"`},
	{"a counter of its own", func(b *bent, _ *Scene) {
		b.traffic = func() (driver.Traffic, error) {
			return driver.Traffic{Time: time.Unix(1, 0), Source: "x", Counters: map[string]uint64{"lost": 1}}, nil
		}
	}, `counts its traffic: there is no counter "lost"`},
	{"counters without a time", func(b *bent, _ *Scene) {
		b.traffic = func() (driver.Traffic, error) { return driver.Traffic{Source: "x"}, nil }
	}, "counts its traffic: counts of traffic without a time"},
	{"counters without a source", func(b *bent, _ *Scene) {
		b.traffic = func() (driver.Traffic, error) { return driver.Traffic{Time: time.Unix(1, 0)}, nil }
	}, "counts its traffic: counts of traffic that do not say"},
	{"evidence outside", func(b *bent, _ *Scene) {
		b.collect = func() (driver.Collected, error) { return driver.Collected{Files: []driver.File{{Name: "../a"}}}, nil }
	}, `gives what else there is: "../a" is no relative path`},
	{"takes every trigger", func(b *bent, _ *Scene) {
		b.trigger = func(driver.Trigger) (json.RawMessage, error) { return json.RawMessage("{}"), nil }
	}, "refuses other triggers: it takes the trigger " + driver.Invented},
	{"takes a trigger that it has not", func(b *bent, _ *Scene) {
		b.trigger = func(t driver.Trigger) (json.RawMessage, error) {
			if t.Name == driver.Invented {
				return nil, driver.ErrUnsupported
			}
			return json.RawMessage("{}"), nil
		}
	}, "refuses other triggers: it takes the trigger role-change"},
	{"refuses it otherwise", func(b *bent, _ *Scene) {
		b.trigger = func(t driver.Trigger) (json.RawMessage, error) {
			if t.Name == driver.Invented {
				return nil, driver.ErrFailed
			}
			return json.RawMessage("{}"), nil
		}
	}, "refuses other triggers: it has to refuse the trigger " + driver.Invented + " as unsupported: failed"},
	{"rekey that says nothing", func(b *bent, s *Scene) {
		s.Place.Role = "KS"
		b.state = state(`{"groups":[]}`)
		b.trigger = func(driver.Trigger) (json.RawMessage, error) { return json.RawMessage("{}"), nil }
	}, "takes the trigger rekey: a rekey without a sequence number"},
	{"rekey of another form", func(b *bent, s *Scene) {
		s.Place.Role = "KS"
		b.state = state(`{"groups":[{"sas":[{"spi":"1"}]}]}`)
		b.trigger = func(driver.Trigger) (json.RawMessage, error) { return json.RawMessage("7"), nil }
	}, "takes the trigger rekey: the answer to a rekey is of another form"},
	{"does not stop", func(b *bent, _ *Scene) { b.stop = func() error { return driver.ErrFailed } }, "stops: failed"},
	{"leaves processes", func(_ *bent, s *Scene) { s.Left = func() []string { return []string{"12 (gmd)"} } },
		"runs no longer: it has stopped, and still there is process 12 (gmd)"},
	{"answers when it has stopped", func(b *bent, _ *Scene) { b.state = state("{}") }, "runs no longer: it has stopped, and still it tells its state"},
	{"loses its log", func(b *bent, _ *Scene) {
		b.stop = func() error { b.lines = 0; return b.model.Stop(context.Background()) }
	}, "runs no longer: it has stopped, and its log is gone"},
	{"starts once", func(b *bent, _ *Scene) {
		starts := 0
		b.start = func() error {
			if starts++; starts > 1 {
				return driver.ErrFailed
			}
			return b.model.Start(context.Background())
		}
	}, "starts and stops again: failed"},
	{"is not reset", func(b *bent, _ *Scene) { b.reset = func() error { return driver.ErrFailed } }, "is reset: failed"},
	{"forgets nothing", func(b *bent, _ *Scene) { b.reset = func() error { return nil } }, "has forgotten everything: it was reset, and still has 1 keys"},
	{"forgets no log", func(b *bent, _ *Scene) { b.reset = func() error { b.keys = 0; return nil } },
		"has forgotten everything: it was reset, and still has 2 lines"},
	{"forgets no configuration", func(b *bent, _ *Scene) { b.reset = func() error { b.keys, b.lines = 0, 0; return nil } },
		"has forgotten everything: it was reset, and starts all the same"},
	{"forgets no state", func(b *bent, _ *Scene) {
		b.reset = func() error { b.keys, b.lines, b.running = 0, 0, true; return nil }
	}, "has forgotten everything: it was reset, and still tells its state"},
	{"asks in vain", func(b *bent, _ *Scene) { b.missing = driver.MethodState }, "tells its state: driver: a driver: capabilities: not understood: it does not answer for state"},
}

func TestWrongDevices(t *testing.T) {
	for _, c := range wrongDevices {
		b, s := new(bent), scene("GM")
		c.bend(b, &s)
		if _, faults := triedOut(t, b, s); !strings.Contains(strings.Join(faults, "\n"), c.want) {
			t.Errorf("%s:\n%s\nwant %s", c.name, strings.Join(faults, "\n"), c.want)
		}
	}
}

// A device that has yet to read the tester's last message is asked again.
func TestStateIsAwaited(t *testing.T) {
	b := new(bent)
	asked := 0
	b.state = func() (driver.State, error) {
		if asked++; asked == 1 {
			return state(`{"group":1}`)()
		}
		return b.model.State(t.Context())
	}
	all, faults := triedOut(t, b, scene("GM"))
	told := func(s Step) bool { return s.What == "tells its state" && s.Detail == "1 SAs, from a table" }
	if len(faults) > 0 || !slices.ContainsFunc(all, told) {
		t.Errorf("%q\n%v", faults, all)
	}
}

// What is left in the folder of a device that was reset is found.
func TestFilesAreLeft(t *testing.T) {
	s := scene("GM")
	s.Place.Dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(s.Place.Dir, "a.cfg"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, faults := triedOut(t, new(bent), s); fmt.Sprint(faults) != "[has forgotten everything: it was reset, and left a.cfg in its folder]" {
		t.Errorf("%q", faults)
	}
}
