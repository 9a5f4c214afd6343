package lab

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/harness/peer"
)

// routers says how those devices are wired that are there already. A router is one node; a spec that wants more of it is not for it.
func (l *Lab) routers() (map[string]Wiring, error) {
	wired := make(map[string]Wiring)
	taken := make(map[*peer.Router]string)
	for _, p := range l.Peers() {
		if !p.Device() || p.station.Device.Router() == nil {
			continue
		}
		one := p.station.Device.Router()
		if other, ok := taken[one]; ok {
			return nil, fmt.Errorf("lab: %w", p.unsupported(fmt.Sprintf("%s is one router (%s), which is %s already", p.station.Device.Device, one.At, other)))
		}
		taken[one] = p.Name()
		w, err := wiring(one)
		if err != nil {
			return nil, fmt.Errorf("lab: %w", err)
		}
		if l.setup.Hosts && p.station.GM != nil && w.LAN == (Jack{}) {
			return nil, fmt.Errorf("lab: %w", p.unsupported(fmt.Sprintf("%s has no port for a host behind it (%s)", p.station.Device.Device, one.At)))
		}
		if slices.ContainsFunc(l.setup.Aside, func(i int) bool { return MemberName(i) == p.Name() }) {
			return nil, fmt.Errorf("lab: %w", p.unsupported(fmt.Sprintf("%s has no second port towards the key server (%s)", p.station.Device.Device, one.At)))
		}
		wired[p.Name()] = w
	}
	return wired, nil
}

func wiring(r *peer.Router) (w Wiring, err error) {
	var err1, err2 error
	w.WAN.Interface, err1 = r.Ports.WAN.Interface.Value()
	w.LAN.Interface, err2 = r.Ports.LAN.Interface.Value()
	w.WAN.VLAN, w.LAN.VLAN = r.Ports.WAN.VLAN, r.Ports.LAN.VLAN
	return w, errors.Join(err1, err2)
}

// placeOf is what a router's templates see of where it is, as member i or as the key server.
func placeOf(device *peer.Role, plan Plan, member bool, i int) (place peer.Place, err error) {
	one := device.Router()
	var err1, err2, err3 error
	place.WAN, err1 = one.WAN.Value()
	if member && plan.Hosts {
		place.LAN, err2 = one.LAN.Value()
	}
	if device.Syslog != nil {
		place.LogTo, err3 = device.Syslog.Listen.Value()
	}
	for j := 1; j <= plan.Members && plan.Hosts; j++ {
		if !member || j != i {
			place.Routes = append(place.Routes, peer.Route{To: MemberLAN(j), Via: MemberAddr(j)})
		}
	}
	return place, errors.Join(err1, err2, err3)
}
