package iosconfig

import (
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// document is what a configuration says, before references are followed.
type document struct {
	hostname   string
	identity   string // address, dn or hostname
	dpd        time.Duration
	lifetime   time.Duration         // of SAs whose profile has none
	hosts      map[string]netip.Addr // by their names, in small letters
	enable     string
	users      []policy.ConsoleUser
	log        policy.LogReceiver
	policies   []*isakmpPolicy
	keys       []policy.PSK
	transforms map[string]*transformSet
	profiles   map[string]*ipsecProfile
	acls       map[string]*acl
	identities map[string]*cryptoIdentity
	trustpoint string
	groups     []*gdoiGroup
	maps       []*cryptoMap
	failClose  map[string]*failClose // by the crypto map
	local      map[string]string     // crypto map -> interface
	interfaces []*netInterface
	tracks     map[int]*policy.Track // stub objects, by their numbers
	nullRoutes []netip.Prefix
}

type isakmpPolicy struct {
	at       line
	priority int
	proposal policy.Proposal
	encr     bool
	lifetime time.Duration
}

type transformSet struct {
	at        line
	transform policy.Transform
}

type ipsecProfile struct {
	at       line
	lifetime time.Duration
	set      string
	setAt    line
}

type acl struct {
	at      line
	entries []policy.ACE
}

type cryptoIdentity struct {
	at    line
	names []string // parts of a subject
}

// gdoiGroup is a group, on a key server or a member.
type gdoiGroup struct {
	at       line
	name     string
	number   uint32
	identity bool

	local *localServer // of a key server

	servers      []server
	passive      bool
	revert       bool
	track        int    // number of the object that follows the active SA; 0: none does
	registration string // interface
	client       policy.Client
	sets         []string // of transforms that it takes
	setsAt       line
}

// server is a key server of a member, by its address or its name.
type server struct {
	at   line
	name string
}

type localServer struct {
	at           line
	address      netip.Addr
	addressAt    line
	rekey        policy.RekeyPolicy
	signed       string // label of the key
	signedAt     line
	unicast      bool
	rekeyACL     string
	rekeyACLAt   line
	authAddress  string
	authIdentity string
	authAt       line
	receiveOnly  bool

	registration   string // interface
	registrationAt line

	sas  []*saIPsec
	sids policy.SIDRange
}

type saIPsec struct {
	at      line
	seq     int
	profile string
	acl     string
	replay  policy.AntiReplay
	tag     bool
}

type cryptoMap struct {
	at    line
	name  string
	seq   int
	group string
	acl   string
	aclAt line
}

type failClose struct {
	at       line
	acl      string
	activate bool
}

type netInterface struct {
	name    string
	address netip.Prefix
	maps    []string
	joins   []policy.Stream // by hand
	vrf     string          // "": the global one
}

// group is the one of that name, made anew if it is not there.
func (d *document) group(l line, name string) *gdoiGroup {
	for _, g := range d.groups {
		if g.name == name {
			return g
		}
	}
	g := &gdoiGroup{at: l, name: name}
	d.groups = append(d.groups, g)
	return g
}

func (d *document) list(l line, name string) *acl {
	if d.acls[name] == nil {
		d.acls[name] = &acl{at: l}
	}
	return d.acls[name]
}
