package netbench

import (
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/daemon"
)

// system is one sort of gateways.
type system struct {
	name  string
	build func(*site)
}

// yardstick is the system that the others are compared with.
const yardstick = "wireguard-go"

var systems = []system{
	{"router", router},
	{yardstick, wireguard},
	{"esp", members("tunnel", "both")},
	{"esp-in-udp", members("udp-tunnel", "none", "--udp-checksum")},
	{"libipsec", libipsec},
}

// router protects nothing.
func router(s *site) {
	s.route()
	s.forward()
}

// load is one sort of traffic, and what carrying it is counted in.
type load struct {
	name, unit string
	carry      func(*site) float64
}

// lasting is how long a load is counted.
const lasting = time.Second

var loads = []load{
	{"tcp", "Mbit/s", func(s *site) float64 { return s.stream(lasting) }},
	{"udp-64", "packets/s", func(s *site) float64 { return s.datagrams(64, lasting) }},
	{"udp-1300", "packets/s", func(s *site) float64 { return s.datagrams(1300, lasting) }},
}

// BenchmarkGateways has every system carry every load, again and again in turn, and prints the medians. What a system carries for each
// second of processor time, of its own programs and of those that send and receive, minds less who else is on the machine.
func BenchmarkGateways(b *testing.B) {
	if os.Getenv("GDOILAB_WIREGUARD") == "" || os.Getenv("GDOILAB_PEERS") == "" {
		b.Skip("ci/bench-net.sh runs it")
	}
	systems := chosen(systems, "GDOILAB_SYSTEMS", func(s system) string { return s.name })
	loads := chosen(loads, "GDOILAB_LOADS", func(l load) string { return l.name })
	sites := make(map[string]*site)
	for _, sys := range systems {
		sites[sys.name] = newSite(b)
		sys.build(sites[sys.name])
		sites[sys.name].awaitPath()
	}
	got := make(table)
	for b.Loop() {
		for _, l := range loads {
			for _, sys := range systems {
				got.add(sites[sys.name], sys.name, l)
			}
		}
	}
	got.print(systems, loads)
}

// chosen is those of a list whose names a variable has; all without it.
func chosen[T any](all []T, variable string, name func(T) string) []T {
	names := strings.Fields(os.Getenv(variable))
	if len(names) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool { return !slices.Contains(names, name(one)) })
}

// result is what a system has carried of a load: a second, and a second of processor time.
type result struct{ speed, worth []float64 }

type key struct{ system, load string }

type table map[key]result

func (t table) add(s *site, system string, l load) {
	before := s.processor()
	speed := l.carry(s)
	used := (s.processor() - before).Seconds() / (lasting + warmUp).Seconds()
	k := key{system, l.name}
	t[k] = result{append(t[k].speed, speed), append(t[k].worth, speed/used)}
}

func (t table) print(systems []system, loads []load) {
	fmt.Printf("\n%-12s %-9s %22s %14s %14s\n", "gateways", "load", "median", "x "+yardstick, "x by processor")
	for _, l := range loads {
		than := t[key{yardstick, l.name}]
		for _, sys := range systems {
			r := t[key{sys.name, l.name}]
			fmt.Printf("%-12s %-9s %12.0f %-9s %14.2f %14.2f\n", sys.name, l.name, median(r.speed), l.unit,
				median(r.speed)/median(than.speed), median(r.worth)/median(than.worth))
		}
	}
	esp, slow := t[key{"esp", "tcp"}], t[key{"libipsec", "tcp"}]
	if len(esp.speed) == 0 || len(slow.speed) == 0 {
		return
	}
	fmt.Printf("esp, tcp, against libipsec: x %.1f, by processor time x %.1f\n\n", median(esp.speed)/median(slow.speed), median(esp.worth)/median(slow.worth))
}

// median is not a number for none.
func median(values []float64) float64 {
	if len(values) == 0 {
		values = []float64{0}
	}
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// litter is the folders that have to go even if the run is interrupted.
var litter struct {
	sync.Mutex
	folders map[string]bool
}

func TestMain(m *testing.M) {
	daemon.BecomeIfAsked()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		litter.Lock()
		for folder := range maps.Keys(litter.folders) {
			_ = os.RemoveAll(folder)
		}
		os.Exit(1)
	}()
	os.Exit(m.Run())
}

// folder makes a folder that lasts as long as the benchmark.
func folder(b *testing.B) string {
	b.Helper()
	path, err := os.MkdirTemp("", "netbench")
	if err != nil {
		b.Fatal(err)
	}
	litter.Lock()
	defer litter.Unlock()
	if litter.folders == nil {
		litter.folders = make(map[string]bool)
	}
	litter.folders[path] = true
	b.Cleanup(func() { _ = os.RemoveAll(path) })
	return path
}
