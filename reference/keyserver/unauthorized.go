package keyserver

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// tellUnauthorized tells the operator of GET VPN who has been kept out of a group.
func (k *KeyServer) tellUnauthorized(c *carried, id netip.Addr, proven policy.Peer, from netip.AddrPort) {
	if !k.getvpn() {
		return
	}
	group := getvpn.Field("group", c.Name())
	refused := getvpn.Event(getvpn.UnauthorizedIPAddr, group, getvpn.Field("gm_addr", id))
	if !id.IsValid() {
		refused = getvpn.Event(getvpn.UnauthorizedIdentity, group, getvpn.Field("identity", named(c, proven.Identity, from)))
	}
	k.out = append(k.out, refused, getvpn.Event(getvpn.KSUnauthorized, group, getvpn.Field("gm_addr", from.Addr())))
}

// named is how the message has an identity. With a list that has nobody, devices say that they could not make anything of it.
func named(c *carried, id policy.Identity, from netip.AddrPort) string {
	switch {
	case c.AdmitsNobody():
		return fmt.Sprintf("Dist. name parsing failed. Peer Address: %s", from.Addr())
	case id.Kind == policy.IdentityDN:
		return "Dist.name: " + strings.ReplaceAll(id.Value, ",", ", ")
	}
	return id.String()
}
