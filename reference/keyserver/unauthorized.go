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
	if id.IsValid() {
		k.tell(c, getvpn.UnauthorizedIPAddr, getvpn.Field("gm_addr", id))
		return
	}
	k.tell(c, getvpn.UnauthorizedIdentity, getvpn.Field("identity", named(c, proven.Identity, from)))
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
