package cores

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/gdoilab/gdoilab/reference/console"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keyserver"
	"github.com/gdoilab/gdoilab/reference/member"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/vrf"
)

// Options are what a core gets from whoever drives it.
type Options struct {
	Rand       io.Reader      // all keys, cookies and nonces come from it; must not fail
	Rules      *rule.Switches // guards that are altered; nil: none
	Forwarding bool           // no kernel decrements the TTL of what a member forwards
}

// Maker makes cores of one implementation, of the roles that it can play; the others are nil. A core hands out its key
// material as core.Secret.
type Maker struct {
	KeyServer func(policy.KeyServer, Options) (core.Core, error)
	Member    func(policy.Member, Options) (core.Core, error)
}

var registry = struct {
	sync.Mutex
	makers map[string]Maker
}{makers: map[string]Maker{
	"reference-ks": {KeyServer: func(c policy.KeyServer, o Options) (core.Core, error) {
		ks, err := keyserver.New(c, keyserver.Options{Rand: o.Rand, Rules: o.Rules, Secrets: true})
		if err != nil {
			return nil, err
		}
		return console.KeyServer(ks, c, o.Rules), nil
	}},
	"reference-gm": {Member: func(c policy.Member, o Options) (core.Core, error) {
		gm, err := ofTables(c, member.Options{Rand: o.Rand, Rules: o.Rules, Secrets: true, Forwarding: o.Forwarding})
		if err != nil {
			return nil, err
		}
		return console.Member(gm, c, "", o.Rules), nil
	}},
}}

// ofTables is a member, or if its configuration has VRFs, the device of a member in each.
func ofTables(c policy.Member, o member.Options) (core.Core, error) {
	var tables []vrf.Table
	for _, one := range c.Tables() {
		gm, err := member.New(one, o)
		if err != nil {
			return nil, err
		}
		if len(c.VRFs) == 0 {
			return gm, nil
		}
		tables = append(tables, vrf.Table{VRF: one.VRF, Core: gm})
	}
	return vrf.New(tables, o.Rules), nil
}

// Register adds an implementation. A name that is taken is an error.
func Register(name string, m Maker) error {
	registry.Lock()
	defer registry.Unlock()
	if _, taken := registry.makers[name]; taken {
		return fmt.Errorf("cores: there is a core %q already", name)
	}
	registry.makers[name] = m
	return nil
}

// Find returns the implementation of that name.
func Find(name string) (Maker, bool) {
	registry.Lock()
	defer registry.Unlock()
	m, ok := registry.makers[name]
	return m, ok
}

// Names lists the implementations in alphabetical order.
func Names() []string {
	registry.Lock()
	defer registry.Unlock()
	return slices.Sorted(maps.Keys(registry.makers))
}
