package keyserver

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var guardInterface = rule.Check("keyserver.getvpn.interface", "GETVPN-REG-28", rule.KS,
	"who asks for a group at another interface than that of registrations gets nothing")

// registrable refuses a registration at an interface that is not for that.
func (k *KeyServer) registrable(s *session) error {
	i := k.cfg.Router.At(s.sa.Local().Addr())
	if !guardInterface.Holds(k.opts.Rules, i == nil) {
		return guardInterface.Violated("registration at the interface %s", i.Name)
	}
	return nil
}

// tellInterface tells of a registration at an interface that is not for that.
func (k *KeyServer) tellInterface(s *session, c *carried) {
	if i := k.cfg.Router.At(s.sa.Local().Addr()); i != nil {
		k.tell(c, getvpn.UnregisteredInterface, getvpn.Field("interface", i.Name))
	}
}

// tellBlackhole tells of members that a rekey cannot reach for a null route.
func (k *KeyServer) tellBlackhole(c *carried, p group.Plan) {
	for _, to := range p.To {
		if k.cfg.Router.Drops(to.Addr()) {
			k.tell(c, getvpn.KSBlackholeACK, gmAddr(to))
		}
	}
}

// engine is what the hardware of a key server is doing. The zero value is idle.
type engine struct {
	until time.Time // a rekey is being signed
	begun int       // registrations meanwhile
	lost  uint32    // transactions that came to nothing
}

// What one vendor's device is seen to say of a transaction that came to nothing.
const (
	engineModule = 9
	engineOpcode = 0x23
	engineError  = 0xc
)

// signs has the hardware sign a rekey.
func (k *KeyServer) signs() {
	if busy := k.cfg.Router.Engine.Signing; busy > 0 {
		k.engine.until, k.engine.begun = k.now.Add(busy), 0
	}
}

// overloaded reports whether the hardware has no room for another registration while it signs. The operator is told then.
func (k *KeyServer) overloaded(from netip.AddrPort) bool {
	if !k.now.Before(k.engine.until) {
		return false
	}
	if k.engine.begun++; k.engine.begun <= k.cfg.Router.Engine.Registrations {
		return false
	}
	k.engine.lost++
	k.tell(nil, getvpn.TransErr, getvpn.Field("n", engineModule), getvpn.Field("trans", fmt.Sprintf("%X", k.engine.lost)),
		getvpn.Field("opcode", fmt.Sprintf("%X", engineOpcode)), getvpn.Field("param", "0"), getvpn.Field("error", fmt.Sprintf("%X", engineError)),
		getvpn.Field("retry", 0), gmAddr(from))
	return true
}
