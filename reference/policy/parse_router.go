package policy

import (
	"net/netip"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// ofRouter are the fields of a Router, which only GET VPN has.
var ofRouter = []string{"interfaces", "null_routes", "crypto_engine"}

func routerFields(r *Router, interfaces *[]place[Interface]) []yamldoc.Field {
	return []yamldoc.Field{
		yamldoc.Optional("interfaces", interfaces, yamldoc.List(placed(netInterface))),
		yamldoc.Optional("null_routes", &r.NullRoutes, yamldoc.List(network)),
		yamldoc.Optional("crypto_engine", &r.Engine, cryptoEngine),
	}
}

func netInterface(v yamldoc.Value) (i Interface) {
	v.Fields(yamldoc.Required("name", &i.Name, interfaceName), yamldoc.Required("address", &i.Address, unicastPort))
	return i
}

func interfaceName(v yamldoc.Value) string {
	name, ok := v.Text()
	if ok && (name == "" || strings.ContainsAny(name, " \t\n")) {
		v.Problem("%s is no name of an interface; write one such as Ethernet1/0", brief(name))
	}
	return name
}

func cryptoEngine(v yamldoc.Value) (e CryptoEngine) {
	v.Fields(
		yamldoc.Required("signing", &e.Signing, between(time.Millisecond, maxDelay)),
		yamldoc.Required("registrations", &e.Registrations, within(0, 65535)),
	)
	return e
}

// interfacesOf are those of a key server, each with an address of its own.
func interfacesOf(own netip.AddrPort, all []place[Interface]) (interfaces []Interface) {
	seen := map[netip.Addr]bool{own.Addr(): true}
	for _, i := range all {
		if a := i.value.Address.Addr(); a.IsValid() && seen[a] {
			i.at.Problem("the key server has the address %s already", a)
		} else {
			seen[a] = true
		}
		interfaces = append(interfaces, i.value)
	}
	return interfaces
}
