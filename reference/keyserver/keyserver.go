package keyserver

import (
	"io"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Options are what a key server gets from whoever runs it.
type Options struct {
	Rand    io.Reader      // all keys, cookies and nonces come from it; must not fail
	Rules   *rule.Switches // guards that are altered; nil: none
	Tap     core.Tap       // sees and may change each message on its way out; nil: none
	Secrets bool           // hand out key material as core.Secret
}

// KeyServer is a key server for one or more groups. It is not safe for concurrent use.
type KeyServer struct {
	cfg  policy.KeyServer
	opts Options
}

var _ core.Core = (*KeyServer)(nil)

// New makes a key server. It fails if the configuration cannot work. The groups begin to live with the first event.
func New(cfg policy.KeyServer, o Options) (*KeyServer, error) {
	return &KeyServer{cfg: cfg, opts: o}, nil
}

// Handle takes one event; see core.Core.
func (k *KeyServer) Handle(now time.Time, ev core.Event) []core.Effect { return nil }

// Deadline is when the key server wants to be woken; see core.Core.
func (k *KeyServer) Deadline() (time.Time, bool) { return time.Time{}, false }
