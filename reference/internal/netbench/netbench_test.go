package netbench

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// system is one sort of gateways.
type system struct {
	name  string
	build func(*site)
	needs string // variable that says where the program is; "" none
}

var systems = []system{
	{"router", func(s *site) { s.route(); s.forward() }, ""},
	{"wireguard-go", wireguard, "GDOILAB_WIREGUARD"},
	{"esp", members("tunnel", "both"), ""},
	{"esp-in-udp", members("udp-tunnel", "none", "--udp-checksum"), ""},
	{"libipsec", libipsec, "GDOILAB_PEERS"},
}

// load is one sort of traffic.
type load struct {
	name, unit string
	run        func(*site, time.Duration) float64
}

var loads = []load{
	{"tcp", "Mbit/s", func(s *site, d time.Duration) float64 { return s.stream(d) }},
	{"udp-64", "packets/s", func(s *site, d time.Duration) float64 { return s.datagrams(64, d) }},
	{"udp-1300", "packets/s", func(s *site, d time.Duration) float64 { return s.datagrams(1300, d) }},
}

// yardstick is the system that the others are compared with.
const yardstick = "wireguard-go"

// BenchmarkGateways has every system carry every load for a second, again and again in turn, and reports the medians.
func BenchmarkGateways(b *testing.B) {
	loads := chosen(loads, "GDOILAB_LOADS", func(l load) string { return l.name })
	systems := chosen(systems, "GDOILAB_SYSTEMS", func(s system) string { return s.name })
	sites := make(map[string]*site)
	for _, sys := range systems {
		if sys.needs != "" && os.Getenv(sys.needs) == "" {
			b.Logf("%s is left out: %s is not set", sys.name, sys.needs)
			continue
		}
		s := newSite(b)
		sys.build(s)
		s.awaitPath()
		sites[sys.name] = s
	}
	got, cost := make(map[string][]float64), make(map[string][]float64)
	for b.Loop() {
		for _, l := range loads {
			for _, sys := range systems {
				if s := sites[sys.name]; s != nil {
					before := s.processor()
					speed := l.run(s, time.Second)
					used := (s.processor() - before).Seconds() / (time.Second + warmUp).Seconds()
					key := sys.name + " " + l.name
					got[key] = append(got[key], speed)
					cost[key] = append(cost[key], speed/used)
				}
			}
		}
	}
	for _, sys := range systems {
		for _, l := range loads {
			if values := got[sys.name+" "+l.name]; len(values) > 0 {
				m := median(values)
				line := fmt.Sprintf("%-14s %-9s %10.0f %-9s", sys.name, l.name, m, l.unit)
				if other := median(got[yardstick+" "+l.name]); other > 0 {
					line += fmt.Sprintf(" %8.3f x %s", m/other, yardstick)
				}
				c := median(cost[sys.name+" "+l.name])
				line += fmt.Sprintf("   per cpu %10.0f  %8.3f x", c, c/median(cost[yardstick+" "+l.name]))
				fmt.Println(line)
			}
		}
	}
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// chosen is those of a list whose names a variable has; all without it.
func chosen[T any](all []T, variable string, name func(T) string) []T {
	names := strings.Fields(os.Getenv(variable))
	if len(names) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool { return !slices.Contains(names, name(one)) })
}
