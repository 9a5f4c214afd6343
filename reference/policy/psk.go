package policy

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

var (
	errNamedKey = errors.New("a pre-shared key without \"peer\" is found by a name, which Main Mode says too late; " +
		"write \"mode: aggressive\" or, at a key server, \"mode: either\"")
	errNobody = errors.New("a pre-shared key has a \"peer\", or an \"identity\" that is a name")
)

// PSK finds the pre-shared key of a peer. Where the address is all that is known of it (claimed is zero), as in Main Mode, that is the
// key of the longest prefix. Who says who it is before there are keys, as in Aggressive Mode, has the key of that name or, if it
// says an address, the one that the address has, wherever it sends from (RFC 2409 §5.4).
func (p Phase1) PSK(from netip.Addr, claimed Identity) (best PSK, ok bool) {
	if claimed.Kind == IdentityAddress {
		from, _ = netip.ParseAddr(claimed.Value) // was one before it was written
		claimed = Identity{}
	}
	for _, k := range p.PSKs {
		if k.serves(from, claimed) && (!ok || k.Peer.Bits() > best.Peer.Bits()) {
			best, ok = k, true
		}
	}
	return best, ok
}

// serves reports whether a key is for a peer of that address or, if it has one, that name.
func (k PSK) serves(from netip.Addr, name Identity) bool {
	if name.Kind == IdentityNone {
		return k.Peer.Contains(from)
	}
	return k.Identity.Same(name) && (!k.Peer.IsValid() || k.Peer.Contains(from))
}

// Reaches reports whether there may be a pre-shared key for a peer that is called at an address: one for that address or, in
// Aggressive Mode, for whatever name it turns out to have.
func (p Phase1) Reaches(a netip.Addr) bool {
	_, ok := p.PSK(a, Identity{})
	return ok || p.Mode != MainMode && slices.ContainsFunc(p.PSKs, func(k PSK) bool { return !k.Peer.IsValid() })
}

// psks takes keys that have been read. No two are for the same prefix, or for the same name anywhere, and none is for nobody.
func (p *Phase1) psks(keys []place[PSK]) {
	peers, names := make(map[netip.Prefix]string), make(map[Identity]string)
	for _, k := range keys {
		id := k.value.Identity
		switch {
		case k.at.Has("peer"):
			once(k.at, peers, k.value.Peer)
		case !k.at.Has("identity") || id.Kind == IdentityAddress:
			k.at.Problem("%v", errNobody)
		case p.Mode == MainMode:
			k.at.Problem("%v", errNamedKey)
		default:
			once(k.at, names, id.Folded())
		}
		p.PSKs = append(p.PSKs, k.value)
	}
}

func psk(v yamldoc.Value) PSK {
	var k PSK
	v.Fields(
		yamldoc.Optional("peer", &k.Peer, network),
		yamldoc.Optional("identity", &k.Identity, claimed),
		yamldoc.Required("key", &k.Key, pskKey),
	)
	return k
}
