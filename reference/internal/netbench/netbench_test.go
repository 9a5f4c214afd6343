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
	only  string // the one load it is given unless SYSTEMS names it; all if empty
}

func (s system) takes(l load) bool {
	return s.only == "" || s.only == l.name || os.Getenv("GDOILAB_SYSTEMS") != ""
}

// yardstick is the system that the others are compared with.
const yardstick = "wireguard-go"

var systems = []system{
	{name: "router", build: router},
	{name: yardstick, build: wireguard},
	{name: "esp", build: members("tunnel", "both")},
	{name: "esp-in-udp", build: members("udp-tunnel", "none", "--udp-checksum", "--batch")},
	{name: "libipsec", build: libipsec("openssl")},
	// strongSwan's own code in C, without the processor's help. What comes faster than it encrypts, it has still to do long after a load of datagrams.
	{name: "libipsec-c", build: libipsec("aes gcm"), only: "tcp"},
}

// router protects nothing.
func router(s *site) {
	s.route()
	s.forward()
}

// load is one sort of traffic, and what carrying it is counted in.
type load struct {
	name, unit string
	carry      func(*site, ends) float64
}

// lasting is how long a load is counted.
const lasting = time.Second

var loads = []load{
	{"tcp", "Mbit/s", func(s *site, e ends) float64 { return s.stream(e, lasting) }},
	{"udp-64", "packets/s", func(s *site, e ends) float64 { return s.datagrams(e, 64, lasting) }},
	{"udp-1300", "packets/s", func(s *site, e ends) float64 { return s.datagrams(e, 1300, lasting) }},
}

// BenchmarkGateways has every system carry every load, again and again in turn, and prints the medians. What a system carries for each
// second of processor time, of its own programs and of those that send and receive, minds less who else is on the machine.
func BenchmarkGateways(b *testing.B) {
	if os.Getenv("GDOILAB_WIREGUARD") == "" || os.Getenv("GDOILAB_PEERS") == "" {
		b.Skip("ci/bench-net.sh runs it")
	}
	systems := chosen(b, systems, "SYSTEMS", func(s system) string { return s.name })
	loads := chosen(b, loads, "LOADS", func(l load) string { return l.name })
	pairs := chosen(b, []ends{behind, own}, "ENDS", func(e ends) string { return e.name })
	sites := make(map[string]*site)
	for _, sys := range systems {
		sites[sys.name] = newSite(b)
		sys.build(sites[sys.name])
		for _, e := range pairs {
			sites[sys.name].awaitPath(e)
		}
	}
	got := make(table)
	for b.Loop() {
		for _, e := range pairs {
			for _, l := range loads {
				for _, sys := range systems {
					if sys.takes(l) {
						got.add(sites[sys.name], sys.name, e, l)
					}
				}
			}
		}
	}
	for _, e := range pairs {
		got.print(systems, e, loads)
	}
}

// chosen is those of a list whose names a variable has; all without it.
func chosen[T any](b *testing.B, all []T, variable string, name func(T) string) (some []T) {
	asked := strings.Fields(os.Getenv("GDOILAB_" + variable))
	if len(asked) == 0 {
		return all
	}
	var names []string
	for _, one := range all {
		names = append(names, name(one))
		if slices.Contains(asked, name(one)) {
			some = append(some, one)
		}
	}
	for _, a := range asked {
		if !slices.Contains(names, a) {
			b.Fatalf("%s: there is no %q; there are %s", variable, a, strings.Join(names, ", "))
		}
	}
	return some
}

// result is what a system has carried of a load: a second, and a second of processor time.
type result struct{ speed, worth []float64 }

type key struct{ system, ends, load string }

type table map[key]result

func (t table) add(s *site, system string, e ends, l load) {
	before := s.processor()
	speed := l.carry(s, e)
	used := (s.processor() - before).Seconds() / (lasting + warmUp).Seconds()
	k := key{system, e.name, l.name}
	t[k] = result{append(t[k].speed, speed), append(t[k].worth, speed/used)}
}

func (t table) print(systems []system, e ends, loads []load) {
	fmt.Printf("\nbetween %s\n%-12s %-9s %22s %14s %14s\n", e.name, "gateways", "load", "median", "x "+yardstick, "x by processor")
	for _, l := range loads {
		than := t[key{yardstick, e.name, l.name}]
		for _, sys := range systems {
			if !sys.takes(l) {
				continue
			}
			r := t[key{sys.name, e.name, l.name}]
			fmt.Printf("%-12s %-9s %12.0f %-9s %14.2f %14.2f\n", sys.name, l.name, median(r.speed), l.unit,
				median(r.speed)/median(than.speed), median(r.worth)/median(than.worth))
		}
	}
	esp := t[key{"esp", e.name, "tcp"}]
	for _, than := range []string{"libipsec", "libipsec-c"} {
		if slow := t[key{than, e.name, "tcp"}]; len(esp.speed) > 0 && len(slow.speed) > 0 {
			fmt.Printf("esp, tcp, against %s: x %.1f, by processor time x %.1f\n", than, median(esp.speed)/median(slow.speed), median(esp.worth)/median(slow.worth))
		}
	}
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
