package lab

import (
	"context"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// Need is something that a spec cannot do without and that not every fabric has.
type Need string

// The needs. They appear in labels as "needs:kernel".
const (
	NeedKernel      Need = "kernel"       // a real IP stack with the hosts' own tools
	NeedVirtualTime Need = "virtual-time" // hours must pass in no time
	NeedMulticast   Need = "multicast"    // members forward what hosts send to groups
)

// Fabric makes networks of one sort.
type Fabric interface {
	Name() string
	// Lacks returns why the fabric cannot serve the need, or "" if it can.
	Lacks(n Need) string
	// CannotStart returns why the fabric cannot bring up a device of that sort, or "" if it can.
	CannotStart(device *peer.Role) string
	// Check returns what is wrong with a device's manifest that can be known before anything runs.
	Check(device *peer.Manifest) error
	// Open makes an empty network. The seed decides everything in it that is random, as far as the fabric allows. The error is a
	// *Lacking if this machine has not what the plan takes.
	Open(ctx context.Context, plan Plan) (Net, error)
}

// Plan is what a network is made from.
type Plan struct {
	Seed    string
	Members int   // each with a LAN
	Hosts   bool  // one behind each member
	IPv6    bool  // beside IPv4
	NAT     []int // members behind a NAT

	Contained     []string          // nodes that are to be in containers
	NoMulticast   []int             // members to which the WAN carries no multicast
	Beside        Net               // with whose clock it goes, if that is not its own
	Aside         []int             // members that the key server's messages reach on a second link, AsideName
	SecondGateway bool              // member 2 stands before the LAN of member 1, too
	Routers       map[string]Wiring // nodes that are there already, by their names
	HideKeyServer bool              // so is the key server, to which the NAT hands on what comes to the ports of key management
}

// Wiring says which interfaces of this machine are wired to a router's.
type Wiring struct{ WAN, LAN Jack }

// Jack is an interface of this machine, or a VLAN on it.
type Jack struct {
	Interface string
	VLAN      int // 0: none
}

// Lacking is the error of a network that this machine cannot make.
type Lacking struct{ What string }

func (l *Lacking) Error() string { return "lab: " + l.What }

// Net is one network, made for one spec.
type Net interface {
	// Now is the network's own time: virtual on the memory fabric.
	Now() time.Time
	// Start brings up a node of the plan.
	Start(ctx context.Context, s Station) (Node, error)
	// Host returns the host of that name, "h1" behind "gm1".
	Host(name string) (Host, error)
	// Intercept has f see, and change, every packet that crosses the WAN. One interceptor at a time; nil ends it.
	Intercept(f func(*Crossing))
	// Inject puts an IP packet on the WAN as if the named node had sent it.
	Inject(from string, packet []byte)
	// NAT returns the NAT of the plan, in front of nobody if it names none.
	NAT() NAT
	// Wait lets time pass until the condition holds, at most for limit, and reports whether it held. The condition is
	// looked at after everything that happens.
	Wait(ctx context.Context, limit time.Duration, condition func() bool) bool
	// Frames returns what crossed the links so far, oldest first.
	Frames() []capture.Frame
	// Close stops every node and removes what was made.
	Close() error
}

// Station is a node to be started: exactly one of KS and GM is set.
type Station struct {
	Name    string
	Device  *peer.Role // nil: a tester
	KS      *policy.KeyServer
	GM      *policy.Member
	Mutants []peer.Mutant // of a device
	Tap     core.Tap      // of a tester
	Tables  []Table       // of a device: where else it stands
}

// Table is a network in which a device stands in a VRF, under the same name.
type Table struct {
	Net Net
	VRF string
}

// Node is a running key server or group member, as seen from outside.
type Node interface {
	// Do asks over the control socket.
	Do(ctx context.Context, command string, args any) (control.Response, error)
	// Log returns the syslog lines so far.
	Log() []string
	// Keys returns the key log so far.
	Keys() []keylog.Entry
	// Config returns the configuration that a device was started with. Paths are below its own folder.
	Config() ([]peer.File, error)
	// Stop ends the node as an operator would, and waits for it.
	Stop() error
}

// Crossing is one packet on the WAN. An interceptor may change its fields.
type Crossing struct {
	At     time.Time
	From   string // the node that sent it, NATName if it came through the NAT
	Packet []byte // IPv4 or IPv6; to be replaced, not written into

	Drop   bool
	Delay  time.Duration
	Copies int    // further copies, delivered right behind
	Note   string // for the capture, when the packet was touched
}

// Host is an ordinary machine behind a group member.
type Host interface {
	Addr() netip.Addr
	// Addr6 is its IPv6 address; not valid in a lab without.
	Addr6() netip.Addr
	// Ping starts to send echo requests, of the version of the address; the probe counts what comes back.
	Ping(ctx context.Context, to netip.Addr, o Ping) (Probe, error)
	// Send puts an IP packet on the host's link as it is, for its gateway to forward.
	Send(packet []byte) error
}

// Transferrer is a Host that can move data over TCP (NeedKernel).
type Transferrer interface {
	// Fetch has this host load so many octets from the other one over HTTP, and returns how many arrived intact.
	Fetch(ctx context.Context, from Host, octets int64) (int64, error)
}

// Toolbox is a Host with the machine's own programs (NeedKernel).
type Toolbox interface {
	// Run starts a program on the host. What it returns waits for the program's end, or that of ctx, and gives back all
	// that the program printed.
	Run(ctx context.Context, program string, args ...string) (wait func() (string, error), err error)
}

// Ping says what to send.
type Ping struct {
	Count        int           // 0: until stopped
	Interval     time.Duration // 0: 100 ms
	Size         int           // octets of data in each; 0: 56
	DontFragment bool
}

// Probe is a ping in progress.
type Probe interface {
	// Done reports whether Count requests were sent and each was answered or given up.
	Done() bool
	// Stop ends sending, waits a little for answers under way, and returns the result.
	Stop() PingResult
	// Result returns the counts so far.
	Result() PingResult
}

// PingResult counts echo requests and their answers.
type PingResult struct {
	Sent, Received, Duplicates int
	TooBig                     int // ICMP "fragmentation needed" or ICMPv6 Packet Too Big that came back
}
